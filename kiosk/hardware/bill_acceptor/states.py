"""What every protocol's states map to; only the edge into CREDITED is money.

Source: bill-acceptors section 0, "Neutral driver state machine".
"""

from enum import StrEnum


class AcceptorState(StrEnum):
    """Where a driver is with its device and with the note in it."""

    OFFLINE = "offline"
    IDENTIFYING = "identifying"
    POWERUP_DRAIN = "powerup_drain"
    DISABLED = "disabled"
    IDLE = "idle"
    LOST = "lost"  # no valid reply: an accepted note stays open, never cancelled


class NoteState(StrEnum):
    """The life of one note as the driver knows it."""

    NONE = "none"
    READING = "reading"
    ESCROW = "escrow"  # held, undecided: nothing that accepts may be sent
    STACKING = "stacking"  # accept sent, credit not seen yet
    CREDITED = "credited"  # money; the end of stacking not seen yet
    UNCLEAR = "unclear"  # taken, and no credit will come: claimed
    RETURNING = "returning"  # was in escrow and goes back
    REJECTING = "rejecting"  # never was in escrow and goes back


# What left the host's hands and has no outcome yet: what a restart must not lose.
OPEN_STATES = frozenset({NoteState.STACKING})
# What is settled on the host but may still be reported by a device that restarts: not a second note.
SETTLED_STATES = frozenset({NoteState.CREDITED, NoteState.UNCLEAR})
