"""SIGKILL of the agent with notes moving: after the restart every note has one record, and the visit one end.

The instants are steered by what the acceptor is doing, so that many fall between "we keep it" and its outcome; in some of them
the acceptor loses its power in the same moment, as in a power cut of the whole box. A failure names seed and kill.
"""

import os
import random
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from kiosk.domain import events as journal
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import households, insert, to_cash, wait_until_all_is_uploaded
from tests.end_to_end.mischief import Deck
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.recovery import recover
from tests.end_to_end.robot import Robot

SEED = int(os.environ.get("MENTING_SEED", "20261125"))
LOBBIES = 2
SPEED = 10  # slow enough that an instant between accept and credit (60 ms) can be hit

# After which event the agent is killed, a moment later; most of a note's life lies between "escrowed" and "credited".
MOMENTS = ("insert", "escrowed", "escrowed", "stacking", "stacking", "stacking", "credited", "stacked", "nothing")
ENDS = ("stacked", "returned", "rejected")


class Killer:
    """One lobby in which the agent is killed again and again."""

    def __init__(self, running: Lobby, seed: int) -> None:
        self.lobby, self.chance = running, random.Random(seed)
        self.homes = households(running)
        self.moments = Deck(self.chance, MOMENTS)
        self.power = Deck(self.chance, (True, False, False, False))
        self.did: Counter[str] = Counter()
        self.robot = Robot(running.socket)

    def kill_once(self) -> None:
        """One visit that the kill ends."""
        to_cash(self.robot, self.chance.choice(self.homes))
        if self.chance.random() < 0.3:
            insert(self.lobby, self.robot, 500)
        moment, with_power = self.moments.deal(), self.power.deal()
        if moment != "nothing":
            self._let_a_note_come_to(moment)
        threading.Event().wait(self.chance.uniform(0.0, 0.05))  # any instant will do: nothing is being waited for
        if with_power:
            self.lobby.acceptor.do("power", **{"is": "off"})
        self.lobby.kill_agent()
        self.did["kills"] += 1
        self.did["kills with the acceptor's power"] += with_power
        self._count_what_was_at_stake()
        if with_power:
            self.lobby.acceptor.do("power", **{"is": "on"})
        self.lobby.start_agent()
        self.did["payments told to be interrupted (E60)"] += recover(self.lobby, self.robot)
        truth.check_kiosk(self.lobby)

    def _let_a_note_come_to(self, moment: str) -> None:
        mark = self.lobby.events.mark()
        face = self.chance.choice((100, 500, 1000, 2000, 5000))
        if self.lobby.insert(face) and moment != "insert":
            self.lobby.events.comes(moment, *ENDS, since=mark, timeout_s=1.0)

    def _count_what_was_at_stake(self) -> None:
        with JournalReader(self.lobby.journal) as reader:
            notes = [entry.event for entry in reader.entries(reader.head()[0] - 5, 5) if "note" in entry.header.kind]
        last = notes[-1] if notes else None
        if isinstance(last, journal.NoteAcceptIntent):
            self.did["between intent and outcome"] += 1
        elif isinstance(last, journal.NoteEscrow):
            self.did["held, undecided"] += 1


def run_lobby(folder: Path, seed: int, kills: int, did: Counter[str], failures: list[str]) -> None:
    number = 0
    try:
        with lobby(folder, speed=SPEED, pace=1, seed=seed) as running:
            running.start_agent()
            killer = Killer(running, seed)
            try:
                for number in range(1, kills + 1):  # noqa: B007 - named in a failure
                    killer.kill_once()
                wait_until_all_is_uploaded(running)
                records = truth.check_all(running)
            finally:
                killer.robot.stop()
                did.update(killer.did)
            for note in records.notes:
                did[f"{note.fate} {note.lost_by}".rstrip()] += 1
    except Exception as error:  # noqa: BLE001 - reported with its seed by the test itself
        where = "".join(traceback.format_exception(error)[-3:])
        failures.append(f"MENTING_SEED={SEED} lobby seed {seed}, kill {number} of {kills}, in {folder}: {where}")


def run(tmp_path: Path, kills: int) -> Counter[str]:
    did: Counter[str] = Counter()
    failures: list[str] = []
    threads = []
    began = time.monotonic()
    for number in range(LOBBIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        share = kills // LOBBIES
        threads.append(threading.Thread(target=run_lobby, args=(folder, SEED + number, share, did, failures)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = ", ".join(f"{what}: {count}" for what, count in sorted(did.items()))
    print(f"seeds {SEED}..{SEED + LOBBIES - 1}, {time.monotonic() - began:.0f} s: {counts}")
    assert not failures, "\n".join(failures)
    return did


@pytest.mark.timeout(300)
def test_twenty_kills_of_the_agent_lose_and_invent_nothing(tmp_path: Path) -> None:
    did = run(tmp_path, 20)
    assert did["kills"] == 20
    assert did["between intent and outcome"] >= 3, did


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_kills_of_the_agent_lose_and_invent_nothing(tmp_path: Path) -> None:
    did = run(tmp_path, 100)
    assert did["kills"] == 100
    assert did["between intent and outcome"] >= 20, did
