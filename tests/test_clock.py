"""What the kiosk believes about the time, on machines whose wall clocks lie in every way."""

from unittest import TestCase

import pytest

from kiosk.clock import BUILT_MS, Boot, Reading, SystemClock, age_ms
from kiosk.domain.chain import Header
from kiosk.office_client.wire import instant_ms

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
YEAR_MS = 365 * DAY_MS
TODAY_MS = BUILT_MS + 100 * DAY_MS


class LyingMachine:
    """Clocks that a test sets."""

    def __init__(self, wall_ms: int = TODAY_MS, *, has_rtc: bool = True, boot_id: str = "boot-2") -> None:
        self.boot_id, self.has_rtc, self.ntp = boot_id, has_rtc, False
        self.up_ms = 60_000
        self.ahead_ms = wall_ms - self.up_ms

    def monotonic(self) -> float:
        return self.up_ms / 1000

    def since_boot_ms(self) -> int:
        return self.up_ms

    def wall_ms(self) -> int:
        return self.up_ms + self.ahead_ms

    def ntp_holds(self) -> bool:
        return self.ntp

    def pass_time(self, ms: int) -> None:
        self.up_ms += ms


def newest(wall_ms: int, clock: str = "rtc", *, boot_id: str = "boot-1", mono_ms: int = 5_000) -> Header:
    return Header(
        payment_id="", kind="agent.stopped", v=1, boot_id=boot_id, mono_ms=mono_ms, wall_ms=wall_ms, clock=clock
    )


def begun(machine: LyingMachine, entry: Header, *boots: Boot) -> SystemClock:
    clock = SystemClock(machine)
    clock.go_on_from(entry, boots)
    return clock


def test_a_battery_backed_clock_that_nothing_contradicts_is_believed():
    clock = begun(LyingMachine(), newest(TODAY_MS - HOUR_MS))
    assert clock.reading() == Reading(TODAY_MS, "rtc")


def test_a_box_without_a_battery_may_lag_by_its_outage_and_is_not_believed():
    clock = begun(LyingMachine(has_rtc=False), newest(TODAY_MS - 10))
    assert clock.reading() == Reading(TODAY_MS - 10 + 60_000, "held")


def test_a_boot_in_1970_counts_on_from_the_newest_entry():
    machine = LyingMachine(wall_ms=60_000)
    clock = begun(machine, newest(TODAY_MS))
    assert clock.reading() == Reading(TODAY_MS + 60_000, "unset")
    machine.pass_time(HOUR_MS)
    assert clock.reading() == Reading(TODAY_MS + 60_000 + HOUR_MS, "unset")


def test_a_box_that_never_wrote_anything_is_not_older_than_its_program():
    assert SystemClock(LyingMachine(wall_ms=0)).reading() == Reading(BUILT_MS + 60_000, "unset")


def test_a_clock_that_somebody_sets_right_after_a_boot_in_1970_is_not_what_the_battery_kept():
    machine = LyingMachine(wall_ms=0)
    clock = begun(machine, newest(TODAY_MS))
    assert clock.reading().state == "unset"
    machine.ahead_ms = TODAY_MS + HOUR_MS
    assert clock.reading() == Reading(TODAY_MS + HOUR_MS + 60_000, "held")


@pytest.mark.parametrize("by_ms", [-TODAY_MS, -YEAR_MS, -2_000, DAY_MS + 1_000, YEAR_MS])
def test_a_jump_while_the_machine_runs_moves_nothing_and_is_not_believed(by_ms):
    machine = LyingMachine()
    clock = begun(machine, newest(TODAY_MS - HOUR_MS))
    assert clock.reading().state == "rtc"
    machine.ahead_ms += by_ms
    machine.pass_time(5_000)
    assert clock.reading() == Reading(TODAY_MS + 5_000, "held")


def test_one_jump_forward_does_not_cost_the_time_until_that_date():
    machine = LyingMachine()
    clock = begun(machine, newest(TODAY_MS - HOUR_MS))
    clock.reading()
    machine.ahead_ms += YEAR_MS
    jumped = clock.reading()
    again = begun(LyingMachine(TODAY_MS + HOUR_MS, boot_id="boot-3"), newest(jumped.wall_ms, jumped.state))
    assert again.reading() == Reading(TODAY_MS + HOUR_MS, "rtc")


def test_a_year_ahead_over_a_boot_ends_at_the_offices_word_and_stays_ended():
    ahead = newest(TODAY_MS + YEAR_MS)
    machine = LyingMachine(TODAY_MS)
    clock = begun(machine, ahead)
    assert clock.reading().state == "unset"  # one of two clocks is wrong, and nobody here knows which
    clock.learn(TODAY_MS + 40, machine.up_ms, machine.up_ms + 20)
    assert clock.reading() == Reading(TODAY_MS + 30, "synced")
    right = begun(LyingMachine(TODAY_MS + DAY_MS, boot_id="boot-3"), newest(TODAY_MS + 1_000, "synced"))
    assert right.reading() == Reading(TODAY_MS + DAY_MS, "rtc")


def test_the_offices_time_outlives_jumps_and_the_agent_but_not_the_boot():
    machine = LyingMachine(wall_ms=0)
    clock = begun(machine, newest(TODAY_MS - DAY_MS))
    clock.learn(TODAY_MS, machine.up_ms, machine.up_ms)
    machine.ahead_ms = -5
    machine.pass_time(HOUR_MS)
    told = clock.reading()
    assert told == Reading(TODAY_MS + HOUR_MS, "synced")
    entry = newest(told.wall_ms, told.state, boot_id=machine.boot_id, mono_ms=machine.up_ms)
    machine.pass_time(HOUR_MS)
    assert begun(machine, entry).reading() == Reading(TODAY_MS + 2 * HOUR_MS, "synced")
    assert begun(LyingMachine(0, boot_id="boot-3"), entry).reading().state == "unset"


@pytest.mark.parametrize("year", [1, 1970, 2024, 2100, 9999])
def test_an_office_in_an_impossible_year_teaches_nothing_and_the_log_says_so(year):
    machine = LyingMachine()
    clock = begun(machine, newest(TODAY_MS - HOUR_MS))
    told_ms = instant_ms(f"{year:04}-12-31T23:59:59Z")
    # Not caplog: a command that ran in this process may have set the root logger's level.
    with TestCase().assertLogs("kiosk.clock") as log:
        clock.learn(told_ms, machine.up_ms, machine.up_ms)
    assert clock.reading() == Reading(TODAY_MS, "rtc")
    assert f"clock.office_not_believed office_ms={told_ms}" in log.output[0]
    clock.learn(TODAY_MS + 40, machine.up_ms, machine.up_ms)
    assert clock.reading() == Reading(TODAY_MS + 40, "synced")


def test_a_slow_answer_does_not_spoil_what_a_quick_one_told():
    machine = LyingMachine()
    clock = begun(machine, newest(0))
    clock.learn(TODAY_MS, machine.up_ms, machine.up_ms + 10)
    before = clock.reading()
    clock.learn(TODAY_MS + 3_000, machine.up_ms, machine.up_ms + 8_000)
    assert clock.reading() == before


def test_hours_later_a_quick_answer_corrects_the_quartz_and_an_office_set_right_is_followed():
    machine = LyingMachine()
    clock = begun(machine, newest(0))
    clock.learn(TODAY_MS, machine.up_ms, machine.up_ms)
    machine.pass_time(10 * HOUR_MS)
    clock.learn(TODAY_MS + 10 * HOUR_MS + 900, machine.up_ms, machine.up_ms + 20)
    assert clock.reading().wall_ms == TODAY_MS + 10 * HOUR_MS + 890
    clock.learn(TODAY_MS, machine.up_ms, machine.up_ms + 20)
    assert clock.reading().wall_ms == TODAY_MS - 10


def test_ntp_makes_it_synced_and_settles_what_was_ahead():
    machine = LyingMachine()
    clock = begun(machine, newest(TODAY_MS + YEAR_MS))
    assert clock.reading().state == "unset"
    machine.ntp = True
    assert clock.reading() == Reading(TODAY_MS, "synced")
    machine.ntp, machine.ahead_ms = False, machine.ahead_ms + 500
    assert clock.reading().wall_ms == TODAY_MS + 500


@pytest.mark.parametrize("jump_ms", [YEAR_MS, -YEAR_MS, DAY_MS, -5_000, 5_000])
def test_a_hand_that_moves_a_clock_which_ntp_holds_moves_no_time(jump_ms):
    machine = LyingMachine()
    machine.ntp = True
    clock = SystemClock(machine)
    assert clock.reading() == Reading(TODAY_MS, "synced")
    machine.pass_time(1_000)
    machine.ahead_ms += jump_ms
    assert clock.reading() == Reading(TODAY_MS + 1_000, "synced")
    machine.ahead_ms -= jump_ms
    machine.pass_time(1_000)
    assert clock.reading() == Reading(TODAY_MS + 2_000, "synced")


def test_what_ntp_mends_of_the_drift_is_followed():
    machine = LyingMachine()
    machine.ntp = True
    clock = SystemClock(machine)
    clock.reading()
    machine.pass_time(10 * DAY_MS)  # no network for so long, and a cheap quartz
    machine.ahead_ms -= 80_000
    assert clock.reading() == Reading(TODAY_MS + 10 * DAY_MS - 80_000, "synced")


def test_a_clock_that_ntp_sets_anew_is_believed_anew():
    machine = LyingMachine(wall_ms=TODAY_MS + YEAR_MS)
    machine.ntp = True
    clock = SystemClock(machine)
    assert clock.reading().wall_ms == TODAY_MS + YEAR_MS
    machine.ntp = False
    clock.reading()
    machine.ntp, machine.ahead_ms = True, machine.ahead_ms - YEAR_MS
    assert clock.reading() == Reading(TODAY_MS, "synced")


def test_what_the_machine_ran_is_certain_whatever_its_clocks_say():
    machine = LyingMachine(wall_ms=0, boot_id="boot-4")
    boots = (Boot("boot-1", 100_000), Boot("boot-2", 5 * DAY_MS), Boot("boot-3", DAY_MS), Boot("boot-4", 1))
    clock = begun(machine, newest(TODAY_MS, boot_id="boot-3"), *boots)
    assert clock.ran_since("boot-4", 10_000) == 50_000
    assert clock.ran_since("boot-2", 2 * DAY_MS) == 3 * DAY_MS + DAY_MS + 60_000
    assert clock.ran_since("before them all", 7) == 100_000 + 5 * DAY_MS + DAY_MS + 60_000


def test_an_age_is_the_least_it_can_be_where_no_clock_can_say():
    machine = LyingMachine()
    clock = begun(machine, newest(TODAY_MS - HOUR_MS), Boot("boot-1", HOUR_MS))
    assert age_ms(clock, "boot-1", HOUR_MS, TODAY_MS - 9 * DAY_MS) == 9 * DAY_MS
    assert age_ms(clock, "boot-1", HOUR_MS, None) == 60_000
    machine.ahead_ms = 0
    assert age_ms(clock, "boot-1", HOUR_MS, TODAY_MS - 9 * DAY_MS) == 60_000
    assert age_ms(clock, "boot-2", 20_000, TODAY_MS - 9 * DAY_MS) == 40_000
