"""The bench's arithmetic, its table, and that its quick measurements run; how fast a machine is, is no test."""

import json
from pathlib import Path

import msgspec
import pytest

from bench import __main__ as bench
from bench import commit, figures, money_path, paper, visits
from bench.figures import Figure
from bench.wire_tap import Heard
from kiosk.hardware.bill_acceptor.ssp.frames import Command, Generic, Happened
from kiosk.screen_link.frames import FrameReader, Show, ToScreen, encode_frame

INTERVAL_S = money_path.INTERVAL_S


def figure(value: float, **more: object) -> Figure:
    return Figure(name="a figure", value=value, unit="ms", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([3.0, 1.0, 2.0], 50, 2.0), ([3.0, 1.0, 2.0], 99, 3.0), (list(range(1, 101)), 99, 99), ([7.0], 1, 7.0)],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values, percent, expected) -> None:
    assert figures.percentile(values, percent) == expected


def test_the_slope_is_growth_per_step_whatever_the_level() -> None:
    assert figures.slope([(500, 1002.0), (600, 1202.0), (700, 1402.0)]) == pytest.approx(2.0)


def test_a_goal_bounds_the_value_or_with_a_peer_the_ratio() -> None:
    assert figure(40, goal=50).is_met
    assert not figure(60, goal=50).is_met
    assert figure(150, beside=100, goal=1.5).is_met
    assert not figure(151, beside=100, goal=1.5).is_met
    assert figure(80, beside=100, goal=0.75, better="higher").is_met
    assert not figure(70, beside=100, goal=0.75, better="higher").is_met
    assert figure(70).is_met is None


def test_a_ratio_taken_pair_by_pair_counts_before_the_ratio_of_the_medians() -> None:
    assert not figure(150, beside=100, ratio=1.6, goal=1.5).is_met


def test_the_table_says_what_is_met_what_is_not_and_what_only_informs() -> None:
    rows = figures.table([figure(40, goal=50), figure(151, beside=100, beside_name="peer", goal=1.5), figure(3)])
    cells = [[cell for cell in row.split("  ") if cell.strip()] for row in rows.splitlines()]
    assert [cell.strip() for cell in cells[1]] == ["✓", "a figure", "40 ms", "≤ 50 ms"]
    assert [cell.strip() for cell in cells[2]] == ["✗", "a figure", "151 ms", "100 ms peer", "1.51×", "≤ 1.5×"]
    assert [cell.strip() for cell in cells[3]] == ["·", "a figure", "3 ms"]


def test_results_are_written_with_ratio_and_verdict(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    figures.write([figure(150, beside=100, goal=1.5)], path, bench.machine())
    written = json.loads(path.read_text())
    assert written["figures"][0]["ratio"] == 1.5
    assert written["figures"][0]["met"] is True
    assert written["machine"]["cores"] >= 1


def test_an_unknown_measurement_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_a_poll_is_late_by_what_passes_after_its_due_time_and_an_accept_is_no_poll_of_the_clock() -> None:
    ok, poll = bytes((Generic.OK,)), bytes((Command.POLL,))
    in_escrow = ok + bytes((Happened.READ, 6))
    heard = [
        Heard(0.0, True, poll),  # before ENABLE: not looked at
        Heard(0.001, False, ok),
        Heard(0.5, True, bytes((Command.ENABLE,))),
        Heard(0.501, False, ok),
        Heard(1.0, True, poll),  # the first after ENABLE has no due time
        Heard(1.001, False, ok),
        Heard(1.001 + INTERVAL_S + 0.003, True, poll),
        Heard(2.0, False, in_escrow),
        Heard(2.5, True, poll),  # accepts
        Heard(2.501, False, ok),
        Heard(2.501 + INTERVAL_S, True, poll),
    ]
    assert money_path.lateness(heard) == pytest.approx([0.003, 0.0], abs=1e-9)


def test_only_a_note_with_its_channel_counts_as_in_escrow() -> None:
    assert not Heard(0.0, False, bytes((Generic.OK, Happened.READ, 0))).tells(Happened.READ)
    assert Heard(0.0, False, bytes((Generic.OK, Happened.READ, 6))).tells(Happened.READ)
    assert not Heard(0.0, True, bytes((Generic.OK, Happened.READ, 6))).tells(Happened.READ)


def test_the_quick_measurements_run_and_are_sane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commit, "BLOCKS", 2)
    monkeypatch.setattr(commit, "PER_BLOCK", 10)
    monkeypatch.setattr(paper, "ROUNDS", 3)
    ratio, p99, worst = commit.measure()
    (drawn,) = paper.measure()
    assert 0 < ratio.value < 100
    assert 0 < p99.value <= worst.value < 60_000
    assert 0 < drawn.value < 60_000


def test_every_view_that_the_bench_shows_is_one_that_a_screen_can_read() -> None:
    """A field of another type than a view's is refused by the screen, and nothing is ever painted."""
    reader: FrameReader[ToScreen] = FrameReader(msgspec.json.Decoder(ToScreen))
    for view in (*visits.visit(7), *visits.every_screen()):
        assert reader.feed(encode_frame(Show(view))) == [Show(view)]
