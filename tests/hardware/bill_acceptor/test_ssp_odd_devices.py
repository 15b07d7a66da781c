"""The SSP driver against devices that contradict themselves or are not what they should be, and what it sends them."""

import time

import pytest

from kiosk.clock import SystemClock
from kiosk.hardware.bill_acceptor.ssp.frames import Command
from kiosk.hardware.bill_acceptor.ssp.recall import NoteMemory, Recall, RecallFile
from kiosk.hardware.ports import (
    AcceptorEnabled,
    AcceptorLost,
    CountBefore,
    DeviceFault,
    NoteCredited,
    NoteEscrowed,
    NoteRejected,
    NoteReturned,
    NoteStacked,
    NoteUnclear,
)
from tests.hardware.bill_acceptor.acceptor_harness import PATIENT_SPEED, at_speed, box_by_face, is_ready

POLL = Command.POLL


def replace_once(old: str, new: str):
    """Rewrite the first poll answer that contains these bytes."""
    done = []

    def change(command: int, answer: bytes) -> bytes:
        if command == POLL and bytes.fromhex(old) in answer and not done:
            done.append(answer)
            return answer.replace(bytes.fromhex(old), bytes.fromhex(new))
        return answer

    return change


def say_again(event: str, *, in_the_same_answer: bool):
    """Report this event once more, in the answer that tells it or in the next one."""
    told, done = [], []

    def change(command: int, answer: bytes) -> bytes:
        if command != POLL or done:
            return answer
        if told or (in_the_same_answer and bytes.fromhex(event) in answer):
            done.append(answer)
            return answer[:1] + bytes.fromhex(event) + answer[1:]
        told.extend([answer] if bytes.fromhex(event) in answer else [])
        return answer

    return change


@pytest.mark.parametrize("in_the_same_answer", [True, False])
def test_a_credit_that_is_said_twice_counts_once_and_is_an_alarm(plug_in, attach, in_the_same_answer: bool) -> None:
    acceptor, host = plug_in(), attach().start()
    acceptor.tamper(say_again("EE 06", in_the_same_answer=in_the_same_answer))
    acceptor.insert(10000)
    host.take(NoteCredited)
    fault = host.take(DeviceFault).fault
    assert fault.code == "acceptor.protocol"
    assert "credit of channel 6 for a note that was credited already" in fault.detail
    host.take(NoteStacked)
    acceptor.insert(10000)
    host.take(NoteStacked)
    host.until(lambda: not host.standing, "later answers are understood again")
    assert host.credited == {10000: 2} == box_by_face(acceptor.ledger())


def test_the_credits_own_channel_counts_and_a_contradiction_is_an_alarm(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach().start()
    acceptor.tamper(replace_once("EE 06", "EE 05"))
    acceptor.insert(10000)
    credit = host.take(NoteCredited)
    assert (credit.face, credit.channel) == (5000, 5)
    fault = host.take(DeviceFault).fault
    assert fault.code == "acceptor.protocol"
    assert "channel 5, escrow was channel 6" in fault.detail
    assert "ee 05" in fault.detail


def test_what_stands_before_an_unknown_event_counts_and_the_rest_is_an_alarm(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach().start()
    acceptor.tamper(replace_once("EE 06", "EE 06 C6 EE 06"))
    acceptor.insert(10000)
    assert host.take(NoteCredited).face == 10000
    fault = host.take(DeviceFault).fault
    assert fault.code == "acceptor.protocol"
    assert "ee 06 c6 ee 06" in fault.detail
    host.take(NoteStacked)
    host.until(lambda: not host.standing, "later answers are understood again")
    assert host.credited == {10000: 1}


@at_speed(PATIENT_SPEED)
def test_an_answer_that_can_not_be_read_does_not_say_that_a_note_is_back(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach(accept=False).start()
    acceptor.tamper(replace_once("ED", "C6"))
    acceptor.insert(10000)
    host.take(NoteEscrowed)
    host.driver.return_note()
    assert host.take(NoteReturned).reason == "host"
    assert host.hears_no(NoteRejected, 0.5), "the note came back once"


def test_a_note_stacked_without_a_credit_is_a_claim(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach().start()
    acceptor.tamper(replace_once("EE 06", ""))
    acceptor.insert(10000)
    claim = host.take(NoteUnclear)
    assert (claim.face, claim.fault.code) == (10000, "acceptor.note_lost")
    assert not host.credited


def test_three_tricks_in_a_row_stay_until_the_device_is_started_anew(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach().start()
    for _ in range(3):
        acceptor.do("cheat", when="before_stack")
        acceptor.insert(100)
        host.take(NoteUnclear)
    acceptor.insert(500)
    host.take(NoteCredited)
    assert host.standing == {"acceptor.fraud"}
    acceptor.do("power", **{"is": "off"})
    acceptor.do("power", **{"is": "on"})
    host.until(lambda: not host.standing, "it was started anew")


def currency(answer: bytes) -> bytes:
    return answer.replace(b"CNY", b"EUR")


REFUSED = {
    "foreign notes": (Command.SETUP_REQUEST, currency, "EUR, CNY is needed"),
    "a hopper": (Command.SETUP_REQUEST, lambda answer: b"\xf0\x03" + answer[2:], "not a note validator"),
    "a cut setup": (Command.SETUP_REQUEST, lambda answer: answer[:-1], "need"),
    "no known protocol": (Command.PROTOCOL_VERSION, lambda _: b"\xf8", "none of the protocol versions"),
    "a key wanted": (Command.SETUP_REQUEST, lambda _: b"\xfa", "answers SETUP_REQUEST with fa"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_device_that_can_not_be_used_is_refused_with_the_reason(plug_in, attach, what: str) -> None:
    command, change, reason = REFUSED[what]
    acceptor = plug_in()
    acceptor.tamper(lambda code, answer: change(answer) if code == command else answer)
    fault = attach().start().take(AcceptorLost).fault
    assert fault.code == "acceptor.wrong_device"
    assert reason in fault.detail


def test_a_device_without_counters_says_so(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach()
    acceptor.tamper(lambda code, answer: b"\xf2" if code == Command.GET_COUNTERS else answer)
    assert is_ready(host.start()).counters is None


def test_an_older_protocol_is_used_when_the_newer_is_refused(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach()
    refused = []

    def refuse_first(code: int, answer: bytes) -> bytes:
        if code == Command.PROTOCOL_VERSION and not refused:
            refused.append(code)
            acceptor._simulator._device._protocol = 6
            return b"\xf8"
        return answer

    acceptor.tamper(refuse_first)
    assert is_ready(host.start()).identity.protocol == "SSP 6"


def test_it_starts_in_the_makers_order_and_refuses_a_held_note_before_the_first_poll(plug_in, attach) -> None:
    acceptor, host, sent = plug_in(), attach(), []
    acceptor.tamper(lambda code, answer: (sent.append(code), answer)[1])
    is_ready(host.start())
    assert sent[:3] == [Command.PROTOCOL_VERSION, Command.SETUP_REQUEST, Command.SERIAL_NUMBER]
    assert sent.index(Command.SET_INHIBITS) < sent.index(Command.REJECT) < sent.index(POLL)


@at_speed(PATIENT_SPEED)
def test_an_undecided_note_is_held_about_every_second_and_never_polled(plug_in, attach) -> None:
    acceptor, host, sent = plug_in(), attach(accept=False).start(), []
    host.take(AcceptorEnabled)
    acceptor.insert(100)
    host.take(NoteEscrowed)
    began = time.monotonic()
    acceptor.tamper(lambda code, answer: (sent.append((code, time.monotonic())), answer)[1])
    host.until(lambda: len(sent) >= 6, "it is held on")
    held, last_at = {code for code, _ in sent[:6]}, sent[5][1]
    assert held == {Command.HOLD}
    assert (last_at - began) * PATIENT_SPEED > 4, "six in less than so many device seconds are too many"
    assert acceptor.ledger()["path"]["stage"] == "escrow"


def test_the_sequence_bit_of_an_accepting_poll_is_kept_for_a_successor(plug_in, attach, tmp_path) -> None:
    acceptor, host = plug_in(), attach().start()
    host.acknowledge = False
    acceptor.insert(10000)
    credit = host.take(NoteCredited)
    file = RecallFile(tmp_path / "recall", SystemClock().boot_id)
    kept = file.read()
    assert (kept.note, kept.channel, kept.faces[6]) == (NoteMemory.OPEN, 6, 10000)
    assert kept.sequence in (0, 1)
    host.driver.acknowledge(credit)
    host.take(NoteStacked)
    host.until(lambda: file.read().note is NoteMemory.NONE, "the note is forgotten")
    file.close()


def test_a_foreign_recall_file_remembers_nothing(tmp_path) -> None:
    (tmp_path / "recall").write_bytes(b"\x00\xffgarbage")
    file = RecallFile(tmp_path / "recall", SystemClock().boot_id)
    assert file.read() == Recall()
    file.write(Recall(note=NoteMemory.OPEN, sequence=1))
    assert file.read() == Recall(note=NoteMemory.OPEN, sequence=1)
    file.close()


@at_speed(PATIENT_SPEED)
def test_what_an_earlier_boot_left_of_another_note_does_not_count(plug_in, attach, tmp_path) -> None:
    """The file is not synced: after a power cut it may hold the note before the one whose fate is open."""
    acceptor, first = plug_in(), attach().start()
    serial = is_ready(first).identity.serial
    acceptor.insert(10000)
    first.take(NoteStacked)
    acceptor.forget()
    acceptor.insert(5000)
    acceptor.wait_for("stacking")
    first.abandon()
    acceptor.unplug()
    assert acceptor.ledger_at_unplug["path"]["stage"] == "before_point"
    left = RecallFile(tmp_path / "recall", "an earlier boot")
    left.write(Recall(note=NoteMemory.OPEN, sequence=1, channel=6, serial=serial, stacked=0, faces={6: 10000}))
    left.close()
    acceptor, second = plug_in(), attach().start(intent_open=True, before=CountBefore(serial, 1))
    assert second.take(NoteReturned).at_power_up
    is_ready(second)
    assert acceptor.ledger()["returned"] == {"5000": 1}
    assert not second.credited


def test_a_recall_file_that_can_not_be_kept_costs_only_the_second_witness(plug_in, attach, tmp_path) -> None:
    acceptor, host = plug_in(), attach(recall=tmp_path)  # a directory: it can be neither opened nor written
    acceptor_ready = is_ready(host.start())
    assert acceptor_ready.identity.currency == "CNY"
    acceptor.insert(100)
    assert host.take(NoteCredited).face == 100
