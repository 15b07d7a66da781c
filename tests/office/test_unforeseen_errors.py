"""An error that nobody thought of in what an event means for staff: nothing behind it waits, and ``office verify`` names the event until
the mended program has rebuilt the books."""

import uuid
from typing import NoReturn

import pytest

from office.commands import serve
from office.kiosks import ingest
from office.kiosks.models import RawEvent
from office.ledger import stream
from office.ledger.rebuild import rebuild
from office.payments.models import Case, Payment, SuspenseItem
from tests.office.engines import both_engines
from tests.office.estate import NOON, Estate, build_estate
from tests.office.parted_journals import HUNDRED, box, findings, part

pytestmark = both_engines


class _Unforeseen(Exception):
    pass


def _broken(*_: object, **__: object) -> NoReturn:
    raise _Unforeseen


def test_an_event_whose_case_cannot_be_opened_holds_up_nobody(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("office.payments.folding.open_case", _broken)
        body = b'{"kind":"note.credited","v":99,"note_no":%d,"face_fen":%d}' % (estate.writer.take_note_no(), HUNDRED)
        estate.writer.append_raw(body, "note.credited")
        payment_id = estate.pay(["water"], [HUNDRED])
        assert [code for _, code in estate.upload().rejected] == ["fold_error"]
    assert estate.payment(payment_id).state == Payment.State.BOOKED
    aside = RawEvent.objects.get(reject_code="fold_error")
    assert f"event {aside.ingest_no}: it is in quarantine, and no case says so" in "\n".join(findings())
    rebuild(estate.project.id)
    assert findings() == []
    assert SuspenseItem.objects.get().amount_fen == HUNDRED
    assert box(estate)[HUNDRED] == (2, 0)


def test_an_event_of_a_branch_whose_case_cannot_be_opened_holds_up_nobody(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    parted = part(estate)
    with monkeypatch.context() as broken:
        broken.setattr("office.payments.fold_branches.open_case", _broken)
        parted.take_in()
    assert not Case.objects.filter(kind__in=("journal_branch", "branch_note"))
    assert any("no case says so" in finding for finding in findings())
    rebuild(estate.project.id)
    assert findings() == []
    assert Case.objects.filter(kind="branch_note").count() == 3


def test_a_project_whose_folding_fails_holds_up_no_other(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    other, fold = build_estate("ZH"), stream.fold
    for one in (estate, other):
        one.pay(["water"], [HUNDRED])
        ingest.store(one.kiosk, one.writer.journal_id, one.writer.batch(), now=NOON)
    broken, *rest = stream.projects_behind()
    assert len(rest) == 1

    def one_fails(project_id: uuid.UUID, budget_s: float | None = None) -> bool:
        return _broken() if project_id == broken else fold(project_id, budget_s)

    with monkeypatch.context() as failing:
        failing.setattr(stream, "fold", one_fails)
        serve._fold_what_waits()
    assert stream.projects_behind() == [broken]
    assert serve._fold_what_waits()
    assert stream.projects_behind() == []
