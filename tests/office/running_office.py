"""A real office for tests of others: `office serve` as a process of its own on a free loopback port, tiny demo estate inside.

    with running_office(tmp_path) as office:
        code = office.pairing_code()           # 16 characters for `kiosk pair`
        office.wait_for_payments(1)            # rows as dicts, newest last
        office.box("YG02")                     # {"10000": [confirmed, unknown]}
        office.passwords["cashier"]            # for the sign-in page

What is in the books is read with plain SQL from the SQLite file, beside the serving process, by nothing that Django knows of.
"""

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.office.office_forks import office_command

OFFICE = (sys.executable, "-m", "office")
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class RunningOffice:
    """One office process and its database."""

    path: Path
    url: str = ""
    passwords: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def database(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """Another office command on the same database; its JSON lines."""
        done = office_command(self.database, *arguments, "--json")
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def start(self, listen: str = "127.0.0.1:0", *more: str) -> None:
        """Serve; returns once it listens. After a stop it may be started again on the same port by ``self.address``."""
        command = [*OFFICE, "serve", "--listen", listen, "--database", self.database, "--json", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the office did not start: exit code {self.process.wait(10)}"
        self.url = json.loads(line)["url"]

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return self.url.removeprefix("http://")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Stop the process; its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(by)
        code = self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return code

    def pairing_code(self, project: str = "YG") -> str:
        return str(self.run("pairing-code", "--project", project)[0]["code"])

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """A question to the database itself."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, values)]

    def payments(self, kiosk_code: str | None = None) -> list[dict[str, Any]]:
        """Ended payments with money (not the demo's own unless named): id, kiosk, unit, state, amount_fen, prepaid_fen,
        receipt_no, notes by face, lines as (item, component, fen); oldest first."""
        chosen = "k.code = ?" if kiosk_code else "k.code NOT IN ('YG01', 'LJ01') OR ?"
        found = self.rows(
            "SELECT p.id, k.code AS kiosk, u.code AS unit, p.state, p.review, p.offline, p.amount_fen, p.prepaid_fen, "
            "p.suspense_fen, p.receipt_no, p.slip, t.notes FROM payments_payment p "
            "JOIN kiosks_kiosk k ON k.id = p.kiosk_id LEFT JOIN property_unit u ON u.id = p.unit_id "
            "LEFT JOIN payments_tender t ON t.payment_id = p.id "
            f"WHERE p.state IN ('booked', 'exception') AND ({chosen}) ORDER BY p.ingest_no",
            kiosk_code or "",
        )
        for row in found:
            row["notes"] = {int(face): count for face, count in json.loads(row["notes"] or "{}").items()}
            lines = self.rows(
                "SELECT i.code, a.component, a.amount_fen FROM payments_allocation a JOIN billing_bill b ON b.id = a.bill_id "
                "JOIN billing_feeitem i ON i.id = b.fee_item_id WHERE a.payment_id = ? ORDER BY a.n",
                row["id"],
            )
            row["lines"] = [tuple(line.values()) for line in lines]
        return found

    def wait_for_payments(
        self, count: int, kiosk_code: str | None = None, within_s: float = 20
    ) -> list[dict[str, Any]]:
        """The payments, once there are at least so many."""
        until = time.monotonic() + within_s
        while len(found := self.payments(kiosk_code)) < count:
            assert time.monotonic() < until, f"after {within_s} s the office has {len(found)} payments, not {count}"
            time.sleep(0.05)
        return found

    def box(self, kiosk_code: str) -> dict[int, tuple[int, int]]:
        """What must be in a kiosk's box: face in fen to (confirmed, unknown) notes."""
        found = self.rows(
            "SELECT f.face_fen, f.confirmed, f.unknown FROM kiosks_cashboxface f JOIN kiosks_kiosk k ON k.id = f.kiosk_id "
            "WHERE k.code = ? AND (f.confirmed <> 0 OR f.unknown <> 0)",
            kiosk_code,
        )
        return {row["face_fen"]: (row["confirmed"], row["unknown"]) for row in found}

    def cases(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Open cases; id, kind, payment, amount_fen."""
        return self.rows(
            "SELECT id, kind, payment_id AS payment, amount_fen FROM payments_case WHERE state = 'open' AND (? IS NULL OR kind = ?)",
            kind,
            kind,
        )

    def notes(self, kiosk_code: str) -> list[dict[str, Any]]:
        """Every note of a kiosk: note_no, face_fen, state, claim_no, payment."""
        return self.rows(
            "SELECT n.note_no, n.face_fen, n.state, n.claim_no, n.payment_id AS payment FROM payments_note n "
            "JOIN kiosks_kiosk k ON k.id = n.kiosk_id WHERE k.code = ? ORDER BY n.seq",
            kiosk_code,
        )

    def verify(self) -> None:
        """The office's own check of its books; fails with what is off."""
        self.run("verify")


_ESTATES: dict[tuple[str, int], tuple[list[dict[str, Any]], bytes]] = {}
_MAKING_ESTATES = threading.Lock()


def demo_estate(size: str = "tiny", seed: int = 1) -> tuple[list[dict[str, Any]], bytes]:
    """What `office demo` says, and the database it leaves: made once for a whole test run, each office has a copy of its own."""
    with _MAKING_ESTATES:
        if (size, seed) not in _ESTATES:
            with tempfile.TemporaryDirectory() as folder:
                office = RunningOffice(Path(folder) / "office.db")
                said = office.run("demo", "--size", size, "--seed", str(seed))
                _ESTATES[size, seed] = (said, office.path.read_bytes())
        return _ESTATES[size, seed]


def make_office(directory: Path, size: str = "tiny", seed: int = 1) -> RunningOffice:
    """An office with a demo estate, not serving yet."""
    directory.mkdir(parents=True, exist_ok=True)
    office = RunningOffice(directory / "office.db")
    said, database = demo_estate(size, seed)
    office.path.write_bytes(database)
    office.passwords |= {told["username"]: told["password"] for told in said if "password" in told}
    return office


@contextmanager
def running_office(directory: Path, size: str = "tiny", seed: int = 1) -> Iterator[RunningOffice]:
    """An office that serves until the block ends."""
    office = make_office(directory, size, seed)
    office.start()
    try:
        yield office
    finally:
        office.stop()
