"""SSP for traces: what must be as recorded, what may honestly differ, and how a frame reads in words.

May differ: the sequence bit (as long as each new command flips it), how often the host polls while nothing changes, how often it
holds a note, how often it repeats a frame, and keys, which are random. Source: bill-acceptors sections 1 and 2.1.
"""

from kiosk.hardware.bill_acceptor.ssp.frames import (
    Command,
    Frame,
    FrameReceiver,
    Generic,
    Happened,
    PollEvent,
    encode_events,
    encode_frame,
    parse_poll,
)

OK = bytes((Generic.OK,))

# Generator, modulus and the host's half of a key: chosen anew for each conversation.
RANDOM_COMMANDS = (0x4A, 0x4B, 0x4C)

# What a device says at every poll while it is true; the rest it says once.
STEADY = frozenset(
    {
        Happened.READ,
        Happened.REJECTING,
        Happened.STACKING,
        Happened.SAFE_JAM,
        Happened.UNSAFE_JAM,
        Happened.CASHBOX_REMOVED,
        Happened.PATH_OPEN,
        Happened.INITIALISING,
    }
)


class SspDialect:
    """Implements flight_recorder.dialect.Dialect."""

    def __init__(self) -> None:
        self._receiver = FrameReceiver()
        self._steady: bytes | None = OK  # None: a note is held, and a poll would accept it

    def cut(self, data: bytes) -> list[bytes]:
        frames = [frame for frame in self._receiver.feed(data) if isinstance(frame, Frame)]
        return [encode_frame(frame.data, frame.sequence, frame.address) for frame in frames if frame.data]

    def key(self, frame: bytes) -> bytes:
        command = _frame(frame)
        if command is None:
            return frame
        kept = command.data[:1] if command.data[0] in RANDOM_COMMANDS else command.data
        return bytes((command.address,)) + kept

    def repeats(self, frame: bytes, before: bytes) -> bool:
        return frame == before

    def objection(self, frame: bytes, before: bytes) -> str:
        now, was = _frame(frame), _frame(before)
        if now is None or was is None or now.data[0] == Command.SYNC:
            return ""  # SYNC begins the count anew
        same = now.sequence == was.sequence and now.data != was.data
        return "the sequence bit is that of the frame before: a device would repeat its last answer" if same else ""

    def fit(self, answer: bytes, recorded: bytes, frame: bytes) -> bytes:
        was, now = _frame(recorded), _frame(frame)
        answers = FrameReceiver().feed(answer)
        if was is None or now is None or was.sequence == now.sequence or not answers:
            return answer
        fitted = b""
        for one in answers:
            if not isinstance(one, Frame):
                return answer  # garbled in the recording, and garbled again
            fitted += encode_frame(one.data, 1 - one.sequence, one.address)
        return fitted

    def remember(self, frame: bytes, answer: bytes) -> None:
        command, said = _code(frame), _data(answer)
        if said[:1] == OK and command == Command.POLL:
            self._steady = _steady(said[1:])
        elif said == OK and command == Command.REJECT:
            self._steady = OK + bytes((Happened.REJECTING,))

    def another(self, frame: bytes) -> bytes | None:
        command = _code(frame)
        if command == Command.POLL and self._steady is not None:
            return self._answer(self._steady, frame)
        return self._answer(OK, frame) if command == Command.HOLD and self._steady is None else None

    def says_nothing_new(self, frame: bytes, answer: bytes) -> bool:
        another = self.another(frame)
        return another is not None and _data(another) == _data(answer)

    def quiet(self, frame: bytes) -> bytes:
        return self._answer(OK, frame)

    def words(self, frame: bytes) -> str:
        command = _frame(frame)
        if command is None:
            return "damaged"
        code, parameters = command.data[0], command.data[1:].hex(" ")
        name = Command(code).name if code in {int(known) for known in Command} else f"command {code:02x}"
        return f"{name} {parameters}".strip()

    def answer_words(self, answer: bytes, frame: bytes) -> str:
        said = _data(answer)
        if not said:
            return "damaged" if answer else "no answer"
        if said[:1] == OK and _code(frame) == Command.POLL:
            return _poll_words(said[1:])
        name = Generic(said[0]).name if said[0] in {int(known) for known in Generic} else f"answer {said[0]:02x}"
        return f"{name} {said[1:].hex(' ')}".strip()

    def _answer(self, data: bytes, frame: bytes) -> bytes:
        command = _frame(frame)
        return encode_frame(data, command.sequence if command is not None else 0)


def _frame(raw: bytes) -> Frame | None:
    """The first whole frame in some bytes."""
    return next((one for one in FrameReceiver().feed(raw) if isinstance(one, Frame) and one.data), None)


def _data(raw: bytes) -> bytes:
    frame = _frame(raw)
    return b"" if frame is None else frame.data


def _code(raw: bytes) -> int:
    data = _data(raw)
    return data[0] if data else -1


def _steady(events: bytes) -> bytes | None:
    """What the device goes on saying after this answer; None while a note waits for a decision."""
    said = parse_poll(events).events
    if any(event.code is Happened.TICKET_ESCROW or (event.code is Happened.READ and event.channel) for event in said):
        return None
    return OK + encode_events([event for event in said if event.code in STEADY])


def _poll_words(events: bytes) -> str:
    reply = parse_poll(events)
    said = [_event_words(event) for event in reply.events]
    if reply.unparsed:
        said.append(f"unknown {reply.unparsed.hex(' ')}")
    return ", ".join(said) or "nothing new"


def _event_words(event: PollEvent) -> str:
    return f"{event.code.name} channel {event.channel}" if event.channel else event.code.name
