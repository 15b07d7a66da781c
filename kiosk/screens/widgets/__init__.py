"""The parts screens are made of, by the names their ``.kv`` files use. Import this package and every name is known.

How to write a screen
---------------------
``kiosk/screens/verify.py`` and ``verify.kv`` are a whole example. In short::

    load_kv(__file__)                                  # once, at import: verify.kv beside verify.py

    class VerifyScreen(KioskScreen):                   # kiosk.screens.base
        unit = StringProperty()                        # what the .kv shows
        def show(self, view: VerifyView) -> None:      # each view: set properties, never build or drop widgets
            self.unit = say(view.frame.language, "plate.full", ...)
        def answer_pressed(self, right: bool) -> None: # handlers never start with on_
            self.send(HouseholdAnswered(right=right))  # send() adds the view number

    <VerifyScreen>:                                    # verify.kv; widgets land between question and counter
        question: say(self.language, "verify.question")
        Words:
            text: root.unit

and one line in ``router.SCREENS``. The frame draws everything else from ``view.frame``: header, step line, plate, 返回 and
取消, language, offline banner, fault code, both dialogs. A screen sets, in ``.kv`` or ``show``:

=====================  =================================================================================================
question, detail       the sentence on top and the one below it (the small panel shows the question only, in its header)
question_size          "title", or "figure" where the question is the main thing
primary_text           the main button at the right; empty: none. ``primary_pressed()`` sends ContinueTapped
primary_icon           "next", "check", "receipt" …; ``primary_enabled`` switches it off
help_text, help_icon   instead of 帮助
aside_text, _icon      small panel: a second button in the header, where the plate would be; ``aside_pressed()``
top_ground, top_ink    colour names behind and in the header: "pine"/"on_pine", "amber_tint"/"ink"
content_pad            False: no margins around the content (portrait)
more_time_detail/_after  message keys of the E70 dialog, as class attributes ("秒后完成" when money is in)
=====================  =================================================================================================

The screen is a Column: 240 x about 300 mm in portrait, 206 x 75 mm on the small panel. Sizes: ``theme.px(mm)``,
``theme.size("row_h")``, ``theme.space("gap")``, colours ``theme.colour("ink")``; ``theme.landscape()`` tells the panel.
``theme.kv`` has Column, Row, Split (beside each other on a wide panel, below each other on a tall one), Air, Soft, Paper.

The widgets
-----------
Words          text, type_size (caption label body title figure display), fits (sizes to try in turn) with max_lines, bold, tone,
               halign, valign, wraps. Wrapping: set the width, the height follows. ``wraps: False``: as large as its text
RaisedButton   text, icon, type_size, icon_last, icon_side; ``kind`` secondary, primary, quiet, danger; on_release; ``shown``
               hides it and keeps its place; ``disabled`` is Kivy's. PrimaryButton, QuietButton, Key (has ``key``) are ready kinds
Tile           name, icon, title, title_size, lines, reason (set: switched off and says why); kind: "primary" for the first
BillRow        bill_id, name, period, due, tag, tag_below, overdue, picked, icon, amount, hidden; on_release
ChoiceRow      name, title, second, amount or icon, chosen; on_release
AmountLabel    amount ("616.28"), hidden, type_size (label title figure display), tone, halign
Banner         strong, text, calm, icon, type_size, shown; its height follows
Tag            text, kind (late ok bad off), shown
Bar, TimeBar   share 0..1; countdown (views.Countdown or None) and ``after``, the words behind the digits
Stack          Column, Row and Split are Stacks: a child of no length or ``shown`` False leaves no gap; ``height: self.least``
Pager          page, pages, language; on_turn: args[1] is -1 or +1; a row, or on the small panel a column 22 mm wide
NoteChip       face_fen, figure_mm (7, 16, 24): sized by its note
FillingPlate   parts: a list of Part(state, filled, slots, word); PlateFace (rivets "sides", "corners") holds children;
               SmallPlate is the one in the header
Icon           name (icons.toml), side in pixels, tone; Disc: round ground with an icon; Mark; Door (is_open); Rule (strong)
Cells          columns, cell_h; ``fill(count, build)`` returns reused cells; hidden children leave no hole
Keypad         extra ("clear", "-" or "."), language; on_key: args[1]. WrongEntry: error, wait (a Countdown)
Card, Face     ground with fill, edge, line, radius, lip; Card is a BoxLayout
Press          the behaviour of a tap for anything else: on_release, pressed, shown, disabled
StepLine, Dialog  belong to the frame, ``pane.py``
=====================================================================================================================

``Words.clipped`` and ``AmountLabel.clipped`` say whether text does not fit; ``text_size_px`` is what it needs.
Every widget that Kivy itself names (Button, Label, ScrollView …) is left alone: use the ones above.
"""

from pathlib import Path

from kivy.lang import Builder

from kiosk.screens.widgets.amount import AmountLabel
from kiosk.screens.widgets.bars import Bar, TimeBar
from kiosk.screens.widgets.buttons import Key, Pressable, PrimaryButton, QuietButton, RaisedButton, Tile
from kiosk.screens.widgets.cells import Cells
from kiosk.screens.widgets.door import Door
from kiosk.screens.widgets.faces import Card, Face
from kiosk.screens.widgets.filling_plate import FillingPlate, Part
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.keypad import Keypad
from kiosk.screens.widgets.pager import Pager
from kiosk.screens.widgets.press import Press
from kiosk.screens.widgets.rows import BillRow, Box, ChoiceRow
from kiosk.screens.widgets.signs import Banner, Disc, Mark, NoteChip, PlateFace, Rule, SmallPlate, Tag
from kiosk.screens.widgets.stack import Stack
from kiosk.screens.widgets.steps import StepLine
from kiosk.screens.widgets.words import Words
from kiosk.screens.widgets.wrong_entry import WrongEntry

__all__ = [
    "AmountLabel",
    "Banner",
    "Bar",
    "BillRow",
    "Box",
    "Card",
    "Cells",
    "ChoiceRow",
    "Disc",
    "Door",
    "Face",
    "FillingPlate",
    "Icon",
    "Key",
    "Keypad",
    "Mark",
    "NoteChip",
    "Pager",
    "Part",
    "PlateFace",
    "Press",
    "Pressable",
    "PrimaryButton",
    "QuietButton",
    "RaisedButton",
    "Rule",
    "SmallPlate",
    "Stack",
    "StepLine",
    "Tag",
    "Tile",
    "TimeBar",
    "Words",
    "WrongEntry",
]

Builder.load_file(str(Path(__file__).parents[1] / "theme.kv"))
