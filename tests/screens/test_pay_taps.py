"""What a finger means on the screens from the bills to the slip."""

import time

from kiosk.screens.samples import samples
from kiosk.taps import (
    AmountChosen,
    AmountsToggled,
    BackTapped,
    BillTapped,
    ChoiceTapped,
    ContinueTapped,
    ExplainTapped,
    HeldNoteAnswered,
    KeyTapped,
    PageTurned,
    PrintAnswered,
    ReprintTapped,
    TileChosen,
)
from tests.screens.glass import on_glass

LANDSCAPE = "landscape-10.1"
AGAIN_AFTER_S = 0.3  # as widgets/press.py; Kivy is only imported in the child


def view(name, rows=5):
    return next(sample.view for sample in samples("zh-Hans", time.monotonic(), rows) if sample.name == name)


def widgets(glass, kind):
    """Those of a kind that can be touched, from the top, then from the left."""
    found = [w for w in glass.easel.place.walk() if type(w).__name__ == kind and w.shown]
    return sorted(found, key=lambda w: (-w.top, w.x))


@on_glass()
def test_a_bill_is_picked_by_its_row_and_explained_by_its_button(glass):
    glass.show(view("s05-bills"))
    glass.tap(widgets(glass, "BillRow")[1])
    glass.tap(widgets(glass, "WhyButton")[2])
    glass.tap("隐藏金额")
    glass.tap("继续")
    assert glass.taps == [
        BillTapped(bill_id="bill-1"), ExplainTapped(bill_id="bill-2"), AmountsToggled(), ContinueTapped()
    ]  # fmt: skip


@on_glass()
def test_pages_turn_both_ways(glass):
    glass.show(view("s05-bills-twenty"))
    glass.tap("上一页")
    glass.tap("下一页")
    assert glass.taps == [PageTurned(by=-1), PageTurned(by=1)]


@on_glass(LANDSCAPE)
def test_the_small_panel_explains_the_bill_touched_after_the_button(glass):
    glass.show(view("s05-bills", rows=3))
    glass.tap("怎么算的")
    glass.tap(widgets(glass, "BillRow")[0])
    assert glass.taps == [ExplainTapped(bill_id="bill-0")]
    glass.show(view("s05-bills-hidden", rows=3))
    glass.tap(widgets(glass, "BillRow")[1])
    assert glass.taps == [BillTapped(bill_id="bill-1")], "a new view ends the asking"


@on_glass()
def test_an_explanation_read_leads_back_to_the_bills(glass):
    glass.show(view("s06-explain"))
    glass.tap("看好了")
    assert glass.taps == [BackTapped()]


@on_glass()
def test_an_amount_is_typed(glass):
    glass.show(view("s07-amount-typing"))
    for key in ("7", "清除"):
        glass.tap(key)
    backspace = next(key for key in widgets(glass, "Key") if key.key == "backspace")
    glass.tap(backspace)
    assert glass.taps == [KeyTapped(key="7"), KeyTapped(key="clear"), KeyTapped(key="backspace")]


@on_glass()
def test_a_choice_of_amounts_is_a_tap(glass):
    glass.show(view("s07-amount"))
    glass.tap(widgets(glass, "ChoiceRow")[2])
    assert glass.taps == [AmountChosen(choice="overdue")]


@on_glass()
def test_a_method_that_works_can_be_chosen_and_one_that_does_not_can_not(glass):
    glass.show(view("s08-method"))
    for tile in widgets(glass, "MethodTile"):
        glass.tap(tile)
    assert glass.taps == [TileChosen(tile="cash")]


@on_glass()
def test_paying_without_a_receipt_needs_a_yes(glass):
    glass.show(view("s08-method-no-paper"))
    assert widgets(glass, "MethodTile") == []
    glass.tap("不要凭条，继续")
    glass.tap("返回")
    assert glass.taps == [ContinueTapped(), BackTapped()]


@on_glass()
def test_a_held_note_has_two_answers_and_the_main_one_stands_right(glass):
    glass.show(view("s10-held-note"))
    left, right = sorted(widgets(glass, "AnswerTile"), key=lambda tile: tile.x)
    glass.tap(left)
    glass.tap(right)
    assert glass.taps == [HeldNoteAnswered(keep=False), HeldNoteAnswered(keep=True)]


@on_glass()
def test_the_slip_is_wanted_or_not_and_can_be_printed_again(glass):
    glass.show(view("s14-receipt-ask"))
    glass.tap("不打印")
    glass.tap("打印凭条")
    assert glass.taps == [PrintAnswered(wanted=False), PrintAnswered(wanted=True)]
    glass.wait(AGAIN_AFTER_S)  # the same buttons mean something else now; a double tap must not reach that
    glass.show(view("s14-receipt-e52"))
    glass.tap("再打一次")
    glass.tap("完成")
    assert glass.taps == [ReprintTapped(), ContinueTapped()]


@on_glass()
def test_trouble_tells_which_way_on_was_taken(glass):
    glass.show(view("cancel-with-money-in"))
    for words in ("继续投钞", "存入预存", "缴入账单"):
        glass.tap(words)
    keys = ("trouble.go_on_inserting", "trouble.to_prepaid", "trouble.finish")
    assert glass.taps == [ChoiceTapped(choice=key) for key in keys]


@on_glass()
def test_finishing_is_off_until_money_is_in(glass):
    glass.show(view("s09-cash-start"))
    glass.tap("完成")
    assert glass.taps == []
    glass.show(view("s09-cash"))
    glass.tap("完成")
    assert glass.taps == [ContinueTapped()]
