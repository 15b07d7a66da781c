"""A network of the test's own, with a loopback interface that can lose its carrier without anybody else noticing."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

import pytest

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR = 0x8913, 0x8914, 0x8916
IFF_UP = 0x1
LOOPBACK = b"lo"


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """This thread, and the threads and programs that it starts meanwhile, see a new network with nothing but ``lo``, up."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"a network of its own can't be made here: {os.strerror(ctypes.get_errno())}")
        try:
            carrier(True)
            yield
        finally:
            assert libc.setns(home, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(home)


def carrier(there: bool) -> None:
    """``ip link set lo up`` or ``down``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh14x", LOOPBACK, 0))
        _, flags = struct.unpack("16sh14x", answer)
        flags = flags | IFF_UP if there else flags & ~IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", LOOPBACK, flags))


def address(one: str) -> None:
    """A second address on ``lo``."""
    request = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(one))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFADDR, request)
