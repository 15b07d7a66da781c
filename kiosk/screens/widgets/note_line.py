"""Notes and how many of each, in a row that goes on below where it is long."""

from kivy.properties import ListProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk.domain.money import NOTE_FACES
from kiosk.screens import theme
from kiosk.screens.widgets.signs import NoteChip
from kiosk.screens.widgets.words import Words


class NoteLine(Widget):
    """``notes`` is face and count, largest first; ``caption`` before them, ``tail`` behind; without notes ``empty`` stands there."""

    caption = StringProperty("")
    notes = ListProperty()
    empty = StringProperty("")
    tail = StringProperty("")
    caption_room = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        self.caption_words = Words(wraps=False, type_size="label", tone="ink2")
        self.tail_words = Words(wraps=False, type_size="label", tone="ink2")
        self.chips = [NoteChip(face_fen=face, figure_mm=7) for face in NOTE_FACES]
        self.counts = [Words(wraps=False, type_size="label", bold=True) for _ in NOTE_FACES]
        kwargs.setdefault("size_hint_y", None)
        super().__init__(**kwargs)
        for widget in (self.caption_words, self.tail_words, *self.chips, *self.counts):
            self.add_widget(widget)
        for name in ("caption", "notes", "empty", "tail", "caption_room", "pos", "size"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        row_h = theme.px(16.5)
        self.caption_words.text, self.tail_words.text = self.caption, self.tail if self.notes else self.empty
        self.caption_words.refresh()
        self.tail_words.refresh()
        left = x = self.x + self.caption_room
        rows, places = 1, []
        for (face, count), chip, words in zip(self.notes, self.chips, self.counts, strict=False):
            chip.face_fen, words.text = face, f"× {count}" if count > 1 else ""
            words.refresh()
            wide = chip.width + (theme.px(2) + words.width if count > 1 else 0)
            if x > left and x + wide > self.x + self.width:
                rows, x = rows + 1, left
            places.append((chip, words, x, rows))
            x += wide + theme.px(4)
        if self.notes and x + self.tail_words.width > self.x + self.width:
            rows += 1
        self.height = rows * row_h if self.notes or self.empty else 0
        self._place(places, rows, row_h)

    def _place(self, places: list[tuple[NoteChip, Words, float, int]], rows: int, row_h: int) -> None:
        top = self.y + rows * row_h
        for number, (chip, words) in enumerate(zip(self.chips, self.counts, strict=True)):
            chip.opacity = words.opacity = 1 if number < len(places) else 0
        for chip, words, x, row in places:
            middle = top - (row - 0.5) * row_h
            chip.pos = (round(x), round(middle - chip.height / 2))
            words.pos = (round(x + chip.width + theme.px(2)), round(middle - words.height / 2))
        first, last = top - 0.5 * row_h, self.y + 0.5 * row_h
        self.caption_words.pos = (round(self.x), round(first - self.caption_words.height / 2))
        tail_x = self.x + self.width - self.tail_words.width if self.notes else self.x + self.caption_room
        self.tail_words.pos = (round(tail_x), round(last - self.tail_words.height / 2))
