"""What every ports.BillAcceptor must do, whatever protocol it speaks: run by one small class per protocol.

A subclass names ``protocol`` (what the simulator speaks) and ``driver`` (the class under test); the fixtures in
conftest.py read both. The devices are simulated, the bytes travel over a real terminal pair.
"""

import functools
import random
import time
from collections import Counter
from typing import Any, ClassVar

import pytest
import serial

from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.tape import Snapshot
from kiosk.hardware.ports import (
    AcceptorDisabled,
    AcceptorEnabled,
    AcceptorLost,
    CashboxRemoved,
    CashboxReplaced,
    CountBefore,
    CountersRead,
    NoteCredited,
    NoteEscrowed,
    NoteRejected,
    NoteReturned,
    NoteStacked,
    NoteUnclear,
)
from tests.hardware.bill_acceptor.acceptor_harness import PATIENT_SPEED, at_speed, box_by_face, is_ready

ESCROW_S = 5.0  # the shortest time after which any simulated device gives an undecided note back


class BillAcceptorContract:
    """The suite; not collected by itself."""

    protocol: ClassVar[str]
    driver: ClassVar[Any]

    # --- one note

    def test_a_note_is_held_accepted_credited_and_stacked(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        assert sorted(is_ready(host).identity.faces.values()) == [100, 500, 1000, 2000, 5000, 10000]
        host.take(AcceptorEnabled)
        acceptor.insert(10000)
        assert host.take(NoteEscrowed).face == 10000
        credit = host.take(NoteCredited)
        assert (credit.face, credit.at_power_up) == (10000, False)
        host.take(NoteStacked)
        assert box_by_face(acceptor.ledger()) == host.credited == {10000: 1}

    def test_it_takes_nothing_before_it_is_enabled(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start(enabled=False)
        is_ready(host)
        assert "inhibited" in acceptor.do("insert", face_fen=100)["error"]

    def test_two_equal_notes_are_two_credits(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        for _ in range(2):
            acceptor.insert(5000)
            host.take(NoteStacked)
        assert host.credited == box_by_face(acceptor.ledger()) == {5000: 2}

    @at_speed(PATIENT_SPEED)
    def test_an_undecided_note_is_held_beyond_the_devices_own_patience(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(2000)
        host.take(NoteEscrowed)
        waited_until = time.monotonic() + 1.5 * ESCROW_S / PATIENT_SPEED
        host.until(lambda: time.monotonic() > waited_until, "the time has passed")
        assert acceptor.ledger()["path"]["stage"] == "escrow"
        host.driver.accept()
        assert host.take(NoteCredited).face == 2000

    @at_speed(PATIENT_SPEED)
    def test_a_returned_note_is_in_the_payers_hand(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(2000)
        host.take(NoteEscrowed)
        host.driver.return_note()
        assert host.take(NoteReturned).reason == "host"
        assert acceptor.ledger()["returned"] == {"2000": 1}
        acceptor.insert(100)
        assert host.take(NoteEscrowed).face == 100

    def test_a_note_it_can_not_read_or_was_not_asked_for_comes_back(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        acceptor.insert(7700)
        assert host.take(NoteRejected).reason == "not_recognised"
        host._faces = frozenset({100})
        host.until(lambda: host.take(AcceptorEnabled) is not None, "enabled anew")
        acceptor.insert(10000)
        assert host.take(NoteRejected).reason == "inhibited"
        assert not host.credited

    @at_speed(PATIENT_SPEED)
    def test_a_payer_who_holds_on_to_the_note_only_delays(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(500)
        host.take(NoteEscrowed)
        acceptor.do("hold_at_mouth")
        host.driver.return_note()
        assert host.hears_no(NoteReturned, for_s=0.3)
        acceptor.do("hold_at_mouth", **{"is": False})
        assert host.take(NoteReturned).reason == "host"

    def test_nothing_is_acknowledged_to_the_device_before_the_host_says_so(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        host.acknowledge = False
        acceptor.insert(10000)
        credit = host.take(NoteCredited)
        acceptor.wait_for("stacked")
        assert host.hears_no(NoteStacked, for_s=0.3)
        host.driver.acknowledge(credit)
        host.take(NoteStacked)

    # --- leases

    @at_speed(PATIENT_SPEED)
    def test_a_lapsed_lease_returns_the_held_note_and_inhibits(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(1000)
        host.take(NoteEscrowed)
        host.forget_lease()
        assert host.take(AcceptorDisabled).lease_lapsed
        assert host.take(NoteReturned).reason == "lease"
        assert "inhibited" in acceptor.do("insert", face_fen=100)["error"]

    @at_speed(PATIENT_SPEED)
    def test_disable_returns_the_held_note_and_is_answered(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(1000)
        host.take(NoteEscrowed)
        host.forget_lease()
        host.driver.disable()
        assert not host.take(AcceptorDisabled).lease_lapsed
        assert host.take(NoteReturned).reason == "host"
        host.driver.disable()
        host.take(AcceptorDisabled)

    @at_speed(PATIENT_SPEED)
    def test_stop_returns_the_held_note_and_inhibits(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(1000)
        host.take(NoteEscrowed)
        host.stop()
        acceptor.wait_for("returned")
        assert acceptor.ledger()["returned"] == {"1000": 1}
        assert "inhibited" in acceptor.do("insert", face_fen=100)["error"]

    # --- trouble with a note

    def test_a_jam_beyond_reach_is_a_claim_and_ends_when_cleared(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        acceptor.do("jam", where="stacker")
        acceptor.insert(10000)
        claim = host.take(NoteUnclear)
        assert (claim.face, claim.fault.code) == (10000, "acceptor.jam_safe")
        host.until(lambda: "acceptor.jam_safe" in host.standing, "the jam is reported")
        acceptor.do("clear")
        host.until(lambda: not host.standing, "the jam is over")
        assert box_by_face(acceptor.ledger()) == {10000: 1}
        assert not host.credited

    @pytest.mark.parametrize("where", ["entry", "path"])
    def test_a_jam_within_reach_is_never_credited(self, plug_in, attach, where: str) -> None:
        acceptor, host = plug_in(), attach().start()
        acceptor.do("jam", where=where)
        acceptor.insert(10000)
        host.until(lambda: "acceptor.jam_unsafe" in host.standing, "the jam is reported")
        acceptor.do("clear")
        host.until(lambda: not host.standing, "the jam is over")
        acceptor.insert(100)
        assert host.take(NoteCredited).face == 100
        assert host.credited == {100: 1}
        assert len(host.unclear) == (where == "path")  # the host had ordered to keep that one

    def test_a_note_pulled_back_before_the_stacker_is_a_claim_not_a_credit(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        acceptor.do("cheat", when="before_stack")
        acceptor.insert(10000)
        assert host.take(NoteUnclear).fault.code == "acceptor.fraud"
        acceptor.insert(100)
        host.take(NoteStacked)
        assert (host.credited, acceptor.ledger()["pulled"]) == ({100: 1}, {"10000": 1})

    def test_a_note_fished_out_afterwards_stays_credited_and_raises_the_alarm(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        acceptor.do("cheat", when="after_stack")
        acceptor.insert(10000)
        host.take(NoteCredited)
        host.until(lambda: acceptor.ledger()["fished"] == {"10000": 1}, "it is fished out")
        acceptor.insert(500)
        host.take(NoteCredited)
        assert (host.credited, host.unclear) == ({10000: 1, 500: 1}, [])

    # --- the box

    def test_a_removed_cash_box_stops_notes_and_its_return_resumes_them(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        host.take(AcceptorEnabled)
        acceptor.do("cashbox", **{"is": "removed"})
        host.take(CashboxRemoved)
        assert host.standing == {"acceptor.cashbox_removed"}
        acceptor.do("cashbox", **{"is": "back"})
        host.take(CashboxReplaced)
        acceptor.insert(100)
        assert host.take(NoteCredited).face == 100
        assert not host.standing

    @at_speed(PATIENT_SPEED)
    def test_a_full_box_is_a_fault_until_it_is_emptied(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach(accept=False).start()
        acceptor.insert(2000)
        host.take(NoteEscrowed)
        host.driver.accept()
        acceptor.wait_for("stacking")
        acceptor.do("cashbox", **{"is": "full"})
        assert host.take(NoteCredited).face == 2000
        host.until(lambda: host.standing == {"acceptor.stacker_full"}, "full is reported")
        acceptor.do("cashbox", **{"is": "emptied"})
        host.until(lambda: not host.standing, "full is over")
        assert box_by_face(acceptor.ledger()) == host.credited

    def test_counters_move_by_one_for_each_note(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        before = is_ready(host).counters
        acceptor.insert(100)
        host.take(NoteStacked)
        host.driver.read_counters()
        after = host.take(CountersRead).counters
        assert (before.stacked, after.stacked) == (0, 1)

    def test_what_was_said_can_be_kept_for_a_fault_that_only_the_journal_shows(self, plug_in, attach) -> None:
        frozen: list[Snapshot] = []
        acceptor, host = plug_in(), attach(driver=functools.partial(self.driver, freeze=frozen.append)).start()
        is_ready(host)
        acceptor.insert(100)
        host.take(NoteStacked)
        host.driver.keep_trace(Fault("acceptor.note_lost", "counted 2, expected 1"))
        (kept,) = frozen
        assert kept.fault.code == "acceptor.note_lost"
        assert [line.event for line in kept.lines if isinstance(line, trace.Reported)][-1] == "NoteStacked"

    # --- the port and the device

    def test_counters_asked_for_while_a_credited_note_moves_have_it_in_them(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        before = is_ready(host).counters
        acceptor.insert(100)
        host.take(NoteCredited)  # the device counts it only when it is in the box
        host.driver.read_counters()
        assert host.take(CountersRead).counters.stacked == before.stacked + 1

    def test_a_missing_port_is_a_fault_until_it_appears(self, plug_in, attach) -> None:
        host = attach().start()
        assert host.take(AcceptorLost).fault.code == "acceptor.port_missing"
        acceptor = plug_in()
        is_ready(host)
        assert not host.standing
        acceptor.insert(100)
        host.take(NoteCredited)

    def test_a_port_held_by_another_program_is_named_so(self, plug_in, attach, link) -> None:
        plug_in()
        with serial.Serial(str(link), exclusive=True):
            host = attach().start()
            assert host.take(AcceptorLost).fault.code == "acceptor.port_busy"
        is_ready(host)

    def test_a_device_that_is_switched_off_comes_back_by_itself(self, plug_in, attach) -> None:
        acceptor, host = plug_in(), attach().start()
        is_ready(host)
        acceptor.do("power", **{"is": "off"})
        assert host.take(AcceptorLost).fault.code == "acceptor.silent"
        acceptor.do("power", **{"is": "on"})
        is_ready(host)
        acceptor.insert(100)
        assert host.take(NoteCredited).face == 100

    def test_another_device_in_its_place_is_refused_until_restart(self, plug_in, attach) -> None:
        first, host = plug_in(), attach().start()
        is_ready(host)
        first.unplug()
        second = plug_in(serial=99, state=None)
        host.until(lambda: "acceptor.wrong_device" in host.standing, "the swap is noticed")
        assert "inhibited" in second.do("insert", face_fen=100)["error"]
        second.unplug()
        third = plug_in()
        is_ready(host)
        assert third.ledger()["serial"] == first.ledger_at_unplug["serial"]

    # --- power cuts: the device's truth and the host's books agree at every step of a note's life

    @at_speed(PATIENT_SPEED)
    @pytest.mark.parametrize("moment", ["read", "escrow", "stacking", "credited", "stacked"])
    def test_a_device_that_loses_power_tells_the_notes_fate_when_it_starts(self, plug_in, attach, moment: str) -> None:
        acceptor, host = plug_in(), attach(accept=moment not in ("read", "escrow")).start()
        is_ready(host)
        acceptor.insert(10000)
        if moment != "read":
            acceptor.wait_for({"escrow": "escrowed"}.get(moment, moment))
        acceptor.unplug()
        acceptor = plug_in()
        is_ready(host)
        ledger = acceptor.ledger()
        assert host.credited == box_by_face(ledger), moment
        assert not host.unclear
        assert sum(host.credited.values()) == (moment in ("credited", "stacked"))

    # --- a host that dies

    def test_a_credit_nobody_recorded_is_told_again_to_the_successor(self, plug_in, attach) -> None:
        acceptor, first = plug_in(), attach().start()
        first.acknowledge = False
        acceptor.insert(5000)
        first.take(NoteCredited)
        first.stop()
        second = attach().start(intent_open=True)
        assert second.take(NoteCredited).face == 5000
        is_ready(second)
        assert second.credited == box_by_face(acceptor.ledger()) == {5000: 1}

    @at_speed(PATIENT_SPEED)
    def test_the_return_of_an_accepted_note_that_nobody_recorded_is_told_again(self, plug_in, attach) -> None:
        acceptor, first = plug_in(), attach(accept=False).start()
        acceptor.insert(5000)
        first.take(NoteEscrowed)
        first.acknowledge = False
        acceptor.do("cashbox", **{"is": "full"})  # no room: the device gives back what we order it to keep
        first.driver.accept()
        assert first.take(NoteReturned).accepted
        first.stop()
        second = attach().start(intent_open=True)
        assert second.take(NoteReturned).accepted
        is_ready(second)
        assert not second.credited
        assert not second.claims_by_counter

    def test_a_credit_on_disk_is_not_told_again(self, plug_in, attach) -> None:
        acceptor, first = plug_in(), attach().start()
        acceptor.insert(5000)
        first.take(NoteCredited)
        first.stop()
        second = attach().start(intent_open=False)
        is_ready(second)
        assert (second.credited, second.unclear) == ({}, [])
        assert box_by_face(acceptor.ledger()) == {5000: 1}

    @at_speed(PATIENT_SPEED)
    def test_a_held_note_without_an_intent_goes_back_after_a_restart(self, plug_in, attach) -> None:
        acceptor, first = plug_in(), attach(accept=False).start()
        acceptor.insert(5000)
        first.take(NoteEscrowed)
        first.abandon()
        second = attach().start(intent_open=False)
        is_ready(second)
        assert acceptor.ledger()["returned"] == {"5000": 1}
        assert not second.credited

    @at_speed(PATIENT_SPEED)
    def test_a_held_note_with_an_intent_is_kept_after_a_restart(self, plug_in, attach) -> None:
        acceptor, first = plug_in(), attach(accept=False).start()
        acceptor.insert(5000)
        first.take(NoteEscrowed)
        first.abandon()
        second = attach().start(intent_open=True)
        assert second.take(NoteCredited).face == 5000
        is_ready(second)
        assert second.credited == box_by_face(acceptor.ledger())

    @at_speed(PATIENT_SPEED)
    @pytest.mark.parametrize("stage", ["escrow", "before_point"])
    def test_a_note_given_back_after_a_cut_of_everything_is_no_claim(
        self, plug_in, attach, tmp_path, stage: str
    ) -> None:
        """The cut takes the driver's own memory too: only the journal knows the count before the note."""
        acceptor, first = plug_in(), attach(accept=stage == "before_point").start()
        before = is_ready(first)
        acceptor.insert(5000)
        acceptor.wait_for("stacking" if stage == "before_point" else "escrowed")
        first.abandon()
        acceptor.unplug()
        assert acceptor.ledger_at_unplug["path"]["stage"] == stage
        acceptor, second = plug_in(), attach(recall=tmp_path / "taken by the cut")
        second.start(intent_open=True, before=CountBefore(before.identity.serial, before.counters.stacked))
        assert second.take(NoteReturned).at_power_up
        is_ready(second)
        assert acceptor.ledger()["returned"] == {"5000": 1}
        assert not second.credited

    @at_speed(PATIENT_SPEED)
    def test_a_credit_on_disk_is_not_told_again_after_a_cut_of_everything(self, plug_in, attach, tmp_path) -> None:
        acceptor, first = plug_in(), attach().start()
        serial = is_ready(first).identity.serial
        acceptor.insert(5000)
        first.take(NoteCredited)
        first.abandon()
        acceptor.unplug()
        assert acceptor.ledger_at_unplug["path"]["stage"] == "after_point"
        acceptor, second = plug_in(), attach(recall=tmp_path / "taken by the cut")
        second.start(intent_open=False, before=CountBefore(serial, None))
        is_ready(second)
        assert acceptor.ledger()["stacker"] == {"5000": 1}
        assert not second.credited

    @at_speed(PATIENT_SPEED)
    @pytest.mark.parametrize("recorded", [False, True])
    def test_when_host_and_device_lose_power_together_the_note_counts_once(
        self, plug_in, attach, recorded: bool
    ) -> None:
        acceptor, first = plug_in(), attach().start()
        first.acknowledge = recorded
        acceptor.insert(5000)
        first.take(NoteCredited)
        first.abandon()
        acceptor.unplug()  # past the point of no return, not yet in the box
        assert acceptor.ledger_at_unplug["path"]["stage"] == "after_point"
        acceptor, second = plug_in(), attach().start(intent_open=not recorded)
        is_ready(second)
        assert first.credited + second.credited == box_by_face(acceptor.ledger()) == {5000: 1}
        assert not second.unclear

    # --- a bad line

    @pytest.mark.parametrize(
        ("seed", "faults"),
        [
            (1, {"drop": 0.3}),
            (2, {"flip": 0.3}),
            (3, {"truncate": 0.3}),
            (4, {"duplicate": 0.3}),
            (5, {"drop": 0.1, "flip": 0.1, "truncate": 0.1, "duplicate": 0.3}),
            (6, {"delay_ms": 300}),
        ],
    )
    def test_a_bad_line_never_loses_or_invents_a_note(
        self, plug_in, attach, seed: int, faults: dict[str, float]
    ) -> None:
        acceptor, host = plug_in(seed=seed), attach().start()
        is_ready(host)
        acceptor.do("line", **faults)
        chance = random.Random(seed)
        for _ in range(8):
            acceptor.insert(chance.choice((100, 500, 1000, 2000, 5000, 10000)))
            host.until(lambda: acceptor.ledger()["path"] is None, "the note has gone somewhere")
        acceptor.do("line", drop=0, flip=0, truncate=0, duplicate=0, delay_ms=0)
        host.until(lambda: _settled(host, acceptor), "the books agree with the box")
        assert not host.unclear


def _settled(host: Any, acceptor: Any) -> bool:
    return Counter(host.credited) == box_by_face(acceptor.ledger())
