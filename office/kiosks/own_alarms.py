"""Alarms that the office raises by itself, from how a kiosk speaks and not from what its journal tells: no rebuild makes or
unmakes them. One for as long as a trouble lasts, however often it is met; when it comes back it is another one."""

import datetime
from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from office.kiosks.models import Alarm, Kiosk
from office.kiosks.rules import severity_of


def standing(kiosk: Kiosk) -> QuerySet[Alarm]:
    return Alarm.objects.filter(project_id=kiosk.project_id, kiosk=kiosk, source=Alarm.Source.OFFICE, cleared_at=None)


def raise_once(kiosk: Kiosk, device: str, code: str, detail: str, now: datetime.datetime) -> None:
    """The caller has locked the kiosk's row: two requests at once are one alarm, too."""
    detail = detail[:200]
    if not standing(kiosk).filter(code=code, detail=detail).exists():
        _raise(kiosk, device, code, detail, now)


def follow(kiosk: Kiosk, told: Mapping[str, str | None], now: datetime.datetime) -> None:
    """Let just those of these codes stand that the kiosk says are so, each with its detail; None: it is over, or never was.
    Nothing is written where nothing changed."""
    wanted = {code for code, detail in told.items() if detail is not None}
    if wanted == _codes(kiosk, told):
        return
    with transaction.atomic():
        kiosk = Kiosk.objects.select_for_update(no_key=True).get(id=kiosk.id)
        standing(kiosk).filter(code__in=told.keys() - wanted).update(cleared_at=now)
        for code in sorted(wanted - _codes(kiosk, told)):
            _raise(kiosk, "journal", code, told[code] or "", now)


def _codes(kiosk: Kiosk, among: Mapping[str, object]) -> set[str]:
    return set(standing(kiosk).filter(code__in=list(among)).values_list("code", flat=True))


def _raise(kiosk: Kiosk, device: str, code: str, detail: str, now: datetime.datetime) -> None:
    Alarm.objects.create(
        project_id=kiosk.project_id,
        kiosk=kiosk,
        source=Alarm.Source.OFFICE,
        device=device,
        code=code,
        severity=severity_of(code),
        detail=detail,
        raised_at=now,
    )
