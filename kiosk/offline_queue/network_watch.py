"""Says that the network under the kiosk changed, so that nobody waits out a heartbeat or a backoff: a cable in or out, an address
come or gone.

The kernel tells it by itself (rtnetlink), so nothing is polled. It is a reason to ask the office now and no proof that it is
there or away. Source: rtnetlink(7), netlink(7); decisions 15.
"""

import errno
import logging
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

# linux/rtnetlink.h and if.h; the socket module has no names for them
GROUPS = 0x1 | 0x10 | 0x100  # links, IPv4 addresses, IPv6 addresses
NEW_LINK, DELETED_LINK, NEW_ADDRESS, DELETED_ADDRESS = 16, 17, 20, 21
HAS_CARRIER = 0x10000  # IFF_LOWER_UP
ADDRESS = 1  # IFA_ADDRESS
MESSAGE = struct.Struct("=IHHII")  # length, type, flags, number, sender
LINK = struct.Struct("=BxHiII")  # family, type, index, flags, changed flags
INTERFACE = struct.Struct("=BBBBI")  # family, prefix, flags, scope, index
ATTRIBUTE = struct.Struct("=HH")  # length, type
BUFFER = 65_536


class NetworkWatch:
    """Calls ``changed`` on a thread of its own; where the system has no such messages, never."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._state = NetworkState()
        self._leave, self._left = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="network-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._leave.close()
        self._thread.join()
        self._left.close()

    def _run(self) -> None:
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as messages:
                messages.bind((0, GROUPS))
                self._listen(messages)
        except (AttributeError, OSError) as error:  # not Linux, or not allowed: the heartbeats notice it, later
            log.warning("network.not_watched reason=%s", error)

    def _listen(self, messages: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(messages, selectors.EVENT_READ)
            selector.register(self._left, selectors.EVENT_READ)
            while self._left not in [key.fileobj for key, _ in selector.select()]:
                if self._heard_a_change(messages):
                    log.info("network.changed")
                    self._changed()

    def _heard_a_change(self, messages: socket.socket) -> bool:
        try:
            return self._state.changed_by(messages.recv(BUFFER))
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            return True  # more came at once than the kernel keeps for us


class NetworkState:
    """What the messages said last. The kernel repeats itself: Wi-Fi with each scan, IPv6 with each advertisement of a router."""

    def __init__(self) -> None:
        self._carriers: dict[int, bool] = {}
        self._addresses: set[bytes] = set()

    def changed_by(self, datagram: bytes) -> bool:
        """Whether these messages told anything new; each is remembered."""
        news = [self._changed_by(kind, body) for kind, body in _messages(datagram)]
        return True in news

    def _changed_by(self, kind: int, body: bytes) -> bool:
        if kind in (NEW_LINK, DELETED_LINK):
            _, _, index, flags, _ = LINK.unpack_from(body)
            had, has = self._carriers.get(index), kind == NEW_LINK and bool(flags & HAS_CARRIER)
            self._carriers[index] = has
            return has is not had
        if kind == NEW_ADDRESS:
            known, address = len(self._addresses), _address(body)
            self._addresses.add(address)
            return len(self._addresses) > known
        if kind == DELETED_ADDRESS:
            self._addresses.discard(_address(body))
            return True
        return False


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + MESSAGE.size <= len(datagram):
        length, kind, *_ = MESSAGE.unpack_from(datagram, at)
        if not MESSAGE.size <= length <= len(datagram) - at:
            return
        yield kind, datagram[at + MESSAGE.size : at + length]
        at += _aligned(length)


def _address(body: bytes) -> bytes:
    """Interface, prefix and address; its lifetimes, which change with each renewal, left out."""
    at = INTERFACE.size
    while at + ATTRIBUTE.size <= len(body):
        length, kind = ATTRIBUTE.unpack_from(body, at)
        if kind == ADDRESS:
            return body[: INTERFACE.size] + body[at : at + length]
        at += max(ATTRIBUTE.size, _aligned(length))
    return body


def _aligned(length: int) -> int:
    return (length + 3) & ~3
