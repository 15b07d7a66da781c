"""S10: this note would be too much. Keep the rest as prepayment, or give the note back; nothing else."""

from kivy.properties import NumericProperty, ObjectProperty, StringProperty

from kiosk import text
from kiosk.domain.money import Fen, format_yuan
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.part import Part
from kiosk.screens.widgets import NoteChip, Pressable, Words
from kiosk.screens.widgets.icon import Icon
from kiosk.taps import HeldNoteAnswered
from kiosk.views import HeldNoteView


class AnswerTile(Pressable):
    """A large answer: sign and title on a line, what it means below."""

    icon = StringProperty()
    title = StringProperty()
    meaning = StringProperty()

    def __init__(self, **kwargs: object) -> None:
        self.picture = Icon(side=theme.icon_side("medium"))
        self.title_words = Words(bold=True, fits=["title", "body", "label"], max_lines=1, line_height=1.2)
        self.meaning_words = Words(fits=["label"], max_lines=3, line_height=1.25)
        super().__init__(**kwargs)
        for widget in (self.picture, self.title_words, self.meaning_words):
            self.add_widget(widget)
        for name in ("icon", "title", "meaning", "pos", "size", "pressed", "kind"):
            self.fbind(name, self.arrange)
        self.arrange()

    def dress(self, *_: object) -> None:
        super().dress()
        self.title_words.tone = self.picture.tone = self.meaning_words.tone = self.look.ink

    def arrange(self, *_: object) -> None:
        x, y, width, height = self.face_box
        pad, gap = theme.px(4 if theme.landscape() else 7), theme.px(3)
        self.picture.name, self.title_words.text, self.meaning_words.text = self.icon, self.title, self.meaning
        aside = 0 if theme.landscape() else self.picture.width + gap
        self.picture.opacity = 1 if aside else 0
        self.title_words.width = max(1, width - 2 * pad - aside)
        self.meaning_words.width = max(1, width - 2 * pad)
        for words in (self.title_words, self.meaning_words):
            words.refresh()
        block = self.title_words.height + theme.px(1) + self.meaning_words.height
        bottom = y + (height - block) / 2
        self.meaning_words.pos = (round(x + pad), round(bottom))
        self.title_words.pos = (
            round(x + pad + aside),
            round(bottom + block - self.title_words.height),
        )
        middle = self.title_words.y + self.title_words.height / 2
        self.picture.pos = (round(x + pad), round(middle - self.picture.height / 2))


class LargeNote(NoteChip):
    """The note in question."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(figure_mm=24, **kwargs)


class HeldNoteTall(Part):
    """The note and the sum; the answers rest on the counter, the time below them."""


class HeldNoteWide(Part):
    """The sum and the answers beside each other, the time below."""


load_kv(__file__)


class HeldNoteScreen(KioskScreen):
    """Shows the note in question, how much it is too much, and the two answers."""

    face = NumericProperty(10000)
    counted = StringProperty()
    this_note = StringProperty()
    due = StringProperty()
    surplus = StringProperty()
    keep_meaning = StringProperty()
    countdown = ObjectProperty(None, allownone=True)

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (HeldNoteWide if theme.landscape() else HeldNoteTall)(screen=self)
        self.add_widget(self.part)

    def show(self, view: HeldNoteView) -> None:
        language, say = view.frame.language, text.say
        self.face = view.face
        key = "held_note.title_short" if theme.landscape() else "held_note.title"
        self.question = say(language, key, surplus_fen=view.surplus)
        self.detail = say(language, "held_note.waiting")
        self.counted, self.this_note = _yuan(view.counted), _yuan(view.face)
        self.due, self.surplus = f"− {_yuan(view.due)}", format_yuan(view.surplus)
        self.keep_meaning = say(
            language,
            "held_note.keep_hint_short" if theme.landscape() else "held_note.keep_hint",
            surplus_fen=view.surplus,
        )
        self.countdown = view.countdown

    def answer_pressed(self, keep: bool) -> None:
        self.send(HeldNoteAnswered(keep=keep))


def _yuan(fen: Fen) -> str:
    return f"¥{format_yuan(fen)}"
