"""Samples of S01 to S04 and of waiting."""

from collections.abc import Iterator

from kiosk.domain.money import NOTE_FACES
from kiosk.screens.samples.maker import PLACE, Maker
from kiosk.views import (
    AnyView,
    AttractView,
    BuildingView,
    EntranceView,
    HomeView,
    RoomView,
    Saying,
    Step,
    TypedAddressView,
    VerifyView,
    WaitingView,
)


def welcome(make: Maker) -> Iterator[tuple[str, AnyView]]:
    works, faces = ("method.cash",), NOTE_FACES
    yield "s01-attract", AttractView(frame=make.frame(), methods=works, faces=faces, cash_place=PLACE)
    yield (
        "s01-attract-offline",
        AttractView(
            frame=make.frame(offline=True, local_time=""),
            methods=works,
            faces=faces[1:],
            cash_place=PLACE,
            notice=Saying("notice.last_slip"),
        ),
    )
    nothing_taken = Saying("notice.nothing_taken")
    yield (
        "s01-attract-nothing-taken",
        AttractView(frame=make.frame(), methods=works, faces=faces, cash_place=PLACE, notice=nothing_taken),
    )
    yield "s01-attract-no-cash", AttractView(frame=make.frame(), methods=(), faces=(), cash_place=PLACE)
    yield "s02-home", HomeView(frame=make.frame(can_cancel=True))


def identify(make: Maker) -> Iterator[tuple[str, AnyView]]:
    step, back = Step.IDENTIFY, {"can_go_back": True, "can_cancel": True}
    twelve = tuple(str(number) for number in range(1, 13))
    yield "s03-building", BuildingView(frame=make.frame(step, **back), buildings=twelve)
    yield "s03-building-three", BuildingView(frame=make.frame(step, **back), buildings=("1", "2", "A 座"))
    yield "s03-building-page-2", BuildingView(frame=make.frame(step, **back), buildings=twelve[:5], page=1, pages=3)
    yield "s03-entrance", EntranceView(frame=make.frame(step, **back), building="3", entrances=("1", "2", "3"))
    yield (
        "s03-room",
        RoomView(frame=make.frame(step, **back), building="3", entrance="1", digits="50", can_confirm=True),
    )
    yield "s03-room-empty", RoomView(frame=make.frame(step, **back), building="12", entrance="2")
    yield (
        "s03-room-e10",
        RoomView(
            frame=make.frame(step, code="E10", **back),
            building="3",
            entrance="1",
            digits="999",
            error=Saying("error.e10.line"),
        ),
    )
    yield (
        "s03-room-wait",
        RoomView(
            frame=make.frame(step, code="E11", **back),
            building="3",
            entrance="1",
            digits="",
            error=Saying("error.e11.line"),
            wait=make.countdown(8, 10),
        ),
    )
    parsed = Saying("unit.words", {"building": "3", "entrance": "1", "room": "502"})
    yield (
        "s03-typed",
        TypedAddressView(frame=make.frame(step, **back), typed="3-1-502", parsed=parsed, can_confirm=True),
    )
    yield (
        "s03-typed-e10",
        TypedAddressView(frame=make.frame(step, code="E10", **back), typed="3-1-", error=Saying("error.e10.line")),
    )
    yield "e20-waiting", WaitingView(frame=make.frame(step), saying=Saying("waiting.bills"))
    yield (
        "e20-waiting-slow",
        WaitingView(frame=make.frame(step, can_cancel=True), saying=Saying("waiting.bills"), slow=True),
    )
    yield (
        "s04-verify",
        VerifyView(frame=make.frame(Step.VERIFY, **back), building="3", entrance="1", room="502", masked_name="张*"),
    )
    yield (
        "s04-verify-long",
        VerifyView(
            frame=make.frame(Step.VERIFY, **back), building="12", entrance="2", room="2804", masked_name="欧阳**"
        ),
    )
