"""Invariants of what kiosks sent and staff did: nothing missing, nothing changed, nothing passed over. Source: office-domain
section 7.3, 6 to 8."""

from contextlib import suppress

import msgspec
from django.db.models import Count, Max, Min, QuerySet

from kiosk.domain import chain
from kiosk.domain.events import UNREADABLE
from office.kiosks.models import Journal, RawEvent
from office.ledger.models import OfficeCommand, Stream
from office.ledger.verify_books import Found
from office.payments import fold_branches
from office.payments.models import Case, Payment
from office.payments.selectors import entry_hash
from office.property.models import Project

SETTLEMENTS = ("payment.settled", "payment.partial")


def stream_whole(project: Project) -> Found:
    stream = Stream.objects.filter(project=project).first()
    if stream is None:
        yield "stream", "the project has none"
        return
    count = RawEvent.objects.filter(project=project).count() + OfficeCommand.objects.filter(project=project).count()
    if count != stream.last_no:
        yield "stream", f"{count} events and commands, but {stream.last_no} numbers were given"
    twice = OfficeCommand.objects.filter(project=project).filter(
        ingest_no__in=RawEvent.objects.filter(project=project).values("ingest_no")
    )
    for command in twice:
        yield f"command {command.ingest_no}", "an event has its number"
    unfolded = RawEvent.objects.filter(project=project, state=RawEvent.State.STORED, ingest_no__lte=stream.folded_no)
    if unfolded.exists():
        yield "stream", f"{unfolded.count()} events below {stream.folded_no} were passed over"

    for journal in Journal.objects.filter(project=project).select_related("kiosk"):
        folded = RawEvent.objects.filter(journal=journal, ingest_no__lte=stream.folded_no).aggregate(seq=Max("seq"))
        if (folded["seq"] or 0) != journal.posted_seq:
            where = f"kiosk {journal.kiosk.code} journal {journal.journal_id}"
            yield where, f"it says {journal.posted_seq} are folded, the stream {folded['seq'] or 0}"


def quarantine_is_cared_for(project: Project) -> Found:
    """Every event is folded, waits to be folded, or is in quarantine with a reason and a case; a branch has one for all of it."""
    events = RawEvent.objects.filter(project=project)
    cases = Case.objects.filter(project=project, kind="unreadable_event").values("raw_event_id")
    whole = Case.objects.filter(project=project, kind="journal_branch").values("raw_event__journal_id")
    aside = events.filter(state=RawEvent.State.QUARANTINED)
    for raw in aside.exclude(id__in=cases).exclude(reject_code=fold_branches.CODE, journal__in=whole):
        yield f"event {raw.ingest_no}", "it is in quarantine, and no case says so"
    for raw in aside.filter(reject_code=""):
        yield f"event {raw.ingest_no}", "it is in quarantine for no reason"
    for raw in events.exclude(state__in=RawEvent.State.values):
        yield f"event {raw.ingest_no}", f"its state is {raw.state!r}"


def journals_whole(project: Project) -> Found:
    for journal in Journal.objects.filter(project=project).select_related("kiosk"):
        prev, expected = _before(journal), journal.first_seq
        for raw in RawEvent.objects.filter(journal=journal).order_by("seq").iterator(500):
            where = f"kiosk {journal.kiosk.code} journal {journal.journal_id} seq {expected}"
            if raw.seq != expected:
                yield where, f"missing; the next one held is {raw.seq}"
                break
            if entry_hash(journal.journal_id, raw, prev) != bytes(raw.hash):
                yield where, "its stored parts do not give its hash"
                break
            prev, expected = bytes(raw.hash), expected + 1
        else:
            if (expected - 1, prev) != (journal.high_seq, bytes(journal.head_hash)):
                yield (
                    f"kiosk {journal.kiosk.code} journal {journal.journal_id}",
                    f"ends at {expected - 1}, the head says {journal.high_seq}",
                )


def _before(journal: Journal) -> bytes:
    """The hash on which its first entry was made: a branch's is its parent's, where it parts."""
    parent = journal.history().filter(seq=journal.first_seq - 1).values_list("hash", flat=True).first()
    return bytes(parent) if parent is not None else chain.GENESIS_PREV


def receipts_whole(project: Project) -> Found:
    """Receipt numbers have no gap but for those of a branch, and every settlement that was folded has its payment."""
    folded = RawEvent.objects.filter(project=project, state=RawEvent.State.FOLDED, kind__in=SETTLEMENTS)
    told = dict(folded.values_list("kiosk__code").annotate(count=Count("id")).order_by("kiosk__code"))
    numbered = Payment.objects.filter(project=project, receipt_number__isnull=False)
    held = dict(numbered.values_list("kiosk__code").annotate(count=Count("id")).order_by("kiosk__code"))
    for code in told.keys() | held.keys():
        if told.get(code, 0) != held.get(code, 0):
            yield f"kiosk {code}", f"{told.get(code, 0)} settlements, but {held.get(code, 0)} payments with a number"
    rows = Payment.objects.filter(project=project, receipt_number__isnull=False).values("kiosk_id", "kiosk__code")
    for row in rows.annotate(low=Min("receipt_number"), high=Max("receipt_number"), count=Count("id")).order_by(
        "kiosk_id"
    ):
        gaps = row["high"] - row["low"] + 1 - row["count"]
        if gaps and gaps != len(_on_branches(numbered.filter(kiosk_id=row["kiosk_id"]), row["low"], row["high"])):
            yield (
                f"kiosk {row['kiosk__code']}",
                f"{row['count']} receipts between numbers {row['low']} and {row['high']}",
            )


class _Told(msgspec.Struct):
    receipt_number: int = 0


def _on_branches(payments: QuerySet[Payment], low: int, high: int) -> set[int]:
    """The numbers in between that only a branch of one of the kiosk's journals has given."""
    kiosks = payments.values("kiosk_id")
    aside = RawEvent.objects.filter(kiosk__in=kiosks, reject_code=fold_branches.CODE, kind__in=SETTLEMENTS)
    told = set()
    for body in aside.values_list("body", flat=True):
        with suppress(*UNREADABLE):
            told.add(msgspec.json.decode(bytes(body), type=_Told).receipt_number)
    return {number for number in told if low < number < high} - set(payments.values_list("receipt_number", flat=True))
