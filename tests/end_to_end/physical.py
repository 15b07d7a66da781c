"""What physically became of each note pushed into a simulated acceptor, told by the hand that inserted it and by the device.

This is one of the two sides of the truth per note; the other is the kiosk's journal. Neither is made from the other.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

import msgspec

HAND = "hand"  # the device name under which Lobby.insert() writes down what it does
ACCEPTOR = "bill-acceptor"
BOX, FISHED, RETURNED, PULLED = "box", "fished", "returned", "pulled"

_END_EVENTS = {"stacked": BOX, "returned": RETURNED, "rejected": RETURNED}


class PhysicalNote(msgspec.Struct, frozen=True, kw_only=True):
    """One note, where it ended, and every fault that befell it on its way there."""

    number: int
    face_fen: int
    place: str
    befell: tuple[str, ...] = ()

    def __str__(self) -> str:
        faults = f" after {', '.join(self.befell)}" if self.befell else ""
        return f"physical note {self.number} of {self.face_fen} fen: {self.place}{faults}"


def notes_of(events: Iterable[tuple[str, dict[str, Any]]]) -> list[PhysicalNote]:
    """All notes in the order of insertion; every one must have come to an end."""
    under_way: deque[int] = deque()
    ended: list[PhysicalNote] = []
    befell: list[str] = []
    for device, event in events:
        what = event["event"]
        if device == HAND and what == "insert":
            under_way.append(event["face_fen"])
        elif device == HAND:
            under_way.pop()  # refused at the mouth: it never was in the device
        elif device != ACCEPTOR:
            continue
        elif what == "jammed":
            befell.append(f"jam {event['where']}")
        elif what == "started":
            if under_way:
                befell.append("power cut")
            elif ended:  # its end may not have been told to the host yet, and now never will be
                ended[-1] = msgspec.structs.replace(ended[-1], befell=(*ended[-1].befell, "power cut"))
        elif what == "fraud" and event["when"] == "after_stack":
            ended[-1] = msgspec.structs.replace(ended[-1], place=FISHED, befell=(*ended[-1].befell, "fishing"))
        elif what == "fraud" or what in _END_EVENTS:
            if what == "fraud":
                befell.append("pulling")
            face = under_way.popleft()
            assert event.get("face_fen", face) == face, f"note {len(ended) + 1} of {face} fen ended as {event}"
            place = _END_EVENTS.get(what, PULLED)
            ended.append(PhysicalNote(number=len(ended) + 1, face_fen=face, place=place, befell=tuple(befell)))
            befell = []
    assert not under_way, f"notes still in the path: {list(under_way)}"
    return ended


def check_ledger(notes: Iterable[PhysicalNote], ledger: dict[str, Any]) -> None:
    """What the events told is what the simulator itself has in its box and outside it."""
    assert ledger["path"] is None, f"a note is still in the path: {ledger['path']}"
    for place, told in ((BOX, "stacker"), (FISHED, "fished"), (RETURNED, "returned"), (PULLED, "pulled")):
        counted = Counter(note.face_fen for note in notes if note.place == place)
        held = Counter({int(face): count for face, count in ledger[told].items()})
        assert counted == held, f"{told}: the events say {counted}, the simulator holds {held}"
