"""A project as a clerk finds it on a busy day, and people who sit at its desk."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from kiosk.domain import events
from office.billing.models import Bill
from office.billing.services import issue_bills
from office.billing.wire import domain_bill
from office.demo import visits
from office.kiosks import services
from office.payments.models import Payment
from office.property.models import Unit
from office.staff.models import Membership, Role
from tests.office.estate import Estate, add_unit, build_estate

PASSWORD = "lobby-doors-open-9"
HUNDRED, FIFTY, TEN = 10000, 5000, 1000


@dataclass
class BusyDesk:
    """An estate whose kiosk took some payments just now; ``payments`` by what is special about each."""

    estate: Estate
    payments: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.estate.project.code)

    @property
    def today(self) -> datetime.date:
        return timezone.localdate(timezone=self.estate.project.zone)

    def at(self, page: str) -> str:
        return f"/projects/{self.code}/{page}"

    def payment(self, name: str) -> Payment:
        return Payment.objects.get(id=self.payments[name])

    def payment_page(self, name: str) -> str:
        return self.at(f"payments/{self.payments[name]}/")

    def household(self, room: str, name: str, amount_fen: int, due_in_days: int) -> Unit:
        """A unit with one bill that falls due so many days from today."""
        estate = self.estate
        unit = add_unit(estate.project, "3", "1", room, name)
        due_on = self.today + datetime.timedelta(days=due_in_days)
        first = due_on.replace(day=1)
        bill = Bill(
            unit=unit,
            fee_item=estate.items["property"],
            period_from=first,
            period_to=(first + datetime.timedelta(days=32)).replace(day=1),
            due_on=due_on,
            amount_fen=amount_fen,
            computation={
                "factors": [
                    {"value": "98.24 ㎡", "caption": "建筑面积", "caption_en": "floor area"},
                    {"value": "2.50 元/㎡", "caption": "单价", "caption_en": "price"},
                ],
                "lines": [{"text": "物业服务费", "text_en": "Property fee", "amount_fen": amount_fen}],
                "basis": "",
            },
        )
        issue_bills(estate.project, [bill], None, at=timezone.now())
        return unit

    def pay(self, name: str, unit: Unit, faces: list[int], **options: Any) -> str:
        """A visit that pays the unit's open bills, uploaded at once."""
        bills = Bill.objects.filter(unit=unit, status__in=Bill.OPEN).select_related("fee_item", "late_rule")
        owed = [domain_bill(bill, self.today) for bill in bills]
        self.payments[name] = visits.pay(
            self.estate.writer, str(unit.id), self.estate.kiosk.code, owed, faces, self.today, **options
        )
        self.estate.upload()
        return self.payments[name]

    def beat(self, **told: Any) -> None:
        """A heartbeat of the kiosk, now."""
        writer = self.estate.writer
        status = {
            "journal_id": writer.journal_id,
            "last_seq": len(writer.events),
            "last_hash": writer.head.hex(),
            "unsent": 0,
            "oldest_unsent_s": None,
            "state": "attract",
            "acceptor": "ready",
            "printer": "ready",
            "paper": "ok",
            "disk_free_mb": 21400,
            "clock": "synced",
            "software": "0.1.0",
            "posted_seq": None,
        }
        sent = {"boot_id": writer.boot_id, "mono_ms": writer.mono_ms, "wall_ms": writer.wall_ms}
        services.heartbeat(self.estate.kiosk, {**status, **told, "sent": sent}, timezone.now())


def busy_desk(code: str = "YG") -> BusyDesk:
    """One plain payment, one with surplus, one without slip, one twice on the same bill, one unclear note, one alarm."""
    estate = build_estate(code)
    estate.writer.wall_ms = int((timezone.now() - datetime.timedelta(minutes=2)).timestamp() * 1000)
    desk = BusyDesk(estate)
    plain = desk.household("601", "张三", 20000, 20)
    desk.pay("plain", plain, [HUNDRED, HUNDRED])
    desk.pay("surplus", desk.household("602", "李小龙", 24560, 5), [HUNDRED, HUNDRED, FIFTY])
    desk.pay("no_slip", desk.household("603", "Smith", 10000, -3), [HUNDRED], printed=False)
    twice = desk.household("604", "王五", 10000, 10)
    stale = [domain_bill(bill, desk.today) for bill in Bill.objects.filter(unit=twice).select_related("fee_item")]
    desk.pay("first", twice, [HUNDRED])
    desk.payments["twice"] = visits.pay(
        estate.writer, str(twice.id), estate.kiosk.code, stale, [HUNDRED], desk.today, offline=True
    )
    desk.household("605", "欧阳小明", 24560, -40)
    estate.writer.append(
        events.NoteUnknown(
            payment_id=None,
            note_no=estate.writer.take_note_no(),
            face_fen=2000,
            acceptor_serial=visits.ACCEPTOR,
            reason="jam",
            claim_no="YG01-C0001",
        ),
        events.DeviceFault(device="printer", code="printer.near_end", detail="about 40 slips"),
    )
    estate.upload()
    desk.beat()
    return desk


def person(project: Any, *roles: Role, name: str = "lin", **more: Any) -> Any:
    """Somebody with a password and these roles in this project."""
    user = get_user_model().objects.create_user(name, password=PASSWORD, **more)
    for role in roles:
        Membership.objects.create(project=project, user=user, role=role)
    return user


def signed_in(user: Any, language: str = "zh-hans") -> Client:
    """A browser in which this person is signed in, reading this language."""
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client
