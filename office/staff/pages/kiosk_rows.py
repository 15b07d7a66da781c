"""A kiosk's card in words. What a silent kiosk last said is shown as last said, never as now."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from office.kiosks.rules import LOST_S, Health
from office.kiosks.selectors import KioskCard
from office.staff.pages import words
from office.staff.pages.fault_words import fault

HIGH_PERCENT = 80


@dataclass(frozen=True)
class KioskRow:
    card: KioskCard
    state: words.State

    @property
    def is_heard(self) -> bool:
        """Whether what it says about itself is still current."""
        return self.card.silent_s is not None and self.card.health != Health.OFFLINE

    @property
    def is_lost(self) -> bool:
        """Silent for so long that what it holds alone must be somebody's business, though it can't say how much that is."""
        return self.card.health == Health.OFFLINE and (self.card.silent_s or 0) >= LOST_S

    @property
    def paper(self) -> words.Word:
        """What the printer last said about its roll; a fault of the printer stands for its paper."""
        status = self.card.status
        if status is None or not self.is_heard:
            return words.PAPER["unknown"]
        if "." in status.printer:
            return fault(status.printer).state.word
        return words.PAPER.get(status.paper, words.PAPER["unknown"])

    @property
    def fill_percent(self) -> int:
        return min(100, self.card.box.fill_bp // 100)

    @property
    def fill_is_high(self) -> bool:
        return self.fill_percent >= HIGH_PERCENT


def kiosk_row(card: KioskCard) -> KioskRow:
    """A warning shows in its own word: "the roll is nearly empty" is no device fault."""
    if card.health == Health.WARNED and card.trouble:
        return KioskRow(card, fault(card.trouble.code).state)
    row = KioskRow(card, words.KIOSK[card.health])
    return replace(row, state=fault("kiosk.offline").state) if row.is_lost else row


def kiosk_rows(cards: Iterable[KioskCard]) -> list[KioskRow]:
    return [kiosk_row(card) for card in cards]
