"""The real agent and the acceptor started on what a cut left, until every payment has its end; then the truth per note."""

from collections import Counter
from pathlib import Path

import msgspec

from kiosk import taps, views
from kiosk.hardware.bill_acceptor.notebox import Box
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import HEARD_WITHIN_S
from tests.end_to_end.parts import Events, Running, Simulator, free_port, program
from tests.end_to_end.robot import Robot
from tests.power_cut.recorded_lobby import SPEED, RecordedLobby

AT_REST_WITHIN_S = 60.0
LOOKS = 120


def box(folder: Path) -> Box:
    """Where the acceptor itself has every note; a new one has written nothing yet."""
    if not (folder / "acceptor.json").exists():
        return Box()
    return msgspec.json.decode((folder / "acceptor.json").read_bytes(), type=Box)


def notes_at_the_cut(records: truth.Records, there: Box) -> None:
    """What is in the box was decided to be kept, on disk; what is credited has been beyond the point of no return."""
    stacked = Counter({int(face): count for face, count in there.stacker.items()})
    kept = Counter(note.face_fen for note in records.notes if note.fate != truth.RETURNED)
    under_way = Counter([there.path.face_fen]) if there.path else Counter()
    credited = Counter(note.face_fen for note in records.of(truth.CREDITED))
    assert stacked <= kept, f"in the box are {stacked}, the journal knows of {kept}"
    assert credited <= stacked + under_way, f"credited are {credited}, in the box {stacked}, under way {under_way}"


def start_again(was: RecordedLobby, folder: Path) -> truth.Records:
    """The office stays away: it knows what came after the cut, which this kiosk has never done.

    Raises:
        AssertionError: the agent does not come to rest, or a note is lost, invented or undecided without a cause.
    """
    text = was.settings.read_text().replace(str(was.folder), str(folder))
    settings = folder / "kiosk.toml"
    settings.write_text(text.replace(f":{was.cable_port}", f":{free_port()}"))
    acceptor = Simulator("bill-acceptor", folder, Events(), [
        "--protocol", "ssp", "--link", str(folder / "acceptor"), "--state", str(folder / "acceptor.json"),
        "--speed", str(SPEED)])  # fmt: skip
    agent = Running("agent", program("kiosk", "agent", "--config", str(settings)), folder / "agent.log")
    robot = Robot(folder / "kiosk" / "screen.sock")
    try:
        robot.wait_for(views.AttractView, views.OutOfServiceView, views.TroubleView, timeout_s=AT_REST_WITHIN_S)
        _come_to_rest(robot, acceptor, folder / "kiosk" / "journal.db")
    finally:
        robot.stop()
        agent.stop()
        acceptor.stop()
    records = truth.read(folder / "kiosk" / "journal.db")
    truth.check_payments(records)
    _check_notes(records, box(folder))
    return records


def _come_to_rest(robot: Robot, acceptor: Simulator, journal: Path) -> None:
    for _ in range(LOOKS):
        records = truth.read(journal)
        unfinished = set(records.opened) - records.settled.keys() - records.cancelled
        view = robot.view
        assert view is not None
        if isinstance(view, views.TroubleView):
            robot.tap(taps.ChoiceTapped(choice=view.choices[-1]))
        elif not unfinished and acceptor.do("ledger")["path"] is None:
            return
        try:
            robot.wait(lambda now, before=view: now is not before, HEARD_WITHIN_S)  # type: ignore[misc]
        except AssertionError:
            continue  # nothing new on the screen: look at the journal again
    raise AssertionError(f"not at rest; on show: {robot.view}")


def _check_notes(records: truth.Records, there: Box) -> None:
    """Each note in the box has one record; a claim stands only for a note that the cut caught under way."""
    undecided = records.of(truth.OPEN)
    assert not undecided, f"notes without an outcome: {undecided}"
    stacked = Counter({int(face): count for face, count in there.stacker.items()})
    credited = Counter(note.face_fen or 0 for note in records.of(truth.CREDITED))
    claimed = Counter(note.face_fen or 0 for note in records.of(truth.UNKNOWN))
    assert credited <= stacked, f"invented: {credited - stacked}"
    assert stacked - credited <= claimed, f"lost: {stacked - credited - claimed}"
    assert claimed.total() <= 1, f"a single note was under way, but {claimed} are claimed"
