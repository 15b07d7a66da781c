"""SSP bytes: every published frame both ways, and a receiver that takes bytes in any pieces.

Source: bill-acceptors section 8.1.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.hardware.bill_acceptor.ssp.frames import (
    Command,
    Frame,
    FrameReceiver,
    Garbled,
    Generic,
    Happened,
    PollEvent,
    UnusableReply,
    crc16,
    encode_events,
    encode_frame,
    parse_poll,
    parse_setup,
)

# Meaning, sequence bit, data, bytes on the wire.
PUBLISHED = [
    ("SYNC", 1, "11", "7F 80 01 11 65 82"),
    ("OK, SEQ 1", 1, "F0", "7F 80 01 F0 23 80"),
    ("OK, SEQ 0", 0, "F0", "7F 00 01 F0 20 0A"),
    ("poll, SEQ 1", 1, "07", "7F 80 01 07 12 02"),
    ("poll, SEQ 0", 0, "07", "7F 00 01 07 11 88"),
    ("protocol version 8", 1, "06 08", "7F 80 02 06 08 03 94"),
    ("protocol version 7, SEQ 0", 0, "06 07", "7F 00 02 06 07 1E 14"),
    ("not supported", 1, "F8", "7F 80 01 F8 10 00"),
    ("setup request", 1, "05", "7F 80 01 05 1D 82"),
    (
        "setup reply, GBP, old protocol",
        1,
        "F0 00 30 31 30 30 47 42 50 00 00 01 03 05 0A 14 02 02 02 40 00 00 05",
        "7F 80 17 F0 00 30 31 30 30 47 42 50 00 00 01 03 05 0A 14 02 02 02 40 00 00 05 61 81",
    ),
    (
        "setup reply, CNY, protocol 7",
        1,
        "F0 00 30 33 33 33 43 4E 59 00 00 01 06 01 05 0A 14 32 64 02 02 02 02 02 02 00 00 64 07"
        + " 43 4E 59" * 6
        + " 01 00 00 00 05 00 00 00 0A 00 00 00 14 00 00 00 32 00 00 00 64 00 00 00",
        "7F 80 47 F0 00 30 33 33 33 43 4E 59 00 00 01 06 01 05 0A 14 32 64 02 02 02 02 02 02 00 00 64 07"
        + " 43 4E 59" * 6
        + " 01 00 00 00 05 00 00 00 0A 00 00 00 14 00 00 00 32 00 00 00 64 00 00 00 C9 10",
    ),
    ("inhibits: channels 1-3 on", 1, "02 07 00", "7F 80 03 02 07 00 2B B6"),
    ("inhibits: channels 1-7 on, stuffed", 1, "02 7F 00", "7F 80 03 02 7F 7F 00 2E 26"),
    ("enable", 1, "0A", "7F 80 01 0A 3F 82"),
    ("disable", 1, "09", "7F 80 01 09 35 82"),
    ("boot poll: reset, disabled", 1, "F0 F1 E8", "7F 80 03 F0 F1 E8 BF 8C"),
    ("reading", 1, "F0 EF 00", "7F 80 03 F0 EF 00 CF CA"),
    ("escrow channel 3", 1, "F0 EF 03", "7F 80 03 F0 EF 03 C5 CA"),
    ("hold", 1, "18", "7F 80 01 18 53 82"),
    ("reject", 1, "08", "7F 80 01 08 30 02"),
    ("cannot process", 1, "F5", "7F 80 01 F5 3D 80"),
    ("stacking", 1, "F0 CC", "7F 80 02 F0 CC 97 A2"),
    ("credit channel 4", 1, "F0 EE 04", "7F 80 03 F0 EE 04 D7 CC"),
    ("credit channel 1 and stacked", 1, "F0 EE 01 EB", "7F 80 04 F0 EE 01 EB B9 48"),
    ("credit channel 3 and stacking, SEQ 0", 0, "F0 EE 03 CC", "7F 00 04 F0 EE 03 CC E3 44"),
    ("credit, stacking, stacked, full", 0, "F0 EE 03 CC EB E7", "7F 00 06 F0 EE 03 CC EB E7 32 E0"),
    ("stacked", 1, "F0 EB", "7F 80 02 F0 EB 45 A2"),
    ("rejecting", 1, "F0 ED", "7F 80 02 F0 ED 51 A2"),
    ("rejected", 1, "F0 EC", "7F 80 02 F0 EC 54 22"),
    ("last reject: by host", 1, "F0 08", "7F 80 02 F0 08 0C 20"),
    ("boot credit: channel 2 into the box", 1, "F0 F1 E2 02 E8", "7F 80 05 F0 F1 E2 02 E8 76 35"),
    ("cleared to cashbox channel 2", 1, "F0 E2 02", "7F 80 03 F0 E2 02 C3 E4"),
    ("cleared from front, unknown", 1, "F0 E1 00", "7F 80 03 F0 E1 00 CC 6E"),
    ("safe jam, disabled", 1, "F0 EA E8", "7F 80 03 F0 EA E8 BF D6"),
    ("unsafe jam", 1, "F0 E9", "7F 80 02 F0 E9 4A 22"),
    ("fraud channel 2", 1, "F0 E6 02", "7F 80 03 F0 E6 02 C0 7C"),
    ("stacker full", 1, "F0 E7", "7F 80 02 F0 E7 6D A2"),
    ("cashbox removed", 1, "F0 E3", "7F 80 02 F0 E3 76 22"),
    ("cashbox replaced", 1, "F0 E4", "7F 80 02 F0 E4 67 A2"),
    ("poll with ack", 1, "56", "7F 80 01 56 F7 83"),
    ("reply: stacking, credit 1", 1, "F0 CC EE 01", "7F 80 04 F0 CC EE 01 62 AA"),
    ("event ack", 1, "57", "7F 80 01 57 F2 03"),
    ("CRC byte needs stuffing", 1, "F0 EE C8", "7F 80 03 F0 EE C8 7F 7F CE"),
    ("set baud 38400", 1, "4D 01 00", "7F 80 03 4D 01 00 E4 27"),
]
frames = pytest.mark.parametrize(
    ("sequence", "data", "wire"), [row[1:] for row in PUBLISHED], ids=[r[0] for r in PUBLISHED]
)


@frames
def test_published_frames_are_written_byte_for_byte(sequence: int, data: str, wire: str) -> None:
    assert encode_frame(bytes.fromhex(data), sequence) == bytes.fromhex(wire)


@frames
def test_published_frames_are_read_back(sequence: int, data: str, wire: str) -> None:
    assert FrameReceiver().feed(bytes.fromhex(wire)) == [Frame(sequence, 0, bytes.fromhex(data))]


def test_the_crc_has_its_published_check_value() -> None:
    assert crc16(b"123456789") == 0xAEE7


EVENTS = {
    "F1 E8": [(Happened.RESET, 0), (Happened.DISABLED, 0)],
    "EF 00": [(Happened.READ, 0)],
    "EF 03": [(Happened.READ, 3)],
    "EE 03 CC EB E7": [(Happened.CREDIT, 3), (Happened.STACKING, 0), (Happened.STACKED, 0), (Happened.STACKER_FULL, 0)],
    "F1 E2 02 E8": [(Happened.RESET, 0), (Happened.CLEARED_TO_BOX, 2), (Happened.DISABLED, 0)],
    "E1 00": [(Happened.CLEARED_TO_PERSON, 0)],
    "E6 02 E3": [(Happened.FRAUD, 2), (Happened.CASHBOX_REMOVED, 0)],
    "": [],
}


@pytest.mark.parametrize("data", EVENTS)
def test_poll_answers_hold_events_oldest_first(data: str) -> None:
    events = tuple(PollEvent(code, channel) for code, channel in EVENTS[data])
    reply = parse_poll(bytes.fromhex(data))
    assert reply.events == events
    assert not reply.unparsed
    assert encode_events(events) == bytes.fromhex(data)


@pytest.mark.parametrize(("data", "unparsed"), [("EE 03 C6 EE 04", "C6 EE 04"), ("EE 02 EF", "EF"), ("90", "90")])
def test_after_an_unknown_code_nothing_is_guessed(data: str, unparsed: str) -> None:
    reply = parse_poll(bytes.fromhex(data))
    assert reply.unparsed == bytes.fromhex(unparsed)
    assert all(event.code is Happened.CREDIT for event in reply.events)


def setup_data(meaning: str) -> bytes:
    return bytes.fromhex(next(row[2] for row in PUBLISHED if row[0].startswith(meaning)))[1:]


def test_channel_values_come_from_the_expanded_fields_in_fen() -> None:
    setup = parse_setup(setup_data("setup reply, CNY"))
    assert {channel: value.face for channel, value in setup.channels.items()} == {
        1: 100, 2: 500, 3: 1000, 4: 2000, 5: 5000, 6: 10000
    }  # fmt: skip
    assert {value.currency for value in setup.channels.values()} == {"CNY"}
    assert (setup.firmware, setup.country, setup.protocol) == ("0333", "CNY", 7)


def test_an_old_setup_reply_has_one_byte_per_channel() -> None:
    setup = parse_setup(setup_data("setup reply, GBP"))
    assert {channel: value.face for channel, value in setup.channels.items()} == {1: 500, 2: 1000, 3: 2000}
    assert setup.protocol == 5


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b"\x06" + d[1:], lambda d: d[:9], lambda d: b""]
)
def test_a_setup_reply_that_does_not_fit_exactly_is_refused(damage) -> None:
    with pytest.raises(UnusableReply):
        parse_setup(damage(setup_data("setup reply, CNY")))


# Bytes rich in what hurts: STX, and what looks like a header.
nasty = st.binary(max_size=60).map(lambda b: b.replace(b"\x01", b"\x7f").replace(b"\x02", b"\x00"))
payload = st.one_of(nasty, st.just(b"\x7f" * 127), st.binary(min_size=1, max_size=255)).filter(
    lambda b: 0 < len(b) < 256
)


@given(st.lists(st.tuples(payload, st.integers(0, 1)), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_frames_arrive_whole_however_reads_split_them(messages, chance) -> None:
    wire = b"".join(encode_frame(data, sequence) for data, sequence in messages)
    receiver, received = FrameReceiver(), []
    while wire:
        cut = chance.randint(1, len(wire))
        received += receiver.feed(wire[:cut])
        wire = wire[cut:]
    assert received == [Frame(sequence, 0, data) for data, sequence in messages]


@given(st.binary(max_size=80), payload)
def test_after_any_garbage_the_second_frame_is_read_at_the_latest(garbage: bytes, data: bytes) -> None:
    # A garbage that ends in a lone 7F turns the next STX into data: that costs one frame, never two.
    wire = encode_frame(data, 1)
    received = FrameReceiver().feed(garbage + wire + wire)
    assert received[-1] == Frame(1, 0, data)


@given(payload, st.data())
def test_a_lone_stx_in_mid_packet_begins_a_new_packet(data: bytes, draw: st.DataObject) -> None:
    wire = encode_frame(data, 0)
    cut = draw.draw(st.integers(1, len(wire) - 1))
    head = wire[:cut]
    if (len(head) - len(head.rstrip(b"\x7f"))) % 2 == 1 and cut > 1:
        head = head[:-1]  # half a stuffed pair would swallow the next STX; the test above covers it
    assert FrameReceiver().feed(head + wire)[-1] == Frame(0, 0, data)


@given(payload, st.integers(0, 1), st.data())
def test_a_flipped_bit_never_gives_another_message(data: bytes, sequence: int, draw: st.DataObject) -> None:
    wire = bytearray(encode_frame(data, sequence))
    at = draw.draw(st.integers(0, len(wire) - 1))
    wire[at] ^= 1 << draw.draw(st.integers(0, 7))
    for received in FrameReceiver().feed(bytes(wire)):
        assert isinstance(received, Garbled) or received == Frame(sequence, 0, data)


def test_commands_and_answers_have_the_makers_numbers() -> None:
    assert (Command.POLL, Command.HOLD, Command.REJECT, Generic.OK) == (0x07, 0x18, 0x08, 0xF0)
