"""The network card of an idle kiosk loses its carrier long before the next heartbeat: the glass says so at once, and again when it is back."""

import threading
import time
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot import Robot
from tests.own_network import carrier, own_network

NEXT_HEARTBEAT_S = 600
SEEN_WITHIN_S = 30.0


def test_a_pulled_cable_shows_between_two_heartbeats_and_so_does_one_that_is_back(tmp_path: Path) -> None:
    with own_network(), lobby(tmp_path, heartbeat_s=NEXT_HEARTBEAT_S) as running:
        running.start_agent()
        robot = Robot(running.socket)
        robot.wait(lambda view: not view.frame.offline)
        wait_until_it_is_idle(running)
        carrier(False)
        robot.wait(lambda view: view.frame.offline, SEEN_WITHIN_S)
        carrier(True)
        robot.wait(lambda view: not view.frame.offline, SEEN_WITHIN_S)
        robot.stop()


def wait_until_it_is_idle(running: Lobby) -> None:
    """A kiosk that has just found its office asks for everything and uploads; a call under way would notice the cut by itself."""
    ends_at, pause = time.monotonic() + 20, threading.Event()
    while not has_heard_everything(running):
        assert time.monotonic() < ends_at, "the kiosk never came to rest"
        pause.wait(0.05)


def has_heard_everything(running: Lobby) -> bool:
    cache = Cache(running.state / "cache.db", SystemClock())
    complete = cache.refreshed() is not None
    cache.close()
    with JournalReader(running.journal) as reader:
        return complete and reader.cursor().posted_seq == reader.head()[0]
