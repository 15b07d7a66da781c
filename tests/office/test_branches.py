"""Two boxes with one identity, or an old image that went on: what the office did not hear is taken in from the file, and no fen of it
is lost, booked twice or anybody's before people have said whose."""

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connections

from kiosk.domain import chain
from kiosk.domain.events import AgentStarted, NoteAcceptIntent, NoteCredited, NoteEscrow, NoteReturned, NoteUnknown
from office.demo import visits
from office.kiosks import branches, new_journals, services
from office.kiosks.models import Alarm, Journal, Kiosk, RawEvent
from office.kiosks.replaying import read
from office.ledger.digest import books_digest
from office.ledger.models import Posting
from office.ledger.verify import verify_everything
from office.payments.models import Case, Payment, SuspenseItem
from office.public.lookup import find, read_question
from tests.office.conftest import point_at
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, exported, settlement_code
from tests.office.parted_journals import HUNDRED, Parted, box, copied, findings, part
from tests.office.test_commands import office
from tests.office.test_replaying import written


@pytest.fixture
def parted(estate: Estate) -> Parted:
    return part(estate)


def ledger(account: str) -> int:
    return sum(Posting.objects.filter(account__code=account).values_list("amount_fen", flat=True))


def test_what_the_other_box_took_counts_in_the_box_and_waits_for_people(parted: Parted, tmp_path: Path) -> None:
    """The whole walk with the commands a person types."""
    file = written(tmp_path, "branch.jsonl", parted.copy)
    before, receipts = (
        books_digest(parted.real.project.id),
        list(Payment.objects.values_list("receipt_no", "amount_fen")),
    )
    connections.close_all()
    named = office("replay", file, directory=tmp_path)
    assert (named.returncode, "office replay --branch takes a branch in" in named.stderr) == (1, True)
    assert books_digest(parted.real.project.id) == before
    connections.close_all()
    taken = office("replay", "--branch", file, "--json", directory=tmp_path)
    assert taken.returncode == 0, taken.stderr
    count = len(parted.copy.writer.events) - parted.at + 1
    told = json.loads(taken.stdout)
    assert (told["branch_from"], told["events"], told["held"], told["new"]) == (parted.at, count, count, count)
    assert box(parted.real) == {HUNDRED: (1 + 3 + 1, 1), 2000: (1, 0), 1000: (1, 0)}
    assert (ledger("1009.K"), ledger("2241.s")) == (5 * HUNDRED + 3000, -(HUNDRED + 2000))
    assert list(Payment.objects.values_list("receipt_no", "amount_fen")) == receipts
    assert Case.objects.filter(state="open", kind="journal_branch").count() == 1
    waiting = Case.objects.filter(state="open", kind="branch_note").select_related("suspense", "unit")
    assert {
        (case.amount_fen, case.suspense.claim_no, case.facts["receipt_no"], case.unit.code) for case in waiting
    } == {
        (HUNDRED, "", "YG01-000002", "3-1-502"),
        (2000, "", "YG01-000002", "3-1-502"),
        (HUNDRED, "YG01-Q000001", "YG01-000002", "3-1-502"),
    }
    assert Case.objects.filter(state="open").count() == 4, "nobody is asked about a program's start"
    assert findings() == []
    after = books_digest(parted.real.project.id)
    connections.close_all()
    rebuilt = office("rebuild", "--json", directory=tmp_path)
    assert [json.loads(line)["equal"] for line in rebuilt.stdout.splitlines()] == [True], rebuilt.stdout
    again = office("replay", "--branch", file, "--json", directory=tmp_path)
    assert (again.returncode, json.loads(again.stdout)["new"]) == (0, 0)
    assert books_digest(parted.real.project.id) == after, "twice changes nothing"


@both_engines
def test_a_longer_export_of_the_same_branch_adds_what_is_new(parted: Parted) -> None:
    first = parted.take_in()
    assert parted.take_in() == 0
    parted.copy.pay([], [HUNDRED])
    assert parted.take_in() == len(parted.copy.writer.events) - parted.at + 1 - first
    assert Journal.objects.filter(state=Journal.State.BRANCH).count() == 1
    assert Case.objects.filter(kind="journal_branch").count() == 1
    assert box(parted.real)[HUNDRED] == (1 + 3 + 2, 1)
    assert findings() == []


def test_a_third_box_is_another_branch_whether_it_parts_at_the_same_entry_or_later(
    parted: Parted, estate: Estate
) -> None:
    third = replace(parted, copy=replace(parted.copy, writer=copy.deepcopy(parted.copy.writer)))
    late = replace(parted, copy=copied(parted.copy))
    del third.copy.writer.events[parted.at - 1 :]
    third.copy.writer.head = third.copy.writer.events[-1].hash
    third.copy.writer.pass_time(1000)
    third.copy.pay([], [5000])
    for one in (parted, third, late):
        one.copy.pay([], [HUNDRED])
        one.take_in()
    rows = Journal.objects.filter(state=Journal.State.BRANCH).order_by("first_seq", "high_seq")
    own = Journal.trunks.get()
    assert [(row.branch_of_id == own.id, row.parted_at) for row in rows] == [
        (True, parted.at),
        (True, parted.at),
        (False, parted.at),
    ]
    assert box(estate) == {HUNDRED: (1 + 3 + 1 + 1 + 1 + 1, 1), 5000: (1, 0), 2000: (1, 0), 1000: (1, 0)}
    assert [one.take_in() for one in (late, third, parted)] == [0, 0, 0]
    assert findings() == []


def test_a_replaced_journal_that_went_on_is_taken_in_beside_its_successor(estate: Estate) -> None:
    estate.pay(["water"], [HUNDRED, 1000])
    estate.upload()
    Journal.objects.update(state=Journal.State.REPLACED)
    box_ = copied(estate)
    box_.pay([], [2000])
    assert branches.take_in(read(exported(box_.writer))) > 0
    assert box(estate) == {HUNDRED: (1, 0), 2000: (1, 0), 1000: (1, 0)}
    assert findings() == []


def test_the_kiosk_that_goes_on_never_hears_of_the_branch(parted: Parted) -> None:
    """Though the branch is the longer one."""
    for _ in range(3):
        parted.copy.pay([], [HUNDRED])
    parted.take_in()
    last = parted.real.writer.events[-1]
    parted.real.pay([], [HUNDRED])
    taken = parted.real.upload()
    own = parted.real.writer.events[-1]
    assert (taken.ack_seq, taken.ack_hash, taken.rejected) == (own.seq, own.hash, [])
    assert taken.ack_seq > last.seq
    journal = Journal.trunks.get()
    assert (journal.high_seq, journal.posted_seq, journal.state) == (own.seq, own.seq, Journal.State.ACTIVE)
    told = {"sent": {"boot_id": "b", "mono_ms": 1, "wall_ms": 1}, "posted_seq": None, "journal_id": journal.journal_id}
    assert services.heartbeat(parted.real.kiosk, told, journal.last_ingest_at).ack_seq == own.seq
    assert new_journals.held(parted.real.kiosk) == new_journals.Held(journal.journal_id, own.seq, own.hash.hex())
    parted.copy.sent = parted.at - 1
    with pytest.raises(services.ingest.Fork):
        parted.copy.upload()
    branch = Journal.objects.get(branch_of=journal)
    assert (branch.state, branch.high_seq) == (Journal.State.BRANCH, len(parted.copy.writer.events))
    assert Alarm.objects.filter(code="journal.fork", cleared_at=None).count() == 1, (
        "it stays until people have ended it"
    )


# --- one note, two tales ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("branch_first", [False, True])
def test_a_note_in_the_machine_when_the_histories_parted_counts_once(estate: Estate, branch_first: bool) -> None:
    visit = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    note = {"payment_id": visit, "note_no": estate.writer.take_note_no(), "face_fen": HUNDRED, "acceptor_serial": "S"}
    estate.writer.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
    estate.upload()
    parted = Parted(estate, copied(estate), len(estate.writer.events) + 1)
    parted.copy.writer.append(NoteCredited(**note, recovered="counter"))
    estate.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=True))
    if branch_first:
        estate.upload()
        parted.take_in()
    estate.writer.append(NoteCredited(**note))
    estate.upload()
    parted.take_in()
    assert box(estate) == {HUNDRED: (1, 0)}
    assert ledger("1009.K") == HUNDRED
    assert findings() == []


def test_so_does_one_in_the_machine_when_a_branch_parted_from_a_branch(parted: Parted) -> None:
    box_ = parted.copy
    visit = visits.open_payment(box_.writer, str(box_.unit.id), [], TODAY)
    note = {"payment_id": visit, "note_no": box_.writer.take_note_no(), "face_fen": 5000, "acceptor_serial": "S"}
    box_.writer.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
    third = replace(parted, copy=copied(box_))
    for one in (parted, third):
        one.copy.writer.append(NoteCredited(**note, recovered="counter"))
        assert one.take_in() > 0
    assert Journal.objects.filter(state=Journal.State.BRANCH).count() == 2
    assert box(parted.real)[5000] == (1, 0)
    assert findings() == []


@both_engines
def test_a_note_that_both_histories_end_at_the_same_number_is_counted_and_has_a_case(estate: Estate) -> None:
    """Its claim and its credit have one sequence number: the two histories number their entries alike."""
    visit = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    note = {"payment_id": visit, "note_no": estate.writer.take_note_no(), "face_fen": HUNDRED, "acceptor_serial": "S"}
    estate.writer.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
    estate.upload()
    parted = Parted(estate, copied(estate), len(estate.writer.events) + 1)
    third = replace(parted, copy=copied(estate))
    third.copy.writer.append(NoteUnknown(**note, reason="no_evidence", claim_no="YG01-Q000009"))
    estate.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=True))
    estate.writer.append(NoteUnknown(**note, reason="no_evidence", claim_no="YG01-Q000001"))
    parted.copy.writer.append(NoteCredited(**note, recovered="counter"))
    assert len({len(one.writer.events) for one in (estate, parted.copy, third.copy)}) == 1
    estate.upload()
    third.take_in()
    assert box(estate) == {HUNDRED: (0, 1)}
    parted.take_in()
    assert box(estate) == {HUNDRED: (1, 0)}
    assert Case.objects.get(kind="branch_note", state="open").amount_fen == HUNDRED
    told = SuspenseItem.objects.values_list("kind", "state", "outcome").order_by("kind")
    assert list(told) == [("note_unknown", "resolved", "found"), ("unreadable_event", "open", "")]
    assert findings() == []


def test_what_two_histories_tell_unreadably_at_one_number_may_be_two_notes(estate: Estate) -> None:
    visit = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    estate.upload()
    parted = Parted(estate, copied(estate), len(estate.writer.events) + 1)
    estate.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=True))
    for writer in (estate.writer, parted.copy.writer):
        writer.append_raw(b"garbled", "note.unknown", 1, visit)
    estate.upload()
    parted.take_in()
    assert box(estate) == {0: (0, 2)}
    assert findings() == []


def test_a_history_told_again_with_other_amounts_and_new_hashes_adds_no_note(parted: Parted) -> None:
    """What somebody does who knows the chain and has no key: the visits are the same ones, and so are their notes."""
    before, cash = box(parted.real), ledger("1009.K")
    forged = copy.deepcopy(parted.real.writer)
    lines, prev = exported(forged), chain.GENESIS_PREV
    for line, event in zip(lines, forged.events, strict=True):
        line["body"] = str(line["body"]).replace('"face_fen":1000,', '"face_fen":10000,')
        prev = chain.entry_hash(forged.journal_id, event.seq, event.header, str(line["body"]).encode(), prev)
        line["hash"] = prev.hex()
    branches.take_in(read(lines))
    assert Journal.objects.filter(state=Journal.State.BRANCH).exists()
    assert (box(parted.real), ledger("1009.K")) == (before, cash)
    assert not SuspenseItem.objects.exists()
    assert findings() == []


def test_a_note_of_which_the_branch_learns_that_it_went_back_is_no_claim_any_more(parted: Parted) -> None:
    parted.take_in()
    number = parted.copy.writer.next_note - 1
    told = {"payment_id": None, "note_no": number, "face_fen": HUNDRED, "acceptor_serial": "S"}
    parted.copy.writer.append(NoteReturned(**told, reason="cleared"))
    parted.take_in()
    assert box(parted.real)[HUNDRED] == (1 + 3 + 1, 0)
    item = SuspenseItem.objects.get(claim_no="YG01-Q000001")
    assert (item.state, item.outcome) == ("resolved", "returned")
    found = find(read_question("YG01-Q000001", settlement_code(parted.copy)))
    assert [claim.found for claim in found.claims] == ["returned"]
    assert findings() == []


@both_engines
def test_what_nobody_can_read_on_the_branch_counts_as_what_it_may_be(parted: Parted) -> None:
    """Of a newer program, or garbled before it was hashed: no note is lost from the box for it, and nothing else is held up."""
    writer, visit = parted.copy.writer, "018f0000-0000-7000-8000-000000000001"
    writer.append_raw(b'{"kind":"note.credited","v":9,"note_no":77,"face_fen":5000}', "note.credited", 9, visit)
    writer.append_raw(b"garbled", "note.unknown", 1, "no visit at all")
    writer.append_raw(b'{"receipt_no":"\\u0000YG01-000099","receipt_number":"x"}', "payment.settled", 9, visit)
    writer.append_raw(b"garbled", "note.returned", 1, visit)
    writer.append_raw(b"{}", "cash.blessed", 1, "")
    parted.copy.pay([], [HUNDRED])
    parted.take_in()
    assert box(parted.real) == {HUNDRED: (1 + 3 + 1 + 1, 1), 5000: (1, 0), 2000: (1, 0), 1000: (1, 0), 0: (0, 1)}
    assert Case.objects.get(amount_fen=5000).facts["receipt_no"] == "YG01-000099"
    assert findings() == []


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (
            "the office's own",
            "it goes no other way than the office's copy, so there is no branch to take in",
        ),
        ("another kiosk's", "the office holds nothing of this journal, so there is no branch to take in"),
        ("begun by somebody else", "entry 1 is not the office's, and no kiosk begins one journal twice"),
        ("changed", "is missing or not as it was written; nothing was stored"),
    ],
)
def test_a_file_without_a_branch_is_refused_with_what_to_do(
    parted: Parted, tmp_path: Path, which: str, words: str
) -> None:
    file, lines = tmp_path / "file.jsonl", exported(parted.copy.writer)
    if which == "the office's own":
        lines = exported(parted.real.writer)
    elif which != "changed":
        writer = copy.deepcopy(parted.copy.writer)
        writer.head, kept, writer.events = chain.GENESIS_PREV, writer.events, []
        if which == "another kiosk's":
            writer.journal_id = "another"
        writer.wall_ms += 1
        for event in kept:
            writer.append_raw(event.body, event.header.kind, event.header.v, event.header.payment_id)
        lines = exported(writer)
    else:
        lines[-2]["body"] = str(lines[-2]["body"]).replace("2000", "5000")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    before = RawEvent.objects.count()
    connections.close_all()
    done = office("replay", "--branch", written(tmp_path, "good.jsonl", parted.copy), str(file), directory=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"office replay: {file}: ")
    assert words in done.stderr
    assert which in ("changed", "begun by somebody else") or "without --branch" in done.stderr
    assert RawEvent.objects.count() == before, "not of the good one either"


def test_an_office_made_anew_from_both_boxes_files_has_the_same_money_again(
    parted: Parted, sqlite_template: Path, tmp_path: Path
) -> None:
    """One file after the other: both at once is two histories for one journal, and nothing says which is the kiosk's."""
    parted.take_in()
    before, cash = box(parted.real), ledger("1009.K")
    own, other = written(tmp_path, "own.jsonl", parted.real), written(tmp_path, "other.jsonl", parted.copy)
    anew = tmp_path / "anew"
    anew.mkdir()
    shutil.copy(sqlite_template, anew / "office.db")
    connections.close_all()
    both = office("replay", own, other, directory=anew)
    assert both.returncode == 1
    assert (
        f"go different ways from entry {parted.at} on; replay one of them, then the other with --branch" in both.stderr
    )
    for arguments in ((own,), ("--branch", other)):
        done = office("replay", *arguments, directory=anew)
        assert done.returncode == 0, done.stderr
    point_at(f"sqlite:///{anew / 'office.db'}")
    estate = replace(parted.real, kiosk=Kiosk.objects.get())
    assert (box(estate), ledger("1009.K")) == (before, cash)
    assert findings() == []


@pytest.mark.parametrize(
    "crime", ["an entry is changed", "an entry is gone", "the parting is gone", "the head says more"]
)
def test_verify_names_a_branch_that_was_changed(parted: Parted, crime: str) -> None:
    parted.take_in()
    branch = Journal.objects.get(state=Journal.State.BRANCH)
    rows = RawEvent.objects.filter(journal=branch).order_by("seq")
    match crime:
        case "an entry is changed":
            victim = rows.filter(kind="note.credited").first()
            rows.filter(id=victim.id).update(body=bytes(victim.body).replace(b"10000", b"20000"))
        case "an entry is gone":
            rows[3].cases.all().delete()
            rows.filter(id=rows[3].id).delete()
        case "the parting is gone":
            Journal.objects.filter(id=branch.id).update(first_seq=parted.at - 1)
        case _:
            Journal.objects.filter(id=branch.id).update(high_seq=branch.high_seq + 1)
    found = [str(finding) for finding in verify_everything()]
    assert any("journals_whole: kiosk YG01 journal" in finding for finding in found), found
