"""Whatever a kiosk's journal holds, folding goes on, no fen is lost, and a rebuild comes to equal books.

Random streams: events in any order, with any values their types allow, mixed with bytes that are no events.
"""

import uuid

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.domain import events
from kiosk.domain.money import NOTE_FACES
from office.kiosks import services
from office.kiosks.models import RawEvent
from office.ledger.digest import books_digest
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_project
from tests.office.engines import both_engines
from tests.office.estate import NOON, Estate, build_estate

PAYMENTS = [str(uuid.uuid5(uuid.NAMESPACE_OID, name)) for name in "abc"]
WORDS = st.sampled_from(["", "finished", "x" * 500, "nul\0", "房号", "2026-10-15", "9999-99-99"])
FACES = st.sampled_from([int(face) for face in NOTE_FACES])


def field(name: str, kind: type, estate: Estate) -> st.SearchStrategy:
    """A value for one field of one event: usually sensible, so that stories form, sometimes not."""
    choices = {
        "payment_id": st.sampled_from(PAYMENTS),
        "unit_id": st.sampled_from([str(estate.unit.id), str(estate.unit.id), str(uuid.uuid4()), "nowhere"]),
        "note_no": st.integers(1, 6) | st.just(2**70),
        "face_fen": FACES if kind is not events.NoteUnknown else FACES | st.none(),
        "receipt_no": st.sampled_from(["YG01-000001", "YG01-000002", "x" * 99]),
        "receipt_number": st.integers(1, 3) | st.just(2**70),
        "received_fen": st.integers(0, 30_000),
        "prepaid_fen": st.integers(0, 30_000),
        "due_fen": st.integers(0, 60_000),
        "notes": st.dictionaries(st.sampled_from(["10000", "100", "x"]), st.integers(0, 3), max_size=2),
        "lines": st.lists(lines(estate), max_size=4).map(tuple),
        "late_days": st.dictionaries(st.sampled_from(PAYMENTS), st.integers(-5, 99), max_size=1),
        "bills": st.just(()),
        "claims": st.just(()),
        "business_date": st.sampled_from([None, "2026-10-15", "2026-09-01", "tomorrow"]),
        "code": st.sampled_from(["printer.paper_out", "acceptor.jam_safe", "x" * 90]),
        "stacked": st.integers(0, 9),
        "rejected": st.integers(0, 9),
    }
    return choices.get(name, WORDS)


def lines(estate: Estate) -> st.SearchStrategy:
    bills = [str(bill.id) for bill in estate.bills.values()]
    return st.builds(
        events.LinePaid,
        bill_id=st.sampled_from([*bills, str(uuid.uuid4()), "no bill"]),
        component=st.sampled_from(["principal", "late_fee", "cost", "gift"]),
        amount_fen=st.sampled_from([1, 332, 5000, 11000, 24560, 10**6]),
    )


KINDS = [
    events.PaymentOpened,
    events.PaymentCancelled,
    events.PaymentSettled,
    events.PaymentPartial,
    events.NoteEscrow,
    events.NoteAcceptIntent,
    events.NoteCredited,
    events.NoteCredited,
    events.NoteReturned,
    events.NoteUnknown,
    events.ReceiptPrinted,
    events.ReceiptFailed,
    events.CashboxRemoved,
    events.CashboxReplaced,
    events.AcceptorCounted,
    events.DeviceFault,
    events.DeviceFaultCleared,
]
NUMBERS = {"protocol": st.just("ssp"), "channel": st.integers(0, 9), "confirmed": st.booleans()}


def any_event(estate: Estate) -> st.SearchStrategy:
    def of(kind: type) -> st.SearchStrategy:
        needed = [each.name for each in msgspec.structs.fields(kind) if each.required]
        return st.builds(
            kind, **{name: NUMBERS[name] if name in NUMBERS else field(name, kind, estate) for name in needed}
        )

    return st.sampled_from(KINDS).flatmap(of)


@both_engines
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_stream_of_events_breaks_the_books(database: str, data: st.DataObject) -> None:
    estate = build_estate(f"Y{uuid.uuid4().hex[:6].upper()}")
    for _ in range(data.draw(st.integers(1, 25))):
        event = data.draw(any_event(estate) | st.binary(max_size=40))
        if isinstance(event, bytes):
            estate.writer.append_raw(
                event, data.draw(st.sampled_from(["note.credited", "note.unknown", "payment.settled"]))
            )
        else:
            estate.writer.append(event)
    taken = services.take(estate.kiosk, estate.writer.journal_id, estate.writer.batch(), uuid.uuid4().hex, NOON)
    assert taken.ack_seq == taken.posted_seq == len(estate.writer.events)
    assert not RawEvent.objects.filter(project=estate.project, state=RawEvent.State.STORED).exists()
    off = [str(finding) for finding in verify_project(estate.project) if finding.invariant != "receipts_whole"]
    assert off == []
    before = books_digest(estate.project.id)
    rebuild(estate.project.id)
    assert books_digest(estate.project.id) == before
