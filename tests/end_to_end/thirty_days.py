"""Thirty simulated days of one kiosk over twenty boots whose clocks lie, and the real office that hears of it now and then."""

import json
import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk import views
from kiosk.clock import SystemClock
from kiosk.domain.events import PaymentOpened
from kiosk.domain.money import Fen
from kiosk.hardware.receipt_printer.content import blocks_of
from kiosk.office_client import pairing
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from kiosk.text import say
from tests.end_to_end.lying_box import LyingBox, LyingMachine, Slip
from tests.end_to_end.parts import Events, Office, Simulator, free_port
from tests.end_to_end.wrong_clocks import ShiftedClock

BOOTS = 20
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
YEAR_MS = 365 * DAY_MS
NOTES = (500, 1000, 2000, 5000, 10_000)
ZONE = ZoneInfo("Asia/Shanghai")
PPM = 10.0  # of the box's quartz; over a day and a half it is 1.3 s
PPM_BETWEEN_CONTACTS = 60.0  # with contacts before and after it does not matter
RTC_MS = 240_000  # how far a battery-backed clock may be off
LIMITS_MS = {"bills": 7 * DAY_MS, "prepaid": 30 * DAY_MS}
LIES = ("1970", "last known", "a year ahead", "drifting", "jumping")


@dataclass
class BootPlan:
    """What one boot is like."""

    lie: str
    contact: str  # none; start, middle or end: once; both; all: the cable is in for the whole boot
    hours: float
    hours_off_before: float
    visits: int
    loses_power: bool
    jumps: list[int] = field(default_factory=list)  # of the wall clock, one before each of the first visits


class Month:
    """The whole story; ``did`` counts what happened, so that a run can show that all of it did."""

    def __init__(self, folder: Path, seed: int, *, contacts: bool) -> None:
        self.chance = random.Random(seed)
        self.clock = ShiftedClock(folder / "machine")
        self.office = Office(folder, launch=self.clock.launch)
        self.cable = Simulator(
            "network",
            folder,
            Events(),
            ["--listen", f"127.0.0.1:{free_port()}", "--to", f"127.0.0.1:{self.office.port}"],
            control="--control",
        )
        self.state_dir = folder / "kiosk"
        self.did: Counter[str] = Counter()
        self.began_ms = self.now_ms()
        self.slips: list[Slip] = []
        self.machines: dict[str, LyingMachine] = {}
        self.contact_boots: set[str] = set()
        self.heard_ms = 0  # the true time of the last full contact
        self.heard_in = ""
        self.heard_mono_ms = 0
        self.inserted: list[Fen] = []
        self.plans = [self._plan(number, contacts) for number in range(BOOTS)]
        self._wall_ms = 0  # what the wall clock said at the end of the last boot
        self._pair(folder)
        self.homes = [
            tuple(code.split("-"))
            for (code,) in self.office.rows("SELECT code FROM property_unit ORDER BY code")
            if code.count("-") == 2
        ]

    def now_ms(self) -> int:
        return int(datetime.now(UTC).timestamp() * 1000) + self.clock.shift_ms

    def _plan(self, number: int, contacts: bool) -> BootPlan:
        chance = self.chance
        off_more = 18 if contacts and number else 0  # nights, so that it is a month although the boots are shorter
        contact = chance.choice(["start", "middle", "end", "both", "all", *["none"] * 6]) if contacts else "none"
        return BootPlan(
            lie=LIES[number % len(LIES)],
            contact="both" if number in (0, BOOTS - 1) else contact,
            hours=chance.uniform(6, 36) if contacts else chance.uniform(38, 44),
            hours_off_before=0.01 if number == 0 else chance.choice([0.01, 1, chance.uniform(2, 20)]) + off_more,
            visits=chance.randrange(1, 3),
            loses_power=chance.random() < 0.4,
            jumps=[chance.choice([400 * DAY_MS, -YEAR_MS * 50, -3 * HOUR_MS, 2 * DAY_MS, 5_000]) for _ in range(2)],
        )

    def _pair(self, folder: Path) -> None:
        self.state_dir.mkdir()
        paired = pairing.pair(self.office.url, self.office.pairing_code(), self.state_dir / "identity.json", "test")
        pairing.begin_journal(
            paired, self.state_dir / "journal.db", SystemClock(self._machine(self.plans[0], 0)), "test"
        )
        self.code = paired.identity.kiosk_code

    # --- the month ----------------------------------------------------------------------------------------------

    def live(self) -> None:
        for number, plan in enumerate(self.plans):
            self._boot(number, plan)
        self.office.verify()

    def _boot(self, number: int, plan: BootPlan) -> None:
        if number:
            self.clock.shift_ms += int(plan.hours_off_before * HOUR_MS)
        machine = self._machine(plan, number)
        self._plug(plan.contact == "all")
        box = LyingBox(self.state_dir, machine, f"http://{self.cable.running.ready['port']}", self.slips, self.now_ms)
        self.did[plan.lie] += 1
        try:
            self._live_through(box, machine, plan)
        except BaseException:
            box.stop()  # its threads would keep the test run from ending
            raise
        self._wall_ms = machine.wall_ms()
        if plan.loses_power:
            self.did["power cut"] += 1
            box.lose_power()
        else:
            box.stop()

    def _live_through(self, box: LyingBox, machine: LyingMachine, plan: BootPlan) -> None:
        if plan.contact != "none":
            self.contact_boots.add(machine.boot_id)
        if plan.contact in ("start", "both", "all"):
            self._contact(box, plan)
        for visit in range(plan.visits):
            self._pass(box, plan.hours / (plan.visits + 1))
            if plan.lie == "jumping":
                before, by_ms = machine.wall, plan.jumps[visit]
                machine.wall = lambda true, up, before=before, by_ms=by_ms: max(0, before(true, up) + by_ms)
            self._visit(box)
            if plan.contact == "middle" and not visit:
                self._contact(box, plan)
        self._pass(box, plan.hours / (plan.visits + 1))
        if plan.contact in ("end", "both", "all"):
            self._contact(box, plan)

    def _contact(self, box: LyingBox, plan: BootPlan) -> None:
        self._plug(True)
        box.upload_all()
        # Whatever its clock said before.
        box.wait(lambda view: not isinstance(view, views.OutOfServiceView), within_s=15)
        self.heard_ms, self.heard_in, self.heard_mono_ms = self.now_ms(), box.clock.boot_id, box.clock.since_boot_ms()
        self.did[f"contact {plan.contact}"] += 1
        if plan.contact != "all":
            with box.sync.gate:
                self._plug(False)
            box.sync.wake()  # so that it notices at once
            box.wait(lambda view: view.frame.offline)

    def _plug(self, in_it: bool) -> None:
        self.cable.do("plug" if in_it else "unplug")
        if not in_it:
            self.cable.do("reset")

    def _pass(self, box: LyingBox, hours: float) -> None:
        with box.sync.gate:
            self.clock.shift_ms += int(hours * HOUR_MS)

    def _machine(self, plan: BootPlan, number: int) -> LyingMachine:
        boot_id = f"boot-{number:02}"
        if boot_id in self.machines:
            return self.machines[boot_id]
        off_ms = self.chance.randrange(-RTC_MS, RTC_MS)
        known_ms = self._wall_ms if number else self.now_ms()
        walls = {
            "1970": lambda true, up: up,
            "last known": lambda true, up: known_ms + up - 4_000,
            "a year ahead": lambda true, up: true + YEAR_MS,
            "drifting": lambda true, up: true + off_ms,
            "jumping": lambda true, up: true,
        }
        most_ppm = PPM_BETWEEN_CONTACTS if plan.contact in ("both", "all") else PPM
        ppm = self.chance.choice([-most_ppm, most_ppm])
        has_rtc = plan.lie not in ("1970", "last known")
        machine = LyingMachine(boot_id, self.now_ms, walls[plan.lie], has_rtc=has_rtc, ppm=ppm)
        self.machines[boot_id] = machine
        return machine

    def _visit(self, box: LyingBox) -> None:
        before, seen = box.devices.stacked, list[views.AnyView]()
        notes = [Fen(self.chance.choice(NOTES)) for _ in range(self.chance.randrange(1, 5))]
        left = list(notes)
        self._look_at_clock(box)
        paid = box.visit(self.chance.choice(self.homes), left, seen.append)
        self.inserted += notes[::-1][: box.devices.stacked - before]
        self.did["paid" if paid else "not paid"] += 1
        if seen[0].frame.offline:
            self._check_limits(box, seen)

    def _look_at_clock(self, box: LyingBox) -> None:
        """A clock stands on the glass exactly when it is verified."""
        trusted = box.clock.reading().trusted
        box.wait(lambda view: bool(view.frame.local_time) is trusted)
        self.did["clock on the glass" if trusted else "no clock on the glass"] += 1

    def _check_limits(self, box: LyingBox, seen: list[views.AnyView]) -> None:
        """Bills for 7 days, prepayment for 30, then nothing: by the true age where the clock is right, else by what the box has
        run since; and never less than that allows, but for a clock that is a year ahead."""
        allowed = _allowed(seen)
        self.did[f"offline {allowed}"] += 1
        reading, true_ms = box.clock.reading(), self.now_ms()
        is_right = reading.trusted and abs(reading.wall_ms - true_ms) <= RTC_MS
        ran_ms = self._ran_ms(box) if box.clock.boot_id != self.heard_in else true_ms - self.heard_ms
        for what, limit_ms in LIMITS_MS.items():
            may = allowed in (("bills",) if what == "bills" else ("bills", "prepaid"))
            if ran_ms > limit_ms + HOUR_MS or (is_right and true_ms - self.heard_ms > limit_ms + HOUR_MS):
                assert not may, f"{allowed}, {ran_ms / DAY_MS:.2f} days run since contact, {reading}"
            if true_ms - self.heard_ms < limit_ms - HOUR_MS and (is_right or not reading.trusted):
                assert may, f"{allowed} after {(true_ms - self.heard_ms) / DAY_MS:.2f} days, {reading}"

    def _ran_ms(self, box: LyingBox) -> int:
        """What the journal proves that the box has run since the last contact."""
        last: dict[str, int] = {}
        with JournalReader(box.journal.path) as reader:
            for entry in reader.entries(0, 100_000):
                last[entry.header.boot_id] = entry.header.mono_ms
        boots = list(last)
        since = boots[boots.index(self.heard_in) + 1 :]
        return max(0, last[self.heard_in] - self.heard_mono_ms) + sum(last[boot] for boot in since)

    # --- what the records say -----------------------------------------------------------------------------------

    def entries(self) -> tuple[Entry, ...]:
        with JournalReader(self.state_dir / "journal.db") as reader:
            return reader.entries(0, 100_000)

    def raw(self) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"file:{self.office.file}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(
                "SELECT r.* FROM kiosks_rawevent r JOIN kiosks_kiosk k ON k.id = r.kiosk_id WHERE k.code = ? ORDER BY r.seq",
                (self.code,),
            ).fetchall()

    def close(self) -> None:
        self.cable.stop()
        self.office.stop()


def _allowed(seen: list[views.AnyView]) -> str:
    """What an offline kiosk let somebody do."""
    lists = [view for view in seen if isinstance(view, views.BillListView)]
    if not lists:
        return "nothing"
    return "prepaid" if lists[0].notice and lists[0].notice.key == "notice.offline_prepay_only" else "bills"


def stored_ms(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000


def check_order_and_money(month: Month) -> None:
    """The office has every entry once, in order, with the same bytes; each note that went in, and no fen more."""
    entries, raw = month.entries(), month.raw()
    held, after = entries[: len(raw)], entries[len(raw) :]
    assert [(row["seq"], bytes(row["hash"]), bytes(row["body"])) for row in raw] == [
        (entry.seq, entry.hash, entry.body) for entry in held
    ]
    assert {entry.header.kind for entry in after} <= {"checkpoint", "agent.stopped"}  # of the last stop
    assert not [row["seq"] for row in raw if row["state"] != "folded"]
    credited = [json.loads(row["body"])["face_fen"] for row in raw if row["kind"] == "note.credited"]
    assert credited == [int(face) for face in month.inserted]
    booked = month.office.rows(
        "SELECT p.amount_fen, p.receipt_no, p.business_date FROM payments_payment p JOIN kiosks_kiosk k ON k.id = p.kiosk_id "
        "WHERE k.code = ? AND p.state IN ('booked', 'exception') ORDER BY p.settled_seq",
        month.code,
    )
    assert sum(amount for amount, _, _ in booked) == sum(credited)
    assert [number for _, number, _ in booked] == [f"{month.code}-{one + 1:06}" for one in range(len(booked))]
    last_day = datetime.fromtimestamp(month.now_ms() / 1000, ZONE).date().isoformat()
    assert all(day <= last_day for _, _, day in booked), "nothing is booked on a day that has not come"


def check_corrected_times(month: Month) -> float:
    """Within two seconds where the boot had contact, within the bounds where not; the worst error of the former."""
    worst = 0.0
    for row in month.raw():
        machine = month.machines[row["boot_id"]]
        true_ms, told_ms = machine.true_at(row["mono_ms"]), stored_ms(row["corrected_at"])
        where = f"entry {row['seq']} {row['kind']} of {row['boot_id']} ({machine.wall_ms()}): {(told_ms - true_ms) / 1000:.3f} s off"
        if row["boot_id"] in month.contact_boots:
            assert row["time_measured"], where
            assert abs(told_ms - true_ms) <= 2_000, where
            worst = max(worst, abs(told_ms - true_ms))
        else:
            assert not row["time_measured"], where
            assert stored_ms(row["earliest_at"]) - 2_000 <= true_ms <= stored_ms(row["latest_at"]) + 2_000, where
    return worst


def check_slips(month: Month) -> None:
    """What a slip says of the time is verified and right, or it says that it is not verified; old bills carry their age."""
    opened = {
        entry.event.payment_id: (entry.event, entry.header.boot_id)
        for entry in month.entries()
        if isinstance(entry.event, PaymentOpened)
    }
    assert month.slips
    for slip in month.slips:
        receipt, (bills, boot_id) = slip.receipt, opened[slip.payment_id]
        plan = month.plans[int(boot_id.removeprefix("boot-"))]
        if plan.contact in ("start", "both", "all"):
            assert receipt.clock_verified, f"the office had told {boot_id} the time"
        elif plan.contact in ("none", "end") and plan.lie in ("1970", "last known"):
            assert not receipt.clock_verified, f"nobody had told {boot_id} the time, and it has no battery"
        words = [getattr(block, "text", "") for block in blocks_of(receipt)]
        unverified = say(receipt.language, "receipt.clock_unverified")
        assert (unverified in words) is not receipt.clock_verified
        month.did["slip verified" if receipt.clock_verified else "slip not verified"] += 1
        if receipt.clock_verified:
            for said in (receipt.paid_at, receipt.printed_at):
                moment = datetime.strptime(said[:-7], "%Y年%m月%d日 %H:%M:%S").replace(tzinfo=ZONE)
                assert abs(moment.timestamp() * 1000 - slip.true_ms) <= RTC_MS + 30_000, (said, slip.true_ms)
        if bills.offline and receipt.lines:  # who pays no bill is told nothing of the bills' age
            as_of = datetime.fromtimestamp((bills.bills_as_of_ms or 0) / 1000, ZONE)
            said = say(
                receipt.language, "receipt.bills_as_of", time=f"{as_of:%Y}年{as_of.month}月{as_of.day}日 {as_of:%H:%M}"
            )
            assert said in words, words
            month.did["slip with the bills' age"] += 1


def check_all_of_it_happened(month: Month) -> None:
    """Thirty days, every lie, power cuts, slips of both kinds and, without contact, each limit; or the run has shown nothing."""
    days = (month.now_ms() - month.began_ms) / DAY_MS
    assert days >= 30, f"only {days:.1f} days"
    wanted = {*LIES, "power cut", "paid", "slip verified", "slip not verified", "slip with the bills' age"}
    if not any(plan.contact != "none" for plan in month.plans[1:-1]):
        wanted |= {"offline bills", "offline prepaid", "offline nothing"}
    missing = sorted(what for what in wanted if not month.did[what])
    assert not missing, f"never happened: {missing}; but {dict(month.did)}"
    assert sum(month.did[lie] for lie in LIES) == BOOTS
