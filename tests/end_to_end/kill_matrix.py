"""Every step of a note's life and of an upload, times everything that can die there, and the hands that kill at exactly that step."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.halts import Halts
from tests.end_to_end.lobby_runs import finish, households, insert, offer, to_cash, touch
from tests.end_to_end.parts import Lobby
from tests.end_to_end.recovery import recover
from tests.end_to_end.robot import Robot

NOTE_STEPS = (
    "escrow seen", "intent durable", "accept sent", "stacking", "credit seen", "credit durable", "acknowledged",
)  # fmt: skip
END_STEPS = ("settling", "settled", "printing")
UPLOAD_STEPS = ("request sent", "office committed", "answer received", "cursor written")
STEPS = NOTE_STEPS + END_STEPS + UPLOAD_STEPS
AGENT, OFFICE, ACCEPTOR = "agent", "office", "acceptor"
VICTIMS = tuple(
    frozenset(some) for size in (1, 2, 3) for some in itertools.combinations((AGENT, OFFICE, ACCEPTOR), size)
)

TOLD = "payments told to be interrupted (E60)"
REACHED_WITHIN_S = 10.0
MOST_TRIES = 5
AFTER_S = 0.05  # how much later than at the step some of the kills fall
EXACTLY = 0.6  # the share of kills at the very step
WITH_MONEY_IN = 0.3
PROGRAM_TOO = (
    0.5  # the share of power cuts that end the simulator's program as well, so that its port is gone for a while
)


class Cell(msgspec.Struct, frozen=True):
    """What dies at which step."""

    step: str
    victims: frozenset[str]

    def __str__(self) -> str:
        return f"{self.step} x {'+'.join(sorted(self.victims))}"


CELLS = tuple(Cell(step, victims) for step in STEPS for victims in VICTIMS)


def table(did: Counter[str]) -> str:
    """How often each cell was hit."""
    names = ["+".join(sorted(victims)) for victims in VICTIMS]
    rows = [f"{'':17}" + "".join(f"{name:>24}" for name in names)]
    for step in STEPS:
        counts = (did[str(Cell(step, victims))] for victims in VICTIMS)
        rows.append(f"{step:17}" + "".join(f"{count:24}" for count in counts))
    return "\n".join(rows)


class KillMatrix:
    """One lobby in which one cell after another is hit. ``did`` counts them, and what was at stake."""

    def __init__(self, running: Lobby, halts: Halts, seed: int, did: Counter[str]) -> None:
        self.lobby, self.halts, self.chance, self.did = running, halts, random.Random(seed), did
        self.homes = households(running)
        self.robot = Robot(running.socket)
        self.told: set[str] = set()  # by E60
        self.over: set[str] = set()  # whoever comes now must not read of these any more

    def hit(self, cell: Cell) -> None:
        """One visit up to the step, the kill, everything started again, and the truth told."""
        for _ in range(MOST_TRIES):
            if self._come_to(cell.step):
                break
            self.did["steps not reached"] += 1  # the note went back before it
            self._come_to_rest()
        else:
            raise AssertionError(f"{cell.step} is not reached")
        self._kill(cell)
        self._come_to_rest()
        self.did[str(cell)] += 1

    # --- up to the step ------------------------------------------------------------------------------------------

    def _come_to(self, step: str) -> bool:
        to_cash(self.robot, self.chance.choice(self.homes))
        money_in = step in END_STEPS or self.chance.random() < WITH_MONEY_IN
        if money_in:
            insert(self.lobby, self.robot, self.chance.choice((100, 500)))
        self.halts.arm(step)
        if step in END_STEPS or (money_in and step in UPLOAD_STEPS and self.chance.random() < 0.5):
            self._finish(print_too=step == "printing")
        else:
            offer(self.lobby, self.chance.choice((100, 500, 1000, 2000, 5000)))
        return self.halts.wait(REACHED_WITHIN_S)

    def _finish(self, *, print_too: bool) -> None:
        if not print_too:
            self.robot.wait(lambda view: isinstance(view, views.InsertCashView) and view.can_finish)
            self.robot.tap(taps.ContinueTapped())
            return
        finish(self.robot)
        touch(self.robot, taps.ContinueTapped(), lambda view: isinstance(view, views.ReceiptView))
        self.robot.tap(taps.PrintAnswered(wanted=True))

    # --- the kill ------------------------------------------------------------------------------------------------

    def _kill(self, cell: Cell) -> None:
        exactly = self.chance.random() < EXACTLY
        if not exactly:
            self.halts.release()
            threading.Event().wait(self.chance.uniform(0, AFTER_S))  # any instant will do: nothing is being waited for
        program_too = self.chance.random() < PROGRAM_TOO
        for victim in self._shuffled(cell.victims):
            match victim:
                case "agent":
                    self.lobby.kill_agent()
                case "office":
                    self.lobby.office.kill()
                case _:
                    self.lobby.acceptor.do("power", **{"is": "off"})
                    if program_too:
                        self.lobby.end_acceptor()
        self._count(cell, exactly=exactly, program_too=program_too)
        self.halts.release()
        for victim in self._shuffled(cell.victims):
            match victim:
                case "agent":
                    self.lobby.start_agent()
                case "office":
                    self.lobby.office.start()
                case _ if program_too:
                    self.lobby.acceptor.start()
                case _:
                    self.lobby.acceptor.do("power", **{"is": "on"})

    def _shuffled(self, victims: frozenset[str]) -> list[str]:
        return self.chance.sample(sorted(victims), len(victims))

    def _count(self, cell: Cell, *, exactly: bool, program_too: bool) -> None:
        self.did["kills"] += 1
        self.did["kills at the very step"] += exactly
        for victim in cell.victims:
            self.did[f"kills of the {victim}"] += 1
        self.did["power cuts that ended the simulator"] += program_too and ACCEPTOR in cell.victims
        if AGENT in cell.victims and self._last_of_a_note() is journal.NoteAcceptIntent:
            self.did["between intent and outcome"] += 1

    def _last_of_a_note(self) -> type[Any] | None:
        with JournalReader(self.lobby.journal) as reader:
            notes = [entry.event for entry in reader.entries(reader.head()[0] - 5, 5) if "note" in entry.header.kind]
        return type(notes[-1]) if notes else None

    # --- after it ------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        self.halts.release()
        told = recover(self.lobby, self.robot)
        assert not told & self.over, f"told to a stranger: {told & self.over}"
        self.told |= told
        self.did[TOLD] += len(told)
        records, _ = truth.check_kiosk(self.lobby)
        interrupted = {one.receipt_no for one in records.settled.values() if one.ended == "restart"}
        assert interrupted <= self.told, f"interrupted, and not told so: {interrupted - self.told}"
        truth.check_told(records, self.robot.numbers)
        self.over = {one.receipt_no for one in records.settled.values()}


def every_step_and_every_victim(chance: random.Random, kills: int) -> list[Cell]:
    """A share of the cells with each step in it, and each set of victims."""
    steps, victims = _endless(chance, STEPS), _endless(chance, VICTIMS)
    return [Cell(next(steps), next(victims)) for _ in range(kills)]


def _endless(chance: random.Random, cards: Sequence[Any]) -> Iterator[Any]:
    while True:
        yield from chance.sample(cards, len(cards))
