"""A case as a row: its kind, what it says, whose it is, how long it waits against its time limit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from office.payments.models import Case, SuspenseItem
from office.staff.pages import words
from office.staff.pages.case_words import says
from office.staff.pages.people import name_of


@dataclass(frozen=True)
class CaseRow:
    case: Case
    state: words.State
    what: words.Word
    advice: words.Word
    owner: words.Word
    age: timedelta
    left: timedelta  # negative: over time

    @property
    def is_open(self) -> bool:
        return bool(self.case.state == Case.State.OPEN)

    @property
    def needs_two(self) -> bool:
        return self.case.suspense is not None and self.case.suspense.state == SuspenseItem.State.OPEN

    @property
    def over_time(self) -> bool:
        return self.is_open and self.left < timedelta(0)

    @property
    def over_by(self) -> timedelta:
        return -self.left


def case_rows(cases: Iterable[Case]) -> list[CaseRow]:
    """Rows in the given order; ``cases`` should come with owner and closed_by fetched."""
    now = timezone.now()
    return [
        CaseRow(
            case=case,
            state=words.state(words.CASE, case.kind),
            what=says(case.kind, case.facts)[0],
            advice=says(case.kind, case.facts)[1],
            owner=name_of(case.owner) if case.owner else words.word(words.ROLE, case.owner_role),
            age=(case.closed_at or now) - case.opened_at,
            left=case.due_at - now,
        )
        for case in cases
    ]
