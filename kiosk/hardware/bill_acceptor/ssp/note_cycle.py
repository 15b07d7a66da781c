"""What poll events mean for the one note that may be in the device. Pure: no wire, no clock.

The credit rule of bill-acceptors section 0 lives here and nowhere else: ``EE`` and ``E2`` are money unless this very
note has its outcome already, ``EA``, ``E6`` or ``EB`` without a credit are claims (suspense).
"""

from kiosk.domain.money import Fen
from kiosk.hardware.bill_acceptor.ssp.frames import Happened, PollEvent
from kiosk.hardware.bill_acceptor.states import SETTLED_STATES, NoteState
from kiosk.hardware.faults import Fault
from kiosk.hardware.ports import (
    DeviceEvent,
    NoteCredited,
    NoteEscrowed,
    NoteRejected,
    NoteReturned,
    NoteStacked,
    NoteUnclear,
)

REASON_ASKED = "?"  # the driver asks the device why (command 17) before it reports such an event

_MOVES = frozenset(
    {
        Happened.READ,
        Happened.CREDIT,
        Happened.REJECTING,
        Happened.REJECTED,
        Happened.STACKING,
        Happened.STACKED,
        Happened.FRAUD,
        Happened.CLEARED_TO_BOX,
        Happened.CLEARED_TO_PERSON,
        Happened.TICKET_ESCROW,
    }
)
_JAMS = frozenset({Happened.SAFE_JAM, Happened.UNSAFE_JAM})


def moves(events: tuple[PollEvent, ...]) -> bool:
    """Whether a reply speaks of a note, or of a start whose notes may follow."""
    return any(event.code in _MOVES or event.code is Happened.RESET for event in events)


class NoteCycle:
    """The note under way. ``accepted`` says that its accept was ordered and no outcome has been reported yet."""

    def __init__(self) -> None:
        self.faces: dict[int, Fen] = {}
        self.state = NoteState.NONE
        self.channel = 0
        self.announced = False  # NoteEscrowed was reported, so its end must be too
        self.accepted = False
        self.given_back = False  # at its start the device gave back a note that may or may not be the accepted one
        self.odd = ""  # the device contradicted itself in the last reply; for the fault's detail

    @property
    def face(self) -> Fen | None:
        return self.faces.get(self.channel)

    @property
    def in_escrow(self) -> bool:
        """Held and undecided: a poll would accept it."""
        return self.state is NoteState.ESCROW

    def rest(self) -> None:
        """No note is in the device any more, or none that concerns us."""
        self.state, self.channel, self.announced, self.accepted = NoteState.NONE, 0, False, False
        self.given_back = False

    def accept(self) -> None:
        self.state, self.accepted = NoteState.STACKING, True

    def resume(self, channel: int) -> None:
        """An earlier run accepted this note and never learned its outcome; channel 0 if it is not known."""
        self.state, self.channel, self.announced, self.accepted = NoteState.STACKING, channel, True, True

    def resume_settled(self, channel: int) -> None:
        """An earlier run reported this note's outcome; the device may not be done with it."""
        self.state, self.channel = NoteState.CREDITED, channel

    def sent_back(self) -> None:
        """We refused the note, or the device says it is not held any more."""
        self.state = NoteState.RETURNING

    def take(self, event: PollEvent) -> list[DeviceEvent]:
        """Move on by one event and say what to report. In state ESCROW afterwards, the driver has to decide."""
        match event.code:
            case Happened.READ | Happened.TICKET_ESCROW:
                return self._read(event.channel, is_ticket=event.code is Happened.TICKET_ESCROW)
            case Happened.STACKING:
                if self.state not in SETTLED_STATES:
                    self.state = NoteState.STACKING
            case Happened.CREDIT:
                return self._credit(event.channel)
            case Happened.STACKED:
                return self._stacked()
            case Happened.REJECTING:
                in_escrow = self.state in (NoteState.ESCROW, NoteState.STACKING, NoteState.RETURNING)
                self.state = NoteState.RETURNING if in_escrow else NoteState.REJECTING
            case Happened.REJECTED:
                return self._went_back(REASON_ASKED)
            case Happened.SAFE_JAM:
                return self._stuck(Fault("acceptor.jam_safe"), whatever=True)
            case Happened.UNSAFE_JAM:
                return self._stuck(Fault("acceptor.jam_unsafe"), whatever=False)
            case Happened.FRAUD:
                return self._fraud(event.channel)
            case Happened.CLEARED_TO_BOX:
                return self._cleared_to_box(event.channel)
            case Happened.CLEARED_TO_PERSON:
                return self._cleared_to_person()
        return []

    def end_reply(self, events: tuple[PollEvent, ...]) -> list[DeviceEvent]:
        """What it means that a reply said no more about the note. Not for the replies after a device's start."""
        if any(event.code in _JAMS for event in events) or moves(events):
            return []
        if self.state in (NoteState.RETURNING, NoteState.REJECTING):
            return self._went_back(REASON_ASKED)  # the end itself was lost with a line
        if self.state in SETTLED_STATES or self.state is NoteState.READING:
            self.rest()
        return []

    def end_start(self, *, stacked_moved: bool) -> list[DeviceEvent]:
        """The device has started anew and told everything; ``stacked_moved``: its counter shows one note more.

        A note that was merely held is out of it. An accepted one is certainly back only if the device gave one back
        and counts none more: the one it gave back may have been the next, pushed in while nobody could ask. What
        became of it otherwise the device does not say: the flow decides by the counters.
        """
        held = self.announced and not self.accepted and self.state not in SETTLED_STATES
        back = self.accepted and self.given_back and not stacked_moved
        self.rest()
        return [NoteReturned(reason="power_up", at_power_up=True)] if held or back else []

    # --- one event each

    def _read(self, channel: int, *, is_ticket: bool) -> list[DeviceEvent]:
        if not channel and not is_ticket:
            if self.state in (NoteState.NONE, NoteState.CREDITED):  # the end of the note before was lost with a line
                self.state = NoteState.READING
            return []
        if self.state is NoteState.STACKING and self.accepted:
            if self.channel == 0:
                self.channel = channel
            elif channel != self.channel:
                self.odd = f"escrow of channel {channel} while channel {self.channel} is being stacked"
                self.state = NoteState.ESCROW  # undecided again; the driver sends back what it may not poll for
            return []
        if self.state is NoteState.ESCROW:
            return []
        self.state, self.channel, self.accepted = NoteState.ESCROW, channel, False
        face = self.face
        self.announced = face is not None
        return [] if face is None else [NoteEscrowed(face=face, channel=channel)]

    def _credit(self, channel: int) -> list[DeviceEvent]:
        if self.state in SETTLED_STATES:
            known = "was credited already" if self.state is NoteState.CREDITED else "it would not vouch for"
            self.odd = f"credit of channel {channel} for a note that {known}"
            return []  # each note has one record; were this one real, the counter makes it a claim
        if self.accepted and self.channel not in (0, channel):
            self.odd = f"credit of channel {channel}, escrow was channel {self.channel}"
        self.state, self.channel, self.accepted, self.announced = NoteState.CREDITED, channel, False, False
        return [NoteCredited(face=self.face, channel=channel)]

    def _stacked(self) -> list[DeviceEvent]:
        swallowed = self.state is NoteState.STACKING
        face = self.face
        self.rest()
        if swallowed:
            return [NoteUnclear(face=face, fault=Fault("acceptor.note_lost", "stacked without a credit"))]
        return [NoteStacked()]

    def _went_back(self, reason: str) -> list[DeviceEvent]:
        if self.state in SETTLED_STATES:
            self.odd = "a note with an outcome came back"
        announced, accepted = self.announced, self.accepted
        self.rest()
        return [NoteReturned(reason=reason, accepted=accepted)] if announced else [NoteRejected(reason=reason)]

    def _stuck(self, fault: Fault, *, whatever: bool) -> list[DeviceEvent]:
        """A jam. Beyond reach it is a claim whatever we knew; within reach only if we had ordered to keep it."""
        has_note = self.state not in SETTLED_STATES and self.state is not NoteState.NONE
        if not (self.accepted or (whatever and has_note)):
            return []
        face = self.face
        self.state, self.accepted, self.announced = NoteState.UNCLEAR, False, False
        return [NoteUnclear(face=face, fault=fault)]

    def _fraud(self, channel: int) -> list[DeviceEvent]:
        if self.state is NoteState.STACKING:
            face = self.faces.get(channel, self.face)
            self.state, self.accepted, self.announced = NoteState.UNCLEAR, False, False
            return [NoteUnclear(face=face, fault=Fault("acceptor.fraud", f"channel {channel}"))]
        if self.announced:
            self.rest()
            return [NoteReturned(reason="fraud")]
        return []

    def _cleared_to_box(self, channel: int) -> list[DeviceEvent]:
        known = self.state in SETTLED_STATES  # credited or claimed before the power went: the same note
        self.rest()
        if known:
            return [NoteStacked()]
        self.state = NoteState.CREDITED
        return [NoteCredited(face=self.faces.get(channel), channel=channel, at_power_up=True)]

    def _cleared_to_person(self) -> list[DeviceEvent]:
        if self.accepted:
            self.given_back = True
            return []
        if self.state is NoteState.CREDITED:
            self.odd = "a credited note was given back at power-up"
        known = self.state in SETTLED_STATES
        self.rest()
        return [] if known else [NoteReturned(reason="power_up", at_power_up=True)]
