"""The moving parts of a simulated acceptor, the same under every protocol: motors, times, and what people do to it.

Times are in device seconds: the program multiplies its clock by --speed. The protocol's device side sits on top.
"""

from collections.abc import Callable
from enum import StrEnum

from kiosk.hardware.bill_acceptor.notebox import Notebox, Stage

BOOT_S = 2.0
READ_S = 1.0
ESCROW_S = 5.0  # GA973's figure; GA138 says 10: design for the smaller
TO_POINT_S = 0.6  # from accept to the point of no return, where credit is given
TO_STACKER_S = 0.9
RETURN_S = 0.8
GIVE_UP_S = 10.0  # a note that somebody holds on to at the mouth
JAM_AFTER_S = 0.3


class RejectCode(StrEnum):
    """Why a note came back out, in a person's words; each protocol has its own numbers."""

    UNKNOWN_NOTE = "not_recognised"
    INHIBITED = "inhibited"
    HOST = "host"
    TIMEOUT = "timeout"
    SLOW = "held_at_mouth"
    NO_ROOM = "unable_to_stack"


class Happening(StrEnum):
    """What the mechanism did, oldest first; the protocol layer puts it into its own events."""

    ESCROWED = "escrowed"
    STACKING = "stacking"
    CREDITED = "credited"
    STACKED = "stacked"
    RETURNED = "returned"
    REJECTED = "rejected"
    JAMMED = "jammed"
    FRAUD = "fraud"
    FULL = "full"
    CASHBOX_REMOVED = "cashbox_removed"
    CASHBOX_REPLACED = "cashbox_replaced"
    ENABLED = "enabled"
    DISABLED = "disabled"
    BOOTED = "booted"
    CLEARED_TO_BOX = "cleared_to_box"
    CLEARED_TO_PERSON = "cleared_to_person"


Notify = Callable[[Happening, int, str], None]  # what, face in fen (0: none), reason or place


class NotTaken(Exception):
    """A person tried something the mechanism does not let happen now; the text says why."""


class Mechanism:
    """One note path with a stacker. ``notify`` is called for each happening, inside the call that caused it."""

    def __init__(self, notebox: Notebox, faces: tuple[int, ...], notify: Notify) -> None:
        self.notebox = notebox
        self.faces = faces
        self._notify = notify
        self.now = 0.0
        self.powered = False
        self.booting = False
        self.enabled = False
        self.allowed: frozenset[int] = frozenset()
        self._due: float | None = None
        self._next: Callable[[], None] = self._booted
        self._reject_reason = RejectCode.HOST
        self._was_escrowed = False
        self._held_at_mouth = False
        self._armed_jam = ""
        self._armed_cheat = ""

    # --- time and power

    def advance(self, now: float) -> float | None:
        """Do what is due at ``now``; when the next thing is due, or None."""
        self.now = now
        while self._due is not None and self._due <= now:
            self._due = None
            self._next()
        return self._due

    def power_on(self) -> None:
        if not self.powered:
            self.powered = self.booting = True
            self._in(BOOT_S, self._booted)

    def power_off(self) -> None:
        """Everything but the notebox is forgotten."""
        self.powered = self.booting = False
        self.enabled, self.allowed, self._due = False, frozenset(), None

    def _booted(self) -> None:
        self.booting = False
        self._notify(Happening.BOOTED, 0, "")
        note = self.notebox.note
        if note is None or note.jammed:
            return
        if note.stage is Stage.AFTER:
            self._notify(Happening.CLEARED_TO_BOX, self.notebox.stack(), "power_up")
        else:
            known = note.stage is not Stage.MOUTH
            face = self.notebox.give_back(reject_code=None)
            self._notify(Happening.CLEARED_TO_PERSON, face if known else 0, "power_up")

    # --- what the host may order

    def set_enabled(self, enabled: bool) -> None:
        if enabled != self.enabled:
            self.enabled = enabled
            self._notify(Happening.ENABLED if enabled else Happening.DISABLED, 0, "")
        note = self.notebox.note
        if not enabled and note is not None and not note.jammed:
            if note.stage is Stage.MOUTH:
                self._return(RejectCode.INHIBITED)
            elif note.stage is Stage.ESCROW:
                self._return(RejectCode.HOST)

    def accept(self) -> None:
        """Keep the escrowed note."""
        assert self.stage is Stage.ESCROW
        if self.notebox.box.full or not self.notebox.box.cashbox_in:
            self._return(RejectCode.NO_ROOM)
            return
        self.notebox.move(Stage.BEFORE)
        self._notify(Happening.STACKING, self._face, "")
        if self._armed_jam == "path":
            self._in(JAM_AFTER_S, self._jam)
        else:
            self._in(TO_POINT_S, self._at_point)

    def hold(self) -> None:
        """Begin the escrow time anew."""
        assert self.stage is Stage.ESCROW
        self._in(ESCROW_S, self._escrow_over)

    def return_note(self, reason: RejectCode) -> None:
        assert self.stage is Stage.ESCROW
        self._return(reason)

    @property
    def stage(self) -> Stage | None:
        """Where the note is, None without one or while it is stuck."""
        note = self.notebox.note
        return None if note is None or note.jammed else note.stage

    @property
    def jam_place(self) -> str | None:
        note = self.notebox.note
        return None if note is None else note.jammed

    # --- what people do

    def insert(self, face_fen: int) -> None:
        """Push a note into the mouth.

        Raises:
            NotTaken: the motor does not pull it in.
        """
        box = self.notebox.box
        for stops, why in (
            (not self.powered or self.booting, "it is off or starting"),
            (self.jam_place is not None, "it is jammed"),
            (box.path is not None, "another note is in the path"),
            (not box.cashbox_in, "the cash box is out"),
            (box.full, "the cash box is full"),
            (not self.enabled or not self.allowed, "it is inhibited"),
        ):
            if stops:
                raise NotTaken(f"the note is not pulled in: {why}")
        self.notebox.insert(face_fen)
        self._was_escrowed = False
        if self._held_at_mouth:
            self._in(GIVE_UP_S, self._gave_up)
        elif self._armed_jam == "entry":
            self._in(JAM_AFTER_S, self._jam)
        else:
            self._in(READ_S, self._read)

    def hold_at_mouth(self, held: bool) -> None:
        """Somebody holds on to the note at the mouth, so that it goes neither in nor out; or lets go."""
        self._held_at_mouth = held
        if held and self.stage is Stage.MOUTH:
            self._in(GIVE_UP_S, self._gave_up)
        elif held and self.stage is Stage.RETURNING:
            self._due = None
        elif not held and self.stage is Stage.MOUTH:
            self._in(READ_S, self._read)
        elif not held and self.stage is Stage.RETURNING:
            self._in(RETURN_S, self._returned)

    def arm_jam(self, where: str) -> None:
        """The next note that comes to this place gets stuck there."""
        self._armed_jam = where

    def arm_cheat(self, when: str) -> None:
        """The next note is pulled back, before or after it reached the stacker."""
        self._armed_cheat = when

    def clear(self, to_box: bool | None) -> None:
        """Staff opens the unit, takes out what is stuck, and powers it off and on.

        A note the payer could still reach is handed back, one beyond reach is put into the box, unless told otherwise.
        """
        place = self.jam_place
        self._armed_jam = self._armed_cheat = ""
        if place is None:
            return
        beyond_reach = place == "stacker" if to_box is None else to_box
        if beyond_reach:
            face = self.notebox.stack(counted=False)
            self._notify(Happening.CLEARED_TO_BOX, face, "by_hand")
        else:
            face = self.notebox.give_back(reject_code=None)
            self._notify(Happening.CLEARED_TO_PERSON, face, "by_hand")
        self._restart()

    def remove_cashbox(self) -> None:
        """Pull the box out.

        Raises:
            NotTaken: a note is moving into it at this moment.
        """
        if self.stage in (Stage.BEFORE, Stage.AFTER):
            raise NotTaken("a note is moving into the box; try again")
        if self.stage is Stage.ESCROW:
            self._return(RejectCode.NO_ROOM)
        self.notebox.set_cashbox(is_in=False)
        self._notify(Happening.CASHBOX_REMOVED, 0, "")

    def replace_cashbox(self) -> None:
        if not self.notebox.box.cashbox_in:
            self.notebox.set_cashbox(is_in=True)
            self._notify(Happening.CASHBOX_REPLACED, 0, "")

    def fill(self) -> None:
        """From now on no note fits any more; one that is moving in is the last."""
        self.notebox.set_full(full=True)
        if self.stage not in (Stage.BEFORE, Stage.AFTER):
            self._notify(Happening.FULL, 0, "")

    def empty(self) -> None:
        """Collect the cash and start the unit again.

        Raises:
            NotTaken: a note is moving into the box at this moment.
        """
        if self.stage in (Stage.BEFORE, Stage.AFTER):
            raise NotTaken("a note is moving into the box; try again")
        self.notebox.collect()
        self._restart()

    # --- the note's way

    @property
    def _face(self) -> int:
        note = self.notebox.note
        return 0 if note is None else note.face_fen

    def _in(self, seconds: float, then: Callable[[], None]) -> None:
        self._due, self._next = self.now + seconds, then

    def _read(self) -> None:
        if self._face not in self.faces:
            self._return(RejectCode.UNKNOWN_NOTE)
        elif self._face not in self.allowed:
            self._return(RejectCode.INHIBITED)
        else:
            self._was_escrowed = True
            self.notebox.move(Stage.ESCROW)
            self._in(ESCROW_S, self._escrow_over)
            self._notify(Happening.ESCROWED, self._face, "")

    def _escrow_over(self) -> None:
        self._return(RejectCode.TIMEOUT)

    def _gave_up(self) -> None:
        self._return(RejectCode.SLOW)

    def _at_point(self) -> None:
        if self._armed_cheat == "before_stack":
            self._armed_cheat = ""
            self._notify(Happening.FRAUD, self.notebox.pull(), "before_stack")
        elif self._armed_jam == "stacker":
            self.notebox.move(Stage.AFTER)
            self._jam()
        else:
            self.notebox.move(Stage.AFTER)
            self._notify(Happening.CREDITED, self._face, "")
            self._in(TO_STACKER_S, self._in_stacker)

    def _in_stacker(self) -> None:
        face = self.notebox.stack()
        self._notify(Happening.STACKED, face, "")
        if self.notebox.box.full:
            self._notify(Happening.FULL, 0, "")
        if self._armed_cheat == "after_stack":
            self._armed_cheat = ""
            self.notebox.fish(face)
            self._notify(Happening.FRAUD, face, "after_stack")

    def _jam(self) -> None:
        place, self._armed_jam = self._armed_jam, ""
        self.notebox.jam(place)
        self._notify(Happening.JAMMED, self._face, place)
        self.set_enabled(False)

    def _return(self, reason: RejectCode) -> None:
        self._reject_reason = reason
        self.notebox.move(Stage.RETURNING)
        if self._held_at_mouth:
            self._due = None  # it hangs in the mouth until somebody lets go
        else:
            self._in(RETURN_S, self._returned)

    def _returned(self) -> None:
        face = self.notebox.give_back(REJECT_NUMBERS[self._reject_reason])
        what = Happening.RETURNED if self._was_escrowed else Happening.REJECTED
        self._notify(what, face, self._reject_reason)

    def _restart(self) -> None:
        if self.powered:
            self.power_off()
            self.power_on()


# The numbers ITL uses; kept in the notebox because they survive power-off. Source: bill-acceptors section 1.4.
REJECT_NUMBERS = {
    RejectCode.UNKNOWN_NOTE: 0x02,
    RejectCode.HOST: 0x08,
    RejectCode.INHIBITED: 0x0C,
    RejectCode.SLOW: 0x0D,
    RejectCode.TIMEOUT: 0x13,
    RejectCode.NO_ROOM: 0x1D,
}
