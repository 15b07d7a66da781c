"""A recorded conversation is played as the device, and the real driver lives it again: the same events, in the same order."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.bill_acceptor.ssp.frames import Command, encode_frame
from kiosk.hardware.bill_acceptor.ssp.note_cycle import NoteCycle
from kiosk.hardware.bill_acceptor.ssp.session import SspSession
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.simulators.replay import Exchange, steps_of
from tests.hardware.flight_recorder.make_traces import RECORDINGS
from tests.hardware.flight_recorder.replay_host import Replayed

TRACES = sorted((Path(__file__).resolve().parents[1] / "traces").glob("*.jsonl"))
NORMAL = next(file for file in TRACES if file.stem == "normal_note")


@pytest.mark.parametrize("file", TRACES, ids=lambda file: file.stem)
def test_the_driver_reports_what_it_reported_when_this_was_recorded(file: Path, tmp_path: Path) -> None:
    replayed = Replayed(file, tmp_path)
    said = replayed.run()
    code = replayed.close()
    assert replayed.differs() == ""
    assert said == replayed.expected
    assert replayed.divergence is None
    assert code == 0


def test_every_life_of_a_note_has_its_trace() -> None:
    assert {file.stem for file in TRACES} == set(RECORDINGS)


# --- and it can fail: a changed byte names its place ----------------------------------------------------------------


def changed(file: Path, number: int, change: Callable[[str], str], to: Path) -> Path:
    lines = file.read_text().splitlines()
    assert change(lines[number - 1]) != lines[number - 1], lines[number - 1]
    lines[number - 1] = change(lines[number - 1])
    to.write_text("\n".join(lines) + "\n")
    return to


def line_of(file: Path, *parts: str) -> int:
    """The first line with all of these."""
    lines = file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if all(part in line for part in parts))


def test_a_host_frame_that_was_recorded_otherwise_is_named_with_its_line_in_hex_and_words(tmp_path: Path) -> None:
    hexes = [trace.as_hex(encode_frame(bytes((0x02, mask, 0, 0)), 1)) for mask in (0x3F, 0x1F)]
    enable = line_of(NORMAL, '"sent"', hexes[0])
    less = changed(NORMAL, enable, lambda line: line.replace(*hexes), tmp_path / "t")
    found = divergence(less, tmp_path)
    assert found["line"] == enable
    assert found["expected"] == {"hex": hexes[1], "words": "SET_INHIBITS 1f 00 00"}
    assert found["got"] == {"hex": hexes[0], "words": "SET_INHIBITS 3f 00 00"}


def test_one_changed_byte_in_a_host_frame_is_named_with_its_line(tmp_path: Path) -> None:
    serial = line_of(NORMAL, '"sent"', "01 0c ")
    broken = changed(NORMAL, serial, lambda line: line.replace("01 0c ", "01 0d "), tmp_path / "t")
    found = divergence(broken, tmp_path)
    assert (found["line"], found["expected"]["words"], found["got"]["words"]) == (serial, "damaged", "SERIAL_NUMBER")


def divergence(file: Path, folder: Path) -> dict[str, Any]:
    """Where the replay of a changed file stops; the program says so by its exit code too."""
    replayed = Replayed(file, folder)
    replayed.run()
    assert replayed.close() == 1
    assert replayed.divergence is not None
    return replayed.divergence


def test_an_answer_with_a_changed_byte_is_never_believed_and_its_line_is_named(tmp_path: Path) -> None:
    credit = line_of(NORMAL, '"heard"', " ee 06 ")
    broken = changed(NORMAL, credit, lambda line: line.replace(" ee 06 ", " ee 05 "), tmp_path / "t")
    replayed = Replayed(broken, tmp_path)
    said = replayed.run()
    assert replayed.close() == 1
    assert "NoteCredited" not in {one.event for one in said}
    found = replayed.divergence
    assert found is not None
    assert found["after"]["line"] == credit - 1  # the poll whose answer the driver keeps asking for
    assert "asks the same" in found["why"]


def test_an_event_that_was_recorded_otherwise_is_named_with_its_line(tmp_path: Path) -> None:
    credited = line_of(NORMAL, '"NoteCredited"')
    more = changed(NORMAL, credited, lambda line: line.replace('"face":10000', '"face":5000'), tmp_path / "t")
    replayed = Replayed(more, tmp_path)
    replayed.run()
    replayed.close()
    assert re.match(rf"line {credited}: recorded NoteCredited .*5000.*, got NoteCredited .*10000", replayed.differs())


def test_a_driver_that_lets_go_of_a_held_note_is_found_out(tmp_path: Path) -> None:
    """The order that would cost money: a poll where the recording sent the note back."""
    returned = next(file for file in TRACES if file.stem == "returned_note")
    order = line_of(returned, '"return_note"')
    greedy = changed(returned, order, lambda line: line.replace("return_note", "accept"), tmp_path / "t")
    found = divergence(greedy, tmp_path)
    assert found["got"]["words"] == "POLL"
    assert found["expected"]["words"] in ("HOLD", "REJECT")


# --- and a driver that was broken is found out ----------------------------------------------------------------------


def test_a_driver_that_polls_before_anybody_decided_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep_at_once(self: SspSession) -> None:
        self.cycle.accept()
        self._poll()

    monkeypatch.setattr(SspSession, "_decide_escrow", keep_at_once)
    found = divergence(NORMAL.with_name("returned_note.jsonl"), tmp_path)
    assert (found["expected"]["words"], found["got"]["words"]) == ("HOLD", "POLL")
    assert found["after"]["answer"] == "READ channel 5"


def test_a_driver_that_polls_at_its_start_before_it_sends_back_what_is_held_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = SspSession._command

    def forgets_to_reject(self: SspSession, code: Command, *parameters: int) -> bytes:
        return b"\xf5" if code is Command.REJECT else command(self, code, *parameters)

    monkeypatch.setattr(SspSession, "_command", forgets_to_reject)
    found = divergence(NORMAL, tmp_path)
    assert found["expected"]["words"] == "REJECT"


def test_a_driver_that_takes_a_jam_for_a_credit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoteCycle, "_stuck", lambda self, fault, *, whatever: self._credit(self.channel))
    replayed = Replayed(NORMAL.with_name("jam.jsonl"), tmp_path)
    replayed.run()
    replayed.close()
    assert re.match(r"line \d+: recorded NoteUnclear .*, got NoteCredited", replayed.differs())


def test_a_silence_that_was_counted_on_the_tape_lasts_as_many_frames_again() -> None:
    poll, told = encode_frame(bytes((Command.POLL,)), 1), encode_frame(b"\xf0", 1)
    sent = [trace.Sent(at=number / 20, hex=trace.as_hex(poll)) for number in range(4)]
    heard = trace.Heard(at=0.61, hex=trace.as_hex(told))
    header = trace.decode(NORMAL.read_bytes()).header
    steps = steps_of(trace.Trace(header, (*sent, trace.Repeated(at=0.55, lines=4, times=2), heard)))
    assert [step.answer for step in steps if isinstance(step, Exchange)] == [b""] * 11 + [told]


def test_at_another_speed_the_same_happens(tmp_path: Path) -> None:
    replayed = Replayed(NORMAL, tmp_path, speed=50)
    assert replayed.run() == replayed.expected
    assert replayed.close() == 0


def test_a_file_that_is_no_trace_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from kiosk.hardware.simulators.__main__ import main

    journal = tmp_path / "journal.jsonl"
    journal.write_text(json.dumps({"seq": 1}) + "\n")
    assert main(["replay", str(journal)]) == 1
    assert "line 1" in capsys.readouterr().err
    newer = tmp_path / "newer.jsonl"
    newer.write_text(NORMAL.read_text().replace('"v":1', f'"v":{trace.VERSION + 1}', 1))
    assert main(["replay", str(newer)]) == 1
    assert "newer program" in capsys.readouterr().err
