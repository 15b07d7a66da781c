"""Kiosk and office agree on what travels: the kiosk's msgspec structs against the office's pydantic schemas."""

import datetime

import msgspec
import pytest
from pydantic import BaseModel

from kiosk.domain.billing import Bill, ComputedLine, Factor, Unit
from kiosk.domain.estate import CashDesk, Estate
from kiosk.domain.late_fee import LateFeeRule, PrincipalStep
from kiosk.office_client import wire
from office.api import schemas

PAIRS = [
    (Unit, schemas.UnitOut),
    (Bill, schemas.BillOut),
    (Factor, schemas.FactorOut),
    (ComputedLine, schemas.ComputedLineOut),
    (LateFeeRule, schemas.RuleOut),
    (PrincipalStep, schemas.StepOut),
    (CashDesk, schemas.CashDeskOut),
    (wire.UploadAnswer, schemas.UploadAnswer),
    (wire.ChangedUnits, schemas.SyncAnswer),
    (wire.ChangedUnit, schemas.SyncedUnit),
    (wire.BillsAnswer, schemas.BillsAnswer),
    (wire.HeartbeatAnswer, schemas.HeartbeatAnswer),
    (wire.PairingAnswer, schemas.PairingAnswer),
    (wire.Upload, schemas.UploadIn),
    (wire.SentEvent, schemas.EventIn),
    (wire.Heartbeat, schemas.HeartbeatIn),
    (wire.PairingRequest, schemas.PairingIn),
]


def wire_names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize(("struct", "schema"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_both_sides_name_the_same_fields(struct: type[msgspec.Struct], schema: type[BaseModel]) -> None:
    assert wire_names(struct) == set(schema.model_fields)


def test_the_estates_fields_are_all_in_the_settings_answer() -> None:
    assert wire_names(Estate) == set(schemas.ConfigAnswer.model_fields) - {"server_time", "business_date"}


def test_a_bill_survives_the_way_through_the_offices_schema_unchanged() -> None:
    day = datetime.date(2026, 8, 1)
    bill = Bill(
        bill_id="b",
        unit_id="u",
        item_code="property",
        item_name="物业服务费",
        item_name_en="Property fee",
        category="property",
        period_from=day,
        period_to=day,
        due_on=day,
        version=3,
        amount=24560,
        principal_open=14560,
        late_fee_settled=7,
        rule=LateFeeRule(cap_fen=5),
        steps=(PrincipalStep(day, 24560), PrincipalStep(day, 14560)),
    )
    through = schemas.BillOut.model_validate(msgspec.to_builtins(bill)).model_dump_json()
    assert msgspec.json.decode(through, type=Bill) == bill
