"""`kiosk journal replace`: a new journal for a kiosk whose old one is dead, shorter than the office's copy, or another history.

What the office still takes of the old journal is sent first. The file is kept aside and stays readable for `kiosk journal export`; the
new one names its end as the office holds it, and goes on with its receipt numbers. A power cut leaves the old or the new journal in place, or
none; then it is done again.
Source: journal-and-upload sections 2 and 4.
"""

import argparse
import json
import sqlite3
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

import kiosk
from kiosk.clock import Clock, SystemClock
from kiosk.domain.events import JournalGenesis, UnknownEvent
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.identity import Identity
from kiosk.office_client.pairing import Paired, PairingFailed, exchange, genesis_of, kept_at
from kiosk.office_client.wire import JournalHeld
from kiosk.offline_queue import database, kept
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.last_upload import PATIENCE_S, LastUpload, NotDelivered
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment.status import is_first_agent
from kiosk.settings import Settings, SettingsError, load


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """What was done; ``unsent`` counts the readable entries that the office does not hold, None where nothing can be read."""

    kiosk_code: str
    journal_id: str
    kept: str
    unsent: int | None


def main(argv: list[str] | None = None) -> int:
    """The command: 0 done, 1 it could not be, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="kiosk journal replace", description="Begin a new journal; keep the old one aside."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings of this kiosk")
    parser.add_argument("--code", required=True, help="from `office pairing-code --kiosk CODE --reason TEXT`")
    parser.add_argument(
        "--wait",
        type=float,
        default=PATIENCE_S,
        metavar="SECONDS",
        help="how long to ask an office again that is silent or busy (%(default).0f)",
    )
    parser.add_argument(
        "--leave-unsent",
        action="store_true",
        help="go on although the office may still take entries of the old journal: two people decide each note of them",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    try:
        with ExitStack() as held:
            settings = load(arguments.config)
            if not is_first_agent(settings.journal_path.parent, held):
                raise PairingFailed("the kiosk is running; stop it first (systemctl stop kiosk-agent)")
            done = replace(settings, arguments.code, SystemClock(), arguments.wait, leave_unsent=arguments.leave_unsent)
    except (SettingsError, PairingFailed, JournalUnusable, OSError) as error:
        print(f"kiosk journal replace: {error}", file=sys.stderr)
        return 1
    print(json.dumps(msgspec.to_builtins(done)) if arguments.json else _in_words(done))
    return 0


def replace(
    settings: Settings, code: str, clock: Clock, patience_s: float = PATIENCE_S, *, leave_unsent: bool = False
) -> Replaced:
    """Send, pair, keep aside, begin anew. ``leave_unsent``: also where the office may still take entries of the old journal.

    Raises:
        PairingFailed: the office gives no leave, or does not take the old journal now; nothing was changed.
        JournalUnusable: the disk does not let us.
    """
    path, before = settings.journal_path, kept_at(settings.identity_path)
    old = path if path.exists() else kept.newest(path) or path  # which a power cut in this command may have left so
    sent = _deliver(settings.office.url, before, old, clock, patience_s, leave_unsent=leave_unsent)
    paired = exchange(settings.office.url, code, kiosk.__version__, before)
    whose = before or _begun_by(old)
    if whose and whose.kiosk_id != paired.identity.kiosk_id:
        raise PairingFailed(
            f"the code is for {paired.identity.kiosk_code}, and this is {whose.kiosk_code}; nothing was changed here. "
            f"On the office's machine: office pairing-code --kiosk {whose.kiosk_code} --reason TEXT"
        )
    paired.identity.save(settings.identity_path)
    unsent = _unsent(old, sent, paired.replaces)
    kept.keep_aside(path)
    aside = kept.newest(path)
    journal_id = _begin(paired, path, clock)
    return Replaced(kiosk_code=paired.identity.kiosk_code, journal_id=journal_id, kept=str(aside or ""), unsent=unsent)


def _deliver(
    url: str, identity: Identity | None, path: Path, clock: Clock, patience_s: float, *, leave_unsent: bool
) -> int:
    """Send what the office still takes; the last entry of ours that it is known to have.

    Raises:
        PairingFailed: it may take more later, and is not to be left behind.
    """
    client = OfficeClient(url, identity, clock) if identity else None
    try:
        with JournalReader(path) as reader:
            if client is None:
                return reader.cursor().ack_seq
            upload = LastUpload(client, reader, clock, patience_s)
            try:
                upload.run()
            except NotDelivered as error:
                if not leave_unsent:
                    raise PairingFailed(
                        f"{url}: the office does not take the old journal's entries now ({error}); try again, nothing was "
                        "changed; --leave-unsent goes on without them"
                    ) from error
                print(f"kiosk journal replace: left unsent: {error}", file=sys.stderr)
            return upload.sent
    except (JournalUnusable, sqlite3.Error, TypeError) as error:
        may_pass = isinstance(error, JournalUnusable) and not isinstance(error.__cause__, TypeError)
        if may_pass and not database.has_failed(error) and not leave_unsent:  # locked, or a newer program's
            raise
        print(f"kiosk journal replace: the old journal can't be read: {error}", file=sys.stderr)
        return 0
    finally:
        if client:
            client.close()


def _begin(paired: Paired, path: Path, clock: Clock) -> str:
    """The new file is whole before the old one leaves its place; SQLite would read an old WAL as the new one's."""
    coming = path.with_name(f"{path.name}.next")
    kept.clear(coming)  # of a try that the power ended
    first_receipt_number = max(paired.next_receipt_number, kept.next_receipt_number(path))
    journal = Journal.create(coming, clock, genesis_of(paired, kiosk.__version__, first_receipt_number))
    journal.close()
    kept.clear(path)
    database.doubt_no_more(path)
    coming.replace(path)
    database.sync_directory(path.parent)
    return journal.journal_id


def _begun_by(path: Path) -> JournalGenesis | None:
    """Which kiosk a journal is of, where its identity is lost and the file can still say."""
    try:
        with JournalReader(path) as reader:
            return reader.genesis()
    except (JournalUnusable, sqlite3.Error, TypeError, UnknownEvent):
        return None


def _unsent(path: Path, sent: int, named: JournalHeld | None) -> int | None:
    """How many entries the office does not hold, as far as the old file can still say."""
    try:
        with JournalReader(path) as reader:
            if named and named.journal_id == reader.journal_id:
                own = reader.hash_at(named.seq)
                sent = named.seq if own and own.hex() == named.hash else sent
            return max(0, reader.head()[0] - sent)
    except (JournalUnusable, sqlite3.Error, TypeError):
        return None


def _in_words(done: Replaced) -> str:
    lines = [f"{done.kiosk_code} has a new journal, {done.journal_id}."]
    if done.kept:
        lines.append(f"The old one is kept: kiosk journal export --journal {done.kept}")
    if done.unsent is None:
        lines.append("What it held beyond the office's copy can't be read here; send the file to the maker.")
    elif done.unsent:
        lines.append(
            f"{done.unsent} of its entries are not at the office; export them, office replay --branch takes them in."
        )
    return "\n".join([*lines, "Start the kiosk again."])
