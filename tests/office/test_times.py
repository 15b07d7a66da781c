"""When events really happened: by the contacts of their boots, else between their neighbours."""

import random

from kiosk.domain.chain import Header
from office.kiosks.times import KEEP_EVERY_MS, Contact, Placed, contact, is_news, measured_ms, place

NOW = 1_800_000_000_000
HOUR, DAY = 3_600_000, 86_400_000


def event(boot_id: str, mono_ms: int, wall_ms: int = 0, clock: str = "unset") -> Header:
    return Header(
        payment_id="", kind="agent.started", v=1, boot_id=boot_id, mono_ms=mono_ms, wall_ms=wall_ms, clock=clock
    )


def test_events_before_between_and_after_contacts_are_placed_by_the_monotonic_clock() -> None:
    began = NOW - 10 * DAY
    contacts = [Contact(DAY, began + DAY), Contact(6 * DAY, began + 6 * DAY + 5_000)]  # slow by a second a day
    for mono_ms, off_ms in ((HOUR, 0), (DAY, 0), (3 * DAY, 2_000), (6 * DAY, 5_000), (7 * DAY, 5_000)):
        assert measured_ms(contacts, mono_ms) == began + mono_ms + off_ms


def test_a_request_that_was_long_on_its_way_does_not_move_the_boot() -> None:
    first = contact([], 1_000, NOW)
    assert first.offset_ms == NOW - 1_000
    late = contact([first], 61_000, NOW + 60_000 + 8_000)
    assert abs(late.offset_ms - first.offset_ms) <= 12
    assert contact([late], 70_000, NOW + 68_000).offset_ms < first.offset_ms + 12  # a quicker one knows better
    next_day = contact([first], DAY, NOW + DAY - 1_000 + 4_000)
    assert next_day.offset_ms == first.offset_ms + 4_000  # that much a quartz may drift


def test_contacts_are_kept_once_an_hour() -> None:
    assert is_news([], 5)
    assert not is_news([Contact(5, NOW)], 5 + KEEP_EVERY_MS - 1)
    assert is_news([Contact(5, NOW)], 5 + KEEP_EVERY_MS)


def test_boots_without_contact_lie_between_their_neighbours_and_say_how_far_apart() -> None:
    before = Placed("a", 2 * HOUR, NOW - 10 * DAY)
    headers = [event("b", HOUR), event("b", 3 * HOUR), event("c", 2 * HOUR), event("d", 4 * HOUR)]
    contacts = {"d": [Contact(5 * HOUR, NOW)]}
    b1, b2, c, d = place(headers, contacts, before, in_boot="d", now_ms=NOW)
    began_d = NOW - 5 * HOUR
    assert d.at_ms == NOW - HOUR
    assert d.measured
    assert (c.earliest_ms, c.latest_ms) == (NOW - 10 * DAY + 5 * HOUR, began_d)
    assert (b2.earliest_ms, b2.latest_ms) == (NOW - 10 * DAY + 3 * HOUR, began_d - 2 * HOUR)
    assert (b1.earliest_ms, b1.latest_ms) == (NOW - 10 * DAY + HOUR, began_d - 4 * HOUR)
    assert not b1.measured
    assert b2.at_ms - b1.at_ms == 2 * HOUR


def test_the_clock_of_a_boot_without_contact_counts_only_between_its_neighbours() -> None:
    before = Placed("a", HOUR, NOW - 10 * DAY)
    contacts = {"c": [Contact(HOUR, NOW)]}
    for said, meant in (
        (NOW - 4 * DAY, NOW - 4 * DAY),
        (NOW + 365 * DAY, NOW - HOUR),
        (0, NOW - 10 * DAY + HOUR),
    ):
        (lost,) = place([event("b", HOUR, said, "rtc")], contacts, before, in_boot="c", now_ms=NOW)
        assert lost.at_ms == meant


def test_whatever_clocks_say_times_never_leave_their_bounds_and_never_go_back() -> None:
    rng = random.Random(20261125)
    for _ in range(300):
        boots = [f"boot-{number}" for number in range(rng.randrange(1, 8))]
        headers = [
            event(
                boot,
                mono_ms,
                rng.choice([0, NOW, -NOW, 2**62, NOW - rng.randrange(40 * DAY)]),
                rng.choice(["rtc", "held"]),
            )
            for boot in boots
            for mono_ms in sorted(rng.randrange(DAY) for _ in range(rng.randrange(1, 5)))
        ]
        began = NOW - 2 * DAY * len(boots)
        contacts = {
            boot: [Contact(DAY, began + 2 * DAY * number + DAY)]
            for number, boot in enumerate(boots)
            if rng.random() < 0.4
        }
        contacts.setdefault(boots[-1], [Contact(DAY, NOW)])
        placed = place(headers, contacts, None, in_boot=boots[-1], now_ms=NOW)
        assert [one.at_ms for one in placed] == sorted(one.at_ms for one in placed)
        cut = rng.randrange(len(headers) + 1)  # a batch may end anywhere; then bounds are wider
        first = place(headers[:cut], contacts, None, in_boot=boots[-1], now_ms=NOW)
        rest = place(headers[cut:], contacts, first[-1] if first else None, in_boot=boots[-1], now_ms=NOW)
        for one in placed + first + rest:
            assert one.measured or one.earliest_ms <= one.at_ms <= one.latest_ms <= NOW  # type: ignore[operator]
