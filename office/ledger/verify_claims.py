"""Invariants of claims: each has somebody who cares, each that people ended was ended by two, and what was given before
anybody knew where the note is stands in 1901 to the fen."""

from django.db.models import F, Q, Sum

from office.ledger.models import LedgerEntry, OfficeCommand, Posting
from office.ledger.rules import CASH_AT_OFFICE, DIFFERENCE
from office.ledger.verify_books import Found, balances
from office.payments.boxes import IN_THE_BOX
from office.payments.claim_closing import GIVEN_BY_PEOPLE
from office.payments.models import Case, Note, Resolution, SuspenseItem
from office.property.models import Project

Outcome = SuspenseItem.Outcome
_CONFIRMED = {
    Outcome.CREDITED: Resolution.Outcome.CREDIT,
    Outcome.REFUNDED: Resolution.Outcome.REFUND,
    Outcome.NOT_RECEIVED: Resolution.Outcome.NOT_RECEIVED,
}


def difference_agrees(project: Project) -> Found:
    """1901 holds what people gave for notes that are not found yet; 1001 what they gave in hand."""
    expected: dict[object, int] = {}
    noted = Q(note__isnull=False) | Q(kind=SuspenseItem.Kind.NOTE_UNKNOWN)  # the latter of no note: payments.overtaken
    given = SuspenseItem.objects.filter(noted, project=project, outcome__in=GIVEN_BY_PEOPLE)
    for item in given.select_related("note"):
        found = item.note.face_fen or 0 if item.note and item.note.state in IN_THE_BOX else 0
        expected[item.kiosk_id] = expected.get(item.kiosk_id, 0) + (item.amount_fen or 0) - found
    ledger = balances(project, DIFFERENCE, "kiosk_id")
    for kiosk_id in expected.keys() | ledger.keys():
        if expected.get(kiosk_id, 0) != ledger.get(kiosk_id, 0):
            figures = (
                f"{ledger.get(kiosk_id, 0)} fen, but notes that were given and not found {expected.get(kiosk_id, 0)}"
            )
            yield f"account {DIFFERENCE} kiosk {kiosk_id}", figures
    refunds = Resolution.objects.filter(project=project, state="confirmed", outcome=Resolution.Outcome.REFUND)
    in_hand = refunds.aggregate(sum=Sum("amount_fen"))["sum"] or 0
    desk = sum(balances(project, CASH_AT_OFFICE, "account_id").values())
    if desk != -in_hand:
        yield f"account {CASH_AT_OFFICE}", f"{desk} fen, but {in_hand} given back in hand"


def claims_are_cared_for(project: Project) -> Found:
    """An open item has an open case with an owner; an answered one has none left open."""
    cared_for = Case.objects.filter(project=project, state=Case.State.OPEN).exclude(suspense=None)
    owned = cared_for.filter(Q(owner__isnull=False) | ~Q(owner_role="")).values("suspense_id")
    items = SuspenseItem.objects.filter(project=project)
    for item in items.filter(state=SuspenseItem.State.OPEN).exclude(id__in=owned):
        yield _name(item), "it is open, and no open case with an owner is about it"
    for item in items.filter(state=SuspenseItem.State.RESOLVED, id__in=cared_for.values("suspense_id")):
        yield _name(item), "it is answered, and a case about it is still open"


def claims_ended_by_two(project: Project) -> Found:
    """What people ended has one confirmed resolution by two of them, both on record, and the posting that it asks for; what
    evidence ended has its note where the evidence says."""
    items = SuspenseItem.objects.filter(project=project)
    for item in items.filter(outcome__in=_CONFIRMED).prefetch_related("resolutions").order_by("id"):
        live = [one for one in item.resolutions.all() if one.state == Resolution.State.CONFIRMED]
        told = [(one.outcome, one.amount_fen) for one in live if one.closed_by_id not in (None, one.by_id)]
        if told != [(_CONFIRMED[Outcome(item.outcome)], item.amount_fen)] or not _on_record(live[0]):
            yield _name(item), f"it ended as {item.outcome}, which no two people decided"
        posted = _posted_fen(item)
        if posted != (0 if item.outcome == Outcome.NOT_RECEIVED else item.amount_fen):
            yield _name(item), f"it ended as {item.outcome}, for which {posted} fen were posted"
    confirmed = Resolution.objects.filter(project=project, state=Resolution.State.CONFIRMED)
    for one in confirmed.exclude(suspense__outcome__in=_CONFIRMED).select_related("suspense"):
        yield _name(one.suspense), "two people ended it, and it does not say so"
    places = {Outcome.FOUND: IN_THE_BOX, Outcome.RETURNED: (Note.State.RETURNED,)}
    for outcome, states in places.items():
        for item in items.filter(outcome=outcome).exclude(note__state__in=states).select_related("note"):
            yield _name(item), f"{outcome}, but its note is {item.note.state if item.note else 'none'}"


def _on_record(one: Resolution) -> bool:
    commands = OfficeCommand.objects.filter(project_id=one.project_id)
    proposed = commands.filter(kind="claim.proposed", ingest_no=one.ingest_no, by=one.by_id)
    confirmed = commands.filter(kind="claim.confirmed", body__resolution_id=str(one.id), by=one.closed_by_id)
    return proposed.exists() and confirmed.exists()


def _posted_fen(item: SuspenseItem) -> int:
    entries = LedgerEntry.objects.filter(project_id=item.project_id, event="claim_answered", ref_id=item.id)
    debits = Posting.objects.filter(entry__in=entries, amount_fen__gt=0, project_id=F("entry__project_id"))
    return debits.aggregate(sum=Sum("amount_fen"))["sum"] or 0


def _name(item: SuspenseItem) -> str:
    return f"claim {item.claim_no or item.id}"
