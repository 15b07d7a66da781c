"""Every view of S01 to S04 on its screen: built once, redrawn in the other language, on both panels."""

import time

import pytest

from kiosk.screens.samples import samples
from kiosk.views import (
    AttractView,
    BuildingView,
    EntranceView,
    Frame,
    HomeView,
    RoomView,
    Step,
    TypedAddressView,
    VerifyView,
    WaitingView,
)
from tests.screens.glass import on_glass

OURS = (AttractView, HomeView, BuildingView, EntranceView, RoomView, TypedAddressView, WaitingView, VerifyView)
PANELS = ("portrait-21.5", "landscape-10.1")


def ours(language):
    return [sample for sample in samples(language, time.monotonic(), 5) if isinstance(sample.view, OURS)]


def draw_all(glass):
    screens = {}
    for language in ("zh-Hans", "en"):
        for sample in ours(language):
            glass.easel.show(sample.view)  # nobody touches it: no wait until it takes touches
            clipped = [w.text for w in glass.easel.place.walk() if w.opacity and getattr(w, "text", "") and clips(w)]
            assert not clipped, f"{sample.name} {language}: {clipped}"
            assert screens.setdefault(type(sample.view), glass.screen) is glass.screen, "built twice"
    assert set(screens) == set(OURS)


def clips(widget):
    """Whether a text that can be seen does not fit; what a hidden parent holds can't be seen."""
    parent = widget
    while parent.parent is not parent and parent is not None:
        if not parent.opacity:
            return False
        parent = parent.parent
    return getattr(widget, "clipped", False)


@on_glass("portrait-21.5")
def test_every_view_is_drawn_whole_on_the_tall_panel(glass):
    draw_all(glass)


@on_glass("landscape-10.1")
def test_every_view_is_drawn_whole_on_the_wide_panel(glass):
    draw_all(glass)


@on_glass()
def test_a_language_switch_redraws_the_screen_that_was_built(glass):
    view = VerifyView(frame=Frame(step=Step.VERIFY), building="3", entrance="1", room="502", masked_name="张*")
    glass.show(view)
    screen = glass.screen
    assert {"是这一户吗？", "3栋 1单元 502", "核对", "帮助"} <= glass.words()
    glass.show(
        VerifyView(
            frame=Frame(language="en", step=Step.VERIFY), building="3", entrance="1", room="502", masked_name="张*"
        )
    )
    assert glass.screen is screen
    assert {"Is this the right home?", "3 – 1 – 502", "Check", "Help"} <= glass.words()
    assert not {"是这一户吗？", "核对", "帮助"} & glass.words()


@on_glass()
def test_a_page_with_fewer_buildings_shows_no_button_of_the_page_before(glass):
    glass.show(BuildingView(frame=Frame(), buildings=tuple(str(n) for n in range(1, 13)), pages=2))
    assert {"1 栋", "12 栋", "下一页"} <= glass.words()
    glass.show(BuildingView(frame=Frame(), buildings=("13",), page=1, pages=2))
    assert "13 栋" in glass.words()
    shown = [cell.text for cell in glass.screen.ids.buildings.cells if cell.shown]
    assert shown == ["13 栋"]


@on_glass()
def test_the_frame_says_when_the_office_is_away_and_which_fault_this_is(glass):
    glass.show(HomeView(frame=Frame(offline=True, bills_as_of="2026-02-06 08:00", code="E21")))
    assert {"离线服务。", "账单截至 2月6日 08:00，联网后入账。", "E21"} <= glass.words()
    glass.show(HomeView(frame=Frame()))
    assert not {"离线服务。", "E21"} & glass.words()


@on_glass()
def test_a_cleared_router_shows_nothing_of_the_visit(glass):
    glass.show(VerifyView(frame=Frame(), building="3", entrance="1", room="502", masked_name="张*"))
    glass.router.clear()
    glass.settle()
    assert glass.words() == set()


@pytest.mark.parametrize("panel", PANELS)
def test_both_panels_are_designed(panel):
    from kiosk.screens import theme

    glass = theme.panel_glass(panel)
    assert glass.landscape == panel.startswith("landscape")
