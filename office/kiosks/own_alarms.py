"""Alarms that the office raises by itself, from how a kiosk speaks and not from what its journal tells: no rebuild makes or
unmakes them. One for as long as a trouble lasts, however often it is met; when it comes back it is another one."""

import datetime

from django.db.models import QuerySet

from office.kiosks.models import Alarm, Kiosk
from office.kiosks.rules import severity_of


def standing(kiosk: Kiosk) -> QuerySet[Alarm]:
    return Alarm.objects.filter(project_id=kiosk.project_id, kiosk=kiosk, source=Alarm.Source.OFFICE, cleared_at=None)


def raise_once(kiosk: Kiosk, device: str, code: str, detail: str, now: datetime.datetime) -> None:
    """The caller has locked the kiosk's row: two requests at once are one alarm, too."""
    detail = detail[:200]
    if standing(kiosk).filter(code=code, detail=detail).exists():
        return
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
