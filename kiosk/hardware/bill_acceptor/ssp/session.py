"""One conversation with an SSP validator, from the first byte after opening the port until it breaks or ends.

The two rules that cost money when broken: a poll accepts, so nothing is polled while a note in escrow is undecided;
and every new frame acknowledges the last answer, so none is sent before a credit in it is on disk.
Source: bill-acceptors sections 0 and 1.5 to 1.7, decisions 13 and 14.
"""

import logging
from collections.abc import Callable

from kiosk.clock import Clock
from kiosk.domain.money import Fen
from kiosk.hardware.bill_acceptor.fault_book import FaultBook
from kiosk.hardware.bill_acceptor.orders import NO_FACES, Decision, Orders
from kiosk.hardware.bill_acceptor.ssp.fault_watch import FaultWatch
from kiosk.hardware.bill_acceptor.ssp.frames import REJECT_REASONS, Command, Generic, Happened, PollReply, parse_poll
from kiosk.hardware.bill_acceptor.ssp.identify import OK, identify, read_counters
from kiosk.hardware.bill_acceptor.ssp.link import LinkLost, SspLink
from kiosk.hardware.bill_acceptor.ssp.note_cycle import REASON_ASKED, NoteCycle, moves
from kiosk.hardware.bill_acceptor.ssp.recall import NoteMemory, Recall, RecallFile, recall_of
from kiosk.hardware.bill_acceptor.states import NoteState
from kiosk.hardware.ports import (
    AcceptorCounters,
    AcceptorDisabled,
    AcceptorEnabled,
    AcceptorIdentity,
    AcceptorReady,
    CountBefore,
    CountersRead,
    DeviceEvent,
    NoteCredited,
    NoteEscrowed,
    NoteRejected,
    NoteReturned,
    NoteUnclear,
)

log = logging.getLogger(__name__)

POLL_ENABLED_S = 0.2
POLL_DISABLED_S = 0.5
HOLD_S = 1.0
QUIET_POLLS = 2  # so many answers without a word about a note end a start
NO_NEWS_S = 10.0  # an accepted note the device says nothing about: start again, the counters decide
ENABLE_RETRY_S = 1.0
SHUT_S = 2.0  # how long a note on its way out is watched when the program stops; it goes out by itself
SHORTEST_WAIT_S = 0.002

LOST_CODES = ("acceptor.silent", "acceptor.port_missing", "acceptor.port_busy", "acceptor.wrong_device")


class StartAgain(Exception):
    """The device was started anew, or the line was silent: identify it again before anything else."""


class Stopped(Exception):
    """The driver is to stop now."""


class WrongDevice(Exception):
    """It answers properly, but it is not the one we may use; the text says why."""


class SspSession:
    """Talks until LinkLost, UnusableReply or Stopped. ``emit`` numbers and reports an event and returns its number."""

    def __init__(
        self,
        link: SspLink,
        orders: Orders,
        recall: RecallFile,
        faults: FaultBook,
        emit: Callable[[DeviceEvent], int],
        clock: Clock,
        speed: int,
    ) -> None:
        self._link, self._orders, self._recall, self._faults = link, orders, recall, faults
        self._watch = FaultWatch(faults, emit)
        self._emit, self._clock, self._speed = emit, clock, speed
        self.cycle = NoteCycle()
        self.identity: AcceptorIdentity | None = None
        self._memory = Recall()
        self._restarted = False
        self._enabled_faces = NO_FACES
        self._enable_after = 0.0
        self._hold_due = 0.0
        self._stacked: int | None = None  # what the device's own counter must show now
        self._news_at = 0.0
        self._return_reason = "host"
        self.waits_for_disk = False  # a credit is reported and not acknowledged: send nothing at all

    def remember(self, *, intent_open: bool, before: CountBefore | None = None) -> None:
        """Take over from an earlier run; the journal's word counts, the recall file adds what the wire needs.

        A power cut takes the recall file; the journal's count lets a note given back at the device's start be no claim.
        """
        memory = self._recall.read()
        if intent_open:
            journal = Recall(serial=before.serial, stacked=before.stacked) if before else Recall()
            known = memory if memory.note is NoteMemory.OPEN else journal
            self._memory, self._stacked = known, known.stacked
            self.cycle.faces = {channel: Fen(face) for channel, face in known.faces.items()}
            self.cycle.resume(known.channel)
        elif memory.note is not NoteMemory.NONE or before:
            self.cycle.resume_settled(memory.channel)

    # --- from the open port to AcceptorReady

    def connect(self) -> None:
        """Ask for the last answer if an accepted note is open, then identify, drain, and report AcceptorReady.

        Raises:
            LinkLost, UnusableReply, Stopped: as the names say; call connect() again later.
        """
        self._enabled_faces = NO_FACES
        self._orders.forget_decision()
        if self.cycle.accepted and self._memory.sequence is not None and not self._restarted:
            self._ask_last_answer(self._memory.sequence)
        self._write_memory()  # from here on other answers than a poll's may be the last
        identity = identify(self._link)
        self._check(identity)
        self.cycle.faces = identity.faces
        self._command(Command.SET_INHIBITS, 0, 0, 0)
        if not self.cycle.accepted:
            self._command(Command.DISABLE)
            # Before the first poll, because a poll would accept what is still held.
            self._command(Command.REJECT)
            if self.cycle.in_escrow:
                self._return_reason = "line"
                self.cycle.sent_back()
        self._drain()
        self._command(Command.DISABLE)
        counters = read_counters(self._link)
        self._end_start(counters)
        self.identity = identity
        self._faults.clear(*LOST_CODES)
        self._emit(AcceptorReady(identity=identity, counters=counters))

    def _ask_last_answer(self, sequence: int) -> None:
        self._write_memory(sequence)
        self._take(self._link.exchange(bytes((Command.POLL,)), sequence=sequence))
        quiet = 0
        while self.cycle.accepted and not self.cycle.in_escrow and not self._restarted and quiet < QUIET_POLLS:
            self._pause(POLL_ENABLED_S)
            quiet = 0 if moves(self._poll().events) else quiet + 1

    def _check(self, identity: AcceptorIdentity) -> None:
        if self.identity is not None and identity.serial != self.identity.serial:
            was = self.identity.serial
            raise WrongDevice(f"serial number {identity.serial} where {was} was; restart the kiosk to take it over")
        if identity.currency != "CNY":
            raise WrongDevice(f"its notes are {identity.currency}, CNY is needed")
        if self.cycle.accepted and self._memory.serial not in ("", identity.serial):
            log.error("ssp.note_in_another_device serial=%s now=%s", self._memory.serial, identity.serial)
            self.cycle.rest()

    def _drain(self) -> None:
        quiet = 0
        while quiet < QUIET_POLLS:
            if self.cycle.in_escrow:
                self._send_back("restart")
            quiet = 0 if moves(self._poll().events) else quiet + 1
            self._pause(POLL_ENABLED_S)

    def _end_start(self, counters: AcceptorCounters | None) -> None:
        """The device has told what it had to tell; what it did not say about the note it never will."""
        stacked = None if counters is None else counters.stacked
        if self._restarted:
            self._restarted = False
            moved = stacked is not None and stacked != self._stacked
            for event in self.cycle.end_start(stacked_moved=moved):
                self._emit(event)
            self._watch.started()
        elif self.cycle.accepted:
            log.warning("ssp.no_outcome channel=%d", self.cycle.channel)
            self.cycle.rest()
        self._stacked = stacked
        self._write_memory()

    # --- the poll loop

    def serve(self) -> None:
        """Poll, hold and carry out orders until something ends it.

        Raises:
            StartAgain, LinkLost, UnusableReply, Stopped.
        """
        poll_due = self._clock.monotonic()
        self._news_at = poll_due
        while True:
            if self._orders.stopping:
                raise Stopped
            if self._restarted or self._link.gap:
                raise StartAgain
            if self.cycle.in_escrow:
                self._decide_escrow()
                # An accept was a poll; after a refusal the next one may come at once.
                poll_due = self._clock.monotonic() + (self._poll_interval() if self.cycle.accepted else 0.0)
                continue
            self._carry_out()
            if self._clock.monotonic() >= poll_due:
                self._poll()
                self._watch_for_news()
                poll_due = self._clock.monotonic() + self._poll_interval()
            if not self.cycle.in_escrow:
                self._orders.wait(poll_due)

    def shut(self) -> None:
        """Return a held note and inhibit, on the way out. An accepted note is left to the device and the successor."""
        if self.cycle.in_escrow:
            self._send_back("host")
        deadline = self._clock.monotonic() + SHUT_S
        while self.cycle.state is NoteState.RETURNING and self._clock.monotonic() < deadline:
            self._poll()
            self._orders.wait(self._clock.monotonic() + self._scaled(POLL_ENABLED_S))
        self._command(Command.SET_INHIBITS, 0, 0, 0)
        self._command(Command.DISABLE)

    def _poll_interval(self) -> float:
        busy = self._enabled_faces or self.cycle.state is not NoteState.NONE
        return self._scaled(POLL_ENABLED_S if busy else POLL_DISABLED_S)

    def _decide_escrow(self) -> None:
        decision = self._orders.decision()
        lapsed = not self._orders.wanted_faces()
        if not self.cycle.announced or self.cycle.accepted or decision is Decision.RETURN:
            self._send_back("host")
        elif lapsed:
            self._send_back("lease" if self._orders.lease_lapsed else "host")
        elif decision is Decision.ACCEPT:
            self._orders.forget_decision()
            self.cycle.accept()
            self._news_at = self._clock.monotonic()
            self._poll()
        elif self._clock.monotonic() >= self._hold_due:
            if self._command(Command.HOLD) == bytes((Generic.CANNOT_PROCESS,)):
                self.cycle.sent_back()  # it went by itself; now a poll is safe and says why
            self._hold_due = self._clock.monotonic() + self._scaled(HOLD_S)
        else:
            self._orders.wait(self._hold_due)

    def _send_back(self, reason: str) -> None:
        reply = self._command(Command.REJECT)
        if reply in (OK, bytes((Generic.CANNOT_PROCESS,))):
            self._return_reason = reason
            self.cycle.sent_back()
        else:
            log.error("ssp.reject_refused answer=%s", reply.hex(" "))
            self._orders.wait(self._clock.monotonic() + self._scaled(POLL_ENABLED_S))
        self._orders.forget_decision()

    def _carry_out(self) -> None:
        if self.cycle.accepted:
            return  # the note first: no other frame comes between its polls
        faces = self._orders.wanted_faces()
        if faces != self._enabled_faces:
            if faces:
                self._enable(faces)  # answered when it succeeds
            else:
                self._disable()
        elif self._orders.owes_answer():
            self._orders.answered()
            self._emit(AcceptorEnabled() if faces else AcceptorDisabled())
        # A credited note is not counted before it is in the box: a reading now would be one short, and the next one over.
        if self.cycle.state is NoteState.NONE and self._orders.take_counters_asked():
            counters = read_counters(self._link)
            if counters is not None:
                self._emit(CountersRead(counters=counters))

    def _enable(self, faces: frozenset[Fen]) -> None:
        if not self._watch.can_enable or self._clock.monotonic() < self._enable_after:
            return
        mask = sum(1 << channel - 1 for channel, face in self.cycle.faces.items() if face in faces)
        self._command(Command.SET_INHIBITS, *mask.to_bytes(3, "little"))
        if self._command(Command.ENABLE) == OK:
            self._enabled_faces = faces
            self._orders.answered()
            self._emit(AcceptorEnabled())
        else:
            self._enable_after = self._clock.monotonic() + self._scaled(ENABLE_RETRY_S)

    def _disable(self) -> None:
        self._command(Command.DISABLE)
        self._command(Command.SET_INHIBITS, 0, 0, 0)
        self._enabled_faces = NO_FACES
        self._orders.answered()
        self._emit(AcceptorDisabled(lease_lapsed=self._orders.lease_lapsed))

    def _watch_for_news(self) -> None:
        if self.cycle.accepted and self._clock.monotonic() > self._news_at + self._scaled(NO_NEWS_S):
            raise StartAgain

    # --- answers

    def _poll(self) -> PollReply:
        if self.cycle.accepted:
            self._write_memory(self._link.sequence)
        return self._take(self._link.exchange(bytes((Command.POLL,))))

    def _take(self, data: bytes) -> PollReply:
        """Understand one answer to a poll, report what is in it, and wait where it must be on disk first."""
        reply = parse_poll(data[1:]) if data[:1] == OK else PollReply((), data)
        if moves(reply.events):
            self._news_at = self._clock.monotonic()
        for happened in reply.events:
            self._device_event(happened.code)
            for event in self.cycle.take(happened):
                self._report_note(event)
        self._watch.take(reply, data, self.cycle.odd, self._clock.monotonic() * self._speed)
        self.cycle.odd = ""
        if not (self._restarted or reply.unparsed):  # what could not be read may have spoken of the note
            for event in self.cycle.end_reply(reply.events):
                self._report_note(event)
        if not self.cycle.accepted:
            self._write_memory()
        return reply

    def _device_event(self, code: Happened) -> None:
        if code is Happened.RESET:
            self._restarted = True
        if code is Happened.STACKED and self._stacked is not None:
            self._stacked += 1
        if code in (Happened.RESET, Happened.DISABLED, Happened.CASHBOX_REMOVED):
            self._enabled_faces = NO_FACES

    def _report_note(self, event: DeviceEvent) -> None:
        match event:
            case NoteEscrowed(face=face):
                self._orders.forget_decision()
                if face not in self._orders.wanted_faces():
                    self.cycle.announced = False  # nobody asked for it: it goes back without a question
                    return
                self._hold_due = self._clock.monotonic() + self._scaled(HOLD_S)
                self._emit(event)
            case NoteCredited() | NoteUnclear():
                self._wait_for_disk(event)
                self._write_memory()
            case NoteReturned(accepted=True):
                # Asking the device why would overwrite the only answer that says so.
                self._wait_for_disk(NoteReturned(reason="device", accepted=True))
            case NoteReturned(reason=reason) if reason == REASON_ASKED:
                self._emit(NoteReturned(reason=self._why_returned()))
            case NoteRejected():
                self._emit(NoteRejected(reason=self._last_reject()))
            case _:
                self._emit(event)

    def _wait_for_disk(self, event: DeviceEvent) -> None:
        """Report an outcome and send nothing until it is on disk: the next frame would tell the device to forget it."""
        self.waits_for_disk = True
        if not self._orders.wait_acknowledged(self._emit(event)):
            raise Stopped
        self.waits_for_disk = False

    def _why_returned(self) -> str:
        reason = self._last_reject()
        return self._return_reason if reason == "host" else reason

    def _last_reject(self) -> str:
        try:
            reply = self._command(Command.LAST_REJECT)
        except LinkLost:
            return "unknown"  # that the note is back is certain; serve() notices the gap by itself
        if reply[:1] != OK or len(reply) != 2:
            return "unknown"
        return REJECT_REASONS.get(reply[1], "not_recognised")

    # --- small change

    def _command(self, command: Command, *parameters: int) -> bytes:
        return self._link.exchange(bytes((command, *parameters)))

    def _scaled(self, seconds: float) -> float:
        return max(seconds / self._speed, SHORTEST_WAIT_S)

    def _pause(self, seconds: float) -> None:
        until = self._clock.monotonic() + self._scaled(seconds)
        while self._clock.monotonic() < until:
            if self._orders.stopping:
                raise Stopped
            self._orders.wait(until)

    def _write_memory(self, sequence: int | None = None) -> None:
        serial = self.identity.serial if self.identity is not None else self._memory.serial
        memory = recall_of(self.cycle, sequence=sequence, serial=serial, stacked=self._stacked)
        if memory != self._memory:
            self._memory = memory
            self._recall.write(memory)
