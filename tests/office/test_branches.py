"""Two boxes with one identity, or an old image that went on: what the office did not hear is taken in from the file, and no fen of it
is lost, booked twice or anybody's before people have said whose."""

import copy
import datetime
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from kiosk.domain import chain
from kiosk.domain.chain import check_code
from kiosk.domain.events import (
    AgentStarted,
    CashboxRemoved,
    JournalGenesis,
    NoteAcceptIntent,
    NoteCredited,
    NoteEscrow,
    NoteReturned,
    NoteUnknown,
)
from office.demo import visits
from office.demo.journal_writer import JournalWriter
from office.kiosks import branches, new_journals, services
from office.kiosks.models import Alarm, Journal, Kiosk, RawEvent
from office.kiosks.replaying import Export, read
from office.kiosks.selectors import box_of
from office.ledger.digest import books_digest
from office.ledger.models import Posting
from office.ledger.verify import verify_everything
from office.payments import claims, counting
from office.payments.claim_rules import FACES
from office.payments.models import Case, Note, Payment, SuspenseItem
from office.public.lookup import find, read_question
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person, exported
from tests.office.pages.desk import person, signed_in
from tests.office.pages.test_public_page import settlement_code, text_of
from tests.office.test_commands import office
from tests.office.test_replaying import written

HUNDRED = 10000


@dataclass
class Parted:
    """One kiosk's identity in two boxes since entry ``at``; the office hears the first one only."""

    real: Estate
    copy: Estate
    at: int

    def export(self) -> Export:
        return read(exported(self.copy.writer))

    def take_in(self) -> int:
        return branches.take_in(self.export())


def copied(estate: Estate) -> Estate:
    """The same journal in another box, which starts its program there and asks no office."""
    box = replace(estate, writer=copy.deepcopy(estate.writer))
    box.writer.boot_id = "boot of the copy"
    box.writer.pass_time(60_000)
    box.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=False))
    return box


def claim_of(box: Estate, payment_id: str | None, claim_no: str) -> None:
    told = {"note_no": box.writer.take_note_no(), "face_fen": HUNDRED, "claim_no": claim_no}
    box.writer.append(NoteUnknown(payment_id=payment_id, acceptor_serial="S", reason="no_evidence", **told))


@pytest.fixture
def parted(estate: Estate) -> Parted:
    """Both boxes took notes with the same numbers and wrote the same receipt number; the copy has a claim, too."""
    estate.pay(["water"], [HUNDRED, 1000])
    estate.upload()
    box, at = copied(estate), len(estate.writer.events) + 1
    estate.pay(["sep"], [HUNDRED] * 3)
    estate.upload()
    visit = visits.open_payment(box.writer, str(box.unit.id), [], TODAY)
    for face in (HUNDRED, 2000):
        visits.insert_note(box.writer, visit, face)
    claim_of(box, visit, "YG01-Q000001")
    visits.settle(box.writer, visit, str(box.unit.id), "YG01", [], [HUNDRED, 2000], TODAY)
    return Parted(estate, box, at)


def box(estate: Estate) -> dict[int, tuple[int, int]]:
    return {row.face_fen: (row.confirmed, row.unknown) for row in box_of(estate.kiosk).faces}


def ledger(account: str) -> int:
    return sum(Posting.objects.filter(account__code=account).values_list("amount_fen", flat=True))


def findings() -> list[str]:
    return [str(finding) for finding in verify_everything(fold_again=True)]


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


@pytest.mark.parametrize("real_tells_first", [True, False])
def test_a_note_in_the_machine_when_the_histories_parted_counts_once(estate: Estate, real_tells_first: bool) -> None:
    visit = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    note = {"payment_id": visit, "note_no": estate.writer.take_note_no(), "face_fen": HUNDRED, "acceptor_serial": "S"}
    estate.writer.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
    estate.upload()
    parted = Parted(estate, copied(estate), len(estate.writer.events) + 1)
    parted.copy.writer.append(NoteCredited(**note, recovered="counter"))
    estate.writer.append(NoteCredited(**note))
    steps = [estate.upload, parted.take_in]
    for step in steps if real_tells_first else steps[::-1]:
        if step == parted.take_in and not real_tells_first:
            estate.writer, kept = copy.deepcopy(estate.writer), estate.writer
            estate.writer.events.pop()
            estate.writer.head = estate.writer.events[-1].hash
            estate.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=True))
            estate.upload()
            estate.writer.append(NoteCredited(**note))
            del kept
        step()
    assert box(estate) == {HUNDRED: (1, 0)}
    assert ledger("1009.K") == HUNDRED
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


# --- the payer ----------------------------------------------------------------------------------------------------


@pytest.fixture
def browser() -> Client:
    return Client(HTTP_ACCEPT_LANGUAGE="zh-CN", REMOTE_ADDR="192.0.2.7")


def people_end(parted: Parted, way: str) -> Iterator[SuspenseItem]:
    """Two people end what is open about the branch, one item after the other."""
    clerk, finance = add_person(parted.real.project, Role.CASHIER), add_person(parted.real.project, Role.FINANCE_AUDIT)
    for item in SuspenseItem.objects.filter(state="open").order_by("amount_fen"):
        claims.confirm(finance, claims.propose(clerk, item, way, "slip and check code seen", unit=parted.real.unit))
        yield item


@both_engines
def test_a_slip_of_the_branch_is_answered_and_the_check_code_says_which_of_two_equal_numbers_is_meant(
    parted: Parted, browser: Client
) -> None:
    number, code = "YG01-000002", settlement_code(parted.copy)
    assert "未找到" in text_of(browser.get(f"/m/{number}/{code}"))
    parted.take_in()
    text = text_of(browser.get(f"/m/{number}/{code}"))
    assert "处理中" in text
    assert "有 1 张纸币正在核实" in text
    assert "其余已确认收到 ¥120.00" in text
    assert f"从第 {parted.at} 号起有两份" in text
    assert "断开" in text
    assert "处理中" in text_of(browser.get(f"/m/YG01-Q000001/{code}")), "by its claim number as well"
    own = text_of(browser.get(f"/m/{number}/{settlement_code(parted.real)}"))
    assert "¥300.00 已经入账" in own
    assert "有两份" not in own
    seq = code.split("-")[0]
    for wrong in (f"{seq}-00000000", check_code(int(seq), parted.real.writer.events[-1].hash)):
        assert browser.get(f"/m/{number}/{wrong}").status_code == 404


def test_the_slip_says_what_two_people_did_with_its_notes(parted: Parted) -> None:
    parted.take_in()
    question = read_question("YG01-000002", settlement_code(parted.copy))
    one, *_ = (item for item in people_end(parted, "refund"))
    found = find(question)
    assert (found.outcome, found.amount_fen, found.refunded_fen) == ("booked", 2 * HUNDRED + 2000, 2 * HUNDRED + 2000)
    assert [claim.found for claim in found.claims] == ["refunded"]
    assert one.amount_fen == 2000
    assert findings() == []


def test_credited_to_the_household_it_is_prepaid_balance_and_the_books_stay_whole(parted: Parted) -> None:
    parted.take_in()
    before, question = parted.real.prepaid(), read_question("YG01-000002", settlement_code(parted.copy))
    ended = people_end(parted, "credit")
    next(ended)
    assert find(question).outcome == "processing", "two notes are left"
    assert len(list(ended)) == 2
    found = find(question)
    assert (found.outcome, found.booked_fen) == ("booked", 2 * HUNDRED + 2000)
    assert parted.real.prepaid() == before + 2 * HUNDRED + 2000
    assert Note.objects.filter(state=Note.State.UNKNOWN).count() == 1, "a count of the box will tell"
    assert findings() == []


def followed(parted: Parted) -> Estate:
    """The kiosk after ``kiosk journal replace``: its new journal names the office's end of the old one, and its receipt numbers
    go on after the highest of both."""
    old, estate = parted.real.writer, parted.real
    Kiosk.objects.update(may_replace_until=timezone.now() + datetime.timedelta(hours=1))
    estate.writer, estate.sent = JournalWriter(wall_ms=old.wall_ms + 60_000), 0
    estate.writer.next_receipt = max(old.next_receipt, parted.copy.writer.next_receipt)
    named = {"replaces_journal_id": old.journal_id, "replaces_seq": len(old.events), "replaces_hash": old.head.hex()}
    who = {"kiosk_id": str(estate.kiosk.id), "kiosk_code": "YG01", "public_key": "", "software": "0.1.0"}
    estate.writer.append(JournalGenesis(**who, **named))
    return estate


def test_a_count_of_the_box_knows_of_the_notes_of_both_histories(parted: Parted) -> None:
    """The old image and the journal that follows it wrote in one box; what is counted there is explained to the note."""
    parted.take_in()
    estate = followed(parted)
    estate.writer.append(CashboxRemoved(acceptor_serial=visits.ACCEPTOR))
    estate.upload()
    assert set(Journal.objects.values_list("state", flat=True)) == {"replaced", "branch", "active"}
    cashier = add_person(estate.project, Role.CASHIER)
    counted = dict.fromkeys(FACES, 0) | {HUNDRED: 6, 2000: 1, 1000: 1}
    made = counting.count_box(cashier, counting.removals(estate.project).get(), counted)
    assert (made.explained, made.differences) == (True, {str(HUNDRED): 1}), "the unclear note is there"
    assert box(estate)[HUNDRED] == (6, 0)
    assert findings() == []


def test_receipt_numbers_that_only_the_branch_gave_are_missed_until_it_is_taken_in(parted: Parted) -> None:
    parted.copy.pay([], [HUNDRED])
    estate = followed(parted)
    estate.pay([], [HUNDRED])
    estate.upload()
    assert findings() == ["YG: receipts_whole: kiosk YG01: 3 receipts between numbers 1 and 4"]
    parted.take_in()
    assert findings() == []


def test_what_the_branch_wrote_without_contact_is_no_older_than_the_entry_where_it_parts(parted: Parted) -> None:
    writer = parted.copy.writer
    writer.events[parted.at - 1 :], writer.head = [], writer.events[parted.at - 2].hash
    writer.boot_id, writer.mono_ms, writer.wall_ms, writer.clock = "boot without contact", 0, 0, "unset"
    parted.copy.pay([], [HUNDRED])
    parted.take_in()
    before = RawEvent.objects.get(journal__branch_of=None, seq=parted.at - 1)
    first = RawEvent.objects.get(journal__state=Journal.State.BRANCH, seq=parted.at)
    assert (first.time_measured, first.earliest_at >= before.corrected_at) == (False, True)
    assert findings() == []


# --- the staff ----------------------------------------------------------------------------------------------------


@both_engines
def test_staff_find_the_money_by_the_number_on_the_slip_beside_the_payment_that_has_the_same(parted: Parted) -> None:
    parted.take_in()
    finance = signed_in(person(parted.real.project, Role.FINANCE_AUDIT))
    found = finance.get("/projects/YG/search/", {"q": "yg01-000002"})
    assert "300.00" in text_of(found)
    items = re.findall(r"/projects/YG/claims/[0-9a-f-]{36}/", found.content.decode())
    assert len(set(items)) == 3
    page = text_of(finance.get(items[0]))
    for words in ("另一份记录里有这张纸币", "YG01-000002", "3-1-502", "只有终端的另一份记录知道它"):
        assert words in page
    assert "YG01-000002" in text_of(finance.get("/projects/YG/cases/?kind=branch_note"))
    assert "终端有两份记录" in text_of(finance.get("/projects/YG/today/"))
    kiosk = text_of(finance.get("/projects/YG/kiosks/YG01/"))
    assert f"第 {parted.at} 号起的另一份" in kiosk
    assert "未入账" not in kiosk
