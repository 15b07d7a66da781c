"""Plays a recorded conversation as the device: each host frame is compared, and answered as recorded, until one differs.

Pure: bytes and times in, bytes and events out. What may differ without being another conversation is the dialect's rule.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.dialect import SLIP, Dialect

MOST_REPEATS = 3  # a slow machine may ask again a few times; a host that never hears its answer would do so for ever


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One host frame and what came back, ``delay_s`` later in device time; ``line`` is its place in the file."""

    line: int
    sent: bytes
    answer: bytes = b""
    delay_s: float = 0.0


class HungUp(msgspec.Struct, frozen=True, kw_only=True):
    """The port vanished here, in the middle of the conversation, ``delay_s`` after the last frame."""

    line: int
    delay_s: float


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Lines were dropped here: what was said in between nobody knows."""

    line: int


Step = Exchange | HungUp | Unknown


def steps_of(recorded: trace.Trace) -> list[Step]:
    """The wire's part of a trace.

    Idle rounds need no step: a host may poll as often as it likes. Unanswered ones do: the device was silent for as many frames.
    """
    steps: list[Step] = []
    sent_at = 0.0
    for number, line in enumerate(recorded.lines, start=trace.FIRST_LINE):
        match line:
            case trace.Sent():
                sent_at = line.at
                steps.append(Exchange(line=number, sent=trace.bytes_of(line)))
            case trace.Repeated() if unanswered := _unanswered(steps[-line.lines :], line.lines):
                sent_at = line.at
                steps += [msgspec.structs.replace(step, line=number) for step in unanswered * line.times]
            case trace.Printed():
                sent_at = line.at
                steps.append(Exchange(line=number, sent=SLIP))
            case trace.Heard() if steps and isinstance(last := steps[-1], Exchange):
                delay_s = max(0.0, line.at - sent_at) * recorded.header.speed
                answer = last.answer + trace.bytes_of(line)
                steps[-1] = msgspec.structs.replace(last, answer=answer, delay_s=delay_s)
            case trace.Failed() if steps and isinstance(steps[-1], Exchange):
                steps.append(HungUp(line=number, delay_s=max(0.0, line.at - sent_at) * recorded.header.speed))
            case trace.Gap():
                steps.append(Unknown(line=number))
            case _:
                pass
    return steps


def _unanswered(last: list[Step], lines: int) -> list[Exchange]:
    """The last so many wire lines as steps, if they are so many frames without an answer."""
    silent = [step for step in last if isinstance(step, Exchange) and not step.answer]
    return silent if len(silent) == lines else []


Tell = Callable[..., None]  # event name, then facts as keywords


class Player:
    """Stands for the device. ``at`` is how many steps have been played; times are device seconds."""

    def __init__(self, steps: Sequence[Step], dialect: Dialect, tell: Tell, at: int = 0) -> None:
        self._steps, self._dialect, self._tell = steps, dialect, tell
        self.at = at
        self.diverged = False
        self._before = b""  # the last host frame, and what it was answered
        self._answer = b""
        self._repeats = 0
        self._answers: dict[bytes, tuple[bytes, bytes]] = {}  # key: frame and answer, as last played
        self._lost_track = False  # behind a gap: commands are answered from memory until the recording goes on
        for step in self._steps[:at]:  # by an earlier run of this program
            if isinstance(step, Exchange):
                self._has_played(step)

    @property
    def ended(self) -> bool:
        return self.at >= len(self._steps)

    def hear(self, data: bytes) -> list[tuple[float, bytes]]:
        """Answers to what these bytes complete, each with its delay in device seconds."""
        if self.diverged:
            return []
        return [answer for frame in self._dialect.cut(data) if (answer := self._take(frame)) is not None]

    def hangs_up_after(self) -> float | None:
        """How long after the last frame the port is to vanish; None if it stays."""
        step = None if self.diverged or self.ended else self._steps[self.at]
        return step.delay_s if isinstance(step, HungUp) else None

    def hung_up(self) -> None:
        self.at += 1
        self._before = b""

    # --- one host frame

    def _take(self, frame: bytes) -> tuple[float, bytes] | None:
        found = self._find(frame)
        before, self._before = self._before, frame
        if before and self._dialect.repeats(frame, before) and not self._was_repeated(found):
            return self._repeat(frame)
        self._repeats = 0
        if before and not self.ended and (objection := self._dialect.objection(frame, before)):
            self._diverge(frame, objection)
            return None
        if found is not None:
            return self._play(found, frame)
        return self._answer_beside(frame)

    def _find(self, frame: bytes) -> int | None:
        """The recorded exchange that this frame is, past those that a host may leave out."""
        key = self._dialect.key(frame)
        for number in range(self.at, len(self._steps)):
            step = self._steps[number]
            if isinstance(step, Unknown):
                continue
            if isinstance(step, HungUp):
                return None
            if self._dialect.key(step.sent) == key:
                return number
            if not self._dialect.says_nothing_new(step.sent, step.answer):
                return None
        return None

    def _was_repeated(self, found: int | None) -> bool:
        """Whether the recording too has this frame twice in a row."""
        if found is None or found != self.at or found == 0:
            return False
        step, last = self._steps[found], self._steps[found - 1]
        return isinstance(step, Exchange) and isinstance(last, Exchange) and step.sent == last.sent

    def _play(self, number: int, frame: bytes) -> tuple[float, bytes]:
        step = self._steps[number]
        assert isinstance(step, Exchange)
        passed_gap = any(isinstance(one, Unknown) for one in self._steps[self.at : number])
        polled = self._dialect.another(step.sent) is not None
        self._lost_track = polled if passed_gap else self._lost_track and polled
        self.at = number + 1
        self._has_played(step)
        self._answer = self._dialect.fit(step.answer, step.sent, frame)
        return step.delay_s, self._answer

    def _has_played(self, step: Exchange) -> None:
        self._dialect.remember(step.sent, step.answer)
        self._answers[self._dialect.key(step.sent)] = (step.sent, step.answer)

    def _repeat(self, frame: bytes) -> tuple[float, bytes] | None:
        self._repeats += 1
        if self._repeats > MOST_REPEATS and not self.ended:
            self._diverge(frame, f"the host asks the same for the {self._repeats + 1}th time")
            return None
        return 0.0, self._answer

    def _answer_beside(self, frame: bytes) -> tuple[float, bytes] | None:
        """A frame that the recording does not have here, and need not have."""
        answer = self._dialect.another(frame)
        at_gap = not self.ended and isinstance(self._steps[self.at], Unknown)
        if answer is None and (self.ended or at_gap or self._lost_track):
            known = self._answers.get(self._dialect.key(frame))
            answer = self._dialect.fit(known[1], known[0], frame) if known else self._dialect.quiet(frame)
        if answer is None:
            self._diverge(frame, "")
            return None
        self._answer = answer
        return 0.0, answer

    def _diverge(self, frame: bytes, why: str) -> None:
        """From here on the device is silent: whatever it said would be invented."""
        self.diverged = True
        step = self._steps[self.at]
        facts: dict[str, Any] = {"line": step.line, "got": self._said(frame)}
        if isinstance(step, Exchange):
            facts["expected"] = self._said(step.sent)
        if self.at and isinstance(last := self._steps[self.at - 1], Exchange):
            heard = self._dialect.answer_words(last.answer, last.sent)
            facts["after"] = {"line": last.line, "words": self._dialect.words(last.sent), "answer": heard}
        if why:
            facts["why"] = why
        self._tell("diverged", **facts)

    def _said(self, frame: bytes) -> dict[str, str]:
        return {"hex": trace.as_hex(frame), "words": self._dialect.words(frame)}
