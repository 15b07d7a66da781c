"""A small world for the office's tests: one project, one household, the bills of office-domain section 6, one kiosk."""

import base64
import datetime
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth import get_user_model
from django.utils import timezone

from kiosk.domain import chain
from kiosk.domain.events import AgentStarted, Checkpoint, decode
from kiosk.domain.http_signature import key_id, public_text, raw_public
from office.billing.models import Bill, FeeItem, LateFeeRule
from office.billing.services import issue_bills
from office.billing.wire import domain_bill
from office.demo import visits
from office.demo.journal_writer import JournalWriter
from office.kiosks import services
from office.kiosks.models import Kiosk
from office.ledger.models import Posting
from office.ledger.stream import open_books
from office.payments.models import Payment
from office.property.models import Building, Entrance, Occupancy, Party, Project, Unit
from office.staff.models import Membership, Role

TODAY = datetime.date(2026, 10, 15)  # 45 days after 31 August: example L1, a late fee of 332 on 24560
NOON = datetime.datetime(2026, 10, 15, 4, 0, tzinfo=datetime.UTC)  # 12:00 in Shanghai


@dataclass
class Estate:
    """The world, and short ways to act in it."""

    project: Project
    unit: Unit
    kiosk: Kiosk
    key: Ed25519PrivateKey
    items: dict[str, FeeItem]
    bills: dict[str, Bill]
    writer: JournalWriter = field(default_factory=lambda: JournalWriter(wall_ms=int(NOON.timestamp() * 1000)))
    sent: int = 0

    def pay(self, names: Sequence[str], faces: Sequence[int], **options: Any) -> str:
        """A visit that picks these bills and inserts these notes, written into the kiosk's journal, not sent yet."""
        bills = [domain_bill(self.reload(name), TODAY) for name in names]
        return visits.pay(self.writer, str(self.unit.id), self.kiosk.code, bills, faces, TODAY, **options)

    def checkpoint(self, key: Ed25519PrivateKey | None = None, **changed: Any) -> int:
        """The kiosk's statement over its journal so far, or one that was changed before or after it was signed; its number."""
        entries = [event for event in self.writer.events if (event.header.kind, event.header.v) == ("note.credited", 1)]
        notes = Counter(str(decode(entry.body).face_fen) for entry in entries)
        before = len(self.writer.events), self.writer.head
        told = {"credited_fen": sum(int(face) * count for face, count in notes.items()), "notes": dict(notes)} | changed
        covered = chain.checkpoint_bytes(self.writer.journal_id, *before, told["credited_fen"], told["notes"])
        signature = base64.b64encode((key or self.key).sign(covered)).decode()
        where = {"up_to_seq": before[0], "up_to_hash": before[1].hex()}
        return self.writer.append(Checkpoint(**where | {"signature": signature} | told))[0].seq

    def upload(self, first_seq: int | None = None) -> services.Taken:
        """Send what was not sent yet (or again from a sequence number), as the API would."""
        batch = self.writer.batch(first_seq or self.sent + 1)
        self.sent = len(self.writer.events)
        now = datetime.datetime.fromtimestamp(self.writer.wall_ms / 1000, tz=datetime.UTC)
        return services.take(self.kiosk, self.writer.journal_id, batch, uuid.uuid4().hex, now)

    def reload(self, name: str) -> Bill:
        self.bills[name] = Bill.objects.select_related("fee_item", "late_rule").get(id=self.bills[name].id)
        return self.bills[name]

    def payment(self, payment_id: str) -> Payment:
        return Payment.objects.get(id=payment_id)

    def prepaid(self) -> int:
        self.unit.refresh_from_db()
        return self.unit.prepaid_fen

    def net(self, payment_id: str) -> dict[str, int]:
        """What a payment posted, per account, nets to."""
        net: dict[str, int] = {}
        for row in Posting.objects.filter(entry__payment_id=payment_id).select_related("account"):
            net[row.account.code] = net.get(row.account.code, 0) + row.amount_fen
        return {code: amount for code, amount in net.items() if amount}


def build_estate(code: str = "YG", key: Ed25519PrivateKey | None = None) -> Estate:
    """Make one project; a second one gets another code."""
    project = Project.objects.create(code=code, name="橄榄花园", name_en="Olive Garden", service_phone="400-000-0000")
    open_books(project)
    unit = add_unit(project, "3", "1", "502", "欧阳小明")
    rule = LateFeeRule.objects.create(project=project)
    items = {
        "property": FeeItem.objects.create(
            project=project, code="property", name="物业服务费", name_en="Property fee", category="property"
        ),
        "water": FeeItem.objects.create(
            project=project, code="water", name="水费", name_en="Water", category="water", third_party=True
        ),
    }
    bills = {
        "aug": _bill(unit, items["property"], 24560, datetime.date(2026, 8, 1), datetime.date(2026, 8, 31), rule),
        "sep": _bill(unit, items["property"], 24560, datetime.date(2026, 9, 1), datetime.date(2026, 9, 30), None),
        "water": _bill(unit, items["water"], 11000, datetime.date(2026, 9, 1), datetime.date(2026, 9, 30), None),
    }
    issue_bills(project, list(bills.values()), None, at=NOON - datetime.timedelta(days=40))
    key = key or Ed25519PrivateKey.generate()
    kiosk = Kiosk.objects.create(
        project=project,
        code=f"{code}01",
        public_key=public_text(key),
        key_id=key_id(raw_public(key)),
        paired_at=timezone.now(),
    )
    made = Estate(project, unit, kiosk, key, items, bills)
    visits.genesis(made.writer, str(kiosk.id), kiosk.code, base64.b64encode(raw_public(key)).decode())
    return made


def pay_without_contact(estate: Estate, clock: str) -> str:
    """A payment in a boot that never has contact, between two that have, all uploaded; its id. A ``held`` clock counts on
    from before, an ``unset`` one stands in 1970."""
    estate.upload()
    writer, before_ms = estate.writer, estate.writer.wall_ms
    writer.boot_id, writer.mono_ms, writer.clock = "boot without contact", 0, clock
    writer.wall_ms = before_ms if clock == "held" else 0
    writer.pass_time(600_000)
    payment_id = estate.pay([], [10_000])
    writer.boot_id, writer.mono_ms, writer.clock, writer.wall_ms = "boot with contact", 60_000, "synced", before_ms
    writer.wall_ms += 3 * 86_400_000
    writer.append(AgentStarted(software="0.1.0", sqlite="3.40.1", clean=False))
    estate.upload()
    return payment_id


def exported(writer: JournalWriter) -> list[dict[str, object]]:
    """A kiosk's journal as ``kiosk journal export`` prints it, a dict a line."""
    return [
        {
            "journal_id": writer.journal_id,
            "seq": event.seq,
            **msgspec.structs.asdict(event.header),
            "body": event.body.decode(),
            "hash": event.hash.hex(),
        }
        for event in writer.events
    ]


def second_kiosk(estate: Estate, clock: str = "synced") -> Estate:
    """The same world from another kiosk of its project, whose journal begins now, or in 1970 by a clock that is ``unset``."""
    key = Ed25519PrivateKey.generate()
    kiosk = Kiosk.objects.create(
        project=estate.project,
        code=f"{estate.project.code}02",
        public_key=public_text(key),
        key_id=key_id(raw_public(key)),
        paired_at=timezone.now(),
    )
    writer = JournalWriter(wall_ms=0 if clock == "unset" else estate.writer.wall_ms, clock=clock)
    visits.genesis(writer, str(kiosk.id), kiosk.code, base64.b64encode(raw_public(key)).decode())
    return replace(estate, kiosk=kiosk, key=key, writer=writer, sent=0)


def add_unit(project: Project, building: str, entrance: str, room: str, name: str) -> Unit:
    block, _ = Building.objects.get_or_create(project=project, name=building, defaults={"position": int(building)})
    door, _ = Entrance.objects.get_or_create(project=project, building=block, name=entrance)
    unit = Unit.objects.create(
        project=project, building=block, entrance=door, room=room, code=f"{building}-{entrance}-{room}", area_c=9824
    )
    party = Party.objects.create(project=project, name=name, phone="19900000421")
    Occupancy.objects.create(project=project, unit=unit, party=party, since=datetime.date(2020, 1, 1))
    return unit


def add_person(project: Project | None, role: Role | None, name: str = "") -> Any:
    """A person who may sign in, with at most one role."""
    user = get_user_model().objects.create_user(name or f"u{uuid.uuid4().hex[:8]}", password=None)
    if project is not None and role is not None:
        Membership.objects.create(project=project, user=user, role=role)
    return user


def _bill(
    unit: Unit, item: FeeItem, amount_fen: int, since: datetime.date, due_on: datetime.date, rule: LateFeeRule | None
) -> Bill:
    return Bill(
        unit=unit,
        fee_item=item,
        period_from=since,
        period_to=(since + datetime.timedelta(days=32)).replace(day=1),
        due_on=due_on,
        amount_fen=amount_fen,
        late_rule=rule,
    )


def settlement_code(estate: Estate) -> str:
    """As ``kiosk.payment.slip`` prints it: of the settlement, the last one written."""
    settled = [event for event in estate.writer.events if event.header.kind.startswith(("payment.s", "payment.p"))]
    return chain.check_code(settled[-1].seq, settled[-1].hash)
