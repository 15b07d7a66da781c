"""Building the demo estate: projects, households, months of bills, and what was paid at the kiosk in between."""

import datetime
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from kiosk.domain import events
from kiosk.domain.allocation import suggest_notes
from kiosk.domain.http_signature import key_id, public_text, raw_public
from kiosk.domain.money import NOTE_FACES, Fen
from office.billing.models import Bill
from office.billing.services import issue_bills
from office.billing.wire import domain_bill, open_bills
from office.demo import names, visits
from office.demo.fees import Tariff, make_tariff, month_of_bills, next_month
from office.demo.journal_writer import JournalWriter
from office.demo.sizes import ProjectShape, Size
from office.kiosks import services
from office.kiosks.models import Kiosk
from office.ledger.stream import open_books
from office.payments.models import Payment
from office.payments.services import review
from office.property.models import Building, Entrance, Occupancy, Party, Project, Unit
from office.rows import derived_id
from office.staff.models import Role
from office.staff.services import grant, make_groups, make_user

SHOWN_UNIT = "3-1-502"  # the household of the pictures: never pays in the demo, so its bills are open
_UPLOAD = 400  # events at a time


@dataclass(frozen=True)
class Account:
    """A person of the demo, with the password that is shown once."""

    username: str
    password: str
    roles: tuple[Role, ...]


@dataclass
class DemoKiosk:
    """A kiosk that has been taking cash in the demo's past."""

    kiosk: Kiosk
    writer: JournalWriter
    sent: int = 0

    def upload(self) -> None:
        while self.sent < len(self.writer.events):
            last = min(self.sent + _UPLOAD, len(self.writer.events))
            batch = self.writer.batch(self.sent + 1, last)
            now = datetime.datetime.fromtimestamp(self.writer.wall_ms / 1000, tz=datetime.UTC)
            services.take(self.kiosk, self.writer.journal_id, batch, nonce=f"demo-{last}", now=now)
            self.sent = last


@dataclass
class Built:
    """What was made."""

    projects: list[Project] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    units: int = 0
    bills: int = 0
    payments: int = 0


def build(size: Size, seed: int, today: datetime.date | None = None) -> Built:
    """Fill an empty database; the same seed on the same day gives the same estate, passwords and keys apart."""
    built = Built()
    make_groups()
    for shape in size.projects:
        _build_project(built, shape, size, seed, today or timezone.localdate())
    built.accounts = list(_accounts(built.projects))
    _ask_about_one(built)
    return built


def _build_project(built: Built, shape: ProjectShape, size: Size, seed: int, today: datetime.date) -> None:
    chance = random.Random(f"{seed}-{shape.code}")
    project = _project(shape, seed)
    units = _units(project, shape, chance)
    months = _months(today, size.months)
    tariff = make_tariff(project, months[0])
    terminal = _kiosk(project, months[0])
    for month in months:
        bills = month_of_bills(tariff, units, month, chance)
        issue_bills(project, bills, None, note=f"{month:%Y-%m}", at=_at(project, month, 9))
        built.bills += len(bills)
        _pay_some(terminal, units, min(next_month(month), today), size.every_nth_pays, chance)
    _awkward_moments(terminal, units, tariff, today)
    built.projects.append(project)
    built.units += len(units)
    built.payments += Payment.objects.filter(project=project).count()


def _project(shape: ProjectShape, seed: int) -> Project:
    project = Project.objects.create(
        id=derived_id("demo", seed, shape.code),
        code=shape.code,
        name=shape.name,
        name_en=shape.name_en,
        payee=f"{shape.name}物业服务中心",
        service_phone="400-000-0000",
        complaint="住建投诉 12345",
        cash_desk_place="物业服务中心一楼前台",
        cash_desk_place_en="Front desk, service centre, ground floor",
        cash_desk_hours="08:30–17:30",
    )
    open_books(project)
    return project


def _units(project: Project, shape: ProjectShape, chance: random.Random) -> list[Unit]:
    buildings, entrances, units, parties, occupancies = [], [], [], [], []
    for block in range(1, shape.buildings + 1):
        building = Building(
            id=derived_id(project.id, "building", block), project=project, name=str(block), position=block
        )
        buildings.append(building)
        for door in range(1, shape.entrances + 1):
            entrance = Entrance(
                id=derived_id(building.id, "entrance", door), project=project, building=building, name=str(door)
            )
            entrances.append(entrance)
            for floor in range(1, shape.floors + 1):
                for number in range(1, shape.per_floor + 1):
                    # With one flat a floor it is the second one, so that the household of the pictures exists.
                    room = f"{floor}{number + (shape.per_floor == 1):02d}"
                    units.append(_unit(project, building, entrance, room, chance))
    for unit in units:
        name = "张伟" if unit.code == SHOWN_UNIT else names.person(chance)
        party = Party(id=derived_id(unit.id, "party"), project=project, name=name, phone=names.phone(chance))
        parties.append(party)
        since = datetime.date(2018, 6, 1) + datetime.timedelta(days=chance.randrange(2000))
        occupancies.append(
            Occupancy(id=derived_id(unit.id, "occupancy"), project=project, unit=unit, party=party, since=since)
        )
    for rows in (buildings, entrances, units, parties, occupancies):
        type(rows[0])._default_manager.bulk_create(rows, batch_size=500)
    return units


def _unit(project: Project, building: Building, entrance: Entrance, room: str, chance: random.Random) -> Unit:
    code = f"{building.name}-{entrance.name}-{room}"
    area_c = min(18_000, max(4_500, round(chance.lognormvariate(9.16, 0.28))))
    return Unit(
        id=derived_id(project.id, "unit", code),
        project=project,
        building=building,
        entrance=entrance,
        room=room,
        code=code,
        area_c=9_824 if code == SHOWN_UNIT else area_c,
        handover_on=datetime.date(2018, 6, 1),
    )


def _months(today: datetime.date, count: int) -> list[datetime.date]:
    """The last months, the present one last."""
    month = today.replace(day=1)
    months = [month]
    while len(months) < count:
        months.insert(0, (months[0] - datetime.timedelta(days=1)).replace(day=1))
    return months


def _at(project: Project, day: datetime.date, hour: int) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), tzinfo=project.zone)


def _kiosk(project: Project, since: datetime.date) -> DemoKiosk:
    """A paired kiosk whose key nobody keeps: it has a past, and no future."""
    key = Ed25519PrivateKey.generate()
    kiosk = Kiosk.objects.create(
        id=derived_id(project.id, "kiosk", 1),
        project=project,
        code=f"{project.code}01",
        location="1栋大堂",
        location_en="Building 1 lobby",
        public_key=public_text(key),
        key_id=key_id(raw_public(key)),
        software="0.1.0",
        paired_at=_at(project, since, 8),
    )
    start_ms = int(_at(project, since, 9).timestamp() * 1000)
    writer = JournalWriter(
        wall_ms=start_ms, journal_id=derived_id(kiosk.id, "journal").hex, boot_id=f"demo-{kiosk.code}"
    )
    visits.genesis(writer, str(kiosk.id), kiosk.code, kiosk.public_key)
    return DemoKiosk(kiosk, writer)


def _pay_some(terminal: DemoKiosk, units: list[Unit], until: datetime.date, nth: int, chance: random.Random) -> None:
    """Every nth household pays in the days before ``until``: most what they owe, some less, with whole notes."""
    project, writer = terminal.kiosk.project, terminal.writer
    for index, unit in enumerate(units):
        if index % nth or unit.code == SHOWN_UNIT:
            continue
        day = max(
            until - datetime.timedelta(days=1 + chance.randrange(5)),
            until.replace(day=1) if until.day > 1 else (until - datetime.timedelta(days=5)),
        )
        moment_ms = int(_at(project, day, 10 + chance.randrange(8)).timestamp() * 1000)
        writer.pass_time(max(60_000, moment_ms - writer.wall_ms))
        date = datetime.datetime.fromtimestamp(writer.wall_ms / 1000, tz=project.zone).date()
        bills = [domain_bill(bill, date) for bill in open_bills(project.id, [unit.id])]
        due = sum(bill.owed_on(date).outstanding for bill in bills)
        paid = due if chance.random() < 0.8 else due // 2
        if paid > 0:
            visits.pay(writer, str(unit.id), terminal.kiosk.code, bills, list(_notes_for(paid)), date)
            terminal.upload()


def _notes_for(fen: int) -> Iterator[int]:
    for face, count in suggest_notes(Fen(fen), NOTE_FACES).items():
        yield from [face] * count


def _awkward_moments(terminal: DemoKiosk, units: list[Unit], tariff: Tariff, today: datetime.date) -> None:
    """What a clerk must look at: the same bill paid twice while offline, a note nobody knows the fate of, paper low."""
    project, writer = terminal.kiosk.project, terminal.writer
    yesterday = today - datetime.timedelta(days=1)
    writer.pass_time(max(60_000, int(_at(project, yesterday, 19).timestamp() * 1000) - writer.wall_ms))
    date = datetime.datetime.fromtimestamp(writer.wall_ms / 1000, tz=project.zone).date()
    unit = next(unit for unit in reversed(units) if unit.code != SHOWN_UNIT)
    water = Bill.objects.filter(unit=unit, fee_item=tariff.items["water"], status__in=Bill.OPEN)
    bill = domain_bill(water.select_related("fee_item", "late_rule").latest("due_on"), date)
    for _ in range(2):
        visits.pay(writer, str(unit.id), terminal.kiosk.code, [bill], list(_notes_for(bill.amount)), date, offline=True)
        writer.pass_time(600_000)
    lost = writer.take_note_no()
    writer.append(
        events.NoteUnknown(
            payment_id=None,
            note_no=lost,
            face_fen=2000,
            acceptor_serial=visits.ACCEPTOR,
            reason="jam in the path",
            claim_no=f"{terminal.kiosk.code}-Q{lost:06d}",
            evidence_lost_by="acceptor.jam_safe",
        ),
        events.DeviceFault(device="printer", code="printer.near_end"),
    )
    terminal.upload()


_PEOPLE = (
    ("admin", "管理员", "", (Role.SYSADMIN, Role.BUSINESS_ADMIN)),
    ("cashier", "国栋", "陈", (Role.CASHIER,)),
    ("finance", "晓梅", "林", (Role.FINANCE_AUDIT,)),
)


def _accounts(projects: list[Project]) -> Iterator[Account]:
    """The sysadmin in every project; cashier and finance audit in the first one only."""
    for username, first_name, last_name, roles in _PEOPLE:
        password = "-".join(secrets.token_hex(2) for _ in range(3))
        user = make_user(username, password, first_name, last_name)
        for project in projects if Role.SYSADMIN in roles else projects[:1]:
            for role in roles:
                grant(user, project, role)
        yield Account(username, password, roles)


def _ask_about_one(built: Built) -> None:
    """One payment is being asked about, so that the list of cases is not only the machine's."""
    from django.contrib.auth import get_user_model

    cashier: Any = get_user_model().objects.get(username="cashier")
    booked = Payment.objects.filter(project=built.projects[0], state=Payment.State.BOOKED, review=Payment.Review.NONE)
    if payment := booked.order_by("ingest_no").first():
        review(cashier, payment, "query", "住户来电：收据金额与投币金额不符，请核对钞箱")
