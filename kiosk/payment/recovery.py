"""What the flow knows when the agent starts: numbers, unfinished payments and what was wrong, from the journal.

The payments are brought to their end by the same flow as any other (phase RECOVERING): a note whose intent is open stays in
hand until the acceptor has said what became of it, by its last answer, at its own power-up, or by its counter; a note that
was only held goes back. Then the payment is settled or cancelled with ``ended="restart"``.

A payment may also have been settled, and cut before its person read so. Each visit that comes to its end writes that it did, the
telling after a restart too: with a slip that surely came out (receipt.printed, confirmed), else with receipt.declined. So the newest
settlement without either is still owed to somebody, through as many cuts as it takes. A slip that failed or may have come out tells
nobody anything for sure: who read the result and is cut while trying again is told once more, which is the smaller harm.

A device that was mended while nobody listened does not say so. So what was wrong is carried over the restart, and stops nothing:
what the device repeats goes on, and the end of what it does not is written down.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from kiosk.domain import events as journal
from kiosk.domain.chain import check_code
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim
from kiosk.hardware.ports import CountBefore
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.records import Entry, NoteRecord, PaymentRecord
from kiosk.payment.state import CashPayment, Finished, NoteInHand, NoteStage, Numbers, Ticket

BATCH = 500

# Facts that are told once and have no end.
_ENDLESS = ("acceptor.note_lost", "journal.damaged")

ReadBatch = Callable[[int, int], tuple[Entry, ...]]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal remembers for the flow."""

    numbers: Numbers
    interrupted: tuple[CashPayment, ...]
    untold: Finished | None  # settled, and perhaps nobody was told
    stacked: int | None  # what the acceptor's counter must say now; None: nobody can tell
    stacked_serial: str
    unresolved: tuple[Ticket, ...]
    intent_open: bool
    faults: frozenset[str] = frozenset()  # "device code" of what began and whose end is not written down
    box_out: bool = False  # the same of the cash box
    unproven: bool = False  # the last note was credited or claimed, and its acceptor's counter not written down since

    @property
    def count_before(self) -> CountBefore | None:
        """The acceptor's count before the note whose intent is open; or a note has an outcome that no later count shows."""
        notes = [payment.in_hand for payment in self.interrupted if payment.in_hand]
        kept = [note for note in notes if note.stage is NoteStage.KEEPING]
        if kept:
            return CountBefore(kept[0].acceptor_serial, kept[0].stacked_before)
        return CountBefore(self.stacked_serial, None) if self.unproven else None


def read(opened_journal: Journal, read_batch: ReadBatch) -> Known:
    """Gather it; ``read_batch`` is JournalReader.entries of the same file."""
    counted = opened_journal.latest("acceptor.counted")
    later = _all_after(read_batch, counted.seq if counted else 0)
    stacked, serial, unresolved, unproven = _count_on(counted, later)
    faults, box_out = _standing(opened_journal)
    payments = tuple(
        _as_payment(record, opened_journal.entries_of(record.opened.payment_id), stacked)
        for record in opened_journal.open_payments()
    )
    return Known(
        numbers=Numbers(
            kiosk_code=opened_journal.kiosk_code,
            note=opened_journal.next_note_no(),
            receipt=opened_journal.next_receipt_number(),
        ),
        interrupted=payments,
        untold=None if payments else _untold(opened_journal),
        stacked=stacked,
        stacked_serial=serial,
        unresolved=unresolved,
        # A claim whose answer is still to come is asked about again as well: the answer may be the proof.
        intent_open=bool(opened_journal.open_intents()) or any(ticket.accepted for ticket in unresolved),
        faults=faults,
        box_out=box_out,
        unproven=unproven,
    )


def _standing(opened_journal: Journal) -> tuple[frozenset[str], bool]:
    """What was wrong with the devices when the last process ended, and whether the cash box was out."""
    faults: set[str] = set()
    box_out = False
    for entry in opened_journal.entries_of_kinds(
        "device.fault", "device.fault_cleared", "cashbox.removed", "cashbox.replaced"
    ):
        try:
            event = entry.event
        except journal.UnknownEvent:
            continue  # damaged, which the night's check finds and tells; it stops no start
        match event:
            case journal.DeviceFault(device=device, code=code) if code not in _ENDLESS:
                faults.add(f"{device} {code}")
            case journal.DeviceFaultCleared(device=device, code=code):
                faults.discard(f"{device} {code}")
            case journal.CashboxRemoved():
                box_out = True
            case journal.CashboxReplaced():
                box_out = False
            case _:
                pass
    return frozenset(faults), box_out


def _all_after(read_batch: ReadBatch, seq: int) -> Iterator[Entry]:
    while batch := read_batch(seq, BATCH):
        yield from batch
        seq = batch[-1].seq


def _count_on(counted: Entry | None, later: Iterator[Entry]) -> tuple[int | None, str, tuple[Ticket, ...], bool]:
    """The last reading plus the credits since; an unclear note since then voids it. And whose answer is still to come.

    Last, whether the acceptor may tell at its start of a note that has its outcome: it speaks of the last one it saw.
    """
    reading = counted.event if counted else None
    stacked = reading.stacked if isinstance(reading, journal.AcceptorCounted) else None
    serial = reading.acceptor_serial if isinstance(reading, journal.AcceptorCounted) else ""
    unresolved: dict[int, Ticket] = {}
    intents: set[int] = set()
    unproven = False
    for entry in later:
        match entry.event:
            case journal.NoteEscrow():
                unresolved.clear()  # the acceptor takes another note only when it has told all it knew of those before
                unproven = False
            case journal.NoteAcceptIntent(note_no=note_no):
                intents.add(note_no)
            case journal.NoteCredited(note_no=note_no):
                stacked = None if stacked is None else stacked + 1
                unresolved.pop(note_no, None)
                unproven = True
            case journal.NoteReturned(note_no=note_no):
                unresolved.pop(note_no, None)
            case journal.NoteUnknown(reason="no_answer", payment_id=str(payment), note_no=note_no, face_fen=int(face)):
                stacked, unproven = None, True
                unresolved[note_no] = Ticket(payment, note_no, Fen(face), accepted=note_no in intents)
            case journal.NoteUnknown():
                stacked, unproven = None, True
            case _:
                pass
    return stacked, serial, tuple(unresolved.values()), unproven


def _as_payment(record: PaymentRecord, entries: Sequence[Entry], stacked: int | None) -> CashPayment:
    open_note = next((note for note in record.notes if note.state in ("escrow", "intent")), None)
    return CashPayment(
        opened=record.opened,
        notes=tuple(Fen(note.face_fen or 0) for note in record.notes if note.state == "credited"),
        claims=_claims(record),
        in_hand=_in_hand(open_note, entries, stacked) if open_note else None,
        ending="restart",
        recovering=True,
    )


def _untold(opened_journal: Journal) -> Finished | None:
    """The newest settlement, unless something later shows that its visit was over. A claim that was found after it is later."""
    last, stopped = opened_journal.last_ended(), opened_journal.latest("agent.stopped")
    if last is None or last.settlement is None or last.settlement_seq is None:
        return None
    entries = opened_journal.entries_of(last.opened.payment_id)
    events = [entry.event for entry in entries]
    claimed_at = max((entry.seq for entry in entries if isinstance(entry.event, journal.NoteUnknown)), default=0)
    late = claimed_at > last.settlement_seq
    later = [entry.event for entry in entries if entry.seq > claimed_at]
    if (stopped and stopped.seq > last.settlement_seq) or any(_ends_the_visit(event, late=late) for event in later):
        return None
    # Its slip may have come out just before the cut: another is a copy, and comes only when somebody asks for it.
    tried = [event.copy_no for event in events if isinstance(event, journal.ReceiptPrinted | journal.ReceiptFailed)]
    settled = next(entry for entry in entries if entry.seq == last.settlement_seq)
    return Finished(
        opened=last.opened,
        settlement=last.settlement,
        check_code=check_code(settled.seq, settled.hash),
        claims=_claims(last),
        copies_out=max(tried, default=0) + 1,
    )


def _ends_the_visit(event: object, *, late: bool) -> bool:
    """Its person has the slip for sure, or went without one; ``late``: a slip may lack the claim found after the settlement."""
    slip = isinstance(event, journal.ReceiptPrinted) and event.confirmed
    return isinstance(event, journal.ReceiptDeclined) or (slip and not late)


def _claims(record: PaymentRecord) -> tuple[Claim, ...]:
    """Those that are open, and those that the slip names: what was found out later is in no settled amount."""
    told = record.settlement.claims if record.settlement else ()
    return tuple(
        Claim(claim_no=note.claim_no or "", face=None if note.face_fen is None else Fen(note.face_fen))
        for note in record.notes
        if note.state == "unknown" or note.claim_no in told
    )


def _in_hand(note: NoteRecord, entries: Sequence[Entry], stacked: int | None) -> NoteInHand:
    intents = [entry.event for entry in entries if entry.header.kind == "note.accept_intent"]
    intent = next(
        (one for one in intents if isinstance(one, journal.NoteAcceptIntent) and one.note_no == note.note_no), None
    )
    return NoteInHand(
        note_no=note.note_no,
        face=Fen(note.face_fen or 0),
        channel=note.channel or 0,
        acceptor_serial=note.acceptor_serial,
        # Held but undecided: the driver gives it back before it asks anything (decisions 14).
        stage=NoteStage.KEEPING if intent else NoteStage.RETURNING,
        stacked_before=intent.stacked_before if intent else stacked,
    )
