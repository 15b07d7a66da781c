"""Every event ever released, byte for byte: the kiosk that wrote it may be offline for a month, the office reads it for ever.

A file in tests/golden/events never changes once released. A new kind or version gets a sample here and then its file:
``python -m tests.domain.test_events_golden`` writes those that are missing.
"""

from pathlib import Path

import msgspec
import pytest

from kiosk.domain import events

GOLDEN = Path(__file__).parents[1] / "golden" / "events"

PAYMENT = "0b9c6a2e-6f0e-4f5e-9f3a-2b1f5c7d8e90"
UNIT = "5a1d3c40-9e2b-4c55-8a77-0c9d2f6b1e34"
BILL = "c2f0e9d8-1b7a-4a3c-b5d6-7e8f90a1b2c3"
SERIAL = "4217885"
NOTE = {"payment_id": PAYMENT, "note_no": 17, "face_fen": 10_000, "acceptor_serial": SERIAL}
RECEIPT = {"payment_id": PAYMENT, "receipt_no": "YG01-000042"}
SETTLEMENT = {
    "payment_id": PAYMENT,
    "unit_id": UNIT,
    "receipt_no": "YG01-000042",
    "receipt_number": 42,
    "received_fen": 20_000,
    "notes": {"10000": 2},
    "lines": (
        events.LinePaid(bill_id=BILL, component="late_fee", amount_fen=123),
        events.LinePaid(bill_id=BILL, component="principal", amount_fen=18_877),
    ),
    "prepaid_fen": 1_000,
    "late_days": {BILL: 14},
    "business_date": "2026-11-24",
    "time_zone": "Asia/Shanghai",
    "ended": "finished",
}

SAMPLES: tuple[events.Event, ...] = (
    events.JournalGenesis(
        kiosk_id="9d0f7c52-44a1-4e0b-8b7e-1f2a3b4c5d6e",
        kiosk_code="YG01",
        public_key="A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
        software="0.1.0",
    ),
    events.KeyRolled(
        old_public_key="A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
        new_public_key="dT8uwcWnXnAXJd5Y+UeVe9SMMFNzzB6X4HfHWcgIoFA=",
        old_signature="c2lnbmF0dXJl",
        new_signature="c2lnbmF0dXJl",
    ),
    events.AgentStarted(software="0.1.0", sqlite="3.40.1", clean=False),
    events.AgentStopped(),
    events.ClockStepped(by_ms=-3_600_000),
    events.Checkpoint(
        up_to_seq=1000, up_to_hash="ab" * 32, credited_fen=20_000, notes={"10000": 2}, signature="c2lnbmF0dXJl"
    ),
    events.PaymentOpened(
        payment_id=PAYMENT,
        unit_id=UNIT,
        bills=(
            events.BillPicked(
                bill_id=BILL,
                version=3,
                principal_fen=18_877,
                late_fee_fen=123,
                late_days=14,
                item_name="物业费",
                item_name_en="Property fee",
                period_from="2026-10-01",
                period_to="2026-11-01",
                due_on="2026-11-10",
            ),
        ),
        due_fen=19_000,
        offline=True,
        bills_as_of_ms=1_764_000_000_000,
        applied_seq=41,
        business_date="2026-11-24",
        unit_code="3-1-502",
        masked_name="王*",
    ),
    events.PaymentCancelled(payment_id=PAYMENT, reason="timeout"),
    events.PaymentSettled(**SETTLEMENT),
    events.PaymentPartial(
        **{**SETTLEMENT, "business_date": None, "offline": True, "ended": "fault", "claims": ("YG01-Q000018",)}
    ),
    events.NoteEscrow(**NOTE),
    events.NoteAcceptIntent(**NOTE, protocol="ssp", channel=6, stacked_before=1234),
    events.NoteCredited(**NOTE, recovered="last_answer"),
    events.NoteReturned(**NOTE, reason="host"),
    events.NoteUnknown(**{**NOTE, "payment_id": None, "face_fen": None}, reason="jam", claim_no="YG01-Q000017"),
    events.ReceiptPrinted(**RECEIPT),
    events.ReceiptFailed(**RECEIPT, fault="printer.paper_out"),
    events.ReceiptDeclined(**RECEIPT),
    events.CashboxRemoved(acceptor_serial=SERIAL),
    events.CashboxReplaced(acceptor_serial=SERIAL),
    events.AcceptorCounted(acceptor_serial=SERIAL, stacked=1235, rejected=7),
    events.DeviceFault(device="bill_acceptor", code="acceptor.jam_safe", detail="E8"),
    events.DeviceFaultCleared(device="bill_acceptor", code="acceptor.jam_safe"),
    events.ScreenRestarted(reason="silent"),
    events.JournalChecked(up_to_seq=1000, credited_fen=20_000, notes={"10000": 2}),
    events.ConfigApplied(config_version=7, sha256="0a" * 32),
)


def file_of(event: events.Event) -> Path:
    return GOLDEN / f"{events.kind_of(event)}.v{event.v}.json"


FILES = sorted(GOLDEN.glob("*.json"))


def test_every_kind_has_its_file_and_every_file_its_kind():
    assert {events.kind_of(sample) for sample in SAMPLES} == set(events.KINDS)
    assert {file.name for file in FILES} >= {file_of(sample).name for sample in SAMPLES}
    assert {file.name.rsplit(".", 2)[0] for file in FILES} == set(events.KINDS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_released_event_is_read_and_written_byte_for_byte(file):
    stored = file.read_bytes().removesuffix(b"\n")
    event = events.decode(stored)
    assert f"{events.kind_of(event)}.v{event.v}.json" == file.name
    assert events.encode(event) == stored


@pytest.mark.parametrize("sample", SAMPLES, ids=events.kind_of)
def test_each_sample_is_what_its_file_holds(sample):
    assert file_of(sample).read_bytes() == events.encode(sample) + b"\n"


@pytest.mark.parametrize("sample", SAMPLES, ids=events.kind_of)
def test_a_field_too_many_or_a_version_from_tomorrow_is_not_misread(sample):
    read = msgspec.json.decode(events.encode(sample))
    for changed in (read | {"a_field_of_tomorrow": 1}, read | {"v": 99}, read | {"kind": f"{read['kind']}.more"}):
        with pytest.raises(events.UnknownEvent):
            events.decode(msgspec.json.encode(changed))


if __name__ == "__main__":
    for sample in SAMPLES:
        if not file_of(sample).exists():
            file_of(sample).write_bytes(events.encode(sample) + b"\n")
            print(f"wrote {file_of(sample)}")
