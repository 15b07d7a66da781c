"""Samples of S08 to S10: the method, the notes, the note that is held."""

from collections.abc import Iterator
from typing import Any

import msgspec

from kiosk.domain.money import NOTE_FACES, Fen
from kiosk.screens.samples.maker import PLACE, USUAL_DUE, Maker
from kiosk.views import AnyView, CashState, HeldNoteView, InsertCashView, MethodOption, MethodView, Saying, Step


def methods(make: Maker) -> Iterator[tuple[str, AnyView]]:
    later = Saying("reason.not_yet")
    options = (
        MethodOption(method="cash"),
        MethodOption(method="scan", reason=later),
        MethodOption(method="card", reason=later),
        MethodOption(method="prepaid", reason=later),
    )
    frame = make.frame(Step.PAY, can_go_back=True, can_cancel=True)
    usual = MethodView(frame=frame, due=USUAL_DUE, bill_count=5, options=options, faces=NOTE_FACES, cash_place=PLACE)
    yield "s08-method", usual
    yield "s08-method-one-bill", msgspec.structs.replace(usual, due=Fen(123456), bill_count=1, faces=NOTE_FACES[:3])
    closed = (MethodOption(method="cash", reason=Saying("reason.cash_servicing")), *options[1:])
    yield (
        "s08-method-no-cash",
        msgspec.structs.replace(usual, frame=msgspec.structs.replace(frame, code="E34"), options=closed),
    )
    full = (MethodOption(method="cash", reason=Saying("reason.cash_full")), *options[1:])
    yield (
        "s08-method-box-full",
        msgspec.structs.replace(usual, frame=msgspec.structs.replace(frame, code="E33"), options=full),
    )
    yield (
        "s08-method-no-paper",
        msgspec.structs.replace(usual, frame=msgspec.structs.replace(frame, code="E51"), no_receipt=True),
    )


def cash_states(make: Maker) -> Iterator[tuple[str, AnyView]]:
    def cash(code: str = "", **changes: Any) -> AnyView:
        in_already = changes.get("counted", 55000) > 0
        whole: dict[str, Any] = {
            "frame": make.frame(
                Step.PAY, can_cancel=True, can_go_back=not in_already, can_switch_language=False, code=code
            ),
            "due": USUAL_DUE,
            "counted": Fen(55000),
            "notes": ((Fen(10000), 5), (Fen(5000), 1)),
            "suggested": ((Fen(5000), 1), (Fen(1000), 1), (Fen(500), 1), (Fen(100), 2)),
            "surplus_if_suggested": Fen(72),
            "faces": NOTE_FACES,
            "state": CashState.READY,
            "can_finish": True,
        }
        return InsertCashView(**(whole | changes))

    nothing: dict[str, Any] = {"counted": Fen(0), "notes": (), "can_finish": False}
    start = ((Fen(10000), 6), (Fen(1000), 1), (Fen(500), 1), (Fen(100), 2))
    yield "s09-cash", cash()
    yield "s09-cash-start", cash(suggested=start, **nothing)
    yield "s09-cash-getting-ready", cash(state=CashState.GETTING_READY, suggested=start, **nothing)
    yield "s09-cash-reading", cash(state=CashState.READING)
    yield "s09-cash-keeping", cash(state=CashState.KEEPING)
    yield "s09-cash-returning", cash(state=CashState.RETURNING)
    all_six = tuple((face, count) for face, count in zip(NOTE_FACES, (3, 2, 4, 12, 9, 18), strict=True))
    yield (
        "s09-cash-one-fen-missing",
        cash(
            due=Fen(65301), counted=Fen(65300), notes=all_six, suggested=((Fen(100), 1),), surplus_if_suggested=Fen(99)
        ),
    )
    yield (
        "s09-cash-enough",
        cash(
            counted=Fen(61700),
            notes=((Fen(10000), 6), (Fen(1000), 1), (Fen(500), 1), (Fen(100), 2)),
            suggested=(),
            surplus_if_suggested=Fen(0),
            state=CashState.STOPPED,
            notice=Saying("notice.enough"),
            notice_is_calm=True,
        ),
    )
    yield "s09-cash-few-faces", cash(faces=NOTE_FACES[:2], due=Fen(123456), suggested=((Fen(10000), 7),))
    stopped = {"state": CashState.STOPPED}
    limit: dict[str, str | int] = {"limit_fen": 200000}
    money: dict[str, str | int] = {"inserted_fen": 55000}
    yield "s09-cash-e30", cash("E30", notice=Saying("error.e30.line"))
    yield "s09-cash-e31", cash("E31", notice=Saying("error.e31.line", money), **stopped)
    yield "s09-cash-e32", cash("E32", notice=Saying("error.e32.line"), **stopped)
    yield "s09-cash-e33", cash("E33", notice=Saying("error.e33.line"), **stopped)
    yield "s09-cash-e34", cash("E34", notice=Saying("error.e34.line"), **stopped)
    yield "s09-cash-e35", cash("E35", notice=Saying("error.e35.line"), **stopped)
    yield "s09-cash-e36", cash("E36", notice=Saying("error.e36.line", limit), due=Fen(288000), **stopped)
    yield "s09-cash-e80", cash("E80", notice=Saying("error.e80.line", money), **stopped)
    yield "s09-cash-e80-nothing", cash("E80", notice=Saying("error.e80.nothing"), **stopped, **nothing)
    yield "s09-cash-e61", cash("E61", notice=Saying("error.e61.line"), **stopped)
    yield "s09-cash-refused", cash("E80", notice=Saying("error.refused.line", money), **stopped)
    yield "s09-cash-no-slips", cash("E51", notice=Saying("error.no_slips.line", money), **stopped)
    yield "s09-cash-no-slips-nothing", cash("E51", notice=Saying("error.no_slips.nothing"), **stopped, **nothing)
    returned = Saying("notice.note_returned_try_smaller")
    yield "s09-cash-returned", cash(notice=returned, notice_is_calm=True)


def held_notes(make: Maker) -> Iterator[tuple[str, AnyView]]:
    frame = make.frame(Step.PAY, can_switch_language=False)
    yield (
        "s10-held-note",
        HeldNoteView(
            frame=frame,
            face=Fen(10000),
            due=USUAL_DUE,
            counted=Fen(55000),
            surplus=Fen(3372),
            countdown=make.countdown(22, 30),
        ),
    )
    yield (
        "s10-held-note-large",
        HeldNoteView(
            frame=frame, face=Fen(10000), due=Fen(1), counted=Fen(0), surplus=Fen(9999), countdown=make.countdown(3, 30)
        ),
    )
    yield (
        "s10-held-note-five",
        HeldNoteView(
            frame=frame,
            face=Fen(500),
            due=Fen(123456),
            counted=Fen(123400),
            surplus=Fen(444),
            countdown=make.countdown(30, 30),
        ),
    )
