"""What was wrong is carried over a restart of the agent, because a device that was mended meanwhile does not say so."""

from contextlib import closing
from datetime import date
from typing import Any

import pytest

from kiosk.domain import events as journal
from kiosk.domain.estate import Estate
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client.events import EstateRefused, EstateTold
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import recovery
from tests.offline_queue import journals
from tests.payment.kiosk_at_work import KioskAtWork, bill
from tests.payment.walker import Walker

JAM, OUT, FULL = "acceptor.jam_safe", "acceptor.cashbox_removed", "acceptor.stacker_full"
ACCEPTOR, PRINTER, OFFICE = "bill_acceptor", "receipt_printer", "office"
BOX = (journal.CashboxRemoved, journal.CashboxReplaced)


def begun(code: str, device: str = ACCEPTOR) -> journal.DeviceFault:
    return journal.DeviceFault(device=device, code=code)


def over(code: str, device: str = ACCEPTOR) -> journal.DeviceFaultCleared:
    return journal.DeviceFaultCleared(device=device, code=code)


def told(code: str, device: str = ACCEPTOR) -> ports.DeviceFault:
    return ports.DeviceFault(device=device, fault=Fault(code))


def carrying(*codes: str, device: str = ACCEPTOR, **around: Any) -> Walker:
    return Walker(carried=frozenset(f"{device} {code}" for code in codes), **around)


def written(walker: Walker) -> list[journal.Event]:
    kinds = (journal.DeviceFault, journal.DeviceFaultCleared, *BOX)
    return [event for event in walker.recorded if isinstance(event, kinds)]


# --- a real agent -----------------------------------------------------------------------------------------------


@pytest.fixture
def kiosk(tmp_path):
    made = KioskAtWork(tmp_path, bills=(bill("b-1", 10_000, date(2026, 11, 1)),))
    yield made
    made.close()


def standing(kiosk: KioskAtWork) -> list[str]:
    codes: list[str] = []
    for event in kiosk.recorded(journal.DeviceFault, journal.DeviceFaultCleared):
        (codes.append if isinstance(event, journal.DeviceFault) else codes.remove)(event.code)
    return codes


def answered(kiosk: KioskAtWork, times: int) -> None:
    """The acceptor was counted so often: what it told before is on disk."""
    kiosk.wait_recorded(journal.AcceptorCounted, times)


def test_what_was_mended_while_the_agent_did_not_run_is_over_when_the_acceptor_answers(kiosk):
    answered(kiosk, 1)
    kiosk.acceptor.unplug()
    kiosk.wait_recorded(journal.DeviceFault)
    assert kiosk.stop() == 0
    assert standing(kiosk)
    kiosk.plug_acceptor_in()
    kiosk.start()
    answered(kiosk, 2)
    assert standing(kiosk) == []


def test_a_box_that_is_out_over_a_restart_was_taken_once_and_is_back_when_it_is(kiosk):
    answered(kiosk, 1)
    kiosk.acceptor.do("cashbox", **{"is": "removed"})
    kiosk.wait_recorded(journal.CashboxRemoved)
    assert kiosk.stop() == 0
    kiosk.start()
    answered(kiosk, 2)
    assert len(kiosk.recorded(*BOX)) == 1
    assert kiosk.stop() == 0
    kiosk.acceptor.do("cashbox", **{"is": "back"})
    kiosk.start()
    answered(kiosk, 3)
    assert [type(event) for event in kiosk.recorded(*BOX)] == [*BOX]
    assert kiosk.recorded(journal.CashboxReplaced)[0].acceptor_serial
    assert standing(kiosk) == []


def test_a_box_that_was_full_before_a_restart_is_full_until_a_note_is_in_it(kiosk):
    answered(kiosk, 1)
    kiosk.acceptor.do("cashbox", **{"is": "full"})
    kiosk.wait_recorded(journal.DeviceFault)
    kiosk.look_away()
    assert kiosk.stop() == 0
    kiosk.acceptor.do("cashbox", **{"is": "emptied"})
    kiosk.start()
    answered(kiosk, 2)
    assert standing(kiosk) == [FULL]
    kiosk.to_cash()
    kiosk.insert(100)
    assert standing(kiosk) == []


# --- the journal ------------------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path):
    with closing(Journal.create(tmp_path / "journal.db", journals.SetClock(), journals.genesis())) as made:
        yield made


def known(book: Journal) -> recovery.Known:
    with JournalReader(book.path) as reader:
        return recovery.read(book, reader.entries)


def test_a_fault_stands_until_its_own_end_is_written_down(book):
    book.append(begun(JAM), begun("printer.paper_out", PRINTER), begun("internal"), over("internal"))
    book.append(begun("internal", PRINTER), journals.opened(), over(JAM, PRINTER))
    expected = {f"{ACCEPTOR} {JAM}", f"{PRINTER} printer.paper_out", f"{PRINTER} internal"}
    assert known(book).faults == expected
    book.append(over(JAM), over("printer.paper_out", PRINTER), over("internal", PRINTER), begun(JAM))
    assert known(book).faults == {f"{ACCEPTOR} {JAM}"}


def test_what_is_told_once_and_has_no_end_does_not_stand(book):
    book.append(begun("acceptor.note_lost"), begun("journal.damaged", "journal"))
    assert (known(book).faults, known(book).box_out) == (frozenset(), False)


def test_the_box_is_where_its_last_event_says(book):
    book.append(journal.CashboxRemoved(acceptor_serial="SN1"))
    assert known(book).box_out
    book.append(journal.CashboxReplaced(acceptor_serial="SN1"))
    assert not known(book).box_out


# --- the acceptor -----------------------------------------------------------------------------------------------


def test_what_is_carried_stops_nothing_until_the_device_repeats_it():
    walker = carrying(JAM)
    assert walker.state.around.faults == {}
    walker.tell(told(JAM))
    assert walker.state.around.faults == {f"{ACCEPTOR} {JAM}": ""}
    walker.acceptor_ready()
    assert written(walker) == []
    walker.tell(ports.FaultCleared(device=ACCEPTOR, code=JAM))
    assert written(walker) == [over(JAM)]


def test_what_the_acceptor_does_not_repeat_is_over_once():
    walker = carrying(JAM, "acceptor.fraud", "internal").acceptor_ready().acceptor_ready()
    assert written(walker) == [over("acceptor.fraud"), over(JAM), over("internal")]
    walker.tell(told(JAM))
    assert written(walker)[-1] == begun(JAM)


def test_an_acceptor_that_does_not_answer_ends_nothing():
    walker = carrying(JAM, "acceptor.silent")
    walker.tell(told("acceptor.silent")).tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
    assert written(walker) == []
    walker.acceptor_ready()
    assert written(walker) == [over("acceptor.silent"), over(JAM)]


def test_a_box_that_is_still_out_is_no_second_removal_and_the_next_one_is():
    walker = carrying(OUT, box_carried=True)
    walker.tell(told(OUT)).tell(ports.CashboxRemoved()).acceptor_ready()
    assert written(walker) == []
    walker.tell(ports.FaultCleared(device=ACCEPTOR, code=OUT)).tell(ports.CashboxReplaced())
    walker.tell(told(OUT)).tell(ports.CashboxRemoved())
    taken = journal.CashboxRemoved(acceptor_serial="SN1")
    back = journal.CashboxReplaced(acceptor_serial="SN1")
    assert written(walker) == [over(OUT), back, begun(OUT), taken]


def test_a_cut_between_the_fault_and_the_removal_leaves_the_removal_to_be_written():
    walker = carrying(OUT).tell(told(OUT)).tell(ports.CashboxRemoved())
    assert written(walker) == [journal.CashboxRemoved(acceptor_serial="")]


def test_a_full_box_is_told_only_once_so_only_a_note_it_takes_or_a_box_put_in_ends_it():
    assert written(carrying(FULL).acceptor_ready()) == []
    assert over(FULL) in written(carrying(FULL).acceptor_ready().credit(100))
    assert over(FULL) in written(carrying(FULL).acceptor_ready().tell(ports.CashboxReplaced()))
    assert over(FULL) in written(carrying(FULL, box_carried=True).acceptor_ready())
    heard = carrying(FULL).tell(told(FULL)).acceptor_ready().credit(100)
    assert written(heard) == [], "this time the acceptor says when it is over"


# --- printer and office -----------------------------------------------------------------------------------------


def test_the_first_answer_of_the_printer_ends_what_it_does_not_repeat():
    paper_out, cutter = "printer.paper_out", "printer.cutter"
    walker = carrying(paper_out, cutter, device=PRINTER).printer_says(ports.Paper.UNKNOWN, Fault("printer.silent"))
    assert written(walker) == [begun("printer.silent", PRINTER)]
    walker.printer_says(ports.Paper.OUT, Fault(paper_out))
    assert written(walker)[1:] == [over("printer.silent", PRINTER), over(cutter, PRINTER)]
    assert walker.printer_says().printer_says().recorded[-1] == over(paper_out, PRINTER)
    assert len(written(walker)) == 4


def test_that_a_slip_was_not_proved_lasts_until_one_is():
    walker = carrying("printer.unconfirmed", device=PRINTER).printer_says()
    walker.tell(ports.ReceiptPrinted(job_id="j", confirmed=False))
    assert written(walker) == []
    walker.tell(ports.ReceiptPrinted(job_id="j", confirmed=True))
    assert written(walker) == [over("printer.unconfirmed", PRINTER)]


def test_a_refused_configuration_is_over_with_a_newer_one_and_not_with_the_one_in_use():
    walker = carrying("config.unfit", device=OFFICE, estate=Estate())
    walker.tell(EstateTold(estate=Estate(config_version=6), buildings=()))
    walker.tell(EstateRefused(config_version=7, why="time_zone"))
    assert written(walker) == []
    walker.tell(EstateTold(estate=Estate(config_version=8), buildings=()))
    assert written(walker) == [over("config.unfit", OFFICE)]
    mended = carrying("config.unfit", device=OFFICE, estate=Estate(config_version=6))
    mended.tell(EstateTold(estate=Estate(config_version=8), buildings=()))
    assert written(mended) == [over("config.unfit", OFFICE)]
    kept_already = carrying("config.unfit", device=OFFICE, estate=Estate())
    for _ in ("the cache's", "the office's"):
        kept_already.tell(EstateTold(estate=Estate(config_version=8), buildings=()))
    assert written(kept_already) == [over("config.unfit", OFFICE)]


def test_a_new_building_does_not_end_a_configuration_s_refusal():
    walker = Walker(estate=Estate(config_version=6)).tell(EstateRefused(config_version=7, why="time_zone"))
    walker.tell(EstateTold(estate=Estate(config_version=6), buildings=(("9", ("1",)),)))
    assert written(walker) == [journal.DeviceFault(device=OFFICE, code="config.unfit", detail="version 7: time_zone")]


def test_a_damaged_entry_about_a_device_stops_no_start(tmp_path):
    book = Journal.create(tmp_path / "journal.db", journals.SetClock(), journals.genesis())
    book.append(begun(JAM), begun(FULL), journal.AcceptorCounted(acceptor_serial="SN1", stacked=0, rejected=0))
    book.append(journal.AgentStopped())  # so that a start looks at the tail alone
    book.close()
    journals.tamper(
        book.path,
        "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '\"device\"', '\"devicf\"') AS BLOB) WHERE seq = 2",
    )
    with closing(Journal.open(book.path, journals.SetClock())) as opened, JournalReader(book.path) as reader:
        assert recovery.read(opened, reader.entries).faults == {f"{ACCEPTOR} {FULL}"}
