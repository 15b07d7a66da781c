"""The pages in a real browser against a real `office serve`: refresh, widths, contrast, keyboard, print."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from kiosk.domain.chain import check_code
from office.kiosks.models import Alarm
from office.staff.models import Role
from tests.office.pages.desk import PASSWORD, BusyDesk, person

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (320, 390, 640, 641, 768, 1024, 1101, 1280, 1440, 1920)
LOWEST_CONTRAST = 6.5  # the design's lowest measured pair is 6.58
PAYERS_CONTRAST = 7.0  # of the page that payers read
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")

# Contrast of every rendered text against the nearest painted ground; [ratio, text] of the lowest one.
LOWEST = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const channel = value => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.closest("svg, script, option") || !element.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, text];
  }
  return lowest;
}"""


# The smallest letter size of any rendered text and the size of what a note says in bold, in CSS pixels.
SIZES = """() => {
  const size = element => parseFloat(getComputedStyle(element).fontSize);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = 99;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() && element.getClientRects().length) least = Math.min(least, size(element));
  }
  const told = document.querySelector(".note b");
  return [least, told ? size(told) : 99];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and Django then refuses to touch rows from it.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


@dataclass
class Running:
    """A served office, its rows at hand, and a browser."""

    desk: BusyDesk
    url: str
    browser: Browser

    def page(self, *, width: int = 1440, locale: str = "zh-CN", dark: bool = False) -> Page:
        """A fresh browser in which nothing may be refused by the content policy or fail in a script."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, locale=locale, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.set_default_timeout(10_000)

        def complain(message: ConsoleMessage) -> None:
            assert message.type != "error" or "status of 4" in message.text, message.text

        page.on("console", complain)
        return page

    def signed_in(self, **how: object) -> Page:
        page = self.page(**how)  # type: ignore[arg-type]
        page.goto(f"{self.url}/")
        page.fill("#u", "lin")
        page.fill("#p", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#live")).to_be_visible()
        return page

    def pages(self) -> list[str]:
        names = ("today/", "uploads/", "cases/", "units/", "units/3-1-605/", "kiosks/YG01/", "search/?q=3-1")
        return [self.url + self.desk.at(name) for name in names] + [self.url + self.desk.payment_page("twice")]


@pytest.fixture
def running(browser: Browser, desk: BusyDesk, database: str, tmp_path: Path) -> Iterator[Running]:
    person(desk.estate.project, Role.FINANCE_AUDIT, last_name="林", first_name="晓梅")
    command = [sys.executable, "-m", "office", "serve", "--database", database, "--listen", "127.0.0.1:0", "--json"]
    with (
        (tmp_path / "serve.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as server,
    ):
        try:
            assert server.stdout
            yield Running(desk, json.loads(server.stdout.readline())["url"], browser)
        finally:
            server.terminate()
            server.wait(timeout=10)


def test_today_shows_a_payment_within_two_seconds_and_keeps_the_focus(running: Running) -> None:
    page = running.signed_in()
    page.focus("#kiosk-YG01")
    unit = running.desk.household("607", "孙尚香", 3000, 9)
    running.desk.pay("live", unit, [2000, 1000], printed=False)
    folded = time.monotonic()
    expect(page.locator("#latest tbody tr").first).to_contain_text("3-1-607")
    assert time.monotonic() - folded <= 2.0
    expect(page.locator(".figs dd").first).to_have_text("¥780.00")
    expect(page.locator("#nav .due")).to_contain_text("4")  # its slip failed, which is a case
    assert page.evaluate("document.activeElement.id") == "kiosk-YG01"
    page.click("#latest tbody tr:first-child a")
    expect(page.locator("h1")).to_contain_text("¥30.00")
    expect(page.locator("#receipt-no")).to_have_text("YG01-000006")
    expect(page.locator("#notes tbody")).to_contain_text("20")
    page.context.close()


def test_no_page_scrolls_sideways_at_any_width(running: Running) -> None:
    for locale, widths in (("en-GB", WIDTHS), ("zh-CN", WIDTHS[::3])):
        page = running.signed_in(locale=locale)
        for address in running.pages():
            page.goto(address)
            for width in widths:
                page.set_viewport_size({"width": width, "height": 900})
                needed = page.evaluate("document.documentElement.scrollWidth")
                assert needed <= width, (address, locale, width, needed)
        page.context.close()


def test_every_text_stands_out_from_its_ground_light_and_dark(running: Running) -> None:
    for dark in (False, True):
        page = running.signed_in(dark=dark)
        for address in running.pages():
            page.goto(address)
            ratio, text = page.evaluate(LOWEST)
            assert ratio >= LOWEST_CONTRAST, (address, dark, text)
        page.context.close()


def test_a_payer_with_old_eyes_reads_where_the_money_is_on_a_small_phone(running: Running) -> None:
    settled = next(one for one in running.desk.estate.writer.events if one.header.kind.startswith("payment.s"))
    right = f"/m/YG01-000001/{check_code(settled.seq, settled.hash)}"
    for dark in (False, True):
        for locale in ("zh-CN", "en-GB"):
            page = running.page(width=320, locale=locale, dark=dark)
            for address in ("/m/", right, "/m/YG01-000001/99-deadbeef"):
                page.goto(running.url + address)
                ratio, text = page.evaluate(LOWEST)
                assert ratio >= PAYERS_CONTRAST, (address, locale, dark, text)
                least, told = page.evaluate(SIZES)
                assert least >= 16, (address, locale)
                assert told >= 24, (address, locale)
                assert page.evaluate("document.documentElement.scrollWidth") <= 320, (address, locale)
            page.context.close()


def test_filters_work_without_leaving_the_page_and_can_be_shared_as_an_address(running: Running) -> None:
    page = running.signed_in()
    page.goto(running.url + running.desk.at("uploads/"))
    expect(page.locator("tfoot")).to_contain_text("合计 5 笔")
    page.select_option("#f-kind", "receipt_not_printed")
    expect(page.locator("tfoot")).to_contain_text("合计 1 笔")
    assert "kind=receipt_not_printed" in page.url
    page.reload()
    expect(page.locator("tfoot")).to_contain_text("合计 1 笔")
    page.context.close()


def test_a_decision_is_made_by_keyboard_alone(running: Running) -> None:
    page = running.signed_in()
    page.goto(running.url + running.desk.payment_page("twice"))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.focus("input[value=accept]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[value=query]")).to_be_checked()
    page.focus("#why")
    page.keyboard.type("账单是谁缴的")
    page.keyboard.press("Enter")
    expect(page.locator(".note.ok")).to_contain_text("决定已记下")
    page.goto(running.url + running.desk.payment_page("twice"))
    expect(page.locator("h1")).to_contain_text("核实中")
    page.context.close()


def test_print_leaves_the_record_and_drops_the_tools(running: Running) -> None:
    page = running.signed_in()
    page.goto(running.url + running.desk.payment_page("surplus"))
    page.emulate_media(media="print")
    for gone in (".bar", ".nav", "form .choices"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator(".stamp")).to_be_visible()
    expect(page.locator("#settled")).to_be_visible()
    page.context.close()


def test_an_alarm_leaves_today_when_the_kiosk_says_it_is_over(running: Running) -> None:
    from kiosk.domain.events import DeviceFaultCleared

    page = running.signed_in(locale="en-GB")
    expect(page.locator("#live")).to_contain_text("Paper low")
    running.desk.estate.writer.append(DeviceFaultCleared(device="printer", code="printer.near_end"))
    running.desk.estate.upload()
    assert not Alarm.objects.filter(cleared_at=None).exists()
    expect(page.locator("#live")).to_contain_text("No alarms.")
    page.context.close()
