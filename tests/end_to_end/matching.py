"""Finds, for each record of a note, the physical note it is about; or shows that there is no honest way to do so.

Both sides are in the order in which things happened, so this is an alignment of two sequences. A note that went back to
its owner needs no record (some never reach escrow); one that is in the box, or was fished out of it, must have exactly one.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from tests.end_to_end.physical import BOX, FISHED, RETURNED, PhysicalNote

CONTEXT = 4


class Record(Protocol):
    @property
    def face_fen(self) -> int | None: ...
    @property
    def fate(self) -> str: ...


R = TypeVar("R", bound=Record)


def match(
    records: Sequence[R], physical: Sequence[PhysicalNote], agree: Callable[[R, PhysicalNote], bool]
) -> list[tuple[R, PhysicalNote]]:
    """Pair them. Claims without a face stand for what is left over in the box, in any order.

    Two notes of one face in a row can be paired in more than one way: the way in which all pairs ``agree`` is taken if there is
    one, else any, in which the caller finds the pair that does not.

    Raises:
        AssertionError: a note was lost, invented or recorded twice; the message shows where the two stories part.
    """
    with_face = [record for record in records if record.face_fen is not None]
    faceless = [record for record in records if record.face_fen is None]
    try:
        pairs = _align(with_face, physical, spare=len(faceless), agree=agree)
    except AssertionError:
        pairs = _align(with_face, physical, spare=len(faceless), agree=lambda record, note: True)
    taken = {note.number for _, note in pairs}
    left = [note for note in physical if note.place in (BOX, FISHED) and note.number not in taken]
    assert len(left) == len(faceless), f"{len(faceless)} claims without a face, but left over are {_told(left)}"
    return [*pairs, *zip(faceless, left, strict=True)]


def _align(
    records: Sequence[R], physical: Sequence[PhysicalNote], spare: int, agree: Callable[[R, PhysicalNote], bool]
) -> list[tuple[R, PhysicalNote]]:
    """Walk both at once; a state is (physical notes used, faceless claims spent), with the way that led to it."""
    ways: list[dict[tuple[int, int], tuple[int, int]]] = []
    states = {(0, 0)}
    for number, record in enumerate(records):
        reached: dict[tuple[int, int], tuple[int, int]] = {}
        for state in sorted(states):
            for index, spent in _candidates(physical, state, spare):
                if _fits(record, physical[index]) and agree(record, physical[index]):
                    reached.setdefault((index + 1, spent), state)
        assert reached, _where_they_part(records, number, physical, max(states)[0])
        ways.append(reached)
        states = set(reached)
    ends = [state for state in states if any(i == len(physical) for i, _ in _rests(physical, state, spare))]
    assert ends, f"in the box without a record: {_told(physical[min(states)[0] :])}"
    return _way_back(records, physical, ways, min(ends, key=lambda state: state[1]))


def _rests(physical: Sequence[PhysicalNote], state: tuple[int, int], spare: int) -> list[tuple[int, int]]:
    """How far one may go on without a record: past notes that went back, and past kept ones on a faceless claim."""
    index, spent = state
    passed = [(index, spent)]
    while index < len(physical):
        if physical[index].place in (BOX, FISHED):
            spent += 1
            if spent > spare:
                break
        index += 1
        passed.append((index, spent))
    return passed


def _candidates(physical: Sequence[PhysicalNote], state: tuple[int, int], spare: int) -> list[tuple[int, int]]:
    return [(index, spent) for index, spent in _rests(physical, state, spare) if index < len(physical)]


def _fits(record: Record, note: PhysicalNote) -> bool:
    if record.face_fen != note.face_fen:
        return False
    if record.fate == "credited":
        return note.place in (BOX, FISHED)
    return record.fate == "unknown" or note.place == RETURNED


def _way_back(
    records: Sequence[R],
    physical: Sequence[PhysicalNote],
    ways: Sequence[dict[tuple[int, int], tuple[int, int]]],
    end: tuple[int, int],
) -> list[tuple[R, PhysicalNote]]:
    pairs: list[tuple[R, PhysicalNote]] = []
    for record, reached in zip(reversed(records), reversed(ways), strict=True):
        pairs.append((record, physical[end[0] - 1]))
        end = reached[end]
    return pairs[::-1]


def _where_they_part(records: Sequence[object], number: int, physical: Sequence[PhysicalNote], index: int) -> str:
    journal = [str(record) for record in records[max(0, number - CONTEXT) : number + CONTEXT]]
    paper = [str(note) for note in physical[max(0, index - CONTEXT) : index + CONTEXT]]
    return f"no physical note fits {records[number]}.\nThe journal there:\n{_lines(journal)}\nThe paper there:\n{_lines(paper)}"


def _told(notes: Sequence[PhysicalNote]) -> str:
    return "; ".join(str(note) for note in notes) or "none"


def _lines(texts: Sequence[str]) -> str:
    return "\n".join(f"  {text}" for text in texts)
