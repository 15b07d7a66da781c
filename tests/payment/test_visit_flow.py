"""A visit from the first touch to the method, as the person sees it."""

from datetime import date, timedelta

import pytest

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.domain.money import Fen
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client import events as office
from kiosk.payment.commands import FetchBills, FindUnit
from kiosk.payment.events import DiskMeasured, JournalFailed, QueueMeasured
from kiosk.payment.reporting import condition_of, rows_of
from kiosk.payment.state import Phase
from kiosk.screen_link.agent_end import ScreenTapped
from tests.payment.walker import AUGUST, NOW_MS, SEPTEMBER, TODAY, UNIT, WATER, Walker, bill


def test_a_touch_leads_from_attract_over_home_and_buttons_to_the_household():
    walker = Walker().ready()
    assert walker.sees(views.AttractView).methods == ("method.cash",)
    walker.tap(taps.StartTapped)
    walker.sees(views.HomeView)
    walker.tap(taps.TileChosen, tile="pay")
    assert walker.sees(views.BuildingView).buildings == ("1", "3")
    walker.tap(taps.BuildingChosen, building="3")
    assert walker.sees(views.EntranceView).entrances == ("1", "2")
    walker.tap(taps.EntranceChosen, entrance="1")
    assert not walker.sees(views.RoomView).can_confirm
    for key in "502":
        walker.tap(taps.KeyTapped, key=key)
    assert walker.sees(views.RoomView).digits == "502"
    walker.tap(taps.ContinueTapped)
    walker.sees(views.WaitingView)
    assert walker.last[0] == FindUnit(1, "3-1-502")
    walker.tell(office.UnitFound(request_no=1, unit=UNIT))
    assert walker.sees(views.VerifyView).masked_name == "张*"


def test_a_building_with_one_entrance_asks_for_the_room_at_once():
    walker = Walker().ready().tap(taps.StartTapped).tap(taps.TileChosen, tile="pay")
    walker.tap(taps.BuildingChosen, building="1")
    assert walker.sees(views.RoomView).entrance == "1"


@pytest.mark.parametrize("typed", ["3-1-502", "03010502"])
def test_a_whole_number_can_be_typed_and_is_said_in_words(typed):
    walker = Walker().ready().tap(taps.StartTapped).tap(taps.TileChosen, tile="pay").tap(taps.TypeInstead)
    for key in typed:
        walker.tap(taps.KeyTapped, key=key)
    view = walker.sees(views.TypedAddressView)
    assert view.can_confirm
    assert view.parsed == views.Saying("unit.words", {"building": "3", "entrance": "1", "room": "502"})
    walker.tap(taps.ContinueTapped)
    assert walker.ordered(FindUnit)[-1].code == "3-1-502"


def test_a_wrong_room_says_the_same_whatever_the_cause_and_waits_grow_within_the_visit():
    walker = Walker().ready().to_room()
    waits = []
    for _ in range(5):
        walker.tap(taps.ContinueTapped)
        walker.tell(office.UnitNotFound(request_no=walker.state.visit.request_no))
        view = walker.sees(views.RoomView)
        waits.append(view.wait.total_s if view.wait else 0)
        assert view.can_confirm is (view.wait is None)
        walker.wait(waits[-1])
    assert waits == sorted(waits)
    assert waits[0] == 0
    assert waits[-1] <= 30
    assert walker.sees(views.RoomView).can_confirm
    walker.tap(taps.CancelTapped).to_room().tap(taps.ContinueTapped)
    walker.tell(office.UnitNotFound(request_no=walker.state.visit.request_no))
    assert walker.sees(views.RoomView).error == views.Saying("error.e10.line")


def test_a_tap_made_on_an_earlier_view_is_dropped():
    walker = Walker().ready().tap(taps.StartTapped)
    old = walker.view.frame.view_no - 1
    walker.tell(ScreenTapped(taps.TileChosen(view_no=old, tile="pay")))
    walker.sees(views.HomeView)
    assert "stale tap" in walker.unexpected[-1]


def test_view_numbers_rise_with_every_change():
    walker = Walker().ready().to_bills(AUGUST)
    numbers = [view.frame.view_no for view in walker.views]
    assert numbers == list(range(1, len(numbers) + 1))


def test_bills_come_overdue_first_all_ticked_and_their_total_hidden():
    walker = Walker().ready().to_bills(WATER, SEPTEMBER, AUGUST)
    view = walker.sees(views.BillListView)
    assert [row.bill_id for row in view.rows] == ["b-aug", "b-sep", "b-water"]
    assert all(row.picked for row in view.rows)
    assert (view.count, view.overdue_count, view.picked_total) == (3, 1, 60_120)
    assert not view.amounts_shown
    walker.tap(taps.AmountsToggled).tap(taps.BillTapped, bill_id="b-water")
    view = walker.sees(views.BillListView)
    assert view.amounts_shown
    assert view.picked_total == 49_120


def test_every_bill_tells_how_it_was_computed_with_its_late_fee():
    overdue = bill("b", 24_560, date(2026, 10, 10), late_fee_rule=True)
    walker = Walker().ready().to_bills(overdue).tap(taps.ExplainTapped, bill_id="b")
    view = walker.sees(views.ExplainView)
    assert (view.late_days, view.late_fee, view.total) == (45, 332, 24_892)
    walker.tap(taps.BackTapped)
    walker.sees(views.BillListView)


def test_twenty_bills_are_turned_by_pages():
    bills = [bill(f"b{n:02}", 1000, date(2026, 11, 30)) for n in range(20)]
    walker = Walker().ready().to_bills(*bills)
    assert walker.sees(views.BillListView).pages == 4
    for _ in range(9):
        walker.tap(taps.PageTurned, by=1)
    assert walker.sees(views.BillListView).page == 3


def test_a_unit_with_nothing_to_pay_is_greeted_and_offered_prepayment():
    walker = Walker().ready().to_bills()
    assert walker.sees(views.BillListView).notice == views.Saying("notice.nothing_to_pay")
    walker.tap(taps.ContinueTapped)
    assert [option.choice for option in walker.sees(views.AmountView).options] == ["other"]
    for key in "300":
        walker.tap(taps.AmountChosen, choice="other") if key == "3" else None
        walker.tap(taps.KeyTapped, key=key)
    view = walker.sees(views.AmountView)
    assert (view.amount, view.to_prepaid, view.can_continue) == (30_000, 30_000, True)
    walker.tap(taps.ContinueTapped)
    assert walker.sees(views.MethodView).due == 30_000


def test_the_amount_can_be_all_ticked_overdue_or_typed_and_shows_how_it_is_spread():
    walker = Walker().ready().to_bills(AUGUST, SEPTEMBER, WATER).tap(taps.BillTapped, bill_id="b-water")
    walker.tap(taps.ContinueTapped)
    view = walker.sees(views.AmountView)
    assert [(option.choice, option.amount) for option in view.options] == [
        ("all", 60_120),
        ("picked", 49_120),
        ("overdue", 24_560),
        ("other", None),
    ]
    assert view.chosen == "picked"
    walker.tap(taps.AmountChosen, choice="other")
    for key in "300":
        walker.tap(taps.KeyTapped, key=key)
    view = walker.sees(views.AmountView)
    assert [(row.amount, row.cleared) for row in view.rows] == [(24_560, True), (5_440, False)]


def test_an_amount_below_one_yuan_or_above_the_cash_limit_does_not_go_on():
    walker = Walker().ready().to_bills(AUGUST, WATER).tap(taps.ContinueTapped)
    walker.tap(taps.AmountChosen, choice="other").tap(taps.ContinueTapped)
    assert walker.sees(views.AmountView).error == views.Saying("notice.amount_minimum")
    for key in "2001":
        walker.tap(taps.KeyTapped, key=key)
    assert walker.sees(views.AmountView).error == views.Saying("notice.amount_maximum", {"limit_fen": 200_000})
    assert not walker.sees(views.AmountView).can_continue


def test_methods_that_do_not_work_say_why():
    walker = Walker().ready().to_method(AUGUST)
    options = {option.method: option.reason for option in walker.sees(views.MethodView).options}
    assert options["cash"] is None
    assert options["scan"] == views.Saying("reason.not_yet")
    walker.tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
    options = {option.method: option.reason for option in walker.sees(views.MethodView).options}
    assert options["cash"] == views.Saying("reason.cash_missing")


def test_the_language_switches_everywhere_before_money_and_goes_back_with_the_visit():
    walker = Walker().ready().tap(taps.StartTapped).tap(taps.LanguageChosen, language="en")
    assert walker.view.frame.language == "en"
    walker.tap(taps.TileChosen, tile="pay").tap(taps.CancelTapped)
    assert walker.sees(views.AttractView).frame.language == "zh-Hans"


def test_an_office_that_does_not_answer_is_said_after_ten_seconds_and_can_be_asked_again():
    walker = Walker().ready().to_room().tap(taps.ContinueTapped).wait(5)
    assert walker.sees(views.WaitingView).slow
    assert walker.view.frame.can_cancel
    walker.wait(5)
    assert walker.sees(views.TroubleView).choices[-1] == "trouble.retry"
    walker.tap(taps.ChoiceTapped, choice="trouble.retry")
    walker.sees(views.WaitingView)
    assert len(walker.ordered(FindUnit)) == 2


def test_an_answer_to_a_question_that_nobody_asks_any_more_changes_nothing():
    walker = Walker().ready().to_room().tap(taps.ContinueTapped).wait(5).tap(taps.CancelTapped)
    walker.tell(office.UnitFound(request_no=1, unit=UNIT))
    walker.sees(views.RoomView)


def test_a_household_that_just_paid_is_asked_whether_to_pay_again():
    recent = office.RecentPayment(amount_fen=Fen(24_560), paid_at="2026-11-24T08:15:00Z")
    walker = Walker().ready().to_bills(AUGUST, recent_payment=recent)
    assert walker.sees(views.TroubleView).saying.key == "error.e23"
    walker.tap(taps.ChoiceTapped, choice="trouble.pay_again")
    walker.sees(views.BillListView)


def test_a_bill_that_changed_meanwhile_is_shown_again_before_any_cash():
    walker = Walker().ready().to_method(AUGUST).tap(taps.TileChosen, tile="cash")
    assert isinstance(walker.ordered(FetchBills)[-1], FetchBills)
    walker.bills_come(bill("b-aug", 20_000, date(2026, 10, 31), version=2))
    assert walker.sees(views.TroubleView).saying.key == "error.e22"
    walker.tap(taps.ContinueTapped)
    assert walker.sees(views.BillListView).picked_total == 20_000


@pytest.mark.parametrize("day", [TODAY, None])
def test_cached_bills_too_old_to_be_paid_are_not_said_to_be_none(day):
    walker = Walker(link_up=False).ready()
    walker.day = day
    walker.to_bills(offline=True, cached_at_ms=NOW_MS, prepay_only=True)
    view = walker.sees(views.BillListView)
    assert view.notice == views.Saying("notice.offline_prepay_only")
    assert walker.view.frame.offline
    assert walker.view.frame.bills_as_of


def test_an_unset_clock_takes_the_quoted_late_fee_and_does_not_stop_cash():
    walker = Walker(link_up=False).ready()
    walker.day = None
    quoted = bill("b", 24_560, date(2026, 10, 10), late_fee_rule=True)
    walker.to_bills(quoted, offline=True, cached_at_ms=NOW_MS)
    assert walker.sees(views.BillListView).picked_total == 24_560
    walker.tap(taps.ContinueTapped).tap(taps.TileChosen, tile="cash").printer_says()
    assert walker.sees(views.InsertCashView).due == 24_560


MIDNIGHT_COMES = [(TODAY, TODAY + timedelta(days=1)), (None, TODAY), (TODAY, None)]  # or the clock is set, or lost


@pytest.mark.parametrize(("day", "later"), MIDNIGHT_COMES)
def test_what_the_screen_asked_before_midnight_is_paid_as_of_that_day_while_the_office_is_away(day, later):
    owing = bill("b", 500_000, date(2026, 10, 31), late_fee_rule=True)
    walker = Walker(link_up=False).ready()
    walker.day = day
    asked = walker.to_method(owing, offline=True, cached_at_ms=NOW_MS).sees(views.MethodView).due
    walker.day = later
    walker.tap(taps.TileChosen, tile="cash").printer_says()
    (opened,) = walker.records(journal.PaymentOpened)
    assert opened.business_date == (day.isoformat() if day else None)
    assert opened.due_fen == asked == owing.owed_on(day).outstanding
    walker.acceptor_open().insert(100).tap(taps.ContinueTapped)
    (settled,) = walker.records(journal.PaymentPartial)
    assert settled.business_date == opened.business_date


def test_an_office_that_answers_after_midnight_has_the_new_days_late_fee_read_before_any_cash():
    owing = bill("b", 500_000, date(2026, 10, 31), late_fee_rule=True)
    walker = Walker().ready().to_method(owing)
    tomorrow = walker.day = TODAY + timedelta(days=1)
    walker.tap(taps.TileChosen, tile="cash").printer_says().bills_come(owing, as_of=tomorrow)
    assert walker.sees(views.TroubleView).saying.key == "error.e22"
    walker.tap(taps.ContinueTapped)
    assert walker.sees(views.BillListView).picked_total == owing.owed_on(tomorrow).outstanding
    walker.tap(taps.ContinueTapped).tap(taps.TileChosen, tile="cash").printer_says().bills_come(owing, as_of=tomorrow)
    assert walker.records(journal.PaymentOpened)[0].business_date == tomorrow.isoformat()


@pytest.mark.parametrize("steps", range(9))
def test_whoever_walks_away_leaves_the_attract_screen_and_nothing_else(steps):
    walker = Walker().ready()
    walk = [
        lambda: walker.tap(taps.StartTapped),
        lambda: walker.tap(taps.TileChosen, tile="pay"),
        lambda: walker.tap(taps.BuildingChosen, building="3"),
        lambda: walker.tap(taps.EntranceChosen, entrance="1"),
        lambda: [walker.tap(taps.KeyTapped, key=key) for key in "502"],
        lambda: walker.tap(taps.ContinueTapped),
        lambda: walker.tell(office.UnitFound(request_no=1, unit=UNIT)),
        lambda: walker.tap(taps.HouseholdAnswered, right=True),
        lambda: walker.bills_come(AUGUST),
    ]
    for step in walk[: steps + 1]:
        step()
    walker.wait(400)
    walker.sees(views.AttractView)
    assert walker.state.visit.unit is None
    assert walker.state.visit.digits == ""


def test_before_the_screen_clears_the_person_is_asked_and_any_touch_means_go_on():
    walker = Walker().ready().to_bills(AUGUST).wait(60)
    frame = walker.sees(views.BillListView).frame
    assert frame.dialog is views.Dialog.MORE_TIME
    assert frame.dialog_countdown is not None
    assert frame.dialog_countdown.total_s >= 20
    for _ in range(12):
        walker.tap(taps.DialogAnswered, go_on=True)
        assert walker.sees(views.BillListView).frame.dialog is views.Dialog.NONE
        walker.wait(61)
    walker.tap(taps.DialogAnswered, go_on=False)
    walker.sees(views.AttractView)


def test_an_own_amount_names_only_the_bills_that_it_reaches():
    first, later = bill("b-1", 10_000, date(2026, 9, 10)), bill("b-2", 10_000, date(2026, 11, 10))
    walker = Walker().ready().to_bills(first, later).tap(taps.ContinueTapped)
    walker.tap(taps.AmountChosen, choice=views.AmountChoice.OTHER).tap(taps.KeyTapped, key="5").tap(taps.ContinueTapped)
    method = walker.sees(views.MethodView)
    assert (method.due, method.bill_count) == (500, 1)


def test_help_lies_over_the_screen_and_goes_away_with_a_touch():
    walker = Walker().ready().to_bills(AUGUST).tap(taps.HelpTapped)
    assert walker.sees(views.BillListView).frame.dialog is views.Dialog.HELP
    walker.tap(taps.DialogAnswered, go_on=True)
    assert walker.sees(views.BillListView).frame.dialog is views.Dialog.NONE


@pytest.mark.parametrize(
    ("unsent", "hours", "ready"),
    [(0, None, True), (999, 23, True), (1_000, 1, False), (3, 24, False), (1_000, None, False)],
)
def test_a_queue_of_a_day_or_a_thousand_is_told_to_who_looks_after_the_kiosk(unsent, hours, ready):
    age_ms = None if hours is None else hours * 3_600_000
    walker = Walker().ready().tell(QueueMeasured(unsent, age_ms))
    (row,) = (row for row in rows_of(walker.state.around) if row.part == "upload")
    assert row.ready == ready
    assert ready or row.detail.startswith(f"{unsent} entries wait for the office")
    assert (f"the oldest for {hours} h" in row.detail) == (not ready and hours is not None)
    walker.sees(views.AttractView)


def test_a_full_disk_or_a_dead_journal_closes_the_kiosk_and_says_so():
    walker = Walker().ready().tell(DiskMeasured(free_mb=3, enough=False))
    closed = walker.sees(views.OutOfServiceView)
    assert (closed.reason, closed.money_unsure) == (views.Saying("reason.disk"), False)
    assert condition_of(walker.state).journal == "disk.margin"
    walker.tap(taps.StartTapped)
    walker.sees(views.OutOfServiceView)
    walker.tell(DiskMeasured(free_mb=300, enough=True))
    walker.sees(views.AttractView)
    assert condition_of(walker.state).journal == "ready"
    walker.to_bills(AUGUST).tell(JournalFailed("journal.unwritable"))
    closed = walker.sees(views.OutOfServiceView)
    assert (closed.frame.code, closed.money_unsure) == ("E80", True)  # it must not promise that no money is left here


def test_no_screen_is_a_dead_end_without_an_acceptor_either():
    walker = Walker()
    assert walker.sees(views.AttractView).methods == ()
    walker.to_method(AUGUST)
    cash = walker.sees(views.MethodView).options[0]
    assert cash.reason == views.Saying("reason.cash_starting")
    walker.tap(taps.TileChosen, tile="cash")
    assert walker.state.phase is Phase.CHOOSING_METHOD
    walker.acceptor_ready()
    assert walker.sees(views.MethodView).options[0].reason is None


def test_a_unit_that_is_closed_meanwhile_gets_the_same_words_as_any_other():
    walker = Walker().ready().to_verify().tap(taps.HouseholdAnswered, right=True)
    walker.tell(office.UnitNotFound(request_no=walker.state.visit.request_no))
    assert walker.sees(views.TroubleView).saying == views.Saying("error.e10")
    walker.tap(taps.ContinueTapped)
    walker.sees(views.BuildingView)


@pytest.mark.parametrize(
    ("reason", "serves"), [("revoked", False), ("key_unknown", False), ("fork", False), ("signature_invalid", True)]
)
def test_only_some_refusals_of_the_office_end_the_service(reason, serves):
    walker = Walker().ready().tell(office.LinkChanged(up=False, refused=True, reason=reason))
    walker.sees(views.AttractView if serves else views.OutOfServiceView)


def test_the_time_of_a_recent_payment_is_the_estates():
    recent = office.RecentPayment(amount_fen=Fen(100), paid_at="2026-11-24T08:15:00Z")
    walker = Walker().ready().to_bills(AUGUST, recent_payment=recent)
    assert walker.sees(views.TroubleView).saying.values["time"] == "16:15"


def test_what_was_explained_is_left_by_either_button():
    for tap in (taps.BackTapped, taps.ContinueTapped):
        walker = Walker().ready().to_bills(AUGUST).tap(taps.ExplainTapped, bill_id="b-aug").tap(tap)
        walker.sees(views.BillListView)
