"""How the agent ends: in time after SIGTERM, whatever it waits for; and after one of its threads died."""

import socket
import time
from contextlib import closing
from datetime import date
from pathlib import Path

from kiosk import views
from kiosk.domain import events as journal
from tests.payment.kiosk_at_work import KioskAtWork, bill

STOPPED_WITHIN_S = 4.2  # the supervisor kills after 4.5


def test_sigterm_ends_the_agent_in_time_with_a_note_at_the_mouth_a_dumb_office_and_a_dumb_printer(
    tmp_path: Path,
) -> None:
    with closing(socket.socket()) as office:
        office.bind(("127.0.0.1", 0))  # refuses calls until it listens, and answers none after that
        url = f"http://127.0.0.1:{office.getsockname()[1]}"
        kiosk = KioskAtWork(tmp_path, bills=(bill("b-12", 1_200, date(2099, 11, 30)),), speed=1, office=url)
        try:
            kiosk.to_cash()
            kiosk.acceptor.insert(5_000)
            kiosk.sees(views.HeldNoteView)
            kiosk.acceptor.do("hold_at_mouth")
            office.listen()
            call, _ = office.accept()
            kiosk.printer.do(do="power", **{"is": "off"})
            began = time.monotonic()
            assert kiosk.stop() == 0
            took = time.monotonic() - began
            assert took < STOPPED_WITHIN_S, kiosk.log
            assert not kiosk.recorded(journal.NoteAcceptIntent)
            call.close()
        finally:
            kiosk.close()


WEAK = """
import sys
from kiosk.__main__ import main
from kiosk.screen_link.agent_end import AgentEnd
accept = AgentEnd._accept
def accept_one(end):
    AgentEnd._accept = None
    accept(end)
AgentEnd._accept = accept_one
sys.exit(main())
"""


class WithAnError(KioskAtWork):
    """The second screen that connects meets an error that nobody thought of."""

    program = ("-c", WEAK)


def test_a_thread_that_dies_is_noticed(tmp_path: Path) -> None:
    kiosk = WithAnError(tmp_path, bills=())
    try:
        kiosk.sees(views.AttractView)
        kiosk.look_away()
        assert kiosk.agent is not None
        with closing(socket.socket(socket.AF_UNIX)) as screen:
            screen.connect(str(kiosk.state / "screen.sock"))
            until = time.monotonic() + 10
            while "agent.part_died thread=screen-link" not in kiosk.log:
                assert time.monotonic() < until, kiosk.log
                time.sleep(0.02)
        assert kiosk.stop() == 0
    finally:
        kiosk.close()
