"""One kiosk's identity in two boxes, of which the office hears one: arranged for the tests of what the other one's file holds."""

import copy
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from kiosk.domain.events import AgentStarted, JournalGenesis, NoteUnknown
from office.demo import visits
from office.demo.journal_writer import JournalWriter
from office.kiosks import branches
from office.kiosks.models import Kiosk
from office.kiosks.replaying import Export, read
from office.kiosks.selectors import box_of
from office.ledger.verify import verify_everything
from tests.office.estate import TODAY, Estate, exported

HUNDRED = 10000


@dataclass
class Parted:
    """One kiosk's identity in two boxes since entry ``at``; the office hears the first one only."""

    real: Estate
    copy: Estate
    at: int

    def export(self) -> Export:
        return read(exported(self.copy.writer))

    def take_in(self) -> int:
        return branches.take_in(self.export())


def copied(estate: Estate) -> Estate:
    """The same journal in another box, which starts its program there and asks no office."""
    box = replace(estate, writer=copy.deepcopy(estate.writer))
    box.writer.boot_id = "boot of the copy"
    box.writer.pass_time(60_000)
    box.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=False))
    return box


def claim_of(box: Estate, payment_id: str | None, claim_no: str) -> None:
    told = {"note_no": box.writer.take_note_no(), "face_fen": HUNDRED, "claim_no": claim_no}
    box.writer.append(NoteUnknown(payment_id=payment_id, acceptor_serial="S", reason="no_evidence", **told))


def part(estate: Estate) -> Parted:
    """Both boxes took notes with the same numbers and wrote the same receipt number; the copy has a claim, too."""
    estate.pay(["water"], [HUNDRED, 1000])
    estate.upload()
    box, at = copied(estate), len(estate.writer.events) + 1
    estate.pay(["sep"], [HUNDRED] * 3)
    estate.upload()
    visit = visits.open_payment(box.writer, str(box.unit.id), [], TODAY)
    for face in (HUNDRED, 2000):
        visits.insert_note(box.writer, visit, face)
    claim_of(box, visit, "YG01-Q000001")
    visits.settle(box.writer, visit, str(box.unit.id), "YG01", [], [HUNDRED, 2000], TODAY)
    return Parted(estate, box, at)


def box(estate: Estate) -> dict[int, tuple[int, int]]:
    return {row.face_fen: (row.confirmed, row.unknown) for row in box_of(estate.kiosk).faces}


def findings() -> list[str]:
    return [str(finding) for finding in verify_everything(fold_again=True)]


def follow(estate: Estate, next_receipt: int) -> None:
    """The kiosk begins a new journal, with leave, which names the office's end of the old one."""
    old = estate.writer
    Kiosk.objects.filter(id=estate.kiosk.id).update(may_replace_until=timezone.now() + timedelta(hours=1))
    estate.writer, estate.sent = JournalWriter(wall_ms=old.wall_ms + 60_000), 0
    estate.writer.next_receipt = next_receipt
    held = {"replaces_journal_id": old.journal_id, "replaces_seq": len(old.events), "replaces_hash": old.head.hex()}
    who = {"kiosk_id": str(estate.kiosk.id), "kiosk_code": estate.kiosk.code, "public_key": "", "software": "0.1.0"}
    estate.writer.append(JournalGenesis(**who, **held))
