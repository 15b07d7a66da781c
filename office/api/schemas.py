"""What travels, as pydantic schemas: the OpenAPI document is made from these.

The kiosk reads the same things as msgspec structs (kiosk.domain.billing, kiosk.domain.estate); a test holds both together.
"""

from datetime import date
from typing import Annotated, Literal

from ninja import Schema
from pydantic import BaseModel, Field, field_validator

BIG = 2**53
Fen = Annotated[int, Field(ge=-BIG, le=BIG)]
Count = Annotated[int, Field(ge=0, le=BIG, strict=True)]
Signed = Annotated[int, Field(ge=-BIG, le=BIG, strict=True)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(pattern=r"^[\x20-\x7e]*$", max_length=64)]


# --- units and bills ---------------------------------------------------------------------------------------------


class UnitOut(Schema):
    unit_id: str
    code: str
    building: str
    entrance: str
    room: str
    masked_name: str
    prepaid_fen: Fen


class RuleOut(Schema):
    version: int
    rate_ppm: int
    grace_days: int
    start: Literal["after_due", "after_grace"]
    cap_ppm: int | None
    cap_fen: Fen | None


class StepOut(Schema):
    since: date
    open_fen: Fen


class FactorOut(Schema):
    value: str
    caption: str
    caption_en: str


class ComputedLineOut(Schema):
    text: str
    text_en: str
    amount_fen: Fen


class ComputationOut(Schema):
    factors: list[FactorOut]
    lines: list[ComputedLineOut]
    basis: str


class BillOut(Schema):
    bill_id: str
    unit_id: str
    item_code: str
    item_name: str
    item_name_en: str
    category: str
    period_from: date
    period_to: date
    due_on: date
    version: int
    amount_fen: Fen
    principal_open_fen: Fen
    late_fee_settled_fen: Fen
    rule: RuleOut | None
    steps: list[StepOut]
    computation: ComputationOut
    late_fee_quoted_fen: Fen
    late_days_quoted: int


class UnitAnswer(Schema):
    unit: UnitOut


class RecentPayment(Schema):
    amount_fen: Fen
    paid_at: str


class BillsAnswer(Schema):
    unit: UnitOut
    bills: list[BillOut]
    as_of: date
    server_time: str
    applied_seq: int
    journal_id: str | None  # whose entry that is; None: the office has no journal of this kiosk
    recent_payment: RecentPayment | None


class SyncedUnit(Schema):
    unit: UnitOut
    bills: list[BillOut]
    gone: bool


class SyncAnswer(Schema):
    units: list[SyncedUnit]
    next_cursor: str | None
    cursor: str
    as_of: date
    server_time: str
    applied_seq: int
    journal_id: str | None


class EntranceOut(Schema):
    entrance: str


class BuildingOut(Schema):
    building: str
    entrances: list[EntranceOut]


class BuildingsAnswer(Schema):
    buildings: list[BuildingOut]


# --- the kiosk itself --------------------------------------------------------------------------------------------


class CashDeskOut(Schema):
    place: str
    place_en: str
    hours: str


class ConfigAnswer(Schema):
    config_version: int
    kiosk_code: str
    estate_name: str
    estate_name_en: str
    payee: str
    service_phone: str
    complaint: str
    cash_desk: CashDeskOut
    time_zone: str
    cash_limit_fen: Fen
    notes_limit: int
    held_note_threshold_fen: Fen
    public_url: str
    server_time: str
    business_date: date


class PairingIn(Schema):
    token: Annotated[str, Field(min_length=1, max_length=64)]
    public_key: Annotated[str, Field(min_length=1, max_length=64)]
    software: Annotated[str, Field(max_length=40, pattern=r"^[\x20-\x7e]*$")] = ""
    previous_key: Annotated[str, Field(max_length=64)] = ""
    proof: Annotated[str, Field(max_length=128)] = ""


class JournalHeld(Schema):
    journal_id: str
    seq: int
    hash: Hash


class PairingAnswer(Schema):
    kiosk_id: str
    kiosk_code: str
    project_code: str
    office_public_key: str
    next_receipt_number: int
    replaces: JournalHeld | None


class SentTimes(Schema):
    boot_id: Word
    mono_ms: Count
    wall_ms: Signed


class HeartbeatIn(Schema):
    journal_id: Word = ""
    last_seq: Count = 0
    last_hash: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    unsent: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    oldest_unsent_s: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    state: Annotated[Word, Field(max_length=20)] = ""
    acceptor: Annotated[Word, Field(max_length=60)] = ""
    printer: Annotated[Word, Field(max_length=60)] = ""
    paper: Annotated[Word, Field(max_length=30)] = ""
    journal: Annotated[Word, Field(max_length=40)] = ""
    disk_free_mb: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    clock: Annotated[Word, Field(max_length=12)] = ""
    software: Annotated[Word, Field(max_length=40)] = ""
    posted_seq: Count | None = None
    sent: SentTimes

    @field_validator("oldest_unsent_s", mode="before")
    @classmethod
    def whole_seconds(cls, value: object) -> object:
        return int(value) if isinstance(value, float) and 0 <= value < 2**31 else value


class OutcomeOut(Schema):
    payment_id: str
    state: Literal["booked", "exception"]
    receipt_no: str


class HeartbeatAnswer(Schema):
    server_time: str
    interval_s: int
    config_version: int
    ack_seq: int | None  # None: the office holds nothing of this journal
    posted_seq: int
    outcomes: list[OutcomeOut]


class TimeAnswer(Schema):
    server_time: str


# --- the journal -------------------------------------------------------------------------------------------------


class EventIn(BaseModel):  # Schema would look through each of 500 events for Django objects: three times as slow
    seq: Annotated[int, Field(ge=1, le=BIG, strict=True)]
    payment_id: Word = ""
    kind: Annotated[str, Field(pattern=r"^[a-z0-9_.]+$", max_length=40)]
    v: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
    boot_id: Word
    mono_ms: Count
    wall_ms: Signed
    clock: Annotated[Word, Field(max_length=12)]
    body: str
    hash: Hash

    @field_validator("payment_id", mode="before")
    @classmethod
    def no_payment(cls, value: object) -> object:
        return "" if value is None else value


class UploadIn(Schema):
    first_seq: Annotated[int, Field(ge=1, le=BIG, strict=True)]
    last_seq: Count
    prev_hash: Hash
    events: list[EventIn]
    posted_seq: Count | None = None
    sent: SentTimes


class RejectedOut(Schema):
    seq: int
    code: str


class UploadAnswer(Schema):
    ack_seq: int
    ack_hash: Hash
    posted_seq: int
    outcomes: list[OutcomeOut]
    rejected: list[RejectedOut]
    server_time: str
    config_version: int
    hold_ms: int


class FieldError(Schema):
    pointer: str
    code: str


class ProblemOut(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    trace_id: str
    retry: Literal["never", "later", "after_fix"]
    errors: list[FieldError]
