"""The kernel's own messages of a real interface: carrier lost and found, an address given."""

import queue
import socket

import pytest

from kiosk.offline_queue.network_watch import BUFFER, GROUPS, NetworkState, NetworkWatch
from tests.own_network import address, carrier, own_network

TOLD_WITHIN_S = 10.0


@pytest.fixture(autouse=True)
def network():
    with own_network():
        yield


@pytest.fixture
def told():
    """One item for each change that the watch told of."""
    changes = queue.SimpleQueue()
    watch = NetworkWatch(lambda: changes.put("changed"))
    watch.start()
    until_it_listens(changes)
    yield changes
    watch.stop()


def until_it_listens(changes):
    for last in range(2, 250):
        address(f"127.77.0.{last}")
        try:
            changes.get(timeout=0.1)
        except queue.Empty:
            continue
        while not changes.empty():
            changes.get()
        return
    raise AssertionError("the watch heard none of 250 addresses")


def test_a_carrier_lost_and_found_and_a_new_address_are_told(told):
    carrier(False)
    assert told.get(timeout=TOLD_WITHIN_S) == "changed"
    while not told.empty():
        told.get()
    carrier(True)
    assert told.get(timeout=TOLD_WITHIN_S) == "changed"


def test_what_the_kernel_repeats_is_no_change():
    with heard() as messages:
        carrier(False)
        gone = messages.recv(BUFFER)
    with heard() as messages:
        address("127.77.0.1")
        given = messages.recv(BUFFER)
    state = NetworkState()
    assert [state.changed_by(gone), state.changed_by(given)] == [True, True]
    assert [state.changed_by(gone), state.changed_by(given)] == [False, False]


def test_half_a_message_ends_nothing():
    with heard() as messages:
        address("127.77.0.1")
        whole = messages.recv(BUFFER)
    for length in range(len(whole)):
        assert not NetworkState().changed_by(whole[:length])
    assert NetworkState().changed_by(whole)


def heard():
    """The kernel's messages from now on."""
    messages = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    messages.settimeout(TOLD_WITHIN_S)
    messages.bind((0, GROUPS))
    return messages
