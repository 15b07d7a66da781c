"""Every event a kiosk writes into its journal, as tagged values shared by kiosk and office.

An event's exact JSON bytes are stored, hashed, uploaded and kept for ever; they are never written again. A released
(kind, v) never changes: a new need is a new ``v`` or a new kind, and one golden file each stands in tests/golden/events.
Field names carry their unit; money is ``*_fen``. Source: journal-and-upload sections 2 and 3, decisions 9 to 13.
"""

from typing import Annotated

import msgspec

NonNegative = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Base of all journal events; ``v`` is the schema version of this kind."""

    v: int = 1


# --- the journal and the program -------------------------------------------------------------------------------


class JournalGenesis(Event, frozen=True, kw_only=True, tag="journal.genesis"):
    """Always seq 1. ``replaces_*`` name the earlier journal of this kiosk and the last entry the office holds of it."""

    kiosk_id: str
    kiosk_code: str
    public_key: str  # base64 of the raw Ed25519 key
    software: str
    first_receipt_number: Positive = 1
    replaces_journal_id: str | None = None
    replaces_seq: int | None = None
    replaces_hash: str | None = None


class KeyRolled(Event, frozen=True, kw_only=True, tag="key.rolled"):
    """From here on the kiosk signs with another key. Both signed domain/chain.py's bytes over both, in base64."""

    old_public_key: str
    new_public_key: str
    old_signature: str
    new_signature: str


class AgentStarted(Event, frozen=True, kw_only=True, tag="agent.started"):
    """The agent came up. ``clean`` says whether its predecessor wrote agent.stopped."""

    software: str
    sqlite: str
    clean: bool


class AgentStopped(Event, frozen=True, kw_only=True, tag="agent.stopped"):
    """The agent stopped on purpose; nothing was in progress."""


class ClockStepped(Event, frozen=True, kw_only=True, tag="clock.step"):
    """The wall clock moved against the monotonic one while the agent ran."""

    by_ms: int


class Checkpoint(Event, frozen=True, kw_only=True, tag="checkpoint"):
    """A signed statement over the journal so far; ``signature`` is base64 Ed25519 over domain/chain.py's bytes."""

    up_to_seq: int
    up_to_hash: str
    credited_fen: NonNegative
    notes: dict[str, int]  # face in fen to count, over the whole journal
    signature: str


# --- a payment (缴费) -------------------------------------------------------------------------------------------


class BillPicked(msgspec.Struct, frozen=True, kw_only=True):
    """One picked bill as the payer saw it, with the words its slip needs when it is drawn again from the journal."""

    bill_id: str
    version: int
    principal_fen: NonNegative
    late_fee_fen: NonNegative
    late_days: NonNegative
    item_name: str = ""
    item_name_en: str = ""
    period_from: str = ""  # dates, half-open
    period_to: str = ""
    due_on: str = ""  # orders the allocation, also after a restart


class PaymentOpened(Event, frozen=True, kw_only=True, tag="payment.opened"):
    """The payer chose what to pay and cash; from here on money may come in."""

    payment_id: str
    unit_id: str
    bills: tuple[BillPicked, ...]
    due_fen: NonNegative  # what the payer means to pay; may be less or more than the bills
    tender: str = "cash"
    offline: bool = False
    bills_as_of_ms: int | None = None  # office time of the bills, if cached
    applied_seq: int = 0  # the office's folded high-water of this journal, as the bills told it
    business_date: str | None = None  # None: clock unset
    language: str = "zh-Hans"
    unit_code: str = ""  # 3-1-502, and the name as masked by the office: what the slip says
    masked_name: str = ""
    prepaid_before_fen: int | None = None  # the unit's prepaid balance as last told; None while offline


class PaymentCancelled(Event, frozen=True, kw_only=True, tag="payment.cancelled"):
    """Nothing was taken, and the payment is over."""

    payment_id: str
    reason: str  # payer, timeout, restart, fault


class LinePaid(msgspec.Struct, frozen=True, kw_only=True):
    """What one component of one bill was meant to get."""

    bill_id: str
    component: str  # cost, late_fee, principal
    amount_fen: Positive


class Settlement(Event, frozen=True, kw_only=True):
    """Shared shape of payment.settled and payment.partial; the receipt number is taken in this commit."""

    payment_id: str
    unit_id: str
    receipt_no: str
    receipt_number: Positive
    received_fen: NonNegative
    notes: dict[str, int]  # face in fen to count
    lines: tuple[LinePaid, ...]
    prepaid_fen: NonNegative
    late_days: dict[str, int]  # bill id to days charged
    business_date: str | None
    time_zone: str
    ended: str  # finished, timeout, restart, fault
    offline: bool = False
    claims: tuple[str, ...] = ()


class PaymentSettled(Settlement, frozen=True, kw_only=True, tag="payment.settled"):
    """The payer's money covers what was due."""


class PaymentPartial(Settlement, frozen=True, kw_only=True, tag="payment.partial"):
    """Money was taken, less than was due; it is allocated all the same."""


# --- notes (纸币) -----------------------------------------------------------------------------------------------


class NoteEscrow(Event, frozen=True, kw_only=True, tag="note.escrow"):
    """A note is held in escrow (暂存); it is not money."""

    payment_id: str
    note_no: Positive
    face_fen: Positive
    acceptor_serial: str


class NoteAcceptIntent(Event, frozen=True, kw_only=True, tag="note.accept_intent"):
    """We decided to keep the note; durable before the acceptor is told."""

    payment_id: str
    note_no: Positive
    face_fen: Positive
    acceptor_serial: str
    protocol: str
    channel: int
    currency: str = "CNY"
    stacked_before: int | None = None  # the acceptor's own counter as last read


class NoteCredited(Event, frozen=True, kw_only=True, tag="note.credited"):
    """The acceptor's credit event: this is money. ``recovered`` names the evidence if it did not come at once.

    ``late_answer``: the note had become a claim (note.unknown), and this ends it.
    """

    payment_id: str
    note_no: Positive
    face_fen: Positive
    acceptor_serial: str
    recovered: str | None = None  # last_answer, power_up, counter, late_answer


class NoteReturned(Event, frozen=True, kw_only=True, tag="note.returned"):
    """The note went back to the person."""

    payment_id: str
    note_no: Positive
    face_fen: Positive
    acceptor_serial: str
    reason: str


class NoteUnknown(Event, frozen=True, kw_only=True, tag="note.unknown"):
    """The note's fate is unclear: it becomes a suspense item with a claim number."""

    payment_id: str | None
    note_no: Positive
    face_fen: int | None
    acceptor_serial: str
    reason: str
    claim_no: str
    evidence_lost_by: str = ""  # the fault that destroyed the evidence, if one is known


# --- paper, box, devices ---------------------------------------------------------------------------------------


class ReceiptPrinted(Event, frozen=True, kw_only=True, tag="receipt.printed"):
    """A slip came out; ``copy_no`` 0 is the original."""

    payment_id: str
    receipt_no: str
    copy_no: NonNegative = 0
    confirmed: bool = True


class ReceiptFailed(Event, frozen=True, kw_only=True, tag="receipt.failed"):
    """A slip did not (wholly) come out; the money is not touched by that."""

    payment_id: str
    receipt_no: str
    copy_no: NonNegative = 0
    fault: str


class ReceiptDeclined(Event, frozen=True, kw_only=True, tag="receipt.declined"):
    """The visit ended without a slip that surely came out: the payer wanted none, had none, or was there no more."""

    payment_id: str
    receipt_no: str


class CashboxRemoved(Event, frozen=True, kw_only=True, tag="cashbox.removed"):
    """The cash box (钞箱) was taken out; without a service login this is an alarm and cuts no period."""

    acceptor_serial: str


class CashboxReplaced(Event, frozen=True, kw_only=True, tag="cashbox.replaced"):
    """A cash box is in place again."""

    acceptor_serial: str


class AcceptorCounted(Event, frozen=True, kw_only=True, tag="acceptor.counted"):
    """The acceptor's own counters, read at start, after a payment, and after every gap in the line."""

    acceptor_serial: str
    stacked: NonNegative
    rejected: NonNegative


class DeviceFault(Event, frozen=True, kw_only=True, tag="device.fault"):
    """A device is in trouble; ``code`` is one of kiosk/hardware/faults.py."""

    device: str
    code: str
    detail: str = ""


class DeviceFaultCleared(Event, frozen=True, kw_only=True, tag="device.fault_cleared"):
    """The trouble is over."""

    device: str
    code: str


class ScreenRestarted(Event, frozen=True, kw_only=True, tag="screen.restarted"):
    """The screen process was gone or silent and has been started again."""

    reason: str


class JournalChecked(Event, frozen=True, kw_only=True, tag="journal.checked"):
    """The nightly self-check exported, read back and counted the whole journal up to ``up_to_seq``, and found it as it was written."""

    up_to_seq: NonNegative
    credited_fen: NonNegative
    notes: dict[str, int]  # face in fen to count


class ConfigApplied(Event, frozen=True, kw_only=True, tag="config.applied"):
    """What the office told of the estate is in use from here on; ``sha256`` is over the whole of it."""

    config_version: NonNegative
    sha256: str


AnyEvent = (
    JournalGenesis | KeyRolled | AgentStarted | AgentStopped | ClockStepped | Checkpoint
    | PaymentOpened | PaymentCancelled | PaymentSettled | PaymentPartial
    | NoteEscrow | NoteAcceptIntent | NoteCredited | NoteReturned | NoteUnknown
    | ReceiptPrinted | ReceiptFailed | ReceiptDeclined
    | CashboxRemoved | CashboxReplaced | AcceptorCounted
    | DeviceFault | DeviceFaultCleared | ScreenRestarted
    | JournalChecked | ConfigApplied
)  # fmt: skip

KINDS: dict[str, type[Event]] = {
    str(kind.__struct_config__.tag): kind for kind in AnyEvent.__args__
}  # e.g. "note.credited" -> NoteCredited

_DECODER = msgspec.json.Decoder(AnyEvent)

# What decoding bytes that somebody else wrote may raise; the last one for brackets within brackets within brackets.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class UnknownEvent(ValueError):
    """The bytes are no event this program knows; the office keeps them as quarantined."""


def encode(event: Event) -> bytes:
    """The bytes that are stored, hashed and uploaded."""
    return msgspec.json.encode(event)


def decode(body: bytes) -> AnyEvent:
    """Read stored bytes.

    Raises:
        UnknownEvent: unknown kind or version, missing or extra field, wrong type; nothing may be thrown away for it.
    """
    try:
        event: AnyEvent = _DECODER.decode(body)
    except UNREADABLE as error:
        raise UnknownEvent(str(error)) from error
    if event.v != 1:
        raise UnknownEvent(f"{kind_of(event)} version {event.v} is newer than this program")
    return event


def kind_of(event: Event) -> str:
    """The event's name on the wire, e.g. ``note.credited``."""
    return str(event.__struct_config__.tag)


def payment_of(event: Event) -> str | None:
    """The payment an event belongs to, if any."""
    return getattr(event, "payment_id", None)
