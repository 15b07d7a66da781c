"""The device's side of SSP: answers a host byte for byte as a note validator does, on top of the mechanism.

Source: bill-acceptors section 1. Where sources differ the harder figure is taken (escrow 5 s).
"""

from collections.abc import Callable

from kiosk.domain.money import FEN_PER_YUAN
from kiosk.hardware.bill_acceptor.mechanism import Happening, Mechanism, RejectCode
from kiosk.hardware.bill_acceptor.notebox import Notebox, Stage
from kiosk.hardware.bill_acceptor.ssp.frames import (
    NOTE_VALIDATOR,
    Command,
    Frame,
    FrameReceiver,
    Generic,
    Happened,
    PollEvent,
    encode_events,
    encode_frame,
)

FIRMWARE = "0333"
FIRMWARE_VERSION = "MENTING-SIM-0333"
DATASET_VERSION = "CNY01S01"
COUNTRY = "CNY"
PROTOCOLS = range(4, 9)
HOST_SILENT_S = 10.0

# Events that come once; what a state repeats at every poll is in _steady().
_ONE_SHOT = {
    Happening.CREDITED: Happened.CREDIT,
    Happening.STACKED: Happened.STACKED,
    Happening.RETURNED: Happened.REJECTED,
    Happening.REJECTED: Happened.REJECTED,
    Happening.FRAUD: Happened.FRAUD,
    Happening.FULL: Happened.STACKER_FULL,
    Happening.CASHBOX_REPLACED: Happened.CASHBOX_REPLACED,
    Happening.DISABLED: Happened.DISABLED,
    Happening.CLEARED_TO_BOX: Happened.CLEARED_TO_BOX,
    Happening.CLEARED_TO_PERSON: Happened.CLEARED_TO_PERSON,
}


class SspDevice:
    """A note validator at slave address 0. Bytes in, bytes out; time is told to it; nothing here knows a terminal."""

    def __init__(self, notebox: Notebox, faces: tuple[int, ...], tell: Callable[[Happening, int, str], None]) -> None:
        self._tell = tell
        self._notebox = notebox
        self.mechanism = Mechanism(notebox, faces, self._happened)
        self._forget()

    def _forget(self) -> None:
        """What a device without power no longer knows."""
        self._receiver = FrameReceiver()
        self._last_sequence: int | None = None
        self._last_reply = b""
        self._protocol = 7
        self._pending: list[PollEvent] = []
        self._escrow_told = False
        self._heard_at = self.mechanism.now

    def power_on(self) -> None:
        self.mechanism.power_on()

    def power_off(self) -> None:
        self.mechanism.power_off()
        self._forget()

    def advance(self, now: float) -> float | None:
        """Let time pass; when the next thing is due."""
        due = self.mechanism.advance(now)
        silent_at = self._heard_at + HOST_SILENT_S
        if self.mechanism.enabled and now >= silent_at:
            # Nobody polls any more: what is in escrow goes back, and no further note is taken.
            if self.mechanism.stage is Stage.ESCROW:
                self.mechanism.return_note(RejectCode.TIMEOUT)
            self.mechanism.set_enabled(False)
            due = self.mechanism.advance(now)
        if not self.mechanism.enabled:
            return due
        return silent_at if due is None else min(due, silent_at)

    def receive(self, data: bytes) -> list[bytes]:
        """The answers to whatever these bytes complete; damaged frames get none."""
        if not self.mechanism.powered or self.mechanism.booting:
            return []
        frames = [frame for frame in self._receiver.feed(data) if isinstance(frame, Frame)]
        return [self._answer(frame) for frame in frames if frame.address == NOTE_VALIDATOR and frame.data]

    def _answer(self, frame: Frame) -> bytes:
        self._heard_at = self.mechanism.now
        if frame.data[0] == Command.SYNC:
            self._last_sequence, self._last_reply = 1, encode_frame(bytes((Generic.OK,)), frame.sequence)
            return self._last_reply
        if frame.sequence == self._last_sequence:
            return self._last_reply  # not executed again: the host has not had our answer
        reply = encode_frame(self._execute(frame.data[0], frame.data[1:]), frame.sequence)
        self._last_sequence, self._last_reply = frame.sequence, reply
        return reply

    def _execute(self, code: int, parameters: bytes) -> bytes:
        if code not in _HANDLERS:
            return bytes((Generic.UNKNOWN_COMMAND,))
        handler, sizes = _HANDLERS[Command(code)]
        if len(parameters) not in sizes:
            return bytes((Generic.WRONG_PARAMETER_COUNT,))
        return handler(self, parameters)

    # --- commands

    def _poll(self, _: bytes) -> bytes:
        if self.mechanism.stage is Stage.ESCROW and self._escrow_told:
            self.mechanism.accept()
        events, self._pending = self._pending + self._steady(), []
        return OK + encode_events(events)

    def _steady(self) -> list[PollEvent]:
        """What the present state repeats at every poll."""
        events = []
        if self.mechanism.jam_place is not None:
            safe = self.mechanism.jam_place == "stacker"
            events.append(PollEvent(Happened.SAFE_JAM if safe else Happened.UNSAFE_JAM))
        stage = self.mechanism.stage
        if stage is Stage.MOUTH:
            events.append(PollEvent(Happened.READ))
        elif stage is Stage.ESCROW:
            self._escrow_told = True
            events.append(PollEvent(Happened.READ, self._channel(self._face)))
        elif stage in (Stage.BEFORE, Stage.AFTER):
            events.append(PollEvent(Happened.STACKING))
        elif stage is Stage.RETURNING:
            events.append(PollEvent(Happened.REJECTING))
        if not self._notebox.box.cashbox_in:
            events.append(PollEvent(Happened.CASHBOX_REMOVED))
        return events

    def _setup(self, _: bytes) -> bytes:
        faces = self.mechanism.faces
        yuan = [face // FEN_PER_YUAN for face in faces]
        multiplier = (1).to_bytes(3, "big")
        reply = bytes((NOTE_VALIDATOR,)) + FIRMWARE.encode() + COUNTRY.encode() + multiplier
        reply += bytes((len(faces), *yuan)) + bytes((2,) * len(faces))
        reply += FEN_PER_YUAN.to_bytes(3, "big") + bytes((self._protocol,))
        if self._protocol >= 6:
            reply += COUNTRY.encode() * len(faces) + b"".join(value.to_bytes(4, "little") for value in yuan)
        return OK + reply

    def _set_protocol(self, parameters: bytes) -> bytes:
        if parameters[0] not in PROTOCOLS:
            return bytes((Generic.FAIL,))
        self._protocol = parameters[0]
        return OK

    def _set_inhibits(self, parameters: bytes) -> bytes:
        mask = int.from_bytes(parameters, "little")
        faces = self.mechanism.faces
        self.mechanism.allowed = frozenset(face for index, face in enumerate(faces) if mask >> index & 1)
        return OK

    def _reject(self, _: bytes) -> bytes:
        if self.mechanism.stage is not Stage.ESCROW:
            return bytes((Generic.CANNOT_PROCESS,))
        self.mechanism.return_note(RejectCode.HOST)
        return OK

    def _hold(self, _: bytes) -> bytes:
        if self.mechanism.stage is not Stage.ESCROW:
            return bytes((Generic.CANNOT_PROCESS,))
        self.mechanism.hold()
        return OK

    def _enable(self, _: bytes) -> bytes:
        if self.mechanism.jam_place is not None:
            return bytes((Generic.CANNOT_PROCESS,))
        self.mechanism.set_enabled(True)
        return OK

    def _disable(self, _: bytes) -> bytes:
        self.mechanism.set_enabled(False)
        return OK

    def _reset(self, _: bytes) -> bytes:
        self.mechanism.power_off()
        self._forget()
        self.mechanism.power_on()
        return OK

    def _serial_number(self, _: bytes) -> bytes:
        return OK + self._notebox.box.serial.to_bytes(4, "big")

    def _last_reject(self, _: bytes) -> bytes:
        return OK + bytes((self._notebox.box.last_reject,))

    def _counters(self, _: bytes) -> bytes:
        box = self._notebox.box
        counts = (box.stacked_count, 0, 0, 0, box.rejected_count)
        return OK + bytes((len(counts),)) + b"".join((count % 2**32).to_bytes(4, "little") for count in counts)

    # --- what the mechanism says

    def _happened(self, what: Happening, face: int, detail: str) -> None:
        if what is Happening.BOOTED:
            self._booted()
        elif what is Happening.ESCROWED:
            self._escrow_told = False
        elif what in _ONE_SHOT:
            if what is Happening.STACKED and PollEvent(Happened.CREDIT, self._channel(face)) in self._pending:
                self._pending.append(PollEvent(Happened.STACKING))
            self._pending.append(PollEvent(_ONE_SHOT[what], self._channel(face)))
        if what in (Happening.CLEARED_TO_BOX, Happening.CLEARED_TO_PERSON) and detail == "power_up":
            # Told between the reset and the disabled that ends every start: F1 E2 02 E8.
            self._pending.remove(PollEvent(Happened.DISABLED))
            self._pending.append(PollEvent(Happened.DISABLED))
        self._tell(what, face, detail)

    def _booted(self) -> None:
        self._forget()  # whoever cut the power: the host, a hand, or somebody who cleared a jam
        self._pending = [PollEvent(Happened.RESET), PollEvent(Happened.DISABLED)]
        if self._notebox.box.full:
            self._pending.append(PollEvent(Happened.STACKER_FULL))

    @property
    def _face(self) -> int:
        note = self._notebox.note
        return 0 if note is None else note.face_fen

    def _channel(self, face: int) -> int:
        return self.mechanism.faces.index(face) + 1 if face in self.mechanism.faces else 0


OK = bytes((Generic.OK,))

# Command: handler, and how many parameter bytes it may have.
_HANDLERS: dict[Command, tuple[Callable[[SspDevice, bytes], bytes], range]] = {
    Command.RESET: (SspDevice._reset, range(1)),
    Command.SET_INHIBITS: (SspDevice._set_inhibits, range(1, 4)),
    Command.SETUP_REQUEST: (SspDevice._setup, range(1)),
    Command.PROTOCOL_VERSION: (SspDevice._set_protocol, range(1, 2)),
    Command.POLL: (SspDevice._poll, range(1)),
    Command.REJECT: (SspDevice._reject, range(1)),
    Command.DISABLE: (SspDevice._disable, range(1)),
    Command.ENABLE: (SspDevice._enable, range(1)),
    Command.SERIAL_NUMBER: (SspDevice._serial_number, range(2)),
    Command.LAST_REJECT: (SspDevice._last_reject, range(1)),
    Command.HOLD: (SspDevice._hold, range(1)),
    Command.FIRMWARE_VERSION: (lambda _device, _: OK + FIRMWARE_VERSION.encode(), range(1)),
    Command.DATASET_VERSION: (lambda _device, _: OK + DATASET_VERSION.encode(), range(1)),
    Command.GET_COUNTERS: (SspDevice._counters, range(1)),
}
