"""Random sessions with an acceptor, each recorded and replayed: whatever happened, the driver reports the same again."""

import random
from pathlib import Path

import pytest

from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.ports import AcceptorEnabled, NoteEscrowed
from tests.hardware.bill_acceptor.acceptor_harness import Host
from tests.hardware.flight_recorder.make_traces import Scene
from tests.hardware.flight_recorder.replay_host import Replayed

FACES = (100, 500, 1000, 2000, 5000, 10000)
ACTS = 6
JAMS, TRICKS = {"acceptor.jam_safe", "acceptor.jam_unsafe"}, "acceptor.fraud"


@pytest.mark.parametrize("seed", range(3))
def test_a_random_session_replayed_is_the_same_session(tmp_path: Path, seed: int) -> None:
    _record_and_replay(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_any_of_40_random_sessions_replayed_is_the_same_session(tmp_path: Path, seed: int) -> None:
    _record_and_replay(tmp_path, seed)


def _record_and_replay(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    scene = Scene(folder)
    try:
        host = scene.host()
        host.take(AcceptorEnabled)
        for _ in range(ACTS):
            _act(scene, host, chance)
        recorded = scene.recorded()
    finally:
        scene.close()
    file = folder / f"seed-{seed}.jsonl"
    file.write_bytes(trace.encode(recorded))
    replayed = Replayed(file, folder)
    said = replayed.run()
    code = replayed.close()
    assert replayed.differs() == "", file
    assert replayed.divergence is None, file
    assert said == replayed.expected
    assert code == 0


def _act(scene: Scene, host: Host, chance: random.Random) -> None:
    """One note, with one thing that may go wrong beside it; then the acceptor takes notes again."""
    what = chance.choice(("note", "note", "jam", "cheat", "bad line", "power cut", "cash box"))
    host.accept_notes = what not in ("note", "bad line") or chance.random() < 0.6
    match what:
        case "jam":
            scene.acceptor.do("jam", where=chance.choice(("path", "stacker")))
        case "cheat":
            scene.acceptor.do("cheat", when=chance.choice(("before_stack", "after_stack")))
        case "bad line":
            scene.acceptor.do("line", flip=0.2, drop=0.1, truncate=0.1, duplicate=0.1)
        case "power cut":
            _power_cut(scene)
        case "cash box":
            scene.acceptor.do("cashbox", **{"is": "removed"})
            host.until(lambda: "acceptor.cashbox_removed" in host.standing, "the missing box is noticed")
            scene.acceptor.do("cashbox", **{"is": "back"})
        case _:
            pass
    _offer_a_note(scene, host, chance.choice(FACES))
    scene.acceptor.do("line", flip=0, drop=0, truncate=0, duplicate=0)
    host.until(lambda: _is_at_rest(scene, host), "the note has gone somewhere and every fault is over")


def _power_cut(scene: Scene) -> None:
    scene.acceptor.do("power", **{"is": "off"})
    scene.acceptor.do("power", **{"is": "on"})


def _offer_a_note(scene: Scene, host: Host, face: int) -> None:
    while not host.events.empty():
        host.events.get()  # of the notes before
    host.until(lambda: "error" not in scene.acceptor.do("insert", face_fen=face), "the note is pulled in")
    if host.accept_notes:
        return
    host.until(lambda: _is_returned(scene, host), "the note is held and ordered back, or came back by itself")


def _is_returned(scene: Scene, host: Host) -> bool:
    """On a bad line the device may have given the note back before the driver heard of it."""
    came_back = scene.acceptor.ledger()["path"] is None
    while not host.events.empty():
        if isinstance(host.events.get(), NoteEscrowed):
            host.driver.return_note()
            return True
    return came_back


def _is_at_rest(scene: Scene, host: Host) -> bool:
    """Staff frees the path as soon as the kiosk says that it is jammed, and restarts a unit that saw tricks."""
    if host.standing & JAMS:
        scene.acceptor.do("clear")
        host.until(lambda: not host.standing & JAMS, "the unit is free and has started again")
    if TRICKS in host.standing and scene.acceptor.ledger()["path"] is None:
        _power_cut(scene)
        host.until(lambda: TRICKS not in host.standing, "the unit has started again")
    return scene.acceptor.ledger()["path"] is None and not host.standing
