"""100,000 entries from a kiosk's journal into the real office, beside the same bytes into a server that only appends and syncs.

Every signature and every hash is checked on the way. The office folds what it holds afterwards; that is a figure of its own.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import litequeue
import persistqueue
import requests

from bench import long_journal
from bench.figures import Figure
from kiosk.clock import SystemClock
from kiosk.offline_queue import outbox
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end.parts import Office, program

ENTRIES = int(os.environ.get("MENTING_BENCH_ENTRIES", "100000"))
PEERS_ENTRIES = 5_000
FOLDED_WITHIN_S = 1_800


def measure() -> list[Figure]:
    # The file system of the working directory, as a kiosk's state is: /tmp may be memory.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, _office(Path(name)) as office:
        folder = Path(name)
        settings = _paired(folder, office)
        _fill(folder, office)
        bodies = _bodies(folder)
        with _append_server(folder) as url:
            appended_s = _post_all(url, bodies)
            drained = _drain(settings)
            held_s = drained["held_after_s"][-1]
            folded_s = held_s + _until_folded(office)  # before the queues, which would have a core that folding wants
            queues = [_through_persist_queue(folder, url), _through_litequeue(folder, url)]
    ours = ENTRIES / held_s
    return [
        Figure(
            name=f"{ENTRIES:,} entries until the office holds them",
            value=held_s,
            unit="s",
            beside=appended_s,
            beside_name=f"the same {len(bodies)} bodies appended and synced",
            goal=2,
            how=f"{ours:,.0f} entries a second",
        ),
        Figure(name="the same until they are in the books", value=folded_s, unit="s"),
        Figure(name="the kiosk's extra memory meanwhile", value=drained["extra_kib"] / 1024, unit="MiB", goal=10),
        *(
            Figure(
                name=f"entries a second, beside {queue}",
                value=ours,
                unit="1/s",
                beside=PEERS_ENTRIES / took_s,
                beside_name=f"{PEERS_ENTRIES:,} one by one as it documents",
                better="higher",
            )
            for queue, took_s in queues
        ),
    ]


@contextlib.contextmanager
def _office(folder: Path) -> Iterator[Office]:
    office = Office(folder)
    try:
        yield office
    finally:
        office.stop()


def _paired(folder: Path, office: Office) -> Path:
    settings = folder / "kiosk.toml"
    settings.write_text(f'[kiosk]\nstate_dir = "kiosk"\n[office]\nurl = "{office.url}"\n')
    pair = program("kiosk", "pair", "--code", office.pairing_code(), "--config", str(settings))
    subprocess.run(pair, check=True, capture_output=True)
    return settings


def _fill(folder: Path, office: Office) -> None:
    journal = Journal.open(folder / "kiosk" / "journal.db", SystemClock())
    long_journal.fill(journal, long_journal.units_of(office), ENTRIES)
    journal.close()


def _bodies(folder: Path) -> list[bytes]:
    """What the kiosk will send, batch by batch."""
    bodies, clock = [], SystemClock()
    with JournalReader(folder / "kiosk" / "journal.db") as reader:
        batch = outbox.next_batch(reader, 0, clock)
        while batch is not None:
            bodies.append(batch.gzipped)
            batch = outbox.next_batch(reader, batch.last_seq, clock)
    return bodies


@contextlib.contextmanager
def _append_server(folder: Path) -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.append_server", str(folder / "appended")], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.kill()
        server.communicate()


def _post_all(url: str, bodies: Sequence[bytes]) -> float:
    began = time.monotonic()
    with requests.Session() as session:
        for body in bodies:
            session.post(url, data=body).raise_for_status()
    return time.monotonic() - began


def _drain(settings: Path) -> dict[str, Any]:
    drainer = subprocess.run([sys.executable, "-m", "bench.drainer", str(settings)], check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(drainer.stdout)
    return told


def _through_persist_queue(folder: Path, url: str) -> tuple[str, float]:
    waiting = persistqueue.SQLiteAckQueue(str(folder / "persist-queue"), auto_commit=True)
    for number in range(PEERS_ENTRIES):
        waiting.put(_message(number))
    began = time.monotonic()
    with requests.Session() as session:
        for _ in range(PEERS_ENTRIES):
            message = waiting.get()
            session.post(url, data=message).raise_for_status()
            waiting.ack(message)
    took_s = time.monotonic() - began
    waiting.close()
    return "persist-queue", took_s


def _through_litequeue(folder: Path, url: str) -> tuple[str, float]:
    waiting = litequeue.LiteQueue(str(folder / "litequeue.db"))
    for number in range(PEERS_ENTRIES):
        waiting.put(_message(number))
    began = time.monotonic()
    with requests.Session() as session:
        while (message := waiting.pop()) is not None:
            session.post(url, data=message.data).raise_for_status()
            waiting.done(message.message_id)
    took_s = time.monotonic() - began
    waiting.close()
    return "litequeue", took_s


def _message(number: int) -> str:
    """As long as an entry is on the average."""
    return json.dumps({"seq": number, "body": "x" * 360})


def _until_folded(office: Office) -> float:
    began, pause = time.monotonic(), threading.Event()
    while office.rows("SELECT count(*) FROM ledger_stream WHERE folded_no < last_no")[0][0]:
        assert time.monotonic() - began < FOLDED_WITHIN_S, "the office does not fold"
        pause.wait(0.5)
    return time.monotonic() - began
