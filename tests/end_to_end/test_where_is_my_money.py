"""From paper to page: the QR code of a slip that a whole lobby printed, opened at the office that has the payment."""

from pathlib import Path

import pytest
import requests

from kiosk import taps, views
from tests.end_to_end.lobby_runs import (
    finish,
    households,
    insert,
    to_cash_of_a_debtor,
    touch,
    wait_until_all_is_uploaded,
)
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot import Robot

PUBLIC = "https://pay.example.cn"


def pay_and_take_the_slip(running: Lobby, face_fen: int) -> str:
    """What stands in the slip's QR code, as the simulated printer reads it from the paper."""
    robot, before = Robot(running.socket), running.events.mark()
    try:
        robot.wait(lambda view: bool(view.frame.estate))  # just paired: the address comes with the estate's name
        assert any(to_cash_of_a_debtor(robot, home, more_than=face_fen) for home in households(running))
        insert(running, robot, face_fen)
        finish(robot)
        touch(robot, taps.ContinueTapped(), lambda view: isinstance(view, views.ReceiptView))
        robot.tap(taps.PrintAnswered(wanted=True))
        return str(running.events.wait("printed", since=before)["qr"])
    finally:
        robot.stop()


def test_a_scanned_slip_says_that_the_money_is_booked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFICE_PUBLIC_URL", PUBLIC)
    with lobby(tmp_path, pace=1) as running:
        running.start_agent()
        link = pay_and_take_the_slip(running, 1000)
        wait_until_all_is_uploaded(running)
        assert link.startswith(f"{PUBLIC}/m/YG")
        page = requests.get(link.replace(PUBLIC, running.office.url), timeout=10)
        assert page.status_code == 200
        assert "¥10.00 已经入账" in page.text
        assert "完整" in page.text
        other = "1" if link.endswith("0") else "0"
        assert requests.get(page.url[:-1] + other, timeout=10).status_code == 404
