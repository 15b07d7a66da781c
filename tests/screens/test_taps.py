"""What a finger means: release inside, one finger, not twice, not by a touch meant for the screen before."""

import time

from kiosk.domain.money import Fen
from kiosk.taps import (
    BackTapped,
    BuildingChosen,
    CancelTapped,
    ContinueTapped,
    DialogAnswered,
    EntranceChosen,
    HelpTapped,
    HouseholdAnswered,
    KeyTapped,
    LanguageChosen,
    PageTurned,
    StartTapped,
    TileChosen,
    TypeInstead,
)
from kiosk.views import (
    AttractView,
    BuildingView,
    Countdown,
    Dialog,
    EntranceView,
    Frame,
    HomeView,
    RoomView,
    TypedAddressView,
    VerifyView,
)
from tests.screens.glass import FINGER_S, on_glass

DIRT_S = 0.04  # ux-and-accessibility section 1.2: no finger is as short


def frame(view_no=7, **changes):
    return Frame(view_no=view_no, kiosk_code="K07", phone="0571", can_go_back=True, can_cancel=True, **changes)


def verify(**changes):
    return VerifyView(frame=frame(**changes), building="3", entrance="1", room="502", masked_name="张*")


def room(**changes):
    return RoomView(frame=frame(), building="3", entrance="1", **changes)


@on_glass()
def test_a_tap_counts_when_the_finger_is_lifted_inside(glass):
    glass.show(verify())
    yes = glass.find("是")
    touch = glass.down(*yes.center)
    assert yes.pressed
    assert glass.taps == []
    glass.wait(FINGER_S)
    touch.touch_up()
    glass.settle()
    assert not yes.pressed
    assert glass.taps == [HouseholdAnswered(right=True, view_no=7)]


@on_glass()
def test_sliding_off_means_nothing_and_the_pressed_look_goes(glass):
    glass.show(verify())
    no = glass.find("不是")
    touch = glass.down(*no.center)
    touch.touch_move(no.right + 40, no.y - 40)
    assert not no.pressed
    glass.wait(FINGER_S)
    touch.touch_up()
    assert glass.taps == []


@on_glass()
def test_sliding_back_in_counts(glass):
    glass.show(verify())
    no = glass.find("不是")
    touch = glass.down(*no.center)
    touch.touch_move(no.right + 40, no.y - 40)
    touch.touch_move(*no.center)
    assert no.pressed
    glass.wait(FINGER_S)
    touch.touch_up()
    assert glass.taps == [HouseholdAnswered(right=False, view_no=7)]


@on_glass()
def test_a_second_tap_on_the_same_target_within_300_ms_is_ignored(glass):
    glass.show(room())
    glass.tap("5")
    glass.tap("5")
    glass.tap("0")
    assert [tap.key for tap in glass.taps] == ["5", "0"]
    glass.wait(0.3)
    glass.tap("5")
    assert [tap.key for tap in glass.taps] == ["5", "0", "5"]


@on_glass()
def test_a_touch_as_short_as_dirt_is_ignored(glass):
    glass.show(room())
    key = glass.find("8")
    while glass.flick(*key.center) >= DIRT_S:  # on a busy machine that was a finger
        glass.wait(0.3)
        glass.taps.clear()
    assert glass.taps == []


@on_glass()
def test_a_second_finger_is_ignored(glass):
    glass.show(verify())
    yes, no = glass.find("是"), glass.find("不是")
    first = glass.down(*no.center)
    second = glass.down(*yes.center)
    assert not yes.pressed
    glass.wait(FINGER_S)
    second.touch_up()
    first.touch_up()
    assert glass.taps == [HouseholdAnswered(right=False, view_no=7)]


@on_glass()
def test_a_second_tap_does_not_press_what_has_just_appeared_under_it(glass):
    glass.show(room())
    glass.easel.show(verify(view_no=8))
    started = time.monotonic()
    glass.tap("是")
    assert time.monotonic() - started < 0.3, "too slow to prove anything"
    assert glass.taps == []


@on_glass()
def test_a_button_that_is_switched_off_under_the_finger_does_nothing(glass):
    glass.show(room(can_confirm=True))
    touch = glass.down(*glass.find("确认").center)
    glass.wait(FINGER_S)
    glass.easel.show(room(can_confirm=False))
    touch.touch_up()
    assert glass.taps == []


@on_glass()
def test_every_part_of_the_frame_sends_its_tap(glass):
    glass.show(room(can_confirm=True))
    for text in ("返回", "取消", "确认", "帮助", "English"):
        glass.tap(text)
    assert glass.taps == [
        BackTapped(view_no=7),
        CancelTapped(view_no=7),
        ContinueTapped(view_no=7),
        HelpTapped(view_no=7),
        LanguageChosen(language="en", view_no=7),
    ]


@on_glass()
def test_what_the_view_does_not_allow_is_not_there(glass):
    glass.show(RoomView(frame=Frame(can_switch_language=False), building="3", entrance="1"))
    assert not {"返回", "取消", "English"} & {w.text for w in _pressable(glass)}


@on_glass()
def test_attract_starts_wherever_it_is_touched_but_for_the_language(glass):
    glass.show(AttractView(frame=frame(), methods=("method.cash",), faces=(Fen(10000), Fen(100))))
    for x, y in ((30, 1800), (540, 1000), (900, 300)):
        touch = glass.down(x, y)
        glass.wait(FINGER_S)
        touch.touch_up()
        glass.wait(0.3)
    glass.tap("English")
    assert glass.taps == [StartTapped(view_no=7)] * 3 + [LanguageChosen(language="en", view_no=7)]


@on_glass()
def test_home_and_the_questions_send_what_was_chosen(glass):
    glass.show(HomeView(frame=frame(), tiles=("pay", "query")))
    glass.tap(glass.screen.ids.main)
    glass.tap(glass.screen.ids.others.cells[0])
    assert glass.taps == [TileChosen(tile="pay", view_no=7), TileChosen(tile="query", view_no=7)]
    glass.show(BuildingView(frame=frame(), buildings=("1", "A 座"), page=1, pages=3))
    for text in ("A 座", "上一页", "下一页", "直接输入房号"):
        glass.tap(text)
    assert glass.taps == [
        BuildingChosen(building="A 座", view_no=7),
        PageTurned(by=-1, view_no=7),
        PageTurned(by=1, view_no=7),
        TypeInstead(view_no=7),
    ]
    glass.show(EntranceView(frame=frame(), building="3", entrances=("1", "2")))
    glass.tap("2 单元")
    assert glass.taps == [EntranceChosen(entrance="2", view_no=7)]


@on_glass()
def test_both_keypads_send_their_keys(glass):
    glass.show(room())
    glass.tap("清除")
    glass.tap(_backspace(glass))
    assert glass.taps == [KeyTapped(key="clear", view_no=7), KeyTapped(key="backspace", view_no=7)]
    glass.show(TypedAddressView(frame=frame(), typed="3"))
    glass.tap("-")
    assert glass.taps == [KeyTapped(key="-", view_no=7)]


@on_glass()
def test_nothing_below_a_dialog_can_be_touched_and_any_touch_beside_it_goes_on(glass):
    asking = frame(dialog=Dialog.MORE_TIME, dialog_countdown=Countdown(ends_at=time.monotonic() + 20, total_s=20))
    glass.show(RoomView(frame=asking, building="3", entrance="1"))
    touch = glass.down(*glass.find("1").center)
    glass.wait(FINGER_S)
    touch.touch_up()
    assert glass.taps == [DialogAnswered(go_on=True, view_no=7)]
    glass.taps.clear()
    glass.tap("结束")
    assert glass.taps == [DialogAnswered(go_on=False, view_no=7)]
    glass.show(room())
    glass.tap("1")
    assert glass.taps == [KeyTapped(key="1", view_no=7)]


@on_glass()
def test_the_main_answer_of_the_time_dialog_stands_on_the_right(glass):
    asking = frame(dialog=Dialog.MORE_TIME, dialog_countdown=Countdown(ends_at=time.monotonic() + 20, total_s=20))
    glass.show(verify(dialog=asking.dialog, dialog_countdown=asking.dialog_countdown))
    go_on, end = glass.find("继续"), glass.find("结束")
    assert go_on.x > end.right
    assert go_on.width > end.width


@on_glass()
def test_help_says_whom_to_call_and_which_kiosk_this_is(glass):
    glass.show(verify(dialog=Dialog.HELP))
    assert "0571" in glass.words()
    assert "请告诉工作人员：这里是 K07 号机。" in glass.words()
    glass.tap("继续办理")
    assert glass.taps == [DialogAnswered(go_on=True, view_no=7)]


def _pressable(glass):
    from kiosk.screens.widgets import RaisedButton

    return [w for w in glass.easel.place.walk() if isinstance(w, RaisedButton) and w.shown]


def _backspace(glass):
    return next(key for key in glass.screen.walk() if getattr(key, "key", "") == "backspace")
