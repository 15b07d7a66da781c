"""What a person does with make run: pays on the bench's glass in a real browser, then finds it in the office."""

import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from kiosk.domain.money import NOTE_FACES, Fen, format_yuan
from tests.end_to_end import glass as places
from tests.end_to_end.glass import Glass
from tests.end_to_end.parts import program

CHROMIUM = "/usr/bin/chromium"
UP_WITHIN_S = 120
PROJECT = "YG"

pytestmark = [
    pytest.mark.timeout(420),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed; make setup does it"),
    pytest.mark.skipif(shutil.which("Xvnc") is None, reason="TigerVNC is not installed; make setup does it"),
]


class Home(msgspec.Struct):
    """A household with open bills whose building has one entrance, so that the picker does not ask for it."""

    code: str
    building_index: int
    room: str


class Lobby:
    """``kiosk-sim lobby`` as make run starts it, with faster devices."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.process = subprocess.Popen(
            program("kiosk-sim", "lobby", "--state", str(state), "--virtual", "--speed", "5"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._ready.wait(UP_WITHIN_S), "".join(self.said)
        assert any("Ready to take a payment" in line for line in self.said), "".join(self.said)

    @property
    def bench(self) -> str:
        return self._address("bench")

    @property
    def office(self) -> str:
        return self._address("office")

    def password(self, user: str) -> str:
        return re.findall(rf"^\s+{user}\s+(\S+)", "".join(self.said), re.MULTILINE)[0]

    def journal(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            program("kiosk", "journal", "export", "--journal", str(self.state / "kiosk" / "journal.db")),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [json.loads(json.loads(line)["body"]) for line in done.stdout.splitlines()]

    def last(self, *kinds: str) -> dict[str, Any]:
        return next(event for event in reversed(self.journal()) if event["kind"] in kinds)

    def home(self, skip: int = 0) -> Home:
        """A household that owes between ¥200 and ¥1,400, the smallest debtor first: each note takes its second."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state}/office.sqlite3?mode=ro", uri=True)) as db:
            rows = db.execute(
                """SELECT u.code, u.room, b.name, (SELECT count(*) FROM property_entrance e WHERE e.building_id = b.id)
                FROM property_unit u JOIN property_project p ON p.id = u.project_id
                JOIN property_building b ON b.id = u.building_id JOIN billing_bill bill ON bill.unit_id = u.id
                WHERE p.code = ? GROUP BY u.id HAVING count(*) FILTER (WHERE amount_fen > principal_paid_fen) >= 2
                AND sum(amount_fen - principal_paid_fen) BETWEEN 20000 AND 140000
                ORDER BY sum(amount_fen - principal_paid_fen), u.code""",
                (PROJECT,),
            ).fetchall()
            buildings = sorted({row[2] for row in rows} | {code for (code,) in db.execute(
                "SELECT b.name FROM property_building b JOIN property_project p ON p.id = b.project_id WHERE p.code = ?", (PROJECT,))})  # fmt: skip
        homes = [
            Home(code, buildings.index(building), room) for code, room, building, entrances in rows if entrances == 1
        ]
        return homes[skip]

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(60)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def _address(self, name: str) -> str:
        return re.findall(rf"^\s+{name}.*(http://\S+)", "".join(self.said), re.MULTILINE)[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if "Ready to take" in line or "not ready" in line.lower() or "Not all" in line:
                self._ready.set()
        self._ready.set()


@pytest.fixture(scope="module")
def lobby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lobby]:
    running = Lobby(tmp_path_factory.mktemp("lobby"))
    yield running
    assert running.stop() == 0, "".join(running.said)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1700, "height": 1300})
    yield page
    page.close()


def to_the_slot(glass: Glass, home: Home) -> None:
    """From attract to the screen that asks for notes, paying all bills."""
    glass.lead_on(places.ANYWHERE, "home")
    glass.lead_on(places.PAY_TILE, "identify_building")
    glass.lead_on((places.COLUMNS[home.building_index], 341.0), "identify_room")
    for digit in home.room:
        glass.touch(places.KEYS[digit])
        glass.page.wait_for_timeout(places.TREMBLE_MS)
    glass.lead_on(places.MAIN, "verify")
    glass.lead_on(places.YES, "bill_list")
    glass.lead_on(places.MAIN, "amount")
    glass.lead_on(places.MAIN, "method")
    glass.lead_on(places.CASH_TILE, "insert_cash")


def feed(page: Page, face: int, outcome: str) -> None:
    """Press a note's button; wait until the bench says what the acceptor did with it."""
    reports = page.locator("#log li", has_text=f"bill-acceptor · {outcome}")
    before = reports.count()
    page.click(f"section .n{face // 100}")
    expect(reports).to_have_count(before + 1, timeout=20_000)


def sign_in(page: Page, lobby: Lobby) -> None:
    page.goto(lobby.office)
    page.fill("#u", "finance")
    page.fill("#p", lobby.password("finance"))
    page.click("button.go")
    expect(page.locator("main")).to_be_visible()


def open_payment(page: Page, receipt_no: str) -> None:
    page.goto(f"{page.url.split('/projects/')[0].rstrip('/')}/projects/{PROJECT}/search/?q={receipt_no}")
    expect(page.locator("#receipt-no")).to_have_text(receipt_no)


def test_a_household_pays_its_bills_in_notes_on_the_glass_and_the_office_has_each_note(
    lobby: Lobby, page: Page
) -> None:
    glass = Glass(page, lobby.bench, lobby.state / "logs" / "kiosk.log")
    home = lobby.home()
    to_the_slot(glass, home)
    due = lobby.last("payment.opened")["due_fen"]
    hundreds, rest = divmod(due, 10000)
    for _ in range(hundreds):
        feed(page, 10000, "已入箱")

    page.click("section .n100")
    glass.wait_for("held_note")  # it would exceed what is due
    glass.lead_on(places.GIVE_BACK, "insert_cash")
    expect(page.locator("#log li", has_text="bill-acceptor · 已退回")).to_have_count(1, timeout=20_000)

    notes = {10000: hundreds}
    for face, count in suggest(Fen(rest)).items():
        for _ in range(count):
            feed(page, face, "已入箱")
        notes[face] = notes.get(face, 0) + count
    glass.lead_on(places.MAIN, "result")
    settled = lobby.last("payment.settled", "payment.partial")
    assert settled["notes"] == {str(face): count for face, count in notes.items()}
    glass.lead_on(places.MAIN, "receipt")
    glass.touch(places.MAIN)
    expect(page.locator("#slip img")).to_be_visible(timeout=20_000)
    assert page.evaluate("document.querySelector('#slip img').naturalWidth") == 576
    page.click("#receipt-printer button >> nth=0")  # the payer takes the slip
    glass.lead_on(places.MAIN, "done", "attract")
    box = page.locator("#ledger").inner_text()
    assert f"¥{format_yuan(settled['received_fen']).replace(',', '')}" in box

    office = page.context.browser.new_page(locale="zh-CN")  # type: ignore[union-attr]
    sign_in(office, lobby)
    open_payment(office, settled["receipt_no"])
    expect(office.locator("main")).to_contain_text(home.code)
    table = office.locator("#notes").inner_text()
    for face, count in notes.items():
        assert re.search(rf"\b{face // 100}\b.*\b{count}\b", table), f"{count} × {face} is not in:\n{table}"
    expect(office.locator("#chain")).to_contain_text("note.credited")
    office.close()


def suggest(missing: Fen) -> dict[int, int]:
    """Exact notes upward to whole yuan, as the glass suggests them."""
    from kiosk.domain.allocation import suggest_notes

    return dict(suggest_notes(missing, NOTE_FACES))


def test_a_jam_stands_on_the_acceptors_plate_until_it_is_cleared(lobby: Lobby, page: Page) -> None:
    glass = Glass(page, lobby.bench, lobby.state / "logs" / "kiosk.log")
    to_the_slot(glass, lobby.home(skip=2))
    plate = page.locator("#bill-acceptor output.state")
    expect(plate).to_have_text("收钞中 taking notes", timeout=20_000)
    shut = page.locator("#log li", has_text="bill-acceptor · 停收 shut")
    before = shut.count()
    page.click("button:has-text('入口卡钞')")
    page.click("section .n100")
    expect(page.locator("#log")).to_contain_text("bill-acceptor · 卡钞 jammed · ¥100 · where entry", timeout=20_000)
    expect(shut).to_have_count(before + 1, timeout=20_000)
    expect(plate).to_have_text("卡钞 jammed")
    page.click("button:has-text('清除卡钞')")
    expect(plate).not_to_have_text("卡钞 jammed", timeout=20_000)
    glass.lead_on(places.CANCEL, "attract")


def test_with_the_cable_pulled_in_the_middle_the_payment_is_accepted_first_and_booked_once_later(
    lobby: Lobby, page: Page
) -> None:
    glass = Glass(page, lobby.bench, lobby.state / "logs" / "kiosk.log")
    to_the_slot(glass, lobby.home(skip=1))
    feed(page, 5000, "已入箱")
    page.click("#network button >> nth=0")
    expect(page.locator("#network output.state")).to_contain_text("断", timeout=10_000)
    feed(page, 2000, "已入箱")
    glass.lead_on(places.MAIN, "result")
    settled = lobby.last("payment.settled", "payment.partial")
    assert settled["received_fen"] == 7000

    office = page.context.browser.new_page(locale="zh-CN")  # type: ignore[union-attr]
    sign_in(office, lobby)
    office.goto(f"{lobby.office}projects/{PROJECT}/search/?q={settled['receipt_no']}")
    expect(office.locator("#receipt-no")).to_have_count(0)

    page.click("#network button >> nth=1")
    payments = office.locator("main", has_text=settled["receipt_no"])
    for _ in range(30):
        office.goto(f"{lobby.office}projects/{PROJECT}/search/?q={settled['receipt_no']}")
        if office.locator("#receipt-no").count():
            break
        office.wait_for_timeout(1000)
    expect(office.locator("#receipt-no")).to_have_text(settled["receipt_no"])
    expect(payments).to_have_count(1)
    with contextlib.closing(sqlite3.connect(f"file:{lobby.state}/office.sqlite3?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT amount_fen FROM payments_payment WHERE receipt_no = ?", (settled["receipt_no"],)
        ).fetchall()
    assert rows == [(7000,)]
    office.close()


def test_started_twice_it_says_so_and_does_no_harm(lobby: Lobby) -> None:
    second = subprocess.run(
        program("kiosk-sim", "lobby", "--state", str(lobby.state)), capture_output=True, text=True, check=False
    )
    assert second.returncode == 0
    assert "already running" in second.stdout
    assert lobby.bench in second.stdout
    assert lobby.process.poll() is None


def test_kiosk_check_beside_it_says_that_all_is_ready(lobby: Lobby) -> None:
    done = subprocess.run(
        program("kiosk", "check", "--config", str(lobby.state / "kiosk.toml"), "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {row["part"] for row in rows} >= {
        "settings",
        "pairing",
        "journal",
        "bill acceptor",
        "receipt printer",
        "office",
        "screen",
    }
    assert all(row["ready"] for row in rows)
