"""A kiosk's journal and its upload without a thread, paired with the real office process: what happens, happens when a test says so."""

import ctypes
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.domain.events import AgentStarted
from kiosk.domain.identifiers import new_id, receipt_no
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.events import Acked, LinkChanged
from kiosk.office_client.identity import Identity
from kiosk.office_client.pairing import begin_journal, exchange
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.sync import Sync
from tests.offline_queue.journals import credited, escrow, intent, opened, settled

STARTED_WITHIN_S = 30.0
PR_SET_PDEATHSIG = 1
TIMING = Timing(first_try_s=0, backoff_base_s=0, backoff_cap_s=0, retry_spacing_s=0)


def paired(url: str, code: str, state: Path) -> Identity:
    """A newly paired kiosk: identity and journal in ``state``."""
    state.mkdir()
    told = exchange(url, code, "0.1.0")
    told.identity.save(state / "identity.json")
    begin_journal(told, state / "journal.db", SystemClock(), "0.1.0")
    return told.identity


class PairedBox:
    """One start of the kiosk's program."""

    def __init__(self, state: Path, url: str, *, writes: bool = True) -> None:
        """``writes``: its start is an entry, as every start of the agent is."""
        clock = SystemClock()
        identity = Identity.load(state / "identity.json")
        self.journal = Journal.open(state / "journal.db", clock)
        self.journal.follow(identity.rolls)
        if writes:
            self.journal.append(AgentStarted(software="0.1.0", sqlite="3", clean=self.journal.stopped_cleanly()))
        self.reports: list[object] = []
        self.cache = Cache(state / "cache.db", clock)
        self.cache.keep_only_for(self.journal.journal_id, self.journal.head_seq)
        self.client = OfficeClient(url, identity, clock, connect_s=5, read_s=10)
        self.sync = Sync(
            self.client, state / "journal.db", self.cache, clock, self.reports.append, software="0.1.0", timing=TIMING
        )

    def pay(self) -> None:
        """One whole payment with one note."""
        payment, note, number = new_id(), self.journal.next_note_no(), self.journal.next_receipt_number()
        printed = receipt_no(self.journal.kiosk_code, number)
        self.journal.append(opened(payment))
        for event in (escrow, intent, credited):
            self.journal.append(event(note, payment_id=payment))
        self.journal.append(settled(payment, number, receipt_no=printed))

    def step(self, *, keeps_acks: bool = True) -> None:
        """What is due, and the cursor as the payment thread writes it, unless that dies before it can."""
        self.sync.wake()
        self.sync.step()
        acked = [one for one in self.reports if isinstance(one, Acked)]
        self.reports[:] = [one for one in self.reports if isinstance(one, LinkChanged)]
        for told in acked if keeps_acks else []:
            self.journal.advance_cursor(told.ack_seq, told.ack_hash, told.posted_seq)
            self.sync.cursor_is(told.ack_seq)

    def drain(self, within_s: float = 20.0) -> None:
        """Step until the office holds everything, or will not have it; it may ask for patience in between."""
        until = time.monotonic() + within_s
        while not self.refusal and self.journal.cursor().ack_seq < self.journal.head_seq:
            assert time.monotonic() < until, f"{self.sync.link}: {self.journal.unsent()} unsent; {self.reports[-3:]}"
            self.step()

    @property
    def refusal(self) -> str:
        """Why the office will not have this kiosk; empty while it will."""
        links = [one for one in self.reports if isinstance(one, LinkChanged)]
        return links[-1].reason if links and links[-1].refused else ""

    def close(self) -> None:
        self.sync._close_reader()
        self.client.close()
        self.cache.close()
        self.journal.close()


def live(state: Path, url: str, seed: int, started: int) -> None:
    """A kiosk's life until somebody ends it: payments, uploads, some of whose acknowledgements are never written down. It says on
    ``started`` that its start is an entry."""
    dice = random.Random(seed)
    box = PairedBox(state, url)
    os.write(started, b"!")
    while True:
        match dice.randrange(4):
            case 0 | 1:
                box.pay()
            case 2:
                box.step()
            case _:
                box.step(keeps_acks=False)


def restart(state: Path, url: str, times: int, seed: int) -> None:
    """That life, begun and killed until so many starts have come to write, each from one process that has imported everything once.

    One of four is killed at any instant of its start as well, so that most of these come to nothing.
    """
    dice = random.Random(seed)
    kills = came_to_write = 0
    while came_to_write < times:
        early = dice.random() < 0.25
        ears, mouth = os.pipe()
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a run that is broken off leaves nobody behind
            live(state, url, seed * 1000 + kills, mouth)
        os.close(mouth)
        if not early:
            select.select([ears], [], [], STARTED_WITHIN_S)
        time.sleep(dice.uniform(0, 0.01 if early else 0.1))  # the instant of the kill itself
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, f"start {kills} ended by itself: {status}"
        came_to_write += os.read(ears, 1) == b"!"
        os.close(ears)
        kills += 1
    print(json.dumps({"kills": kills, "restarts": came_to_write}))


if __name__ == "__main__":
    restart(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
