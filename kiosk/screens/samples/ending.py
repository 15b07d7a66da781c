"""Samples of S13 to S16, of trouble, and of what lies over a screen."""

from collections.abc import Iterator
from typing import Any

import msgspec

from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim, Outcome
from kiosk.screens.samples.bills import bill_list, usual, usual_rows
from kiosk.screens.samples.maker import CLAIM, PLACE, RECEIPT_NO, USUAL_DUE, Maker
from kiosk.screens.samples.paying import cash_states
from kiosk.views import (
    AnyView,
    Dialog,
    DoneView,
    OutOfServiceView,
    ReceiptState,
    ReceiptView,
    ResultView,
    Saying,
    Step,
    TroubleView,
    WaitingView,
)

TWO_CLAIMS = (CLAIM, Claim(claim_no="K07-Q000124", face=None))
THREE_CLAIMS = (*TWO_CLAIMS, Claim(claim_no="K07-Q000125", face=Fen(2000)))
CHECK_CODE = "12086-7f3a91c2"


def results(make: Maker) -> Iterator[tuple[str, AnyView]]:
    frame = make.frame(Step.RECEIPT, can_switch_language=False)
    booked = ResultView(
        frame=frame,
        outcome=Outcome.BOOKED,
        received=Fen(65000),
        to_bills=USUAL_DUE,
        bill_count=5,
        to_prepaid=Fen(3372),
        prepaid_after=Fen(12032),
        left_open=Fen(0),
        receipt_no=RECEIPT_NO,
        countdown=make.countdown(30, 30),
    )
    replace = msgspec.structs.replace
    yield "s13-booked", booked
    yield (
        "s13-booked-part",
        replace(
            booked, received=Fen(50000), to_bills=Fen(50000), to_prepaid=Fen(0), left_open=Fen(11628), bill_count=4
        ),
    )
    offline = replace(frame, offline=True, bills_as_of="2026-02-06 08:00")
    yield "s13-accepted", replace(booked, frame=offline, outcome=Outcome.ACCEPTED, prepaid_after=None)
    yield "s13-accepted-online", replace(booked, outcome=Outcome.ACCEPTED, prepaid_after=None)
    no_slip = replace(booked, frame=offline, outcome=Outcome.ACCEPTED, prepaid_after=None, can_print=False)
    yield "s13-accepted-no-slip", no_slip
    yield (
        "s13-processing",
        replace(
            booked,
            frame=replace(frame, code="E32"),
            outcome=Outcome.PROCESSING,
            claims=(CLAIM,),
            prepaid_after=None,
            notice=Saying("notice.claims", {"count": 1}),
        ),
    )
    unclear = replace(
        booked,
        frame=replace(frame, code="E32"),
        outcome=Outcome.PROCESSING,
        claims=TWO_CLAIMS,
        prepaid_after=None,
        notice=Saying("notice.claims", {"count": 2}),
    )
    yield "s13-processing-two-claims", unclear
    nothing = {"received": Fen(0), "to_bills": Fen(0), "to_prepaid": Fen(0), "bill_count": 0, "left_open": USUAL_DUE}
    alone = replace(unclear, claims=(CLAIM,), notice=Saying("notice.claims", {"count": 1}), **nothing)
    yield "s13-processing-claim-alone", alone
    reviewed = replace(booked, outcome=Outcome.PROCESSING, prepaid_after=None, notice=Saying("notice.in_review"))
    yield "s13-processing-in-review", reviewed
    yield "s13-processing-no-slip", replace(reviewed, can_print=False)
    yield (
        "s13-accepted-clock-unset",
        replace(
            booked,
            frame=replace(offline, local_time=""),
            outcome=Outcome.ACCEPTED,
            prepaid_after=None,
            notice=Saying("notice.clock_unset"),
        ),
    )
    prepaid = {"to_bills": Fen(0), "bill_count": 0, "to_prepaid": Fen(65000), "prepaid_after": None}
    eight_days = replace(frame, offline=True)
    yield "s13-accepted-prepaid", replace(booked, frame=eight_days, outcome=Outcome.ACCEPTED, **prepaid)
    yield (
        "s13-not-completed",
        replace(
            booked,
            outcome=Outcome.NOT_COMPLETED,
            received=Fen(0),
            to_bills=Fen(0),
            bill_count=0,
            to_prepaid=Fen(0),
            prepaid_after=None,
            receipt_no="",
            left_open=USUAL_DUE,
        ),
    )


def receipts(make: Maker) -> Iterator[tuple[str, AnyView]]:
    def slip(state: ReceiptState, code: str = "", **changes: Any) -> AnyView:
        whole: dict[str, Any] = {
            "frame": make.frame(Step.RECEIPT, can_switch_language=False, code=code),
            "state": state,
            "outcome": Outcome.BOOKED,
            "received": Fen(65000),
            "receipt_no": RECEIPT_NO,
            "countdown": make.countdown(30, 30),
        }
        return ReceiptView(**(whole | changes))

    yield "s14-receipt-ask", slip(ReceiptState.ASK)
    yield "s14-receipt-printing", slip(ReceiptState.PRINTING, countdown=None)
    yield "s14-receipt-printed", slip(ReceiptState.PRINTED, can_reprint=True)
    check: dict[str, Any] = {"check_code": CHECK_CODE}
    yield (
        "s14-receipt-e52",
        slip(ReceiptState.FAILED, "E52", notice=Saying("error.e52.line"), can_reprint=True, **check),
    )
    unsure = Saying("notice.claims_slip_failed")
    nothing_in = {"outcome": Outcome.PROCESSING, "received": Fen(0), "can_reprint": True, "claims": (CLAIM,), **check}
    yield "s14-receipt-e52-claim-alone", slip(ReceiptState.FAILED, "E52", notice=unsure, **nothing_in)
    keep: dict[str, Any] = {"notice": Saying("notice.keep_number"), **check}
    yield "s14-receipt-no-paper", slip(ReceiptState.NO_PAPER, "E51", **keep)
    some = {"outcome": Outcome.PROCESSING, **keep}
    yield "s14-receipt-no-paper-claims", slip(ReceiptState.NO_PAPER, "E51", claims=TWO_CLAIMS, **some)
    yield "s14-receipt-no-paper-three-claims", slip(ReceiptState.NO_PAPER, "E51", claims=THREE_CLAIMS, **some)
    some = {"outcome": Outcome.PROCESSING, "notice": Saying("error.e52.line"), "can_reprint": True, **check}
    yield "s14-receipt-e52-claims", slip(ReceiptState.FAILED, "E52", claims=TWO_CLAIMS, **some)
    yield (
        "s15-done",
        DoneView(frame=make.frame(can_switch_language=False), took_receipt=True, countdown=make.countdown(5, 5)),
    )
    yield (
        "s15-done-no-slip",
        DoneView(frame=make.frame(can_switch_language=False), took_receipt=False, countdown=make.countdown(5, 5)),
    )


def troubles(make: Maker) -> Iterator[tuple[str, AnyView]]:
    def trouble(code: str, choices: tuple[str, ...], step: Step | None = Step.PAY, **changes: Any) -> AnyView:
        values = changes.pop("values", {})
        in_payment = step is None or "amount" in changes  # from the first record of a payment on, its language stays
        frame = make.frame(
            step, code=code, can_cancel=changes.pop("can_cancel", False), can_switch_language=not in_payment
        )
        return TroubleView(frame=frame, saying=Saying(f"error.{code.lower()}", values), choices=choices, **changes)

    room, finish, back = "trouble.other_room", "trouble.finish", "trouble.back"
    yield "e10-no-bill", trouble("E10", (room,), Step.IDENTIFY, can_cancel=True)
    yield "e21-no-office", trouble("E21", (room, "trouble.retry"), Step.IDENTIFY, can_cancel=True)
    yield "e22-bills-changed", trouble("E22", ("trouble.see_bills",), Step.BILLS, can_cancel=True)
    paid = {"paid_fen": 61628, "time": "10:02"}
    yield "e23-paid-already", trouble("E23", (back, "trouble.pay_again"), values=paid, can_cancel=True)
    held, claims = {"inserted_fen": 55000}, (CLAIM,)
    yield "e31-jam", trouble("E31", (finish,), values=held, amount=Fen(55000))
    yield "e32-note-unclear", trouble("E32", ("trouble.to_prepaid", finish), amount=Fen(55000), claims=claims)
    yield "e35-pulled-back", trouble("E35", (finish,), values=held, amount=Fen(55000), claims=claims)
    yield "e51-no-paper", trouble("E51", (back, "trouble.go_on_without_receipt"))
    ok: tuple[str, ...] = ("trouble.ok",)
    number: dict[str, str | int] = {"receipt_no": RECEIPT_NO}

    def interrupted(part: str, *claims: Claim, **amount: Any) -> AnyView:
        view = trouble("E60", ok, None, claims=claims, **amount)
        saying = Saying(f"error.e60{part}", {**number, "count": len(claims)})
        return msgspec.structs.replace(view, saying=saying)

    yield "e60-power-returned", interrupted("", amount=Fen(55000))
    yield "e60-power-returned-claim", interrupted("_claims", CLAIM, amount=Fen(55000))
    yield "e60-power-returned-claims", interrupted("_claims", *TWO_CLAIMS, amount=Fen(55000))
    yield "e60-power-returned-claim-alone", interrupted("_claims_alone", CLAIM)
    asks = interrupted("", amount=Fen(55000))
    no_slip: dict[str, Any] = {"check_code": CHECK_CODE, "next_step": Saying("error.e60_no_slip.next", number)}
    yield "e60-no-slip", msgspec.structs.replace(asks, **no_slip)
    unclear = interrupted("_claims", *TWO_CLAIMS, amount=Fen(55000))
    yield "e60-slip-on-request-claims", msgspec.structs.replace(unclear, choices=("trouble.print_slip", *ok))
    yield "e60-no-slip-claims", msgspec.structs.replace(unclear, **no_slip)
    no_slip["next_step"] = Saying("error.e60_no_slip_claim.next")
    yield "e60-no-slip-claim-alone", msgspec.structs.replace(interrupted("_claims_alone", CLAIM), **no_slip)
    yield "e60-slip-on-request", msgspec.structs.replace(asks, choices=("trouble.print_slip", *ok))
    yield (
        "e60-waiting-for-the-note",
        WaitingView(frame=make.frame(can_switch_language=False), saying=Saying("waiting.note_outcome")),
    )
    yield "e61-internal", trouble("E61", ok, amount=Fen(123450))
    choices = ("trouble.go_on_inserting", "trouble.to_prepaid", finish)
    asked = TroubleView(
        frame=make.frame(Step.PAY, can_switch_language=False),
        saying=Saying("error.no_refund", {"inserted_fen": 55000}),
        choices=choices,
        amount=Fen(55000),
    )
    yield "cancel-with-money-in", asked


def closed_states(make: Maker) -> Iterator[tuple[str, AnyView]]:
    frame = make.frame(code="E80")
    since = "2026-02-06 09:10"
    closed = OutOfServiceView(
        frame=frame, reason=Saying("reason.starting"), cash_place=PLACE, since=since, still_works=("works.help",)
    )
    yield "s16-out-of-service", closed
    for reason, name in (
        ("disk", "disk-full"),
        ("offline_too_long", "offline-31-days"),
        ("refused", "refused"),
        ("not_paired", "not-paired"),
    ):
        yield f"s16-{name}", msgspec.structs.replace(closed, reason=Saying(f"reason.{reason}"))
    yield "s16-unsettled", msgspec.structs.replace(closed, reason=Saying("reason.journal"), unsettled=TWO_CLAIMS)
    yield "s16-money-unsure", msgspec.structs.replace(closed, reason=Saying("reason.journal"), money_unsure=True)
    yield "s16-no-time", msgspec.structs.replace(closed, since="", frame=msgspec.structs.replace(frame, local_time=""))


def dialogs(make: Maker) -> Iterator[tuple[str, AnyView]]:
    over = {"dialog": Dialog.MORE_TIME, "dialog_countdown": make.countdown(14, 20), "code": "E70"}
    yield "e70-more-time", bill_list(make, usual_rows(make.rows), over, amounts_shown=False, **usual(make))
    cash = next(view for name, view in cash_states(make) if name == "s09-cash")
    frame = msgspec.structs.replace(cash.frame, dialog=Dialog.MORE_TIME, dialog_countdown=make.countdown(24, 30))
    yield "e70-more-time-with-money", msgspec.structs.replace(cash, frame=frame)
    yield "help", bill_list(make, usual_rows(make.rows), {"dialog": Dialog.HELP}, **usual(make))
