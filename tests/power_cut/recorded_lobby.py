"""A lobby whose kiosk and acceptor are recorded from pairing on: visits, a clean stop, a kill, starts; and what all that promised.

A promise is something another person or device can see: an accept order on the acceptor's line, a counted amount or a receipt number on
the screen's socket, a slip on the printer's line, entries sent to the office. Each demands one entry of the journal to be durable
when its bytes leave the agent.
"""

import gzip
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from kiosk import taps, views
from kiosk.domain import events
from kiosk.hardware.simulators.device_link import DeviceLink
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from kiosk.screen_link.frames import FrameReader, Show, ToScreen
from tests.end_to_end.lobby_runs import finish, households, insert, leave, offer_until, to_cash_of_a_debtor, touch
from tests.end_to_end.parts import Lobby, Running
from tests.end_to_end.robot import Robot
from tests.power_cut.operations import Kind, Operation, Recording

SPEED = 20
MARGIN_MB = 8
PAIRED = "paired"
RASTER = b"\x1dv0"  # GS v 0: a strip of a slip's picture
GZIP = b"\x1f\x8b"


class Promise(msgspec.Struct, frozen=True, order=True):
    """Visible after so many operations; ``seq`` must have been durable before."""

    after: int
    seq: int
    why: str


class Recorded(Protocol):
    """What must be known of a lobby to read its record."""

    agents: list[int]
    lines: dict[str, str]


class RecordedLobby(Lobby):
    """Everything but the glass, with the kiosk's state and the acceptor's own memory recorded."""

    def __init__(self, recorder: Path, folder: Path, seed: int) -> None:
        self.recording = Recording(
            recorder, folder / "record", folder / "kiosk", folder / "acceptor.json", folder / ".acceptor.json"
        )
        with self.recording.preloaded():
            super().__init__(folder, speed=SPEED, pace=1, seed=seed, margin_mb=MARGIN_MB)
        host, _, port = str(self.acceptor.running.ready["listen"]).rpartition(":")
        self._beside = DeviceLink("bill-acceptor", host, int(port), self._mark)
        self.agents: list[int] = []
        self.lines = {name: str((folder / name).resolve()) for name in ("acceptor", "printer")}  # the terminals

    def start_agent(self) -> Running:
        with self.recording.preloaded(hears=True):
            running = super().start_agent()
        self.agents.append(running.process.pid)
        return running

    def kill_agent(self) -> None:
        """SIGKILL by the recorder's own hand, so that nothing was done that is not written down."""
        assert self.agent is not None
        os.kill(self.agent.process.pid, signal.SIGUSR2)
        os.waitid(os.P_PID, self.agent.process.pid, os.WEXITED | os.WNOWAIT)
        super().kill_agent()

    def stop(self) -> None:
        super().stop()
        self._beside.close()
        self.recording.close()

    def _pair(self) -> None:
        super()._pair()
        self.recording.mark(PAIRED)

    def _mark(self, device: str, event: dict[str, Any]) -> None:
        self.recording.mark(f"{device} {event['event']}")


# --- what happens in front of it ---------------------------------------------------------------------------------


def pay(running: Lobby, faces: tuple[int, ...], *, slip: bool) -> None:
    """One whole visit with these notes."""
    robot = Robot(running.socket)
    try:
        to_the_slot(running, robot, more_than=sum(faces))
        for face in faces:
            insert(running, robot, face)
        finish(robot)
        if slip:
            print_and_leave(robot)
        else:
            leave(robot)
    finally:
        robot.stop()


def print_and_leave(robot: Robot) -> None:
    touch(robot, taps.ContinueTapped(), lambda view: isinstance(view, views.ReceiptView))
    touch(robot, taps.PrintAnswered(wanted=True), _printed)
    robot.wait(_printed)
    while not isinstance(robot.view, views.AttractView):
        touch(robot, taps.ContinueTapped(), lambda view: isinstance(view, views.AttractView))


def _printed(view: views.AnyView) -> bool:
    return not isinstance(view, views.ReceiptView) or view.state is views.ReceiptState.PRINTED


def die_in_a_payment(running: Lobby, faces: tuple[int, ...], at: str) -> None:
    """A visit in which the agent is killed while the last note is under way; the next start brings it to its end."""
    robot = Robot(running.socket)
    try:
        to_the_slot(running, robot, more_than=sum(faces))
        for face in faces[:-1]:
            insert(running, robot, face)
        offer_until(running, faces[-1], at)
        running.kill_agent()
        running.start_agent()
        trouble = robot.wait_for(views.TroubleView, timeout_s=60)
        touch(robot, taps.ChoiceTapped(choice=trouble.choices[-1]), lambda view: isinstance(view, views.AttractView))
    finally:
        robot.stop()


def to_the_slot(running: Lobby, robot: Robot, more_than: int) -> None:
    """At the open slot, for the first household that owes more than this. A recorded agent takes its time to start."""
    robot.wait_for(views.AttractView, timeout_s=60)
    assert any(to_cash_of_a_debtor(robot, home, more_than) for home in households(running))


# --- what it promised --------------------------------------------------------------------------------------------


def promises(lobby: RecordedLobby, operations: list[Operation]) -> list[Promise]:
    """All of them, in order, each as the entry that it needs."""
    with JournalReader(lobby.journal) as reader:
        found = Promises(lobby, reader.entries(0, 10**6))
    return sorted(found.of(operations))


class Promises:
    """Reads what agents sent, and knows which entry each message relies on."""

    def __init__(self, lobby: Recorded, journal: tuple[Entry, ...], ended: int = 0) -> None:
        """``ended``: up to which entry everything was over before the record began."""
        self._agents, self._lines = lobby.agents, lobby.lines
        self._journal = [entry.event for entry in journal]
        self._intents = {entry.hash: entry.seq for entry in journal if isinstance(entry.event, events.NoteAcceptIntent)}
        self._decoder = msgspec.json.Decoder(ToScreen)
        self._screens: dict[tuple[int, str], FrameReader[ToScreen]] = {}
        self._ended = ended  # the newest end of a payment that was shown

    def of(self, operations: list[Operation]) -> Iterator[Promise]:
        """A note that stacks was ordered to by the last frame before, and needs the intent that was written last: one note is
        under way at a time, and an intent written after the order but before the note moved is the fault to be found."""
        ordered = intent = 0
        for after, one in enumerate(operations, start=1):
            if one.kind is Kind.MARK and one.data == b"bill-acceptor stacking":
                yield Promise(ordered, intent, "a note was ordered to be kept")
            elif one.kind is Kind.WRITE:
                intent = max([intent, *(seq for digest, seq in self._intents.items() if digest in one.data)])
            if one.kind is not Kind.SAID or one.pid not in self._agents:
                continue
            if one.name == self._lines["acceptor"]:
                ordered = after
            elif one.name == self._lines["printer"]:
                if RASTER in one.data:  # of the payment whose end was shown last
                    yield Promise(after, self._ended, "a slip was printed")
            elif one.data.startswith(GZIP):
                sent = msgspec.json.decode(gzip.decompress(one.data))
                yield Promise(after, sent["last_seq"], "entries were sent to the office")
            elif one.data[4:5] == b"{" or (one.pid, one.name) in self._screens:
                for message in self._screen(one).feed(one.data):
                    if isinstance(message, Show):
                        yield from self._shown(after, message.view)

    def _screen(self, one: Operation) -> FrameReader[ToScreen]:
        return self._screens.setdefault((one.pid, one.name), FrameReader(self._decoder))

    def _shown(self, after: int, view: views.AnyView) -> Iterator[Promise]:
        match view:
            case views.InsertCashView(counted=counted) | views.HeldNoteView(counted=counted) if counted:
                yield Promise(after, self._counted(counted), f"{counted} fen were shown as counted")
            case views.ResultView(receipt_no=number) | views.ReceiptView(receipt_no=number):
                yield self._end(after, f"receipt {number} was shown", lambda event: event.receipt_no == number)
            case views.TroubleView(saying=views.Saying(values={"receipt_no": number})):  # E60
                yield self._end(
                    after, f"interrupted payment {number} was shown", lambda event: event.receipt_no == number
                )

    def _counted(self, counted: int) -> int:
        """The credit that made the sum of the payment on show this much."""
        total = 0
        for seq, event in enumerate(self._journal, start=1):
            if seq > self._ended and isinstance(event, events.NoteCredited):
                total += event.face_fen
                if total == counted:
                    return seq
        raise AssertionError(f"{counted} fen are shown that the journal never knew after entry {self._ended}")

    def _end(self, after: int, why: str, which: Callable[[events.Settlement], bool]) -> Promise:
        """The end of the payment on show; a view is shown again with every change of a clock."""
        seq = next(
            seq
            for seq, event in enumerate(self._journal, start=1)
            if seq >= self._ended and isinstance(event, events.Settlement) and which(event)
        )
        self._ended = seq
        return Promise(after, seq, why)
