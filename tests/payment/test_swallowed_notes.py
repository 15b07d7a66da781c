"""Notes that only the acceptor counted: wherever the power goes, the next start knows each of them as a claim, once."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk.domain import events as journal
from kiosk.domain.money import Fen
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import recovery
from kiosk.payment.commands import Record
from tests.offline_queue import journals
from tests.payment.walker import WATER, Walker

BEFORE = journal.AcceptorCounted(acceptor_serial="SN1", stacked=5, rejected=0)
# A note whose counter moved by more than itself: a claim of its own, and what it does not explain was swallowed.
OPEN_INTENT = (
    journals.opened(),
    journals.escrow(1),
    replace(journals.intent(1), acceptor_serial="SN1", stacked_before=5),
)


def start(book: Journal) -> Walker:
    """The flow as the agent begins it with this journal."""
    with JournalReader(book.path) as reader:
        known = recovery.read(book, reader.entries)
    walker = Walker()
    around = replace(
        walker.state.around, stacked=known.stacked, stacked_serial=known.stacked_serial, unresolved=known.unresolved
    )
    payment = known.interrupted[0] if known.interrupted else None
    walker.state = replace(walker.state, numbers=known.numbers, around=around, payment=payment)
    return walker


def writes(walker: Walker) -> list[tuple[journal.Event, ...]]:
    return [command.events for command in walker.last if isinstance(command, Record)]


@pytest.mark.parametrize("so_far", [(), OPEN_INTENT], ids=["nobody there", "a note on its way"])
@pytest.mark.parametrize("notes", [1, 3])
def test_a_cut_between_any_two_commits_loses_no_note_that_only_the_counter_saw(
    tmp_path: Path, so_far: tuple[journal.Event, ...], notes: int
) -> None:
    for commits in range(4):
        with_open_note = bool(so_far)
        book = Journal.create(tmp_path / f"{commits}.db", journals.SetClock(), journals.genesis())
        book.append(BEFORE, *so_far)
        before_the_cut = writes(start(book).acceptor_ready(stacked=5 + notes + with_open_note))
        for events in before_the_cut[:commits]:
            book.append(*events)
        after_it = writes(start(book).acceptor_ready(stacked=5 + notes + with_open_note))
        for events in after_it:
            book.append(*events)
        with JournalReader(book.path) as reader:
            entries = [entry.event for entry in reader.entries(0, 100)]
        claims = [event.note_no for event in entries if isinstance(event, journal.NoteUnknown)]
        assert claims == list(range(1, notes + with_open_note + 1)), f"after {commits} commits: {entries}"
        book.close()


def test_a_count_that_the_acceptor_tells_while_it_is_lost_hides_no_swallowed_note() -> None:
    walker = Walker().acceptor_ready(stacked=5).tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
    # It answers the question after it was given up, and only then it is ready again.
    walker.tell(ports.CountersRead(counters=ports.AcceptorCounters(stacked=6, rejected=0)))
    walker.acceptor_ready(stacked=6)
    assert [one.claim_no for one in walker.records(journal.NoteUnknown)] == ["YG01-Q000001"]
    assert all(one.acceptor_serial for one in walker.records(journal.AcceptorCounted))


LATE = {
    "credit": (ports.NoteCredited(face=Fen(10_000), channel=7), 1),
    "return": (ports.NoteReturned(reason="host", at_power_up=True), 0),
}


def silent_until_the_note_is_a_claim() -> Walker:
    walker = Walker().acceptor_ready(stacked=5).printer_says().to_cash(WATER).note(100)
    return walker.tell(ports.AcceptorLost(fault=Fault("acceptor.silent"))).wait(121)


@pytest.mark.parametrize("late", LATE)
def test_a_late_answer_settles_the_count_too_so_that_a_swallowed_note_beside_it_gets_its_claim(late: str) -> None:
    answer, in_the_box = LATE[late]
    walker = silent_until_the_note_is_a_claim().tell(answer).acceptor_ready(stacked=5 + in_the_box + 1)
    assert [one.note_no for one in walker.records(journal.NoteUnknown)] == [1, 2]


@pytest.mark.parametrize("late", LATE)
def test_with_another_unclear_note_the_late_answer_of_the_first_says_nothing_of_the_count(late: str) -> None:
    answer, in_the_box = LATE[late]
    walker = silent_until_the_note_is_a_claim()
    walker.tell(ports.NoteUnclear(face=Fen(500), fault=Fault("acceptor.jam_safe"))).tell(answer)
    walker.acceptor_ready(stacked=5 + in_the_box + 1)
    assert [one.note_no for one in walker.records(journal.NoteUnknown)] == [1, 2], "the unclear one may be in the count"
