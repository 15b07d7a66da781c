"""What devices say: faults become alarms, counters are kept, a box taken out without a service login is an alarm."""

from django.db.models import QuerySet

from kiosk.domain.events import (
    AcceptorCounted,
    CashboxRemoved,
    CashboxReplaced,
    DeviceFault,
    DeviceFaultCleared,
    JournalGenesis,
)
from office.kiosks.models import AcceptorCounter, Alarm
from office.kiosks.rules import BOX_OUT, severity_of
from office.payments.cases import open_case
from office.payments.fold import Fold, Quarantined
from office.rows import derived_id


def genesis(fold: Fold, event: JournalGenesis) -> None:
    """A journal must say that it belongs to the kiosk that sends it, and only its first entry may say so."""
    if fold.raw.seq != 1:
        raise Quarantined("genesis_not_first")
    if event.kiosk_id != str(fold.raw.kiosk_id) or event.kiosk_code != fold.kiosk.code:
        raise Quarantined("other_kiosk")


def fault(fold: Fold, event: DeviceFault) -> None:
    _raise_alarm(fold, event.device, event.code, event.detail)


def fault_cleared(fold: Fold, event: DeviceFaultCleared) -> None:
    _open(fold, event.code).update(cleared_at=fold.raw.corrected_at)


def cashbox_removed(fold: Fold, event: CashboxRemoved) -> None:
    """Without a service menu every removal is unplanned: an alarm and a case, and no period is cut (decisions 27)."""
    _raise_alarm(fold, "acceptor", BOX_OUT, event.acceptor_serial)
    open_case(
        fold.project_id,
        "box_unplanned_removal",
        fold.raw.id,
        at=fold.raw.received_at,
        facts={"acceptor_serial": event.acceptor_serial, "seq": fold.raw.seq},
        kiosk_id=fold.raw.kiosk_id,
        raw_event_id=fold.raw.id,
    )


def cashbox_replaced(fold: Fold, event: CashboxReplaced) -> None:
    _open(fold, BOX_OUT).update(cleared_at=fold.raw.corrected_at)


def counted(fold: Fold, event: AcceptorCounted) -> None:
    counter, is_new = AcceptorCounter.objects.get_or_create(
        id=derived_id(fold.raw.kiosk_id, "acceptor", event.acceptor_serial[:40]),
        defaults={
            "project_id": fold.project_id,
            "kiosk_id": fold.raw.kiosk_id,
            "acceptor_serial": event.acceptor_serial[:40],
            "first_stacked": event.stacked,
            "stacked": event.stacked,
            "rejected": event.rejected,
            "read_at": fold.raw.corrected_at,
        },
    )
    if not is_new:
        counter.stacked, counter.rejected, counter.read_at = event.stacked, event.rejected, fold.raw.corrected_at
        counter.save(update_fields=["stacked", "rejected", "read_at"])


def forgotten(fold: Fold) -> None:
    """A new journal knows nothing of what the replaced one said is wrong, and its process tells anew what still is. A note that
    is missing stays missing."""
    standing = Alarm.objects.filter(
        project_id=fold.project_id, kiosk_id=fold.raw.kiosk_id, cleared_at=None, source=Alarm.Source.KIOSK
    )
    standing.exclude(code="acceptor.note_lost").update(cleared_at=fold.raw.corrected_at)


def _open(fold: Fold, code: str) -> QuerySet[Alarm]:
    return Alarm.objects.filter(
        project_id=fold.project_id, kiosk_id=fold.raw.kiosk_id, code=code, cleared_at=None, source=Alarm.Source.KIOSK
    )


def _raise_alarm(fold: Fold, device: str, code: str, detail: str) -> None:
    """One alarm per trouble: what is reported again before anybody knows of it is the same alarm.

    After that it is another one: a fact that is told once has no end, and a kiosk tells what lasts only once.
    """
    if _open(fold, code).filter(acknowledged_at=None).exists():
        return
    Alarm.objects.create(
        id=derived_id(fold.raw.id, "alarm"),
        project_id=fold.project_id,
        kiosk_id=fold.raw.kiosk_id,
        device=device[:20],
        code=code[:40],
        severity=severity_of(code),
        detail=detail[:200],
        raised_at=fold.raw.corrected_at,
    )
