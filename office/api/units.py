"""Units, bills and the offline cache: what a kiosk may know about who owes what."""

import datetime
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from kiosk.domain.masking import mask_name
from office.api.lookups import count_look_up, count_wrong_room
from office.api.problems import Problem
from office.api.schemas import BillsAnswer, BuildingsAnswer, SyncAnswer, UnitAnswer
from office.api.times import wire_time
from office.billing.wire import domain_bill, open_bills
from office.kiosks.models import Journal, Kiosk
from office.ledger.eras import era_of
from office.ledger.models import Stream
from office.payments.models import Payment
from office.property.models import Building, Entrance, Occupancy, Unit
from office.property.services import business_date
from office.rows import read_uuid

RECENT = datetime.timedelta(minutes=10)
PAGE = 500
_CURSOR = re.compile(r"([0-9]{1,17})\.([0-9a-f]{32})(?:\.([0-9a-f]{8}))?")
_NOTHING = f"0.{uuid.UUID(int=0).hex}"

router = Router()


class _Cursor(NamedTuple):
    """The last change that a kiosk has, and the unit it was told of last."""

    change_no: int
    unit_id: uuid.UUID
    era: str  # empty: of an office that knew no eras


@router.get("/buildings", response=BuildingsAnswer)
def buildings(request: HttpRequest) -> dict[str, Any]:
    """What the pickers offer. No rooms: nobody can browse the estate."""
    rows = Building.objects.filter(project=_kiosk(request).project).prefetch_related("entrances")
    return {
        "buildings": [
            {"building": row.name, "entrances": [{"entrance": name} for name in _in_order(row.entrances.all())]}
            for row in rows
        ]
    }


def _in_order(entrances: Iterable[Entrance]) -> list[str]:
    """As people count: 2 before 10."""
    return sorted((entrance.name for entrance in entrances), key=lambda name: (len(name), name))


@router.get("/units", response=UnitAnswer)
def find_unit(request: HttpRequest, code: str = Query(..., max_length=64)) -> dict[str, Any]:
    """Exact match only; the same words whatever the cause."""
    kiosk = _kiosk(request)
    count_look_up(kiosk)
    found = _units(kiosk).filter(code=code.replace("\0", ""), gone=False).first()
    if found is None:
        count_wrong_room(kiosk)
        raise Problem("unit_not_found")
    return {"unit": unit_out(found)}


@router.get("/units/{unit_id}/bills", response=BillsAnswer)
def unit_bills(request: HttpRequest, unit_id: str) -> dict[str, Any]:
    """The open bills of one unit with the office's own late fee as of today."""
    kiosk, now = _kiosk(request), timezone.now()
    as_of = business_date(now, kiosk.project.zone)

    def read() -> dict[str, Any]:
        unit = _units(kiosk).filter(id=read_uuid(unit_id), gone=False).first()
        if unit is None:
            raise Problem("unit_not_found")
        bills = _bills_out(kiosk, [unit], as_of).get(unit.id, [])
        return {"unit": unit_out(unit), "bills": bills, "recent_payment": _recent(unit, now)}

    return {**_at_one_point(kiosk, read), "as_of": as_of, "server_time": wire_time(now)}


@router.get("/sync/units", response=SyncAnswer)
def sync_units(
    request: HttpRequest, since: str = Query("", max_length=80), limit: int = Query(PAGE, ge=1, le=PAGE)
) -> dict[str, Any]:
    """Units changed since a cursor with their open bills, oldest change first; ``gone`` is a tombstone."""
    kiosk, now = _kiosk(request), timezone.now()
    as_of = business_date(now, kiosk.project.zone)
    after = _read_cursor(since)

    def read() -> dict[str, Any]:
        rows = _units(kiosk).filter(changed_no__gte=after.change_no).order_by("changed_no", "id")
        page = list(rows.exclude(changed_no=after.change_no, id__lte=after.unit_id)[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        bills = _bills_out(kiosk, [unit for unit in page if not unit.gone], as_of)
        stream = Stream.objects.get(project_id=kiosk.project_id)  # read last, so that it knows the page's changes
        if era_of(stream, after.change_no) != after.era:
            raise Problem("malformed", "since: a cursor of what was lost when this office was restored")
        cursor = _write_cursor(stream, page[-1].changed_no, page[-1].id) if page else since or _NOTHING
        rows_out = [{"unit": unit_out(unit), "bills": bills.get(unit.id, []), "gone": unit.gone} for unit in page]
        return {"units": rows_out, "next_cursor": cursor if more else None, "cursor": cursor}

    return {**_at_one_point(kiosk, read), "as_of": as_of, "server_time": wire_time(now)}


def _at_one_point(kiosk: Kiosk, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``read`` says together with the journal and the ``applied_seq`` it belongs to: the kiosk subtracts its own later
    settlements from these bills, so both must stem from the same moment. Read again when folding moved on in between.

    Raises:
        Problem: busy; folding never stood still, the kiosk asks again.
    """
    applied = _applied(kiosk)
    for _ in range(10):
        told = read()
        before, applied = applied, _applied(kiosk)
        if before == applied:
            return {**told, **applied}
    raise Problem("busy", headers={"Retry-After": "1"})


def unit_out(unit: Unit) -> dict[str, Any]:
    """A unit as a kiosk may know it; the only place where a name is masked for the wire."""
    payers = [each for each in unit.occupancies.all() if each.until is None]
    payers.sort(key=lambda each: (not each.pays, each.role != Occupancy.Role.OWNER, each.since, str(each.id)))
    return {
        "unit_id": str(unit.id),
        "code": unit.code,
        "building": unit.building.name,
        "entrance": unit.entrance.name,
        "room": unit.room,
        "masked_name": mask_name(payers[0].party.name) if payers else "",
        "prepaid_fen": unit.prepaid_fen,
    }


def _units(kiosk: Kiosk) -> Any:
    people = Prefetch("occupancies", Occupancy.objects.select_related("party"))
    rows = Unit.objects.filter(project_id=kiosk.project_id).select_related("building", "entrance")
    return rows.prefetch_related(people)


def _bills_out(kiosk: Kiosk, units: Iterable[Unit], as_of: datetime.date) -> dict[uuid.UUID, list[dict[str, Any]]]:
    by_unit: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for bill in open_bills(kiosk.project_id, [unit.id for unit in units]):
        by_unit.setdefault(bill.unit_id, []).append(msgspec.to_builtins(domain_bill(bill, as_of)))
    return by_unit


def _recent(unit: Unit, now: datetime.datetime) -> dict[str, Any] | None:
    """A payment within the last ten minutes, from any source: the payer may be about to pay twice (E23)."""
    latest = unit.payments.filter(
        state__in=(Payment.State.BOOKED, Payment.State.EXCEPTION), paid_at__gte=now - RECENT, paid_at__lte=now
    )
    found = latest.order_by("-paid_at").first()
    return {"amount_fen": found.amount_fen, "paid_at": wire_time(found.paid_at)} if found else None


def _applied(kiosk: Kiosk) -> dict[str, Any]:
    """Which is this kiosk's present journal, and how far it is folded. A new one is that from its first upload on."""
    rows = Journal.trunks.filter(project_id=kiosk.project_id, kiosk=kiosk).exclude(state=Journal.State.REPLACED)
    journal_id, posted_seq = rows.values_list("journal_id", "posted_seq").first() or (None, 0)
    return {"journal_id": journal_id, "applied_seq": posted_seq}


def _kiosk(request: HttpRequest) -> Kiosk:
    return request.kiosk


def _write_cursor(stream: Stream, change_no: int, unit_id: uuid.UUID) -> str:
    era = era_of(stream, change_no)
    return f"{change_no}.{unit_id.hex}.{era}" if era else f"{change_no}.{unit_id.hex}"


def _read_cursor(text: str) -> _Cursor:
    """
    Raises:
        Problem: not one of our cursors; the kiosk begins again without one.
    """
    found = _CURSOR.fullmatch(text or _NOTHING)
    if found is None:
        raise Problem("malformed", "since: not a cursor of this office")
    change_no, unit, era = found.groups("")
    return _Cursor(int(change_no), uuid.UUID(unit), era)
