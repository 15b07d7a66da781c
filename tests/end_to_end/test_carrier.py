"""The network card of an idle kiosk loses its carrier long before the next heartbeat: the glass says so at once, and again when it is back."""

from pathlib import Path

from tests.end_to_end.lobby_runs import wait_until_all_is_uploaded
from tests.end_to_end.parts import lobby
from tests.end_to_end.robot import Robot
from tests.own_network import carrier, own_network

NEXT_HEARTBEAT_S = 600
SEEN_WITHIN_S = 30.0


def test_a_pulled_cable_shows_between_two_heartbeats_and_so_does_one_that_is_back(tmp_path: Path) -> None:
    with own_network(), lobby(tmp_path, heartbeat_s=NEXT_HEARTBEAT_S) as running:
        running.start_agent()
        robot = Robot(running.socket)
        robot.wait(lambda view: not view.frame.offline)
        wait_until_all_is_uploaded(running)
        carrier(False)
        robot.wait(lambda view: view.frame.offline, SEEN_WITHIN_S)
        carrier(True)
        robot.wait(lambda view: not view.frame.offline, SEEN_WITHIN_S)
        robot.stop()
