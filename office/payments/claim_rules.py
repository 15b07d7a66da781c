"""How a claim may end and what a count of the box proves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from office.payments.models import Resolution

FACES = (10_000, 5_000, 2_000, 1_000, 500, 100)

Outcome = Resolution.Outcome


def ways_out(*, in_books: bool) -> tuple[Outcome, ...]:
    """What may be proposed. Money that stands in 2241.s is in the box: nobody can say that it was never received."""
    return (Outcome.CREDIT, Outcome.REFUND) if in_books else (Outcome.CREDIT, Outcome.REFUND, Outcome.NOT_RECEIVED)


@dataclass(frozen=True)
class Weighed:
    """A count against the books. ``found`` are the faces of which every unclear note is proved to be in the box."""

    differences: dict[int, int]
    explained: bool
    found: frozenset[int]


def weigh(counted: Mapping[int, int], booked: Mapping[int, int], unclear: Mapping[int, int]) -> Weighed:
    """What a count proves about unclear notes, each mapping from face to notes (face 0: nobody knows it).

    It is evidence only where it agrees with the books at every face but for unclear notes of that face: a count that is off
    elsewhere may be off here. Fewer found than are unclear prove nothing about any one of them, and neither does a face that a
    note of unknown face may have.
    """
    faces = counted.keys() | booked.keys()
    more = {face: counted.get(face, 0) - booked.get(face, 0) for face in sorted(faces, reverse=True)}
    differences = {face: difference for face, difference in more.items() if difference}
    explained = all(0 < difference <= unclear.get(face, 0) for face, difference in differences.items())
    proved = explained and not unclear.get(0)
    found = frozenset(face for face, difference in differences.items() if proved and difference == unclear[face])
    return Weighed(differences, explained, found)
