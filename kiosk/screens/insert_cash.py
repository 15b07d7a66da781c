"""S09: notes go in. Due, inserted and missing; what the slot is doing; which notes it takes and which would fit."""

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk import text
from kiosk.domain.money import FEN_PER_YUAN, NOTE_FACES, Fen, format_yuan
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.part import Part
from kiosk.screens.widgets import Disc, NoteChip
from kiosk.screens.widgets.note_line import NoteLine  # noqa: F401  named in the .kv
from kiosk.views import CashState, InsertCashView

GUIDE_MM = 3  # how far the arrow moves
GUIDE_STROKE = 2.6
_GUIDE_TONES = {"check": ("pine", "on_pine")}


class Guide(Widget):
    """A large arrow that moves towards the slot while a note is wanted; half a cycle a second, never faster."""

    moving = BooleanProperty(False)
    icon = StringProperty("down")

    def __init__(self, **kwargs: object) -> None:
        self.disc = Disc(fill="amber", tone="on_amber")
        self._low = False
        self._tick = Clock.schedule_interval(self._step, 0.5 / float(theme.token("motion", "guide_hz")))
        self._tick.cancel()
        kwargs.setdefault("size_hint", (None, None))
        super().__init__(**kwargs)
        self.add_widget(self.disc)
        for name in ("moving", "icon", "pos", "size", "parent"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        self.disc.fill, self.disc.tone = _GUIDE_TONES.get(
            self.icon, ("amber", "on_amber") if self.moving else ("sunk", "ink")
        )
        self.disc.icon, self.disc.picture.stroke = self.icon, GUIDE_STROKE
        side = max(0, min(self.width, self.height) - theme.px(GUIDE_MM))
        self.disc.size = (side, side)
        lift = theme.px(GUIDE_MM) * (0.5 if not self.moving else 0 if self._low else 1)
        self.disc.pos = (round(self.x + (self.width - side) / 2), round(self.y + lift))
        if self.moving and self.parent is not None:
            self._tick()
        else:
            self._tick.cancel()
            self._low = False

    def _step(self, _dt: float) -> None:
        self._low = not self._low
        self.arrange()


class AcceptedNotes(Widget):
    """Pictures of the notes that are taken, in their own proportions, largest first."""

    faces = ListProperty()
    columns = NumericProperty(3)

    def __init__(self, **kwargs: object) -> None:
        self.chips = [NoteChip(face_fen=face, figure_mm=7 if theme.landscape() else 16) for face in NOTE_FACES]
        super().__init__(**kwargs)
        for chip in self.chips:
            self.add_widget(chip)
        for name in ("faces", "columns", "pos", "size"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        columns = int(self.columns)
        rows = max(1, -(-len(self.faces) // columns))
        wide, high = self.width / columns, min(self.height / rows, theme.px(44))
        for number, chip in enumerate(self.chips):
            chip.opacity = 1 if number < len(self.faces) else 0
            if number < len(self.faces):
                chip.face_fen = self.faces[number]
                middle_x = self.x + (number % columns + 0.5) * wide
                middle_y = self.y + self.height - (number // columns + 0.5) * high
                chip.pos = (round(middle_x - chip.width / 2), round(middle_y - chip.height / 2))


class InsertCashTall(Part):
    """Guide, banners, the card with the money, then the notes that are taken."""


class InsertCashWide(Part):
    """The money at the left; at the right what to do, or what is wrong; below, the notes that are taken."""


load_kv(__file__)

_HINTS = {
    CashState.READY: "insert_cash.ready_hint",
    CashState.GETTING_READY: "insert_cash.getting_ready_hint",
    CashState.READING: "insert_cash.reading_hint",
    CashState.KEEPING: "insert_cash.reading_hint",
    CashState.RETURNING: "insert_cash.returning_hint",
    CashState.STOPPED: "insert_cash.stopped_hint",
}
_SIGNS = {CashState.READY: "down", CashState.RETURNING: "up", CashState.STOPPED: "stop"}


class InsertCashScreen(KioskScreen):
    """Shows what has been counted so far; the figures change with each credited note and with nothing else."""

    hint = StringProperty()
    sign = StringProperty("down")
    wants_note = BooleanProperty(False)
    stopped = BooleanProperty(False)
    main_caption = StringProperty()
    main = StringProperty()
    due = StringProperty()
    counted = StringProperty()
    share = NumericProperty(0.0)
    notes = ListProperty()
    suggested = ListProperty()
    suggested_caption = StringProperty()
    surplus = StringProperty()
    faces = ListProperty()
    notice = StringProperty()
    notice_is_calm = BooleanProperty(False)
    part_hint = StringProperty()

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (InsertCashWide if theme.landscape() else InsertCashTall)(screen=self)
        self.add_widget(self.part)

    def show(self, view: InsertCashView) -> None:
        language, say = view.frame.language, text.say
        self.more_time_detail = "more_time.detail_money" if view.counted else "more_time.detail"
        self.more_time_after = "insert_cash.time_after" if view.counted else "insert_cash.time_after_nothing"
        enough = view.counted >= view.due
        at_rest = view.state in (CashState.READY, CashState.STOPPED) and (view.notice is None or view.notice_is_calm)
        self._show_slot(view, enough=enough and at_rest)
        said_above = enough and at_rest and view.notice is not None and view.notice.key == "notice.enough"
        over = view.counted - view.due
        key = "insert_cash.missing" if over < 0 else "insert_cash.over" if over else "insert_cash.paid_in_full"
        key = f"{key}_short" if over > 0 and theme.landscape() else key
        self.main_caption = say(language, key)
        self.main = format_yuan(view.missing if over < 0 else over if over else view.counted)
        self.due, self.counted = format_yuan(view.due), format_yuan(view.counted)
        self.share = view.counted / view.due if view.due else 1.0
        self.notes = [list(pair) for pair in view.notes]
        self.stopped = view.state is CashState.STOPPED
        self.suggested = [] if self.stopped else [list(pair) for pair in view.suggested]
        self.suggested_caption = say(language, "insert_cash.suggested_more" if view.notes else "insert_cash.suggested")
        self.surplus = say(language, "insert_cash.surplus", surplus_fen=view.surplus_if_suggested)
        if not view.surplus_if_suggested:
            self.surplus = ""
        self.faces = [] if self.stopped else list(view.faces)
        self.notice = text.say_saying(language, view.notice) if view.notice and not said_above else ""
        self.notice_is_calm = view.notice_is_calm
        self.primary_text, self.primary_icon = say(language, "insert_cash.finish"), "check"
        self.primary_enabled = view.can_finish
        self.part_hint = say(language, "insert_cash.part_hint") if not enough and view.can_finish else ""

    def _show_slot(self, view: InsertCashView, *, enough: bool) -> None:
        language, say = view.frame.language, text.say
        key = "insert_cash.enough" if enough else f"insert_cash.{view.state}"
        self.question = say(language, f"{key}_short" if theme.landscape() else key)
        self.hint = say(language, "insert_cash.enough_hint" if enough else _HINTS[view.state])
        if view.state is CashState.STOPPED and not view.counted:
            self.hint = say(language, "insert_cash.stopped_nothing_hint")
        if theme.landscape() and view.suggested and view.state is CashState.READY and not enough:
            self.hint = say(language, "insert_cash.suggested_words", notes=_in_words(view.suggested))
        self.sign = "check" if enough else _SIGNS.get(view.state, "hourglass")
        self.wants_note = not enough and view.state in (CashState.READY, CashState.RETURNING)


def _in_words(notes: tuple[tuple[Fen, int], ...]) -> str:
    """100 × 6 + 10: the small panel has no room for pictures of what is suggested."""
    parts = (f"{face // FEN_PER_YUAN}×{count}" if count > 1 else str(face // FEN_PER_YUAN) for face, count in notes)
    return " + ".join(parts)
