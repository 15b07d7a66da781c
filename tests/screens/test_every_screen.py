"""Every sample, drawn on both panels in both languages, holds its texts, targets and amounts to the sheet's sizes."""

import functools
import time

from kiosk.screens.samples import LANGUAGES, samples
from kiosk.views import (
    AmountView,
    AttractView,
    BillListView,
    DoneView,
    ExplainView,
    Frame,
    HeldNoteView,
    InsertCashView,
    MethodView,
    ReceiptView,
)
from tests.screens.glass import on_glass

PORTRAIT, LANDSCAPE = "portrait-21.5", "landscape-10.1"
MONEY_SCREENS = (BillListView, ExplainView, AmountView, MethodView, InsertCashView, HeldNoteView, ReceiptView)


def nothing(found):
    lines = list(found)
    assert not lines, "\n".join([f"{len(lines)}:", *lines])


def every_sample(panel):
    from kiosk.screens.easel import rows_per_page

    for language in LANGUAGES:
        for sample in samples(language, time.monotonic(), rows_per_page(panel)):
            yield language, sample


@functools.cache
def survey(glass, panel):
    """Draw all samples once: what the audit says about them, and where money is not the largest thing."""
    from kiosk.screens import theme
    from kiosk.screens.audit import Audit

    size, sizes, money = theme.glass(), [], []
    for language, sample in every_sample(panel):
        glass.easel.show(sample.view)
        audit = Audit(glass.easel.place, size.width_px, size.height_px, size.px_per_mm)
        for found in audit.findings():
            sizes.append(f"{sample.name} {language}: {found.rule}: {found.detail} ({found.where})")
        amount, other = largest_texts(audit)
        if amount < other and is_about_money(sample.view):
            money.append(f"{sample.name} {language}: amount {amount} px, other text {other} px")
    return sizes, money


def is_about_money(view):
    hidden = isinstance(view, BillListView) and not view.amounts_shown
    return isinstance(view, MONEY_SCREENS) and not view.frame.dialog and not hidden


def largest_texts(audit):
    """The em of the largest amount and of the largest other text that can be read now, in pixels."""
    from kiosk.screens.widgets import AmountLabel

    amounts, others = [0], [0]
    for text in audit.texts:
        is_amount = isinstance(text.words.parent, AmountLabel)
        (amounts if is_amount else others).append(text.words.font_px)
    return max(amounts), max(others)


def texts_of_every_widget(glass):
    """What any widget of any screen holds, on the glass or put away: its own strings and its drawn lines."""
    held = set()
    pane, screens = glass.router.pane, glass.router._screens.values()
    for root in (*screens, *pane.frames.values(), *pane.dialogs.values()):
        for widget in root.walk(restrict=True):
            for name in widget.properties():
                value = getattr(widget, name)
                held |= {value} if isinstance(value, str) else set()
            held |= set(getattr(widget, "lines", ()))
    held |= {repr(screen.view) for screen in screens if screen.view is not None}
    return {str(text) for text in held}


@on_glass(PORTRAIT)
def test_no_sample_breaks_the_sizes_of_the_large_panel(glass):
    nothing(survey(glass, PORTRAIT)[0])


@on_glass(LANDSCAPE)
def test_no_sample_breaks_the_sizes_of_the_small_panel(glass):
    nothing(survey(glass, LANDSCAPE)[0])


@on_glass(PORTRAIT)
def test_money_is_the_largest_thing_on_every_money_screen(glass):
    nothing(survey(glass, PORTRAIT)[1])


@on_glass(LANDSCAPE)
def test_money_is_the_largest_thing_on_every_money_screen_of_the_small_panel(glass):
    nothing(survey(glass, LANDSCAPE)[1])


@on_glass(PORTRAIT)
def test_after_goodbye_no_widget_keeps_anything_of_the_visit(glass):
    personal = (
        "***502",
        "1单元 502",
        "张*",
        "225.54",
        "616.28",
        "550.00",
        "33.72",
        "K07-000417",
        "车位管理费",
        "89.50",
    )
    usual = {}
    for sample in samples("zh-Hans", time.monotonic(), 5):
        usual.setdefault(type(sample.view), sample.view)
    for kind in [kind for kind in usual if kind not in (AttractView, DoneView)]:
        glass.easel.show(usual[kind])
    before = texts_of_every_widget(glass)
    nothing(secret for secret in personal if not any(secret in text for text in before))
    for last in (usual[DoneView], AttractView(frame=Frame(kiosk_code="K07"))):
        glass.easel.show(last)
        glass.wait(1)
        nothing(text for text in texts_of_every_widget(glass) if any(secret in text for secret in personal))


@on_glass(PORTRAIT)
def test_icons_of_one_size_look_different(glass):
    from kiosk.screens.icons import names
    from kiosk.screens.widgets import Icon

    pictures = {}
    for name in names():
        pictures.setdefault(Icon(name=name, side=40)._picture.texture.pixels, []).append(name)
    nothing(", ".join(alike) for alike in pictures.values() if len(alike) > 1)
