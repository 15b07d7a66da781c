"""``kiosk receipt``: draws a payment's slip again from the journal alone, marked 补打, beside a running kiosk."""

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.domain import events as journal
from kiosk.domain.estate import Estate
from kiosk.domain.receipt import Outcome, Receipt
from kiosk.hardware.receipt_printer.fonts import FontMissing
from kiosk.hardware.receipt_printer.layout import WIDTH_DOTS, render
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.database import JournalUnusable, in_words
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from kiosk.payment.slip import NotSettled, receipt_for

CACHE_NAME = "cache.db"


class NoSuchPayment(Exception):
    """The journal knows no payment of this id."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 drawn, 1 not possible (and why), 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        receipt = redraw(arguments.journal, arguments.payment)
        render(receipt, arguments.width_mm).image.save(arguments.out, format="PNG")
    except (JournalUnusable, sqlite3.Error) as error:
        return _refuse(in_words(error, arguments.journal).detail)
    except (NoSuchPayment, NotSettled, FontMissing) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{arguments.out}: {error.strerror}; choose another --out")
    facts = {"png": str(arguments.out), "receipt_no": receipt.receipt_no, "copy_no": receipt.copy_no}
    print(json.dumps(facts) if arguments.json else f"{receipt.receipt_no}, copy {receipt.copy_no}: {arguments.out}")
    return 0


def redraw(journal_path: Path, payment_id: str) -> Receipt:
    """The next copy of a payment's receipt, as the journal and the estate's texts beside it tell it.

    Raises:
        NoSuchPayment, NotSettled: there is nothing to draw.
        JournalUnusable: the journal can't be read.
    """
    clock = SystemClock()
    with JournalReader(journal_path) as reader:
        entries = reader.entries_of(payment_id)
        if not entries:
            raise NoSuchPayment(f"{journal_path} knows no payment {payment_id}; see kiosk journal show")
        booked = _settled_at(entries) <= reader.cursor().posted_seq
        kiosk_code = reader.genesis().kiosk_code
        clock.go_on_from(reader.entries(reader.head()[0] - 1, 1)[0].header, ())
    return receipt_for(
        entries,
        estate=_estate(journal_path.with_name(CACHE_NAME)),
        kiosk_code=kiosk_code,
        copy_no=1 + max((_copy_no(entry) for entry in entries), default=0),
        outcome=Outcome.BOOKED if booked else Outcome.ACCEPTED,
        printed=clock.reading(),
    )


def _settled_at(entries: Sequence[Entry]) -> int:
    settled = [entry.seq for entry in entries if isinstance(entry.event, journal.Settlement)]
    return max(settled, default=0)


def _copy_no(entry: Entry) -> int:
    match entry.event:
        case journal.ReceiptPrinted(copy_no=copy_no) | journal.ReceiptFailed(copy_no=copy_no):
            return copy_no
        case _:
            return 0


def _estate(cache_path: Path) -> Estate:
    """The estate's texts as the kiosk has them; without a cache the slip goes without them.

    Read from a copy: a cache that can't be read starts over, and that must not happen to a running kiosk's.
    """
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / CACHE_NAME
        for suffix in ("", "-wal"):
            source = cache_path.with_name(cache_path.name + suffix)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        if not copy.exists():
            return Estate()
        with closing(Cache(copy, SystemClock())) as cache:
            told = cache.estate()
    return told[0] if told is not None else Estate()


def _refuse(sentence: str) -> int:
    print(f"kiosk receipt: {sentence}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk receipt", description="Draw a receipt again, marked 补打.")
    parser.add_argument("--journal", type=Path, required=True, metavar="FILE")
    parser.add_argument("--payment", required=True, metavar="ID", help="the payment's id, as kiosk journal show has it")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    parser.add_argument("--width-mm", type=int, choices=sorted(WIDTH_DOTS), default=80, help="paper (default 80)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")
    return parser
