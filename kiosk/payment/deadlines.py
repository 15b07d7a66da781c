"""Every time limit of a visit, as deadlines that are part of the state. Source: ux-and-accessibility section 4."""

from enum import StrEnum

import msgspec

from kiosk.hardware.ports import LONGEST_PRINT_S

SHORTEST_ANSWER_S = 20.0
ANSWER_WITH_MONEY_S = 30.0
SLOW_S = 5.0  # "still checking", and 取消 becomes possible
GIVE_UP_S = 10.0
HELD_NOTE_S = 30.0
BOOKING_S = 2.0  # how long a person waits for 已入账 before 已受理 is said
GETTING_READY_S = 3.5  # the printer answers within 3 s whatever it does
OUTCOME_S = 120.0  # how long a note's fate may stay open before it becomes a claim
PRINTING_S = LONGEST_PRINT_S + 15.0  # the driver's answer is always the first
RESULT_S = 30.0
TAKE_RECEIPT_S = 30.0
DONE_S = 5.0
INTERRUPTED_S = 60.0  # E60 stays until somebody reads it
FRESH_PAPER_S = 10.0

WRONG_LOOKUP_WAITS_S = (0.0, 0.0, 3.0, 6.0, 12.0, 20.0, 30.0)


class Timer(StrEnum):
    """What a deadline is for."""

    IDLE = "idle"  # ask whether more time is needed
    ANSWER = "answer"  # nobody answered that
    SLOW = "slow"
    GIVE_UP = "give_up"
    WAIT = "wait"  # after wrong look-ups
    HELD = "held"
    BOOKING = "booking"
    READY = "ready"  # paper and bills were asked before cash
    OUTCOME = "outcome"
    PRINT = "print"
    LEAVE = "leave"  # result, receipt, done


class Deadline(msgspec.Struct, frozen=True):
    """At ``at`` (monotonic seconds) the timer is due; it was given ``total_s``."""

    timer: Timer
    at: float
    total_s: float


# People's times, which a test or a demonstration may run faster; the office and the printer need theirs.
_PEOPLE_S = frozenset({Timer.IDLE, Timer.ANSWER, Timer.WAIT, Timer.HELD, Timer.LEAVE})
SHORTEST_OUTCOME_S = 15.0


class Deadlines(msgspec.Struct, frozen=True):
    """The running timers, each at most once. ``pace`` makes people's times so many times shorter."""

    running: tuple[Deadline, ...] = ()
    pace: int = 1

    def with_(self, timer: Timer, now: float, seconds: float) -> "Deadlines":
        if timer in _PEOPLE_S:
            seconds /= self.pace
        elif timer is Timer.OUTCOME:
            seconds = max(seconds / self.pace, SHORTEST_OUTCOME_S)
        others = tuple(one for one in self.running if one.timer is not timer)
        return Deadlines((*others, Deadline(timer, now + seconds, seconds)), self.pace)

    def without(self, *timers: Timer) -> "Deadlines":
        return Deadlines(tuple(one for one in self.running if one.timer not in timers), self.pace)

    def only(self, *timers: Timer) -> "Deadlines":
        return Deadlines(tuple(one for one in self.running if one.timer in timers), self.pace)

    def after(self, now: float) -> "Deadlines":
        """Those that are not due yet."""
        return Deadlines(tuple(one for one in self.running if one.at > now), self.pace)

    def get(self, timer: Timer) -> Deadline | None:
        return next((one for one in self.running if one.timer is timer), None)

    def next_at(self) -> float | None:
        return min((one.at for one in self.running), default=None)

    def first_due(self, now: float) -> Deadline | None:
        due = [one for one in self.running if one.at <= now]
        return min(due, key=lambda one: one.at, default=None)
