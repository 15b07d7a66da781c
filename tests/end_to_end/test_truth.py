"""The checks of truth.py can fail: each kind of lie about a note, a payment or a box is found and named."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk.domain import events
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import cash_payment, wait_until_all_is_uploaded
from tests.end_to_end.parts import Books, Lobby, lobby
from tests.end_to_end.physical import ACCEPTOR, HAND, PhysicalNote, notes_of
from tests.end_to_end.truth import Recorded
from tests.offline_queue.journals import opened, settled

TEN = Recorded(note_no=1, face_fen=1000, fate="credited")
FIVE = Recorded(note_no=2, face_fen=500, fate="returned")
CLAIM = Recorded(note_no=3, face_fen=2000, fate="unknown", lost_by="acceptor.jam_safe")
NOTES = (TEN, FIVE, CLAIM)

PAPER_TEN = PhysicalNote(number=1, face_fen=1000, place="box")
PAPER_FIVE = PhysicalNote(number=2, face_fen=500, place="returned")
PAPER_STUCK = PhysicalNote(number=3, face_fen=2000, place="box", befell=("jam stacker",))
PAPER = (PAPER_TEN, PAPER_FIVE, PAPER_STUCK)


def test_notes_that_agree_with_the_paper_are_true() -> None:
    truth.check_notes(NOTES, PAPER)


@pytest.mark.parametrize(
    ("notes", "paper", "words"),
    [
        ((FIVE, CLAIM), PAPER, "no physical note fits|left over|without a record"),
        ((*NOTES, replace(TEN, note_no=4)), PAPER, "no physical note fits"),
        ((replace(TEN, face_fen=2000), FIVE, CLAIM), PAPER, "no physical note fits"),
        ((TEN, replace(FIVE, fate="credited"), CLAIM), PAPER, "no physical note fits"),
        ((replace(TEN, fate="returned"), FIVE, CLAIM), PAPER, "no physical note fits"),
        ((TEN, replace(FIVE, fate="open"), CLAIM), PAPER, "without an outcome"),
        (NOTES, (PAPER_TEN, PAPER_FIVE, replace(PAPER_STUCK, befell=())), "no fault befell"),
        (NOTES, (PAPER_TEN, PAPER_FIVE, replace(PAPER_STUCK, befell=("pulling",))), "did not befall"),
        ((TEN, FIVE, replace(CLAIM, lost_by="")), PAPER, "names no fault"),
        ((TEN, FIVE), (PAPER_TEN, PAPER_FIVE, PAPER_STUCK), "without a record|left over"),
        ((TEN, FIVE, replace(CLAIM, face_fen=None)), (PAPER_TEN, PAPER_FIVE), "left over are none"),
        ((TEN,), (replace(PAPER_TEN, place="pulled"),), "no physical note fits"),
    ],
)
def test_a_lie_about_a_note_is_found(notes: Sequence[Recorded], paper: Sequence[PhysicalNote], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        truth.check_notes(notes, paper)


def test_a_settlement_that_nobody_was_told_of_is_found() -> None:
    records = truth.fold(iter([opened("p-1"), settled("p-1", 1, 1000), opened("p-2"), settled("p-2", 2, 500)]))
    truth.check_told(records, frozenset({"YG01-000001", "YG01-000002"}))
    with pytest.raises(AssertionError, match=r"nobody was told: .*YG01-000002"):
        truth.check_told(records, frozenset({"YG01-000001"}))


def test_a_claim_is_about_the_note_that_its_fault_befell_though_another_of_its_face_came_before() -> None:
    stopped_at_the_mouth = PhysicalNote(number=3, face_fen=2000, place="returned", befell=("jam entry", "power cut"))
    truth.check_notes(NOTES, (PAPER_TEN, PAPER_FIVE, stopped_at_the_mouth, replace(PAPER_STUCK, number=4)))


def test_a_credited_note_that_was_fished_out_again_is_true() -> None:
    truth.check_notes((TEN,), (replace(PAPER_TEN, place="fished"),))


def test_a_claim_without_a_face_stands_for_the_note_that_is_left_over() -> None:
    faceless = replace(CLAIM, face_fen=None, lost_by="acceptor.note_lost", note_no=9)
    truth.check_notes((TEN, FIVE, faceless), PAPER)


def test_a_power_cut_between_a_notes_end_and_the_next_poll_befalls_that_note() -> None:
    told = [
        (HAND, {"event": "insert", "face_fen": 100}),
        (ACCEPTOR, {"event": "returned", "face_fen": 100, "reason": "timeout"}),
        (ACCEPTOR, {"event": "started"}),
        (HAND, {"event": "insert", "face_fen": 100}),
        (ACCEPTOR, {"event": "stacked", "face_fen": 100}),
    ]
    assert [(note.place, note.befell) for note in notes_of(told)] == [("returned", ("power cut",)), ("box", ())]


def test_a_note_with_two_fates_is_found() -> None:
    credited = events.NoteCredited(payment_id="p", note_no=1, face_fen=1000, acceptor_serial="s")
    with pytest.raises(AssertionError, match="and then"):
        truth.fold(iter((credited, credited)))


def test_a_claim_may_end_by_a_late_answer_once_and_by_nothing_else() -> None:
    told = {"payment_id": "p", "note_no": 1, "face_fen": 1000, "acceptor_serial": "s"}
    claim = events.NoteUnknown(**told, reason="no_answer", claim_no="K-Q000001", evidence_lost_by="acceptor.silent")
    late = events.NoteCredited(**told, recovered="late_answer")
    assert truth.fold(iter((claim, late))).of("credited")[0].note_no == 1
    for lie in ((claim, claim), (claim, late, late), (late, claim), (claim, replace(late, recovered=None))):
        with pytest.raises(AssertionError, match="and then"):
            truth.fold(iter(lie))


def test_a_late_answer_is_no_part_of_a_settlement_before_it_and_is_part_of_one_after_it() -> None:
    told = {"payment_id": "p", "note_no": 1, "face_fen": 1000, "acceptor_serial": "s"}
    claim = events.NoteUnknown(**told, reason="no_answer", claim_no="K-Q000001", evidence_lost_by="acceptor.silent")
    late = events.NoteCredited(**told, recovered="late_answer")
    nothing = settled("p", 1, 0, notes={}, lines=(), prepaid_fen=0, claims=("K-Q000001",))
    truth.check_payments(truth.fold(iter((opened("p"), claim, nothing, late))))
    truth.check_payments(truth.fold(iter((opened("p"), claim, late, settled("p", 1, 1000)))))
    for lie in ((opened("p"), claim, late, nothing), (opened("p"), claim, settled("p", 1, 1000), late)):
        with pytest.raises(AssertionError):
            truth.check_payments(truth.fold(iter(lie)))


def test_a_payment_that_settles_other_notes_than_were_credited_is_found() -> None:
    opened = events.PaymentOpened(payment_id="p", unit_id="u", bills=(), due_fen=1000)
    credited = events.NoteCredited(payment_id="p", note_no=1, face_fen=1000, acceptor_serial="s")
    settled = events.PaymentSettled(
        payment_id="p", unit_id="u", receipt_no="K-000001", receipt_number=1, received_fen=1000, notes={"1000": 1},
        lines=(), prepaid_fen=1000, late_days={}, business_date=None, time_zone="Asia/Shanghai", ended="finished",
    )  # fmt: skip
    truth.check_payments(truth.fold(iter((opened, credited, settled))))
    for lie in (
        (opened, settled),
        (opened, credited),
        (opened, credited, replace(settled, prepaid_fen=0)),
        (opened, credited, replace(settled, receipt_number=2)),
        (opened, credited, replace(settled, notes={"500": 2})),
    ):
        with pytest.raises(AssertionError):
            truth.check_payments(truth.fold(iter(lie)))


# --- books of a real run, tampered with --------------------------------------------------------------------------


class Run:
    """What a lobby left behind: journal, paper, and the office's books."""

    def __init__(self, ended: Lobby) -> None:
        self.records = truth.read(ended.journal)
        self.paper = notes_of(ended.events.since(0))
        self.books = ended.office.file
        with JournalReader(ended.journal) as reader:
            self.journal_id = reader.journal_id

    def check(self, books: Books) -> None:
        truth.check_office(books, self.journal_id, self.records, self.paper)
        books.verify()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with lobby(tmp_path_factory.mktemp("true"), speed=50, pace=1) as running:
        running.start_agent()
        cash_payment(running, faces=(1000, 500))
        wait_until_all_is_uploaded(running)
        truth.check_all(running)
        yield Run(running)


@pytest.fixture
def tampered(run: Run, tmp_path: Path) -> Callable[[str], Books]:
    """A copy of the office's database after one statement."""

    def tamper(sql: str) -> Books:
        copy = tmp_path / "office.sqlite3"
        with (
            closing(sqlite3.connect(f"file:{run.books}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as db,
        ):
            source.backup(db)
            changed = db.execute(sql)
            assert changed.rowcount > 0, sql
            db.commit()
        return Books(copy)

    return tamper


def test_the_untouched_books_are_true(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "office.sqlite3"
    shutil.copy(run.books, copy)
    run.check(Books(copy))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE payments_note SET state = 'returned' WHERE note_no = 1 AND journal_id = (SELECT max(journal_id) FROM payments_note)",
        "DELETE FROM payments_note WHERE note_no = 2",
        "UPDATE payments_note SET face_fen = 2000 WHERE face_fen = 1000",
        "UPDATE kiosks_cashboxface SET confirmed = confirmed + 1",
        "UPDATE payments_payment SET amount_fen = amount_fen + 100 WHERE receipt_no <> ''",
        "UPDATE ledger_posting SET amount_fen = amount_fen + 1 WHERE id = (SELECT max(id) FROM ledger_posting)",
        "UPDATE kiosks_rawevent SET body = replace(body, '1000', '2000') WHERE kind = 'note.credited'",
        "DELETE FROM kiosks_rawevent WHERE kind = 'note.escrow'",
    ],
)
def test_a_changed_book_of_the_office_is_found(run: Run, tampered: Callable[[str], Books], sql: str) -> None:
    books = tampered(sql)
    with pytest.raises(AssertionError):
        run.check(books)
