"""The real agent checks its journal itself: what the office and `kiosk check` hear of it, and what happens when it is wrong."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kiosk import views
from kiosk.clock import Reading, SystemClock
from kiosk.domain import events as journal
from kiosk.domain.http_signature import public_text
from kiosk.office_client.identity import Identity
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.offline_queue.journals import tamper
from tests.payment.kiosk_at_work import KioskAtWork, bill
from tests.payment.test_agent_process import check_of

DAYS_AGO_MS = 2 * 86_400_000
TWELVE = bill("b-12", 1_200, date(2099, 11, 30))


class DaysAgo(SystemClock):
    """The clock of a kiosk that was set up then."""

    @property
    def boot_id(self) -> str:
        return "an earlier boot"

    def reading(self) -> Reading:
        return Reading(super().reading().wall_ms - DAYS_AGO_MS, "rtc")


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[KioskAtWork]:
    """One that has not checked itself for two nights."""
    work = KioskAtWork(tmp_path, bills=(TWELVE,), paired=False)
    path = work.state / "journal.db"
    path.unlink()
    key = Identity.load(tmp_path / "identity.json").key
    genesis = journal.JournalGenesis(
        kiosk_id="k-1", kiosk_code="YG01", public_key=public_text(key.public_key()), software="test"
    )
    made = Journal.create(path, DaysAgo(), genesis)
    made.append(journal.PaymentOpened(payment_id="p", unit_id="u-502", bills=(), due_fen=100))
    made.append(journal.PaymentCancelled(payment_id="p", reason="payer"))
    made.append(journal.AgentStopped())
    made.close()
    yield work
    work.close()


def test_a_night_without_a_finding_is_an_entry_a_signed_checkpoint_and_a_line_of_kiosk_check(
    kiosk: KioskAtWork,
) -> None:
    kiosk.pair()
    checked = kiosk.wait_recorded(journal.JournalChecked)[0]
    assert checked.up_to_seq >= 3
    kiosk.wait_recorded(journal.Checkpoint)
    with JournalReader(kiosk.state / "journal.db") as reader:
        assert verify(reader.db) is None
    said = f"self-check of {checked.up_to_seq} entries"
    assert said in check_of(kiosk, expected=1)["journal"]["detail"]
    assert kiosk.stop() == 0
    kiosk.start()
    kiosk.wait_recorded(journal.AgentStarted, 2)
    assert said in check_of(kiosk, expected=1)["journal"]["detail"], "remembered over a restart"
    assert len(kiosk.recorded(journal.JournalChecked)) == 1


def test_what_it_finds_wrong_is_told_to_the_office_and_ends_the_service_until_a_new_process_has_made_it_good(
    kiosk: KioskAtWork,
) -> None:
    tamper(kiosk.state / "journal.db", "UPDATE payment SET ended_seq = 2")
    kiosk.pair()
    assert kiosk.wait_recorded(journal.DeviceFault)[0].code == "journal.damaged"
    assert kiosk.exit_code() == 3
    kiosk.start()
    kiosk.sees(views.AttractView, lambda view: view.methods)
    kiosk.wait_recorded(journal.JournalChecked)


def test_an_entry_that_was_changed_keeps_it_out_of_service(kiosk: KioskAtWork) -> None:
    tamper(kiosk.state / "journal.db", "UPDATE event SET wall_ms = wall_ms + 1 WHERE seq = 2")
    kiosk.pair()
    assert kiosk.exit_code() == 3
    kiosk.start()
    view = kiosk.sees(views.OutOfServiceView, lambda view: view.reason == views.Saying("reason.journal"))
    assert view.frame.code == "E80"
    ends_at = time.monotonic() + 20
    while "entry 2 changed" not in check_of(kiosk, expected=1)["journal"]["detail"].replace(":", ""):
        assert time.monotonic() < ends_at
