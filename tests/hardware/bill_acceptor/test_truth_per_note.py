"""Random hands, power cuts and line faults: every note in the box has exactly one record, credit or claim.

Source: decisions 33. Each run names its seed; ``make test`` runs a share of them.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.hardware.bill_acceptor.acceptor_harness import Host, SimulatedAcceptor, box_by_face, is_ready

FACES = (100, 500, 1000, 2000, 5000, 10000)
STEPS = 15
QUIET_LINE = {"drop": 0, "flip": 0, "truncate": 0, "duplicate": 0}


@pytest.mark.parametrize("seed", range(3))
def test_the_books_agree_with_the_box_whatever_people_do(plug_in, attach, seed: int) -> None:
    _play(plug_in, attach, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_the_books_agree_with_the_box_in_100_more_runs(plug_in, attach, seed: int) -> None:
    _play(plug_in, attach, seed)


def _play(plug_in: Callable[..., SimulatedAcceptor], attach: Callable[..., Host], seed: int) -> None:
    chance = random.Random(seed)
    acceptor, host = plug_in(seed=seed), attach().start()
    is_ready(host)
    for _ in range(STEPS):
        acceptor = _step(chance, plug_in, acceptor, host)
    acceptor.do("line", **QUIET_LINE)
    acceptor.do("power", **{"is": "on"})
    acceptor.do("clear")
    acceptor.do("cashbox", **{"is": "back"})
    acceptor.do("cashbox", **{"is": "emptied"})
    host.until(lambda: _agree(acceptor.ledger(), host), f"the books agree, seed {seed}")
    for claim in host.unclear:
        assert claim.fault.code in ("acceptor.jam_safe", "acceptor.jam_unsafe", "acceptor.fraud"), claim


def _step(chance: random.Random, plug_in: Any, acceptor: SimulatedAcceptor, host: Host) -> SimulatedAcceptor:
    host.accept_notes = chance.random() < 0.8
    hand = chance.choice(("nothing", "nothing", "line", "jam", "cheat", "power", "cut", "cashbox", "full", "lease"))
    if hand == "line":
        acceptor.do("line", **{fault: chance.choice((0, 0, 0.1, 0.2)) for fault in QUIET_LINE})
    elif hand == "jam":
        acceptor.do("jam", where=chance.choice(("entry", "path", "stacker")))
    elif hand == "cheat":
        acceptor.do("cheat", when=chance.choice(("before_stack", "after_stack")))
    if "error" in acceptor.do("insert", face_fen=chance.choice(FACES)):
        _make_it_take_notes(acceptor)
    _let_pass(chance)
    if hand == "power":
        acceptor.do("power", **{"is": "off"})
        acceptor.do("power", **{"is": "on"})
    elif hand == "cut":
        acceptor.unplug()
        acceptor = plug_in(seed=chance.randrange(1000))
    elif hand in ("cashbox", "full"):
        acceptor.do("cashbox", **{"is": "removed" if hand == "cashbox" else "full"})
    elif hand == "lease":
        host.driver.disable()
    _let_pass(chance)
    if not host.accept_notes:
        host.driver.return_note()
    return acceptor


def _make_it_take_notes(acceptor: SimulatedAcceptor) -> None:
    acceptor.do("clear")
    acceptor.do("cashbox", **{"is": "back"})
    if acceptor.ledger()["full"]:
        acceptor.do("cashbox", **{"is": "emptied"})


def _let_pass(chance: random.Random) -> None:
    # A random instant is the point of this test: nothing is being waited for.
    threading.Event().wait(chance.uniform(0.0, 0.2))


def _agree(ledger: dict[str, Any], host: Host) -> bool:
    """Box and fished notes are the credits plus those claims whose note ended in the box."""
    if ledger["path"] is not None:
        return False
    there = box_by_face(ledger) + Counter({int(face): count for face, count in ledger["fished"].items()})
    claims = Counter(claim.face for claim in host.unclear) + Counter(host.claims_by_counter)
    uncredited = there - host.credited
    return not (host.credited - there) and not (uncredited - claims)
