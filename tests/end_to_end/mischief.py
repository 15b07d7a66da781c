"""What happens in a lobby besides people paying: things break, are pulled, tricked and cut, and a technician mends them."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from kiosk.domain.money import NOTE_FACES
from tests.end_to_end.parts import Lobby

NOTE_WITHIN_S = 2.0
NOTE_ENDS = ("stacked", "returned", "rejected", "jammed", "fraud")
FACE_WEIGHTS = (4, 3, 3, 2, 2, 1)  # smallest first

# Moments of a note's way at which the acceptor's power may be cut; "insert" is at once.
MOMENTS = ("insert", "escrowed", "stacking", "credited", "stacked", "returned")
SPOILS = (("paper", "out"), ("paper", "near_end"), ("cover", "open"), ("cutter", "jammed"), ("clone", ""))

# What is done to the cable, with the command's arguments; a pair is a range. A pulled one slows a visit by seconds.
CABLE_FAULTS: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = (
    ("unplug", ()),
    ("unplug silently", (("silent", True),)),
    ("plug", ()),
    ("lose_answers", (("count", (1, 3)),)),
    ("lose_answers", (("count", (1, 3)),)),
    ("reset", ()),
    ("reset", ()),
    ("delay_ms", (("ms", (20, 400)),)),
    ("delay_ms", (("ms", (20, 400)),)),
    ("truncate", (("count", (1, 2)),)),
    ("truncate", (("count", (1, 2)),)),
    ("status 500", (("code", 500), ("count", (1, 3)))),
    ("portal", (("count", (1, 3)),)),
)


class Odds(msgspec.Struct, frozen=True):
    """How likely each thing is, per decision at which it could happen."""

    jam: float = 0.03
    cheat: float = 0.03
    box_out: float = 0.02
    power: float = 0.04
    line: float = 0.02
    printer: float = 0.15
    cable: float = 0.01
    timeout: float = 0.008
    cancel: float = 0.01
    held_timeout: float = 0.1
    kill: float = 0.0


Card = TypeVar("Card")


class Deck(Generic[Card]):
    """Deals its cards in random order, all of them before any comes again: a run of some length has seen every kind."""

    def __init__(self, chance: random.Random, cards: Sequence[Card]) -> None:
        self._chance, self._cards = chance, tuple(cards)
        self._left: list[Card] = []

    def deal(self) -> Card:
        if not self._left:
            self._left = self._chance.sample(self._cards, len(self._cards))
        return self._left.pop()


class AgentKilled(Exception):
    """The agent was killed and started again: this visit is over, and the kiosk brings its payment to an end."""


class Mischief:
    """The hands that do it. ``did`` counts what happened, so that a run can show that all of it did."""

    def __init__(self, lobby: Lobby, chance: random.Random, odds: Odds, did: Counter[str]) -> None:
        self.lobby, self.chance, self.odds, self.did = lobby, chance, odds, did
        self._jams = Deck(chance, ("entry", "path", "stacker"))
        self._cheats = Deck(chance, ("before_stack", "after_stack"))
        self._cuts = Deck(chance, MOMENTS)
        self._spoils = Deck(chance, SPOILS)
        self._cable = Deck(chance, CABLE_FAULTS)

    def insert(self) -> bool:
        """Somebody offers a note, small ones more often; False when the slot does not pull it in."""
        (face,) = self.chance.choices(sorted(NOTE_FACES), weights=FACE_WEIGHTS)
        taken = self.lobby.insert(int(face))
        self.did["note" if taken else "note refused at the mouth"] += 1
        return taken

    def at_the_acceptor(self) -> bool:
        """Perhaps break something before the next note; True when a note went in with it."""
        lot = self.chance.random()
        for odds, deed in (
            (self.odds.jam, self._jam),
            (self.odds.cheat, self._cheat),
            (self.odds.box_out, self._box_out),
            (self.odds.power, self._power_cut),
            (self.odds.line, self._bad_line),
            (self.odds.kill, self._kill_agent),
        ):
            if lot < odds:
                return deed()
            lot -= odds
        return False

    def at_the_cable(self) -> None:
        """Perhaps do something to the network."""
        if self.chance.random() >= self.odds.cable:
            return
        what, command = self._cable.deal()
        arguments = {
            name: self.chance.randint(*value) if isinstance(value, tuple) else value for name, value in command
        }
        self.lobby.cable.do(what.partition(" ")[0], **arguments)
        self.did[f"cable {what}"] += 1

    def at_the_printer(self) -> None:
        """Perhaps spoil the slip."""
        if self.chance.random() >= self.odds.printer:
            return
        word, state = self._spoils.deal()
        self.lobby.printer.do(word, **({"is": state} if state else {"silent": True}))
        self.did[f"printer {word} {state}".rstrip()] += 1

    # --- the acceptor ------------------------------------------------------------------------------------------

    def _jam(self) -> bool:
        where = self._jams.deal()
        self.lobby.acceptor.do("jam", where=where)
        self.did[f"jam {where}"] += 1
        return False

    def _cheat(self) -> bool:
        when = self._cheats.deal()
        self.lobby.acceptor.do("cheat", when=when)
        self.did[f"cheat {when}"] += 1
        return False

    def _box_out(self) -> bool:
        if "error" not in self.lobby.acceptor.do("cashbox", **{"is": "removed"}):
            self.did["cashbox removed"] += 1
        return False

    def _bad_line(self) -> bool:
        self.lobby.acceptor.do("line", drop=0.1, flip=0.05, truncate=0.05, duplicate=0.05)
        self.did["bad line"] += 1
        return False

    def _power_cut(self) -> bool:
        """Of the acceptor, with a note on its way."""
        moment, came = self._offer_until_a_moment()
        self._acceptor_power("off")
        self._acceptor_power("on")
        self.did[f"power cut at {moment}" if came else "power cut"] += 1
        return True

    def _kill_agent(self) -> bool:
        """SIGKILL with a note on its way, sometimes with the acceptor's power, sometimes mended before it starts again."""
        self._offer_until_a_moment()
        if self.chance.random() < 0.3:
            self._acceptor_power("off")
        self.lobby.kill_agent()
        if self.chance.random() < 0.5:
            repair(self.lobby)
        self._acceptor_power("on")
        self.lobby.start_agent()
        self.did["agent killed"] += 1
        raise AgentKilled

    def _offer_until_a_moment(self) -> tuple[str, bool]:
        """Insert a note and wait for a moment of its way; whether it came to it or to another end."""
        moment, mark = self._cuts.deal(), self.lobby.events.mark()
        self.insert()
        if moment == "insert":
            return moment, True
        came = self.lobby.events.comes(moment, *NOTE_ENDS, since=mark, timeout_s=NOTE_WITHIN_S)
        return moment, came is not None

    def _acceptor_power(self, state: str) -> None:
        self.lobby.acceptor.do("power", **{"is": state})


def repair(lobby: Lobby) -> None:
    """A technician passes: everything works again; what is in the box stays there."""
    lobby.acceptor.do("line", drop=0, flip=0, truncate=0, duplicate=0, delay_ms=0)
    for word, arguments in (("power", {"is": "on"}), ("clear", {}), ("cashbox", {"is": "back"})):
        lobby.acceptor.do(word, **arguments)
    lobby.printer.do("clone", silent=False)
    for word, arguments in (
        ("paper", {"is": "ok"}),
        ("cover", {"is": "closed"}),
        ("cutter", {"is": "ok"}),
        ("take", {}),
    ):
        lobby.printer.do(word, **arguments)
    lobby.cable.do("plug")
