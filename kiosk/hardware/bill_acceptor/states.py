"""What every protocol's states map to; only the edge into CREDITED is money.

Source: bill-acceptors section 0, "Neutral driver state machine".
"""

from enum import StrEnum


class NoteState(StrEnum):
    """The life of one note as a driver knows it."""

    NONE = "none"
    READING = "reading"
    ESCROW = "escrow"  # held, undecided: nothing that accepts may be sent
    STACKING = "stacking"  # accept sent, credit not seen yet
    CREDITED = "credited"  # money; the end of stacking not seen yet
    UNCLEAR = "unclear"  # taken, and no credit will come: claimed
    RETURNING = "returning"  # was in escrow and goes back
    REJECTING = "rejecting"  # never was in escrow and goes back


# What is settled on the host but may still be reported by a device that restarts: not a second note.
SETTLED_STATES = frozenset({NoteState.CREDITED, NoteState.UNCLEAR})
