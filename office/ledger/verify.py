"""The invariants of the books and of the uploads, and who breaks which.

Source: office-domain section 7.3; its numbers 5 and 9 wait for channels and for closed months.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from office.ledger import verify_books, verify_checkpoints, verify_claims, verify_uploads
from office.ledger.digest import folded_otherwise
from office.ledger.models import Stream
from office.property.models import Project

QUICK: tuple[Callable[[Project], verify_books.Found], ...] = (
    verify_books.entries_balance,
    verify_books.accounts_agree,
    verify_books.prepaid_agrees,
    verify_books.boxes_agree,
    verify_books.suspense_agrees,
    verify_claims.difference_agrees,
    verify_claims.claims_are_cared_for,
)
THOROUGH = (
    verify_books.bills_agree,
    verify_books.payments_add_up,
    verify_books.tenders_are_their_notes,
    verify_claims.claims_ended_by_two,
    verify_uploads.stream_whole,
    verify_uploads.journals_whole,
    verify_checkpoints.checkpoints_signed,
    verify_uploads.quarantine_is_cared_for,
    verify_uploads.receipts_whole,
)


@dataclass(frozen=True)
class Finding:
    """One thing that is off: which invariant, where, and how."""

    project: str
    invariant: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.project}: {self.invariant}: {self.where}: {self.what}"

    def told(self) -> dict[str, Any]:
        return {
            "ok": False,
            "project": self.project,
            "invariant": self.invariant,
            "where": self.where,
            "what": self.what,
        }


def verify_everything(*, quick: bool = False, fold_again: bool = False) -> Iterator[Finding]:
    """Check all projects. ``quick`` leaves out what reads every bill, payment or raw event again; ``fold_again`` compares
    every derived row with what the stream gives."""
    for project in Project.objects.order_by("code"):
        yield from verify_project(project, quick=quick)
        if fold_again:
            yield from (Finding(project.code, "folds_to_the_same", *found) for found in folded_otherwise(project))


def verify_project(project: Project, *, quick: bool = False) -> Iterator[Finding]:
    """Check one project. A check reads more than once, and an upload may be folded in between: what it finds is looked for again
    while nobody folds."""
    for check in QUICK if quick else (*QUICK, *THOROUGH):
        if any(check(project)):
            with transaction.atomic():
                Stream.objects.select_for_update(no_key=True).filter(project=project).first()
                found = list(check(project))
            yield from (Finding(project.code, check.__name__, where, what) for where, what in found)
