"""A cable of lies between kiosk and office, and an office that dies: it holds every event once, to the last bit and fen.

Seeded: MENTING_SEED; a failure names what never came true.
"""

import random
import time
from collections import Counter
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import pytest

from kiosk.domain import events
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.halts import Halts
from tests.end_to_end.lies import Liar, Uploader
from tests.end_to_end.mischief import Deck
from tests.end_to_end.parts import Books, Lobby, lobby
from tests.end_to_end.side_by_side import SEED

PER_PAYMENT = 6  # events
DELIVERED_WITHIN_S = 120.0
HONEST = 0.7  # how often an upload comes through between two lies


def deliver(folder: Path, entries: int, rounds: int) -> Counter[str]:
    """``entries`` events through the cable, every kind of lie ``rounds`` times; half of them are there before the sync starts."""
    chance, did, began = random.Random(SEED), Counter[str](), time.monotonic()
    with closing(Halts(folder / "halts.sock")) as halts, lobby(folder, launch=halts.launch) as running:
        uploader = Uploader(running)
        try:
            liar = Liar(running, halts, uploader, chance, did)
            payments = chain.from_iterable(uploader.payments(chance))
            deck = Deck(chance, tuple(liar.lies))
            uploader.write(islice(payments, (entries - uploader.journal.head_seq) // 2 // PER_PAYMENT * PER_PAYMENT))
            uploader.start()
            for left in range(len(liar.lies) * rounds, 0, -1):
                share = (entries - uploader.journal.head_seq) // PER_PAYMENT // left
                uploader.write(islice(payments, share * PER_PAYMENT))
                liar.tell(deck.deal())
                if chance.random() < HONEST:
                    uploader.comes_through()
            rest = entries - uploader.journal.head_seq
            uploader.write([events.ScreenRestarted(reason="silent")] * rest)
            uploader.pump_until(lambda: _all_posted(uploader, entries), "everything is delivered", DELIVERED_WITHIN_S)
            did["asked for patience"] = uploader.client.asked_for_patience
            assert uploader.client.called_too_soon == 0
        finally:
            halts.release()
            uploader.close()
        did["uploads the office took"] = check_delivered(running, entries)
    assert {lie: did[lie] for lie in liar.lies} == dict.fromkeys(liar.lies, rounds), (
        "a lie was not told as often as it should"
    )
    told = ", ".join(f"{what}: {count}" for what, count in sorted(did.items()))
    print(f"\nseed {SEED}, {entries} events, {time.monotonic() - began:.0f} s: {told}")
    return did


def _all_posted(uploader: Uploader, entries: int) -> bool:
    cursor = uploader.journal.cursor()
    return cursor.ack_seq == cursor.posted_seq == entries


def check_delivered(running: Lobby, entries: int) -> int:
    """The office holds the journal's entries, each once and as it was written, and in its books their money; the uploads it took."""
    with JournalReader(running.journal) as reader:
        assert reader.head()[0] == reader.cursor().ack_seq == entries
        ours = list(truth.all_entries(reader))
        ((journal, kiosk, high, posted),) = running.office.rows(
            "SELECT id, kiosk_id, high_seq, posted_seq FROM kiosks_journal WHERE journal_id = ?", reader.journal_id
        )
    assert (high, posted) == (entries, entries)
    theirs = running.office.rows(
        "SELECT seq, hash, body, state FROM kiosks_rawevent WHERE journal_id = ? ORDER BY seq", journal
    )
    assert [(seq, bytes(digest), bytes(body)) for seq, digest, body, _ in theirs] == [
        (entry.seq, entry.hash, entry.body) for entry in ours
    ]
    assert {state for *_, state in theirs} == {"folded"}
    credited = sum(entry.event.face_fen for entry in ours if isinstance(entry.event, events.NoteCredited))
    assert booked_fen(running.office, kiosk) == credited
    settled = {
        entry.event.receipt_no: entry.event.received_fen for entry in ours if isinstance(entry.event, events.Settlement)
    }
    receipts = running.office.rows("SELECT receipt_no, amount_fen FROM payments_payment WHERE kiosk_id = ?", kiosk)
    assert len(receipts) == len(settled)
    assert dict(receipts) == settled
    running.office.verify()
    ((uploads,),) = running.office.rows("SELECT count(*) FROM kiosks_nonce WHERE kiosk_id = ?", kiosk)
    return int(uploads)


def booked_fen(office: Books, kiosk: str) -> int:
    """What this kiosk's cash account holds in the ledger."""
    ((fen,),) = office.rows(
        "SELECT sum(p.amount_fen) FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id "
        "WHERE a.code = '1009.K' AND p.kiosk_id = ?", kiosk)  # fmt: skip
    return int(fen)


@pytest.mark.timeout(200)
def test_a_thousand_events_arrive_once_through_a_cable_of_lies(tmp_path: Path) -> None:
    did = deliver(tmp_path, 1_000, rounds=1)
    assert did["office killed after its commit"] == 1


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_thousand_events_arrive_once_through_a_cable_of_lies(tmp_path: Path) -> None:
    did = deliver(tmp_path, 10_000, rounds=8)
    assert did["office killed after its commit"] == 8
