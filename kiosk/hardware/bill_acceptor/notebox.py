"""A simulator's physical truth: where every note is, whatever host, line and power do.

Saved at each move, so that killing the program is cutting the device's power.
"""

from collections import Counter
from enum import StrEnum
from pathlib import Path

import msgspec

from kiosk.hardware.simulators import truth

Faces = dict[str, int]  # face in fen to count, as the ledger shows it


class Stage(StrEnum):
    """How far a note in the path has come. After the point of no return it can only end in the box."""

    MOUTH = "mouth"
    ESCROW = "escrow"
    BEFORE = "before_point"
    AFTER = "after_point"
    RETURNING = "returning"


class PathNote(msgspec.Struct, kw_only=True):
    """The note between mouth and stacker; ``jammed`` names where it is stuck."""

    face_fen: int
    stage: Stage
    jammed: str | None = None


class Box(msgspec.Struct, kw_only=True):
    """Everything that stays true without power. Every note ever inserted is in exactly one place.

    ``returned`` went back through the mouth or by a service hand, ``pulled`` was torn back while it moved,
    ``fished`` came out of the stacker, ``collected`` left with the cash.
    """

    inserted: Faces = {}
    stacker: Faces = {}
    path: PathNote | None = None
    returned: Faces = {}
    pulled: Faces = {}
    fished: Faces = {}
    collected: Faces = {}
    stacked_count: int = 0  # the device's own counters, which survive power-off
    rejected_count: int = 0
    last_reject: int = 0
    cashbox_in: bool = True
    full: bool = False
    serial: int = 0


class Notebox:
    """Moves notes between places, one saved move at a time."""

    def __init__(self, path: Path | None = None, *, serial: int = 0) -> None:
        """Open the state at ``path``, or begin an empty device.

        Raises:
            TruthUnreadable: the file is something else's.
        """
        self._path = path
        loaded = truth.load(path, Box) if path is not None else None
        self.box = loaded if loaded is not None else Box(serial=serial)

    @property
    def note(self) -> PathNote | None:
        return self.box.path

    def insert(self, face_fen: int) -> None:
        self._add(self.box.inserted, face_fen)
        self.box.path = PathNote(face_fen=face_fen, stage=Stage.MOUTH)
        self._save()

    def move(self, stage: Stage) -> None:
        self._held().stage = stage
        self._save()

    def jam(self, where: str) -> None:
        self._held().jammed = where
        self._save()

    def stack(self, *, counted: bool = True) -> int:
        """The note in the path is in the box now. ``counted`` False: a hand put it there, the device knows nothing."""
        self.box.stacked_count += counted
        return self._leave_path(self.box.stacker)

    def give_back(self, reject_code: int | None) -> int:
        """The note in the path is with its owner again; without a code the device did not do it."""
        if reject_code is not None:
            self.box.rejected_count += 1
            self.box.last_reject = reject_code
        return self._leave_path(self.box.returned)

    def pull(self) -> int:
        """The note is torn out of the path."""
        return self._leave_path(self.box.pulled)

    def fish(self, face_fen: int) -> None:
        """A note comes back out of the stacker."""
        key = str(face_fen)
        self.box.stacker[key] -= 1
        if not self.box.stacker[key]:
            del self.box.stacker[key]
        self._add(self.box.fished, face_fen)
        self._save()

    def set_cashbox(self, *, is_in: bool) -> None:
        self.box.cashbox_in = is_in
        self._save()

    def set_full(self, *, full: bool) -> None:
        self.box.full = full
        self._save()

    def collect(self) -> None:
        """The cash leaves; the box is empty and back in place."""
        self.box.collected = dict(Counter(self.box.collected) + Counter(self.box.stacker))
        self.box.stacker = {}
        self.box.full = False
        self.box.cashbox_in = True
        self._save()

    def ledger(self) -> dict[str, object]:
        """Where every note is, as plain values."""
        facts: dict[str, object] = msgspec.to_builtins(self.box)
        return facts

    def _held(self) -> PathNote:
        assert self.box.path is not None, "no note in the path"
        return self.box.path

    def _leave_path(self, place: Faces) -> int:
        face_fen = self._held().face_fen
        self.box.path = None
        self._add(place, face_fen)
        self._save()
        return face_fen

    @staticmethod
    def _add(place: Faces, face_fen: int) -> None:
        place[str(face_fen)] = place.get(str(face_fen), 0) + 1

    def _save(self) -> None:
        if self._path is not None:
            truth.save(self._path, self.box)
