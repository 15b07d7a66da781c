"""Taps: one value per thing a finger can mean. Each carries the view it was made on; a stale one is dropped."""

import msgspec


class Tap(msgspec.Struct, frozen=True, kw_only=True, tag_field="tap"):
    """Base of all taps; the link fills in ``view_no``."""

    view_no: int = 0


class StartTapped(Tap, frozen=True, kw_only=True, tag="start"):
    """Attract was touched anywhere."""


class LanguageChosen(Tap, frozen=True, kw_only=True, tag="language"):
    """zh-Hans or en."""

    language: str


class BackTapped(Tap, frozen=True, kw_only=True, tag="back"):
    """返回."""


class CancelTapped(Tap, frozen=True, kw_only=True, tag="cancel"):
    """取消."""


class ContinueTapped(Tap, frozen=True, kw_only=True, tag="continue"):
    """The main button at the right: 继续, 确认, 完成, 取凭条."""


class HelpTapped(Tap, frozen=True, kw_only=True, tag="help"):
    """帮助 / 呼叫物业."""


class DialogAnswered(Tap, frozen=True, kw_only=True, tag="dialog"):
    """E70: go on or end; help: go on only."""

    go_on: bool


class TileChosen(Tap, frozen=True, kw_only=True, tag="tile"):
    """A tile of home or of the methods: pay; cash."""

    tile: str


class BuildingChosen(Tap, frozen=True, kw_only=True, tag="building"):
    """A building button."""

    building: str


class EntranceChosen(Tap, frozen=True, kw_only=True, tag="entrance"):
    """An entrance button."""

    entrance: str


class TypeInstead(Tap, frozen=True, kw_only=True, tag="type_instead"):
    """Type the whole number instead of picking."""


class KeyTapped(Tap, frozen=True, kw_only=True, tag="key"):
    """A keypad key: 0-9, "-", ".", "backspace" or "clear"."""

    key: str


class HouseholdAnswered(Tap, frozen=True, kw_only=True, tag="household"):
    """S04: 是 or 不是."""

    right: bool


class BillTapped(Tap, frozen=True, kw_only=True, tag="bill"):
    """Pick a bill or leave it out."""

    bill_id: str


class ExplainTapped(Tap, frozen=True, kw_only=True, tag="explain"):
    """怎么算的."""

    bill_id: str


class AmountsToggled(Tap, frozen=True, kw_only=True, tag="amounts"):
    """显示金额 / 隐藏金额."""


class PageTurned(Tap, frozen=True, kw_only=True, tag="page"):
    """上一页 (-1) or 下一页 (+1)."""

    by: int


class AmountChosen(Tap, frozen=True, kw_only=True, tag="amount"):
    """A chip of S07: all, picked, overdue, other."""

    choice: str


class HeldNoteAnswered(Tap, frozen=True, kw_only=True, tag="held_note"):
    """S10: keep the rest as prepayment, or give the note back."""

    keep: bool


class PrintAnswered(Tap, frozen=True, kw_only=True, tag="print"):
    """S14: print the slip, or none."""

    wanted: bool


class ReprintTapped(Tap, frozen=True, kw_only=True, tag="reprint"):
    """Print the slip again, marked 补打."""


class ChoiceTapped(Tap, frozen=True, kw_only=True, tag="choice"):
    """A way on from a trouble screen: its message key."""

    choice: str


AnyTap = (
    StartTapped | LanguageChosen | BackTapped | CancelTapped | ContinueTapped | HelpTapped | DialogAnswered | TileChosen
    | BuildingChosen | EntranceChosen | TypeInstead | KeyTapped | HouseholdAnswered | BillTapped | ExplainTapped | AmountsToggled
    | PageTurned | AmountChosen | HeldNoteAnswered | PrintAnswered | ReprintTapped | ChoiceTapped
)  # fmt: skip
