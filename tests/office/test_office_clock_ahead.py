"""The office's clock was ahead for a while and was put right: which journal is a kiosk's present one, and when it was last heard, are
told by neither."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from kiosk.domain.events import CashboxRemoved
from office.demo import visits
from office.demo.journal_writer import JournalWriter
from office.kiosks import services
from office.kiosks.models import Kiosk, RawEvent
from office.kiosks.new_journals import held
from office.kiosks.replaying import read, replay
from office.kiosks.selectors import kiosk_cards
from office.payments.counting import count_box
from office.payments.models import BoxCount, Payment
from office.staff.models import Role
from tests.office.conftest import point_at
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person, exported
from tests.office.parted_journals import HUNDRED, findings, follow
from tests.office.signed_client import SignedClient

DAY_MS = 86_400_000


def ahead_when_the_old_one_began(estate: Estate, _folder: Path) -> None:
    """A journal that the office heard of a day too late by its own clock, and its successor by the right one."""
    estate.writer.wall_ms += DAY_MS  # the office's time of an upload, too
    estate.pay([], [HUNDRED])
    estate.upload()
    follow(estate, estate.writer.next_receipt)
    estate.writer.wall_ms -= DAY_MS
    a_day_at(estate)
    estate.upload()


def both_replayed(estate: Estate, folder: Path) -> None:
    """The old journal never had contact, so an office that comes back from exports has both at one moment."""
    connections.close_all()
    shutil.copy(folder / "office.db", folder / "backup.db")
    estate.writer = JournalWriter(wall_ms=estate.writer.wall_ms, clock="rtc")
    visits.genesis(estate.writer, str(estate.kiosk.id), estate.kiosk.code, estate.kiosk.public_key)
    estate.pay([], [HUNDRED])
    estate.upload()
    old = read(exported(estate.writer))
    follow(estate, estate.writer.next_receipt)
    a_day_at(estate)
    exports = [old, read(exported(estate.writer))]
    connections.close_all()
    point_at(f"sqlite:///{folder / 'backup.db'}")
    replay(exports)
    estate.sent = len(estate.writer.events)


def a_day_at(estate: Estate) -> None:
    estate.pay(["sep"], [HUNDRED])
    estate.writer.append(CashboxRemoved(acceptor_serial=visits.ACCEPTOR))


HOW = pytest.mark.parametrize("happened", [ahead_when_the_old_one_began, both_replayed])


@HOW
def test_the_kiosk_is_told_how_far_its_present_journal_is_booked(
    estate: Estate, tmp_path: Path, happened: Callable[[Estate, Path], None]
) -> None:
    """Else it takes its own payment off the bill once more, and shows the payer too little."""
    happened(estate, tmp_path)
    told = SignedClient(estate.key).call("GET", f"/units/{estate.unit.id}/bills").json()
    assert (told["journal_id"], told["applied_seq"]) == (estate.writer.journal_id, len(estate.writer.events))


@HOW
def test_the_next_replacement_ends_the_present_journal(
    estate: Estate, tmp_path: Path, happened: Callable[[Estate, Path], None]
) -> None:
    happened(estate, tmp_path)
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    visits.insert_note(estate.writer, payment_id, HUNDRED)
    estate.upload()
    named = held(Kiosk.objects.get())
    assert named is not None
    assert named.journal_id == estate.writer.journal_id
    follow(estate, estate.writer.next_receipt)
    estate.upload()
    payment = Payment.objects.get(id=payment_id)
    assert (payment.ended, payment.suspense_fen) == ("replaced", HUNDRED)
    assert findings() == []


@HOW
def test_a_count_of_the_box_finds_the_notes_of_the_old_journal_too(
    estate: Estate, tmp_path: Path, happened: Callable[[Estate, Path], None]
) -> None:
    happened(estate, tmp_path)
    person = add_person(estate.project, Role.CASHIER)
    removal = RawEvent.objects.get(kind="cashbox.removed")
    count_box(person, removal, {face: 2 if face == HUNDRED else 0 for face in (10_000, 5_000, 2_000, 1_000, 500, 100)})
    assert BoxCount.objects.get().differences == {}
    assert findings() == []


@both_engines
def test_a_kiosk_that_dies_after_the_clock_was_put_right_is_silent_from_then_on(estate: Estate) -> None:
    estate.upload()
    now = timezone.now()
    beat(estate, now + timedelta(days=1))
    for minute in range(5):
        beat(estate, now + timedelta(minutes=minute))
    (card,) = kiosk_cards(estate.project, now + timedelta(hours=6))
    assert (card.health, card.silent_s) == ("offline", timedelta(hours=6, minutes=-4).total_seconds())


def beat(estate: Estate, now: datetime) -> None:
    writer = estate.writer
    how = {"state": "attract", "acceptor": "ready", "printer": "ready", "paper": "ok", "clock": "synced"}
    where = {"journal_id": writer.journal_id, "last_seq": len(writer.events), "last_hash": writer.head.hex()}
    sent = {"boot_id": writer.boot_id, "mono_ms": writer.mono_ms, "wall_ms": int(now.timestamp() * 1000)}
    services.heartbeat(estate.kiosk, how | where | {"unsent": 0, "posted_seq": None, "sent": sent}, now)
