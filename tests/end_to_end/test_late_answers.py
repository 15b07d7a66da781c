"""An acceptor that answers only after its note has become a claim: the proof is on disk first, and the office ends the claim by it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from kiosk import views
from kiosk.domain import events
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.halts import Halts
from tests.end_to_end.lobby_runs import (
    households,
    insert,
    offer,
    slot_open,
    to_cash_of_a_debtor,
    wait_until_all_is_uploaded,
)
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.recovery import recover
from tests.end_to_end.robot import Robot

SPEED, PACE = 20, 8  # a note's fate may stay open for 120 s / PACE, the shortest time there is
ON_ITS_WAY_WITHIN_S = 15.0
CLAIMED_WITHIN_S = 60.0
REACHED_WITHIN_S = 60.0
MOST_TRIES = 5
TEN, TWENTY = 1000, 2000


def falls_silent_with_a_note(running: Lobby, robot: Robot, halts: Halts) -> None:
    """Ten yuan are in; twenty more go in, and the line breaks just after the order to keep them, until they are a claim."""
    assert any(to_cash_of_a_debtor(robot, home, more_than=TEN + TWENTY) for home in households(running))
    insert(running, robot, TEN)
    for _ in range(MOST_TRIES):
        slot_open(robot)
        mark = running.events.mark()
        halts.arm("accept sent")
        offer(running, TWENTY)
        if (
            halts.wait(ON_ITS_WAY_WITHIN_S)
            and running.events.wait("stacking", "returned", since=mark)["event"] == "stacking"
        ):
            break
        halts.release()  # the machine was too busy to decide in time: the note went back
    running.acceptor.do("line", drop=1)
    halts.release()
    robot.wait(
        lambda view: isinstance(view, views.InsertCashView) and view.can_finish and view.frame.code == "E32",
        CLAIMED_WITHIN_S,
    )


def of(running: Lobby, *kinds: type[events.Event]) -> list[events.Event]:
    with JournalReader(running.journal) as reader:
        return [entry.event for entry in truth.all_entries(reader) if isinstance(entry.event, kinds)]


def killed_between_record_and_acknowledgement(running: Lobby, robot: Robot, halts: Halts) -> None:
    recover(running, robot)
    _answered_and_killed_at("credit durable", running, halts)


def killed_with_the_claim_open_and_again_before_its_answer_is_on_disk(
    running: Lobby, robot: Robot, halts: Halts
) -> None:
    running.kill_agent()
    running.start_agent()
    assert recover(running, robot), "the payment is told by E60"
    _answered_and_killed_at("credit seen", running, halts)


def _answered_and_killed_at(step: str, running: Lobby, halts: Halts) -> None:
    halts.arm(step)
    running.acceptor.do("line", drop=0)
    assert halts.wait(REACHED_WITHIN_S)
    running.kill_agent()
    halts.release()
    running.start_agent()


def walk(folder: Path, dies: Callable[[Lobby, Robot, Halts], None]) -> None:
    with (
        closing(Halts(folder / "halts")) as halts,
        lobby(folder, speed=SPEED, pace=PACE, launch=halts.launch) as running,
    ):
        running.start_agent()
        robot = Robot(running.socket)
        try:
            falls_silent_with_a_note(running, robot, halts)
            dies(running, robot, halts)
            recover(running, robot)
            robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods))
        finally:
            robot.stop()
        wait_until_all_is_uploaded(running)
        check(running)


def check(running: Lobby) -> None:
    """One claim, one late credit of the same note, the settlement as it was; the office has both in the books and no open claim."""
    (claim,) = of(running, events.NoteUnknown)
    late = [one for one in of(running, events.NoteCredited) if one.note_no == claim.note_no]
    assert [(one.recovered, one.face_fen) for one in late] == [("late_answer", TWENTY)]
    (settled,) = of(running, events.Settlement)
    assert (settled.received_fen, settled.claims) == (TEN, (claim.claim_no,))
    truth.check_all(running)
    items = running.office.rows(
        "SELECT state, outcome, claim_no FROM payments_suspenseitem WHERE claim_no = ?", claim.claim_no
    )
    assert items == [("resolved", "found", claim.claim_no)]
    paid = running.office.rows(
        "SELECT amount_fen, state FROM payments_payment WHERE receipt_no = ?", settled.receipt_no
    )
    assert paid == [(TEN + TWENTY, "booked")]
    with JournalReader(running.journal) as reader:
        settling = next(entry for entry in truth.all_entries(reader) if isinstance(entry.event, events.Settlement))
    page = requests.get(f"{running.office.url}/m/{claim.claim_no}/{settling.seq}-{settling.hash.hex()[:8]}", timeout=10)
    assert "¥30.00 已经入账" in page.text
    assert "已查明：在钞箱内，已记入您的缴费" in page.text


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_late_credit_ends_its_claim_once_whatever_dies_around_it(tmp_path: Path) -> None:
    ways = (
        killed_between_record_and_acknowledgement,
        killed_with_the_claim_open_and_again_before_its_answer_is_on_disk,
    )
    folders = [tmp_path / str(number) for number in range(len(ways))]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(len(ways)) as both:  # each waits most of its time
        list(both.map(walk, folders, ways))
