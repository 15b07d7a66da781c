"""What became of each note: credited, returned, refused, or unclear and therefore a claim. Each gets exactly one record."""

from msgspec.structs import replace

from kiosk.domain import events as journal
from kiosk.domain.identifiers import claim_no
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.payment.availability import acceptor_fault
from kiosk.payment.closing import cancel, claimed, settle
from kiosk.payment.commands import Acknowledge, Command, KeepTrace, LogUnexpected, ReadCounters, Record
from kiosk.payment.deadlines import Timer
from kiosk.payment.events import Moment
from kiosk.payment.state import CashPayment, NoteInHand, NoteStage, Phase, State, Surroundings, Ticket
from kiosk.payment.steps import Step, rest_idle
from kiosk.views import Saying


def credited(state: State, event: ports.NoteCredited, moment: Moment) -> Step:
    """Money. It counts whatever we were doing; the device may forget it once it is on disk."""
    payment = state.payment
    note = payment.in_hand if payment else None
    if note is None and (ticket := _ticket_for(state, event.face)):
        return _on_disk_first(_proved(state, ticket, moment), event)
    if payment is None or event.face is None:
        reason = "credit_without_payment" if payment is None else "credit_without_face"
        return _on_disk_first(_becomes_claim(state, moment, face=event.face, reason=reason), event)
    commands: list[Command] = []
    note_no = note.note_no if note else state.numbers.note
    if note is None:
        commands.append(LogUnexpected("credit without a note in hand", state.phase))
    elif note.face != event.face:
        commands.append(LogUnexpected(f"credit of {event.face} for a note of {note.face}", state.phase))
    recovered = "power_up" if event.at_power_up else "last_answer" if payment.recovering else None
    record = journal.NoteCredited(
        payment_id=payment.opened.payment_id,
        note_no=note_no,
        face_fen=event.face,
        acceptor_serial=state.around.acceptor_serial,
        recovered=recovered,
    )
    numbers = replace(state.numbers, note=max(state.numbers.note, note_no + 1))
    step = _counts(replace(state, numbers=numbers), payment, event.face, moment)
    return step[0], [Record((record,)), Acknowledge(event), *commands, *step[1]]


def unclear(state: State, event: ports.NoteUnclear, moment: Moment) -> Step:
    """The device has a note and won't say whether it counts: a claim, and no more notes in this payment."""
    in_hand = state.payment is not None and state.payment.in_hand is not None
    if not in_hand and (ticket := _ticket_for(state, event.face)):
        return _without_ticket(state, ticket), [Acknowledge(event)]  # it is a claim already, and stays one
    step = _becomes_claim(state, moment, face=event.face, reason=event.fault.code, lost_by=event.fault.code)
    return _on_disk_first(step, event)


def returned(state: State, event: ports.NoteReturned, moment: Moment) -> Step:
    """Back with its person: the note in hand, or one that waited so long for this answer that it became a claim."""
    payment = state.payment
    if payment is not None and payment.in_hand is not None:
        step = _went_back(state, payment, payment.in_hand, event.reason, moment)
    elif ticket := _ticket_of_return(state, event):
        step = _given_back(state, ticket, event.reason, moment)
    else:
        log = LogUnexpected(f"note returned ({event.reason}) that was not in hand", state.phase)
        if payment is not None and payment.notice is None:  # one that was on its way while no note could be taken
            state = replace(state, payment=tell(payment, Saying("notice.note_returned"), calm=True))
        return state, [Acknowledge(event), log] if event.accepted else [log]
    return _on_disk_first(step, event) if event.accepted else step


def rejected(state: State, event: ports.NoteRejected, moment: Moment) -> Step:
    """Never in escrow; the person is told to flatten it, then to turn it, then to try another. Never "false"."""
    payment = state.payment
    if payment is None or state.phase is not Phase.INSERTING:
        return state, [LogUnexpected(f"note rejected ({event.reason})", state.phase)]
    refused = payment.refused_in_row + 1
    key = {1: "error.e30.line", 2: "notice.turn_note"}.get(refused, "notice.try_another_note")
    told = tell(replace(payment, refused_in_row=refused), Saying(key), code="E30")
    return rest_idle(replace(state, payment=told), moment), []


def acceptor_ready(state: State, event: ports.AcceptorReady, moment: Moment) -> Step:
    """The acceptor is back and has told all it knew; if a note is still open, its own counter decides."""
    payment = state.payment
    if payment is None or payment.in_hand is None:
        return state, []
    note = payment.in_hand
    if note.acceptor_serial not in ("", event.identity.serial):
        return _becomes_claim(state, moment, face=note.face, reason="another_acceptor")
    before, now = note.stacked_before, event.counters.stacked if event.counters else None
    if before is None or now is None:
        if note.stage is NoteStage.KEEPING:
            return _becomes_claim(state, moment, face=note.face, reason="no_evidence")
        return _went_back(state, payment, note, "reconnected", moment)
    if now == before and note.stage is not NoteStage.KEEPING:
        return _went_back(state, payment, note, "counter", moment)
    if now != before + 1:
        # Unmoved is no proof of a return either: a hand that clears a jam puts a note into the box uncounted.
        reason = "not_counted" if now == before else "counter"
        return _becomes_claim(state, moment, face=note.face, reason=reason)
    record = journal.NoteCredited(
        payment_id=payment.opened.payment_id,
        note_no=note.note_no,
        face_fen=note.face,
        acceptor_serial=event.identity.serial,
        recovered="counter",
    )
    step = _counts(state, payment, note.face, moment)
    return step[0], [Record((record,)), *step[1]]


def no_outcome(state: State, moment: Moment) -> Step:
    """The note's fate stayed open too long: a claim now; a late credit will be recognised as that note."""
    payment = state.payment
    if payment is None or payment.in_hand is None:
        return state, []
    note = payment.in_hand
    fault = acceptor_fault(state.around) or "acceptor.silent"
    ticket = Ticket(
        payment.opened.payment_id,
        note.note_no,
        note.face,
        accepted=note.stage is NoteStage.KEEPING,
        stacked_before=note.stacked_before,
    )
    # Its count is void as well, until the answer: whether the note is in it, only the acceptor knows.
    around = replace(state.around, unresolved=(*state.around.unresolved, ticket), stacked=None)
    return _becomes_claim(replace(state, around=around), moment, face=note.face, reason="no_answer", lost_by=fault)


def swallowed(state: State, count: int, moment: Moment) -> Step:
    """The acceptor counted more notes than the journal: each becomes a claim without a face."""
    commands: list[Command] = []
    for _ in range(count):
        step = _becomes_claim(state, moment, face=None, reason="counter")
        state, commands = step[0], [*commands, *step[1]]
    return state, commands


def end_if_due(state: State, moment: Moment) -> Step:
    """A payment that is ending ends as soon as no note is in hand."""
    payment = state.payment
    if payment is None or not payment.ending or payment.in_hand is not None:
        return state, []
    if payment.holds_something:
        return settle(state, moment, payment.ending)
    return cancel(state, moment, payment.ending)


def recount(around: Surroundings) -> list[Command]:
    """Before notes go in after an unclear one the acceptor's count, which is void, is read anew: it makes good a lost answer."""
    return [ReadCounters()] if around.stacked is None else []


def tell(payment: CashPayment, saying: Saying, *, calm: bool = False, code: str = "") -> CashPayment:
    return replace(payment, notice=saying, notice_is_calm=calm, notice_code=code)


# --- pieces ----------------------------------------------------------------------------------------------------


def _on_disk_first(step: Step, event: ports.DeviceEvent) -> Step:
    """The step with its event acknowledged, right after the record that must be on disk before the device may forget it."""
    record, *rest = step[1]
    if not isinstance(record, Record):
        raise TypeError(f"nothing is on disk yet of {type(event).__name__}: the step begins with {record}")
    return step[0], [record, Acknowledge(event), *rest]


def _counts(state: State, payment: CashPayment, face: Fen, moment: Moment) -> Step:
    """One note more in the payment, and none in hand."""
    counted = replace(
        payment, notes=(*payment.notes, face), in_hand=None, refused_in_row=0, notice=None, notice_code=""
    )
    after = replace(
        state,
        payment=_stop_when_enough(state, counted),
        deadlines=state.deadlines.without(Timer.OUTCOME, Timer.HELD),
    )
    return end_if_due(rest_idle(after, moment), moment)


def _went_back(state: State, payment: CashPayment, note: NoteInHand, reason: str, moment: Moment) -> Step:
    record = journal.NoteReturned(
        payment_id=payment.opened.payment_id,
        note_no=note.note_no,
        face_fen=note.face,
        acceptor_serial=note.acceptor_serial,
        reason=reason,
    )
    key = "notice.note_returned_try_smaller" if note.wanted_back else "notice.note_returned"
    told = tell(replace(payment, in_hand=None), Saying(key), calm=True)
    after = replace(state, payment=told, deadlines=state.deadlines.without(Timer.OUTCOME, Timer.HELD))
    step = end_if_due(rest_idle(after, moment), moment)
    return step[0], [Record((record,)), *step[1]]


def _proved(state: State, ticket: Ticket, moment: Moment) -> Step:
    """A note that is a claim has been credited after all, and that ends the claim.

    Its payment counts it while that is open. A settled one stays as its slip says: the office gives its unit the money.
    """
    record = journal.NoteCredited(
        payment_id=ticket.payment_id,
        note_no=ticket.note_no,
        face_fen=ticket.face,
        acceptor_serial=state.around.acceptor_serial,
        recovered="late_answer",
    )
    after = _count_known(_no_claim_any_more(state, ticket), ticket, notes=1)
    payment = _open_payment(after, ticket)
    if payment is None:
        return after, [Record((record,)), LogUnexpected(f"late credit of note {ticket.note_no}, a claim", state.phase)]
    step = _counts(after, payment, ticket.face, moment)
    return step[0], [Record((record,)), *recount(state.around), *step[1]]


def _given_back(state: State, ticket: Ticket, reason: str, moment: Moment) -> Step:
    """A note that is a claim went back to its person after all, and that ends the claim."""
    record = journal.NoteReturned(
        payment_id=ticket.payment_id,
        note_no=ticket.note_no,
        face_fen=ticket.face,
        acceptor_serial=state.around.acceptor_serial,
        reason=reason,
    )
    after = _count_known(_no_claim_any_more(state, ticket), ticket, notes=0)
    payment = _open_payment(after, ticket)
    if payment is None:
        return after, [Record((record,)), LogUnexpected(f"late return of note {ticket.note_no}, a claim", state.phase)]
    told = tell(payment, Saying("notice.note_returned"), calm=True)
    step = end_if_due(rest_idle(replace(after, payment=told), moment), moment)
    return step[0], [Record((record,)), *recount(state.around), *step[1]]


def _becomes_claim(
    state: State, moment: Moment, *, face: Fen | None, reason: str, lost_by: str = "acceptor.note_lost"
) -> Step:
    """Suspense: the note in hand, or one that nobody knew of, gets a number that its owner can ask by.

    A claim always names a fault: ``acceptor.note_lost`` (counters and journal differ) where no other is known.
    """
    payment = state.payment
    whose = payment or state.finished  # a settled payment's person may still stand here
    note = payment.in_hand if payment else None
    note_no = note.note_no if note else state.numbers.note
    known_face = face if face is not None else note.face if note else None
    claim = Claim(claim_no=claim_no(state.numbers.kiosk_code, note_no), face=known_face)
    record = journal.NoteUnknown(
        payment_id=whose.opened.payment_id if whose else None,
        note_no=note_no,
        face_fen=known_face,
        acceptor_serial=note.acceptor_serial if note else state.around.acceptor_serial,
        reason=reason,
        claim_no=claim.claim_no,
        evidence_lost_by=lost_by,
    )
    keep = KeepTrace(Fault(lost_by, f"claim {claim.claim_no}: {reason}"))
    numbers = replace(state.numbers, note=max(state.numbers.note, note_no + 1))
    after = replace(state, numbers=numbers, deadlines=state.deadlines.without(Timer.OUTCOME, Timer.HELD))
    if payment is None:
        log = LogUnexpected(f"claim {claim.claim_no} ({reason})", state.phase)
        return claimed(after, claim, moment), [Record((record,)), keep, log]
    told = tell(
        replace(payment, in_hand=None, claims=(*payment.claims, claim), shut=True), Saying("error.e32.line"), code="E32"
    )
    step = end_if_due(rest_idle(replace(after, payment=told), moment), moment)
    return step[0], [Record((record,)), keep, *step[1]]


def _stop_when_enough(state: State, payment: CashPayment) -> CashPayment:
    estate = state.around.estate
    smallest = min(state.around.usable_faces, default=Fen(0))
    if payment.received >= payment.due:
        return tell(payment, Saying("notice.enough"), calm=True)
    if len(payment.notes) >= estate.notes_limit:
        saying = Saying("error.e36.notes", {"limit": estate.notes_limit})
        return replace(tell(payment, saying, code="E36"), over_limit=True)
    if payment.received + smallest > estate.cash_limit_fen:
        saying = Saying("error.e36.line", {"limit_fen": int(estate.cash_limit_fen)})
        return replace(tell(payment, saying, code="E36"), over_limit=True)
    return payment


def _ticket_for(state: State, face: Fen | None) -> Ticket | None:
    return next((one for one in state.around.unresolved if face is None or one.face == face), None)


def _ticket_of_return(state: State, event: ports.NoteReturned) -> Ticket | None:
    """Only a return that is told at the acceptor's start doesn't say whether the note had been accepted."""
    tickets = state.around.unresolved
    return next((one for one in tickets if event.at_power_up or one.accepted == event.accepted), None)


def _open_payment(state: State, ticket: Ticket) -> CashPayment | None:
    """The payment of a claim, if it is not settled yet."""
    payment = state.payment
    return payment if payment is not None and payment.opened.payment_id == ticket.payment_id else None


def _no_claim_any_more(state: State, ticket: Ticket) -> State:
    """What became of the note is known; with no other claim in it an open payment takes notes again."""
    after = _without_ticket(state, ticket)
    payment = _open_payment(state, ticket)
    if payment is None:
        return after
    number = claim_no(state.numbers.kiosk_code, ticket.note_no)
    claims = tuple(claim for claim in payment.claims if claim.claim_no != number)
    return replace(after, payment=replace(payment, claims=claims, shut=bool(claims)))


def _count_known(state: State, ticket: Ticket, *, notes: int) -> State:
    """The acceptor's count that a claim had voided, now that it is known whether its note is in it."""
    if state.around.stacked is not None or ticket.stacked_before is None:
        return state
    return replace(state, around=replace(state.around, stacked=ticket.stacked_before + notes))


def _without_ticket(state: State, ticket: Ticket) -> State:
    left = tuple(one for one in state.around.unresolved if one is not ticket)
    return replace(state, around=replace(state.around, unresolved=left))
