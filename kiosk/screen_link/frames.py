"""Frames of the link: four length bytes, high first, then one JSON value."""

from typing import Generic, TypeVar

import msgspec

from kiosk.taps import AnyTap
from kiosk.views import AnyView

LENGTH_BYTES = 4
LONGEST = 1 << 20  # a view is a few kB; anything longer is not ours

Message = TypeVar("Message")


class FrameError(Exception):
    """The other end does not speak this link; the connection must be dropped."""


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Agent to screen: draw this now."""

    view: AnyView


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Agent to screen: answered by Kivy's own thread, so that a frozen screen can't answer."""

    number: int


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Screen to agent, first: who to kill when it hangs."""

    pid: int


class Tapped(msgspec.Struct, frozen=True, tag="tapped"):
    """Screen to agent: a finger meant this."""

    tap: AnyTap


class Painted(msgspec.Struct, frozen=True, tag="painted"):
    """Screen to agent: this view has been on the glass since ``at`` (monotonic seconds)."""

    view_no: int
    at: float


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Screen to agent: Kivy's thread is alive."""

    number: int


ToScreen = Show | Ping
ToAgent = Hello | Tapped | Painted | Pong


def encode_frame(message: ToScreen | ToAgent) -> bytes:
    body = msgspec.json.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class FrameReader(Generic[Message]):
    """Collects bytes and hands out whole messages of one direction."""

    def __init__(self, decoder: "msgspec.json.Decoder[Message]") -> None:
        self._decoder = decoder
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Add received bytes; return the messages that are now complete.

        Raises:
            FrameError: too long or not a message of this link.
        """
        self._bytes += data
        messages = []
        while len(self._bytes) >= LENGTH_BYTES:
            length = int.from_bytes(self._bytes[:LENGTH_BYTES], "big")
            if length > LONGEST:
                raise FrameError(f"a frame of {length} bytes")
            end = LENGTH_BYTES + length
            if len(self._bytes) < end:
                break
            body = bytes(self._bytes[LENGTH_BYTES:end])
            del self._bytes[:end]
            try:
                messages.append(self._decoder.decode(body))
            except msgspec.MsgspecError as error:
                raise FrameError(str(error)) from error
        return messages
