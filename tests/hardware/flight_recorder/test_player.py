"""What the replayed device tolerates, where it stops, and what it says about it: bytes in, bytes out, no wire."""

from typing import Any

from kiosk.hardware.bill_acceptor.ssp.dialect import SspDialect
from kiosk.hardware.bill_acceptor.ssp.frames import encode_frame
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.simulators.replay import Player, steps_of

SYNC, POLL, REJECT, ENABLE, HOLD, SERIAL = (bytes((code,)) for code in (0x11, 0x07, 0x08, 0x0A, 0x18, 0x0C))
OK, HELD, STACKING, CREDIT = (bytes.fromhex(text) for text in ("f0", "f0 ef 06", "f0 cc", "f0 ee 06 cc"))


class Host:
    """Sends commands with a flipping sequence bit, as a recording or as a player hears them."""

    def __init__(self, player: Player | None = None) -> None:
        self.player, self.bit = player, 1

    def frame(self, data: bytes) -> bytes:
        frame = encode_frame(data, 1 if data == SYNC else self.bit)
        self.bit = 0 if data == SYNC else 1 - self.bit
        return frame

    def ask(self, data: bytes) -> str:
        """The answer in words."""
        assert self.player is not None
        return self.raw(self.frame(data))

    def raw(self, frame: bytes) -> str:
        assert self.player is not None
        answers = self.player.hear(frame)
        return SspDialect().answer_words(answers[0][1], frame) if answers else "no answer"


def player(*said: tuple[bytes, bytes] | trace.AnyLine) -> tuple[Player, list[dict[str, Any]]]:
    """A player of these exchanges, one second and three lines apart, and what it tells."""
    host, lines = Host(), list[trace.AnyLine]()
    for second, one in enumerate(said):
        if isinstance(one, tuple):
            frame = host.frame(one[0])
            lines.append(trace.Sent(at=float(second), hex=frame.hex(" ")))
            if one[1]:
                answer = encode_frame(one[1], frame[1] >> 7)
                lines.append(trace.Heard(at=second + 0.25, hex=answer.hex(" ")))
        else:
            lines.append(one)
    told: list[dict[str, Any]] = []
    header = trace.Header(
        device="bill_acceptor", protocol="ssp", speed=2, software="", fault="", detail="", at=0.0, wall_ms=0,
        clock="rtc", boot_id="")  # fmt: skip
    steps = steps_of(trace.Trace(header, tuple(lines)))
    return Player(steps, SspDialect(), lambda event, **facts: told.append({"event": event, **facts})), told


def test_as_recorded_it_answers_as_recorded_after_the_recorded_time_of_the_device() -> None:
    playing, told = player((SYNC, OK), (POLL, HELD), (HOLD, OK), (POLL, CREDIT))
    host = Host(playing)
    assert playing.hear(host.frame(SYNC)) == [(0.5, encode_frame(OK, 1))]  # a quarter of a second at speed 2
    assert [host.ask(data) for data in (POLL, HOLD, POLL)] == ["READ channel 6", "OK", "CREDIT channel 6, STACKING"]
    assert playing.ended
    assert not told


def test_the_sequence_bit_may_run_the_other_way() -> None:
    playing, told = player((ENABLE, OK), (POLL, HELD))
    host = Host(playing)
    host.bit = 0
    assert playing.hear(host.frame(ENABLE)) == [(0.5, encode_frame(OK, 0))]
    assert host.ask(POLL) == "READ channel 6"
    assert not told


def test_but_a_new_command_must_flip_it() -> None:
    playing, told = player((ENABLE, OK), (SERIAL, OK))
    host = Host(playing)
    host.ask(ENABLE)
    host.bit = 1 - host.bit
    assert host.ask(SERIAL) == "no answer"
    assert "sequence bit" in told[0]["why"]


def test_more_and_fewer_polls_than_recorded_are_the_same_conversation() -> None:
    playing, told = player((POLL, OK), (POLL, OK), (POLL, OK), (ENABLE, OK), (POLL, OK), (POLL, HELD))
    host = Host(playing)
    assert [host.ask(data) for data in (POLL, ENABLE, POLL)] == ["nothing new", "OK", "nothing new"]
    assert host.ask(POLL) == "READ channel 6"
    assert playing.ended
    assert not told
    playing, told = player((POLL, OK), (ENABLE, OK), (POLL, STACKING), (SERIAL, OK))
    host = Host(playing)
    assert [host.ask(POLL) for _ in range(5)] == ["nothing new"] * 5
    assert [host.ask(data) for data in (ENABLE, POLL, POLL, SERIAL)] == ["OK", "STACKING", "STACKING", "OK"]
    assert not told


def test_what_is_said_once_is_not_said_again_to_a_further_poll() -> None:
    playing, told = player((POLL, CREDIT), (ENABLE, OK))
    host = Host(playing)
    assert [host.ask(POLL) for _ in range(3)] == ["CREDIT channel 6, STACKING", "STACKING", "STACKING"]
    assert not told


def test_a_note_may_be_held_longer_or_shorter() -> None:
    playing, told = player((POLL, HELD), (HOLD, OK), (HOLD, OK), (POLL, STACKING))
    host = Host(playing)
    assert [host.ask(data) for data in (POLL, POLL)] == ["READ channel 6", "STACKING"]
    playing, told_too = player((POLL, HELD), (POLL, STACKING))
    host = Host(playing)
    assert [host.ask(data) for data in (POLL, HOLD, HOLD, POLL)] == ["READ channel 6", "OK", "OK", "STACKING"]
    assert told == told_too == []


def test_a_poll_that_would_keep_a_note_is_never_one_poll_too_many() -> None:
    playing, told = player((POLL, HELD), (REJECT, OK), (POLL, bytes.fromhex("f0 ec")))
    host = Host(playing)
    host.ask(POLL)
    assert host.ask(POLL) == "no answer"
    (found,) = told
    assert (found["event"], found["line"]) == ("diverged", 4)
    assert found["expected"] == {"hex": encode_frame(REJECT, 0).hex(" "), "words": "REJECT"}
    assert found["got"] == {"hex": encode_frame(POLL, 0).hex(" "), "words": "POLL"}
    assert found["after"] == {"line": 2, "words": "POLL", "answer": "READ channel 6"}
    assert host.ask(REJECT) == "no answer"  # a device that has been contradicted invents nothing
    assert playing.diverged


def test_the_same_frame_again_gets_the_last_answer_again_but_not_for_ever() -> None:
    playing, told = player((POLL, CREDIT), (SERIAL, OK))
    host = Host(playing)
    frame = host.frame(POLL)
    assert [host.raw(frame) for _ in range(4)] == ["CREDIT channel 6, STACKING"] * 4
    assert host.raw(frame) == "no answer"
    assert "asks the same" in told[0]["why"]


def test_silence_is_played_as_silence() -> None:
    playing, told = player((SYNC, b""), (SYNC, b""), (SYNC, OK))
    host = Host(playing)
    assert [host.raw(encode_frame(SYNC, 1)) for _ in range(3)] == ["no answer", "no answer", "OK"]
    assert not told


def test_keys_are_random_and_need_not_be_as_recorded() -> None:
    playing, told = player((b"\x4a" + bytes(8), OK), (b"\x4c" + bytes(8), OK + bytes(8)))
    host = Host(playing)
    assert host.ask(b"\x4a" + bytes.fromhex("0102030405060708")) == "OK"
    assert host.ask(b"\x4c" + bytes.fromhex("1112131415161718")).startswith("OK")
    assert not told


def test_behind_a_gap_it_answers_from_memory_until_the_recording_goes_on() -> None:
    gap = trace.Gap(at=9.0, lines=1000)
    playing, told = player((SERIAL, OK + b"\x07"), (POLL, OK), gap, (POLL, OK), (POLL, HELD), (REJECT, OK))
    host = Host(playing)
    assert [host.ask(data) for data in (SERIAL, POLL, SERIAL, ENABLE)] == ["OK 07", "nothing new", "OK 07", "OK"]
    assert [host.ask(data) for data in (POLL, ENABLE, POLL, REJECT)] == ["nothing new", "OK", "READ channel 6", "OK"]
    assert playing.ended
    assert not told


def test_after_the_end_it_stays_quiet_and_polite() -> None:
    playing, told = player((SERIAL, OK + b"\x07"), (POLL, OK))
    host = Host(playing)
    assert [host.ask(data) for data in (SERIAL, POLL, POLL, SERIAL, ENABLE)] == [
        "OK 07", "nothing new", "nothing new", "OK 07", "OK"]  # fmt: skip
    assert not told


def test_a_port_that_vanished_vanishes_when_all_was_said() -> None:
    playing, _ = player((POLL, OK), trace.Failed(at=1.0, detail="unplugged"), (SYNC, OK))
    host = Host(playing)
    assert playing.hangs_up_after() is None
    host.ask(POLL)
    assert playing.hangs_up_after() == 2.0
    playing.hung_up()
    assert host.ask(SYNC) == "OK"
