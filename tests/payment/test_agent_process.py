"""The real agent process: a payment from the first touch to the slip, stops, deaths, and what is true afterwards."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk import taps, views
from kiosk.clock import SystemClock
from kiosk.domain import events as journal
from kiosk.domain.chain import check_code
from kiosk.offline_queue import database
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from tests.offline_queue.journals import tamper, write_newer
from tests.payment.kiosk_at_work import KioskAtWork, bill

TWELVE = bill("b-12", 1_200, date(2099, 11, 30))


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[KioskAtWork]:
    work = KioskAtWork(tmp_path, bills=(TWELVE,))
    yield work
    work.close()


def test_a_payment_goes_from_the_first_touch_to_the_slip(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(10)
    kiosk.insert(1)
    kiosk.insert(1)
    kiosk.finish_and_take_slip()
    kiosk.sees(views.AttractView)
    settled = kiosk.recorded(journal.PaymentSettled)[0]
    assert (settled.receipt_no, settled.received_fen, settled.offline) == ("YG01-000001", 1_200, True)
    kinds = [journal.kind_of(event) for event in kiosk.recorded() if journal.kind_of(event).startswith("note")]
    assert kinds == ["note.escrow", "note.accept_intent", "note.credited"] * 3
    assert len(kiosk.recorded(journal.ReceiptPrinted)) == 1
    kiosk.check_truth()


def test_sigterm_ends_it_within_five_seconds_with_a_signed_checkpoint(kiosk: KioskAtWork) -> None:
    kiosk.sees(views.AttractView, lambda view: view.methods)
    began = time.monotonic()
    assert kiosk.stop() == 0
    assert time.monotonic() - began < 5
    last = kiosk.recorded()[-2:]
    assert [type(event) for event in last] == [journal.Checkpoint, journal.AgentStopped]
    kiosk.start()
    kiosk.sees(views.AttractView, lambda view: view.methods)
    assert kiosk.recorded(journal.AgentStarted)[-1].clean


def test_money_that_was_in_when_the_agent_died_is_settled_and_its_slip_comes_out(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(5)
    kiosk.kill()
    kiosk.start()
    view = kiosk.sees(views.TroubleView)
    assert view.saying == views.Saying("error.e60", {"inserted_fen": 500, "receipt_no": "YG01-000001"})
    assert view.frame.plate == ()
    partial = kiosk.wait_recorded(journal.PaymentPartial)[0]
    assert (partial.ended, partial.received_fen) == ("restart", 500)
    assert len(kiosk.wait_recorded(journal.ReceiptPrinted)) == 1
    kiosk.tap(taps.ChoiceTapped, choice="trouble.ok")
    kiosk.sees(views.AttractView)
    assert not kiosk.recorded(journal.AgentStarted)[-1].clean
    kiosk.check_truth()


def test_a_note_that_was_only_held_when_the_agent_died_goes_back(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.acceptor.insert(100_00)
    kiosk.sees(views.HeldNoteView)
    kiosk.kill()
    kiosk.start()
    assert kiosk.wait_recorded(journal.PaymentCancelled)[0].reason == "restart"
    assert kiosk.recorded(journal.NoteReturned)[0].note_no == 1
    told = kiosk.sees(views.AttractView, lambda view: view.methods)
    assert told.notice == views.Saying("notice.nothing_taken")
    assert kiosk.acceptor.ledger()["returned"]
    kiosk.check_truth()


@pytest.mark.parametrize("after_ms", [0, 15, 40, 80, 150, 300])
def test_a_note_kept_while_the_agent_died_is_credited_once_after_the_restart(kiosk: KioskAtWork, after_ms: int) -> None:
    kiosk.to_cash()
    kiosk.acceptor.insert(10_00)
    kiosk.wait_recorded(journal.NoteAcceptIntent)
    time.sleep(after_ms / 1000)
    kiosk.kill()
    kiosk.start()
    kiosk.wait_ended()
    fates = kiosk.recorded(journal.NoteCredited, journal.NoteReturned)
    assert len(fates) == 1
    kiosk.check_truth()


def test_the_power_of_acceptor_and_agent_is_cut_together(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.acceptor.insert(10_00)
    kiosk.wait_recorded(journal.NoteAcceptIntent)
    kiosk.acceptor.do("power", **{"is": "off"})
    kiosk.kill()
    kiosk.acceptor.do("power", **{"is": "on"})
    kiosk.start()
    ended = kiosk.wait_ended()
    assert ended.payment_id == kiosk.recorded(journal.PaymentOpened)[0].payment_id
    kiosk.check_truth()


def test_an_acceptor_without_power_during_a_note_is_waited_for(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(1)
    kiosk.acceptor.insert(10_00)
    kiosk.wait_recorded(journal.NoteAcceptIntent, 2)
    kiosk.acceptor.do("power", **{"is": "off"})
    kiosk.sees(views.InsertCashView, lambda view: view.state in ("stopped", "keeping", "ready"))
    kiosk.acceptor.do("power", **{"is": "on"})
    kiosk.sees(views.InsertCashView, lambda view: view.state == "ready" or view.missing == 100)
    kiosk.sees(views.InsertCashView, lambda view: view.can_finish)
    kiosk.finish_and_take_slip()
    kiosk.check_truth()


def test_when_the_screen_goes_a_held_note_goes_back_and_the_visit_waits_for_the_next_screen(
    kiosk: KioskAtWork,
) -> None:
    kiosk.to_cash()
    kiosk.insert(1)
    kiosk.acceptor.insert(100_00)
    kiosk.sees(views.HeldNoteView)
    kiosk.look_away()
    kiosk.wait_recorded(journal.NoteReturned)
    kiosk.acceptor.wait_for("disabled")
    kiosk.look()
    view = kiosk.sees(views.InsertCashView, lambda view: view.state == "ready")
    assert view.counted == 100
    kiosk.insert(10)
    assert kiosk.recorded(journal.ScreenRestarted)
    kiosk.finish_and_take_slip()
    kiosk.check_truth()


def test_without_an_acceptor_everything_but_cash_works_and_cash_comes_back_by_itself(kiosk: KioskAtWork) -> None:
    kiosk.sees(views.AttractView, lambda view: view.methods)
    kiosk.acceptor.unplug()
    kiosk.sees(views.AttractView, lambda view: not view.methods)
    kiosk.tap(taps.StartTapped)
    kiosk.sees(views.HomeView)
    kiosk.plug_acceptor_in()
    kiosk.sees(views.AttractView, lambda view: view.methods)
    codes = [event.code for event in kiosk.recorded(journal.DeviceFault)]
    assert codes
    assert set(codes) == {event.code for event in kiosk.recorded(journal.DeviceFaultCleared)}


def test_silence_with_money_in_finishes_and_prints(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(5)
    assert kiosk.wait_recorded(journal.PaymentPartial)[0].ended == "timeout"
    kiosk.wait_recorded(journal.ReceiptPrinted)
    kiosk.sees(views.AttractView)
    kiosk.check_truth()


def test_a_jammed_note_becomes_a_claim_that_the_slip_names(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(1)
    kiosk.acceptor.do("jam", where="stacker")
    kiosk.acceptor.insert(10_00)
    kiosk.sees(views.InsertCashView, lambda view: view.frame.code == "E32" and view.can_finish)
    kiosk.finish()
    assert kiosk.sees(views.ResultView).claims[0].claim_no == "YG01-Q000002"
    unknown = kiosk.recorded(journal.NoteUnknown)[0]
    assert (unknown.face_fen, unknown.reason) == (1_000, "acceptor.jam_safe")


@pytest.mark.long
def test_a_note_held_at_the_mouth_until_it_is_a_claim_goes_back_and_is_none_any_more(tmp_path: Path) -> None:
    with closing(KioskAtWork(tmp_path, bills=(TWELVE,), speed=8)) as kiosk:  # a note's fate may stay open for 120 s / 8
        kiosk.to_cash()
        kiosk.insert(1)
        kiosk.acceptor.insert(100_00)
        kiosk.sees(views.HeldNoteView)
        kiosk.acceptor.do("hold_at_mouth")
        kiosk.tap(taps.HeldNoteAnswered, keep=False)
        kiosk.hand.wait(lambda view: isinstance(view, views.InsertCashView) and view.frame.code == "E32", 60.0)
        kiosk.acceptor.do("hold_at_mouth", **{"is": False})
        view = kiosk.sees(views.InsertCashView, lambda view: view.frame.code != "E32")
        assert view.notice == views.Saying("notice.note_returned")
        kiosk.slot_open()
        kiosk.tap(taps.ContinueTapped)
        assert not kiosk.sees(views.ResultView).claims
        (claim,), (back,) = kiosk.recorded(journal.NoteUnknown), kiosk.recorded(journal.NoteReturned)
        assert claim.note_no == back.note_no
        assert kiosk.acceptor.ledger()["returned"] == {"10000": 1}


def test_without_paper_the_number_is_shown_instead(kiosk: KioskAtWork) -> None:
    kiosk.sees(views.AttractView, lambda view: view.methods)
    kiosk.printer.do(do="paper", **{"is": "out"})
    kiosk.wait_recorded(journal.DeviceFault)
    kiosk.to_method()
    kiosk.tap(taps.TileChosen, tile="cash")
    assert kiosk.sees(views.MethodView, lambda view: view.no_receipt).frame.code == "E51"
    kiosk.tap(taps.ContinueTapped)
    kiosk.slot_open()
    kiosk.insert(10)
    kiosk.tap(taps.ContinueTapped)
    kiosk.sees(views.ResultView)
    kiosk.tap(taps.ContinueTapped)
    view = kiosk.sees(views.ReceiptView)
    assert view.state == "no_paper"
    assert kiosk.wait_recorded(journal.ReceiptDeclined)
    with JournalReader(kiosk.state / "journal.db") as reader:
        (settled,) = [one for one in reader.entries(0, 1000) if one.header.kind == "payment.partial"]
    assert view.check_code == check_code(settled.seq, settled.hash)


def test_own_settlements_are_taken_off_cached_bills(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(10)
    kiosk.finish_and_take_slip()
    kiosk.to_cash()
    assert kiosk.sees(views.InsertCashView).due == 200


def test_bills_told_for_another_journal_are_not_shown_since_nothing_would_be_taken_off_them(kiosk: KioskAtWork) -> None:
    kiosk.stop()
    path = kiosk.state / "journal.db"
    with JournalReader(path) as reader:
        genesis = reader.genesis()
    path.rename(path.with_name("kept.db"))
    Journal.create(path, SystemClock(), genesis).close()
    kiosk.start()
    kiosk.ask_for_unit()
    assert kiosk.sees((views.TroubleView, views.VerifyView)).frame.code == "E21"


def test_a_journal_that_can_not_be_written_lets_no_note_in(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(1)
    kiosk.acceptor.insert(100_00)
    kiosk.sees(views.HeldNoteView)
    kiosk.let_no_file_grow()
    kiosk.tap(taps.HeldNoteAnswered, keep=True)
    assert kiosk.exit_code() == 3
    assert kiosk.acceptor.ledger()["returned"]
    kiosk.start()
    partial = kiosk.wait_recorded(journal.PaymentPartial)[0]
    assert (partial.ended, partial.received_fen) == ("restart", 100)
    kiosk.check_truth()


def test_an_entry_of_a_newer_program_is_said_on_the_screen_and_heals_with_that_program(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(1)
    kiosk.kill()
    path = kiosk.state / "journal.db"
    with closing(Journal.open(path, SystemClock())) as opened:
        held = path.with_name("held.db")
        opened._db.execute("VACUUM INTO ?", (str(held),))
        seq = write_newer(opened, "card.debited")
    kiosk.start()
    view = kiosk.sees(views.OutOfServiceView)
    assert (view.frame.code, view.reason) == ("E80", views.Saying("reason.journal"))
    assert f"entry {seq} was written by a newer program (card.debited, v1); install that program again" in kiosk.log
    kiosk.stop()
    row = check_of(kiosk, expected=1)["journal"]
    assert not row["ready"]
    assert f"entry {seq} was written by a newer program" in row["detail"]
    held.rename(path)  # stands for the program that knows the entry
    kiosk.start()
    assert kiosk.wait_recorded(journal.PaymentPartial)[0].received_fen == 100
    kiosk.check_truth()


def test_an_error_that_nobody_foresaw_is_said_on_the_screen_before_a_new_process_comes(kiosk: KioskAtWork) -> None:
    """systemd gives up a service that ends at once a few times in a row."""
    kiosk.sees(views.AttractView, lambda view: view.methods)
    kiosk.stop()
    # A program in which a part is missing that nobody looks for.
    kiosk.program = (
        "-c",
        "from kiosk.payment import recovery; del recovery.read; from kiosk.__main__ import main; exit(main())",
    )
    kiosk.start()
    view = kiosk.sees(views.OutOfServiceView)
    assert (view.frame.code, view.reason) == ("E80", views.Saying("reason.journal"))
    assert kiosk.exit_code() == 4
    assert "agent.stands_by code=internal detail=AttributeError" in kiosk.log


def test_check_asks_the_running_agent_and_opens_nothing_itself(kiosk: KioskAtWork) -> None:
    kiosk.sees(views.AttractView, lambda view: view.methods)
    rows = check_of(kiosk, expected=1)
    ready = {part: row["ready"] for part, row in rows.items()}
    assert ready == {
        "settings": True,
        "pairing": True,
        "agent": True,
        "journal": True,
        "bill acceptor": True,
        "receipt printer": True,
        "office": False,
        "upload": True,
        "screen": True,
        "traces": True,
    }
    assert rows["office"]["remedy"]
    kiosk.stop()
    rows = check_of(kiosk, expected=1)
    assert rows["bill acceptor"]["ready"]
    assert rows["receipt printer"]["ready"]
    assert not rows["office"]["ready"]


def test_a_kiosk_that_is_not_paired_says_so_and_goes_on_by_itself_once_it_is(tmp_path: Path) -> None:
    work = KioskAtWork(tmp_path, bills=(TWELVE,), paired=False)
    try:
        assert work.sees(views.OutOfServiceView).reason == views.Saying("reason.not_paired")
        work.tap(taps.StartTapped)
        work.pair()
        work.sees(views.AttractView, lambda view: view.methods)
        work.to_cash()
        work.insert(10)  # the screen that was there all the time is known to be
    finally:
        work.close()


def test_a_journal_that_fails_while_the_kiosk_waits_for_something_else_is_left_to_a_new_process(tmp_path: Path) -> None:
    work = KioskAtWork(tmp_path, bills=(TWELVE,), paired=False)
    try:
        assert work.sees(views.OutOfServiceView).reason == views.Saying("reason.not_paired")
        path = work.state / "journal.db"
        whole = path.read_bytes()
        path.write_bytes(b"somebody's letter\n" * 200)
        work.pair()
        work.sees(views.OutOfServiceView, lambda view: view.reason == views.Saying("reason.journal"))
        path.write_bytes(whole)
        assert work.exit_code() == 3
        assert database.is_doubted(path), "the new process checks every entry"
        work.start()
        work.sees(views.AttractView, lambda view: view.methods)
        assert not database.is_doubted(path)
    finally:
        work.close()


def check_of(kiosk: KioskAtWork, *, expected: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "check", "--config", str(kiosk.settings), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    return {row["part"]: row for row in map(json.loads, done.stdout.splitlines())}


def test_a_second_agent_on_the_same_state_says_so_and_does_no_harm(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "agent", "--config", str(kiosk.settings)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "another agent" in done.stderr
    kiosk.insert(10)


def test_an_entry_that_a_start_can_not_read_is_looked_into_by_the_next_process_and_said_to_be_damage(
    kiosk: KioskAtWork,
) -> None:
    kiosk.wait_recorded(journal.AcceptorCounted)
    assert kiosk.stop() == 0
    path = kiosk.state / "journal.db"
    body = "CAST(replace(CAST(body AS TEXT), 'stacked', 'stakced') AS BLOB)"
    tamper(
        path, f"UPDATE event SET body = {body} WHERE seq = (SELECT max(seq) FROM event WHERE kind = 'acceptor.counted')"
    )
    kiosk.start()
    assert kiosk.sees(views.OutOfServiceView).reason == views.Saying("reason.journal")
    assert database.is_doubted(path)
    kiosk.look_away()
    kiosk.kill()
    kiosk.start()
    kiosk.look()
    kiosk.sees(views.OutOfServiceView)  # of the new process, which has looked by then
    assert "its hash does not fit" in kiosk.log
