"""The thread that sends the journal to the office and fetches what the kiosk needs for bad days.

At least once, in order, one request in flight; nothing the office says ever deletes an entry. It reads the journal beside
its writer and tells the payment thread, which alone writes the cursor. Waiting is always for a wake-up, never a sleep.
Source: journal-and-upload sections 4 to 7; decisions 15, 16.
"""

import logging
import random
import sqlite3
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from kiosk.clock import TRUSTED, Clock, age_ms
from kiosk.domain.chain import Header
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.office_client.events import OUT_OF_SERVICE, Acked, JournalUnreadable, LinkChanged, OfficeEvent
from kiosk.office_client.wire import Condition, Heartbeat, Problem, UploadAnswer
from kiosk.offline_queue import database, outbox
from kiosk.offline_queue.backoff import Backoff, Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.refresh import Refresh

log = logging.getLogger(__name__)

# The office answers but will not go on with this kiosk as it is; money stays queued, a person must act.
STOPPED_FOR_GOOD = frozenset({"fork", "ahead", "journal_not_expected"})
SMALLER_HELPS = frozenset({"too_large", "malformed", "validation_failed"})
DEFAULT_INTERVAL_S = 60.0
MAX_INTERVAL_S = 3600.0


class Link(StrEnum):
    """What this thread knows of the office."""

    UNTRIED = "untried"
    UP = "up"
    DOWN = "down"
    REFUSED = "refused"


class Sync:
    """Uploads when woken, beats when idle, keeps the cache fresh. Methods without a note may be called by any thread."""

    def __init__(
        self,
        client: OfficeClient,
        journal_path: Path,
        cache: Cache,
        clock: Clock,
        report: Callable[[OfficeEvent | JournalUnreadable], None],
        *,
        software: str,
        timing: Timing | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._client = client
        self._journal_path = journal_path
        self._cache = cache
        self._clock = clock
        self._report = report
        self._software = software
        self._timing = timing or Timing()
        self._rng = rng or random.Random()
        self._backoff = Backoff(self._timing, self._rng)
        self._condition = Condition()
        self._link = Link.UNTRIED
        self._refusal = ""  # why the office will not have us, while the link is REFUSED
        self._reader: JournalReader | None = None
        self._acked = 0  # what the office told us it holds; the journal's cursor follows through the payment thread
        self._posted = 0
        self._durable = 0  # the cursor as last written
        self._asked_for = 0  # how often in a row entries were acknowledged and not folded yet
        self._answer_s = self._timing.answer_s  # how late a heartbeat's answer may come: twice the last one's time
        self._interval_s = DEFAULT_INTERVAL_S  # between idle heartbeats, as the office asks
        self._batch_limit = outbox.MAX_EVENTS
        now = clock.monotonic()
        self._try_at = now + self._rng.uniform(0, self._timing.first_try_s)  # a street's kiosks must not call together
        self._not_before = 0.0  # the office asked for quiet until then
        self._spoke_at = now  # last exchange or last try
        self._stopped_for_good = False
        self._woken = threading.Event()
        self._commit_waits = threading.Event()
        self._leaving = threading.Event()
        self._refresh = Refresh(
            client, cache, clock, report, every_s=self._timing.refresh_s, leaving=self._leaving.is_set
        )
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)

    # --- for the other threads ---------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Finish after the call in flight; one that hangs is left behind, its entries are sent again next time."""
        self._leaving.set()
        self._woken.set()
        self._thread.join(timeout_s)

    def wake(self) -> None:
        """Something was written: send it now."""
        self._commit_waits.set()
        self._woken.set()

    def office_answered(self) -> None:
        """Someone else had a good answer from the office: waiting out a backoff makes no more sense."""
        if self._link is Link.DOWN:
            self.network_changed()

    def network_changed(self) -> None:
        """It may be there again, or gone: ask soon, and neither at the neighbours' instant nor with each move of a loose plug."""
        self._backoff.reset()
        soon = self._clock.monotonic() + self._rng.uniform(0, min(self._timing.first_try_s, 1.0))
        self._try_at = min(self._try_at, max(soon, self._spoke_at + self._timing.retry_spacing_s))
        self._woken.set()

    def cursor_is(self, seq: int) -> None:
        """The payment thread has written the cursor."""
        self._durable = seq

    def tell(self, condition: Condition) -> None:
        """What the next heartbeat says about the devices."""
        self._condition = condition

    @property
    def link(self) -> Link:
        return self._link

    # --- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._refresh.tell_cached_estate()
            if refusal := self._cache.refusal():
                self._became(Link.REFUSED, refusal)  # a restart without a network must not lift it either
            while not self._leaving.is_set():
                self._woken.wait(self._step_whatever_happens())
                self._woken.clear()
        finally:
            self._close_reader()
            self._client.close()

    def _step_whatever_happens(self) -> float:
        try:
            return self.step()
        except Exception:  # a case nobody thought of may delay the money's record, not end its upload
            log.exception("sync.failed")
            self._became(Link.DOWN, "internal")
            self._close_reader()
            return self._try_after(self._failed(None))

    def step(self) -> float:
        """Do what is due, and say how many seconds nothing will be. Only the sync thread, or a test without one."""
        now = self._clock.monotonic()
        if self._commit_waits.is_set() and self._link is not Link.REFUSED:
            spacing_s = self._timing.retry_spacing_s if self._link is Link.DOWN else 0.0
            self._try_at = min(self._try_at, self._spoke_at + spacing_s)
        due_at = max(self._try_at, self._not_before)
        if now < due_at:
            return due_at - now
        self._commit_waits.clear()
        try:
            self._exchange()
            self._backoff.reset()
            pause_s = self._pause_s()
        except Unreachable as unreachable:
            log.info("sync.unreachable reason=%s", unreachable.reason)
            self._became(Link.DOWN, unreachable.reason)
            pause_s = self._failed(unreachable.retry_after_s)
        except Refused as refused:
            log.warning("sync.refused code=%s detail=%s", refused.code, refused.detail)
            pause_s = self._refused(refused)
        except (JournalUnusable, sqlite3.Error) as error:
            log.warning("sync.journal_unreadable reason=%s", error)
            self._close_reader()
            if database.has_failed(error):
                unusable = database.in_words(error, self._journal_path)
                self._report(JournalUnreadable(code=unusable.code, detail=unusable.detail))
            pause_s = self._failed(None)
        return self._try_after(pause_s)

    def _try_after(self, pause_s: float) -> float:
        now = self._clock.monotonic()
        self._spoke_at = now
        self._try_at = now + pause_s
        return max(0.0, max(self._try_at, self._not_before) - now)

    # --- one round ---------------------------------------------------------------------------------------------

    def _exchange(self) -> None:
        """Send what waits; with nothing to send, beat. Then fetch what is wanted."""
        reader = self._open_reader()
        if self._stopped_for_good or not self._send_all(reader):
            self._beat(reader)
        if not self._stopped_for_good:
            self._be_welcome()
            self._refresh.if_due()

    def _be_welcome(self) -> None:
        """Or Refused rises: a suspended kiosk's journal is taken all the same, and must not pass for its welcome."""
        if self._link is not Link.UP:
            self._refresh.want()
        if self._link is Link.REFUSED:
            self._refresh.if_due(whole=self._refusal in OUT_OF_SERVICE)
        self._became(Link.UP)

    def _send_all(self, reader: JournalReader) -> bool:
        """Batch after batch until none is left or the office asks for quiet; False when there was none."""
        sent_any = False
        while not self._leaving.is_set():
            batch = outbox.next_batch(reader, self._acked, self._clock, self._batch_limit, self._posted)
            if batch is None:
                break
            try:
                answer = self._client.upload(reader.journal_id, batch.gzipped)
            except Refused as refused:
                if refused.code not in SMALLER_HELPS:
                    raise
                if batch.count == 1:
                    self._beat(reader)  # it can't read this entry, so let it hear how much waits behind it
                    if self._refusal in OUT_OF_SERVICE:
                        self._be_welcome()  # no upload will say so before the entry can be read
                    raise
                log.warning("sync.halved code=%s first=%d count=%d", refused.code, batch.first_seq, batch.count)
                self._batch_limit = batch.count // 2
                continue
            except Unreachable:
                # A line that breaks off long requests, or somebody on it who refuses them, may let shorter ones through.
                self._batch_limit = max(1, batch.count // 2)
                raise
            self._take_ack(reader, answer)
            self._batch_limit = min(outbox.MAX_EVENTS, self._batch_limit * 2)
            sent_any = True
            if answer.hold_ms:
                break
        return sent_any

    def _take_ack(self, reader: JournalReader, answer: UploadAnswer) -> None:
        if answer.ack_seq > reader.head()[0]:
            self._ask_whether_we_are_old(reader)
        own = reader.hash_at(answer.ack_seq)
        if own is None or own.hex() != answer.ack_hash:
            raise Refused(409, _own_finding("fork", f"the office's hash at {answer.ack_seq} is not ours"))
        if answer.ack_seq <= self._acked:
            raise Unreachable(f"the office acknowledges {answer.ack_seq}, which it did before")
        for rejected in answer.rejected:
            log.warning("sync.quarantined seq=%d code=%s", rejected.seq, rejected.code)
        self._acked, self._posted = answer.ack_seq, max(self._posted, answer.posted_seq)
        self._not_before = self._clock.monotonic() + min(answer.hold_ms, 900_000) / 1000
        self._refresh.version_is(answer.config_version)
        self._report(
            Acked(
                ack_seq=answer.ack_seq, ack_hash=answer.ack_hash, posted_seq=answer.posted_seq, outcomes=answer.outcomes
            )
        )

    def _beat(self, reader: JournalReader) -> None:
        head_seq, head_hash = reader.head()
        says = self._condition
        oldest = reader.entries(self._durable, 1)
        began = self._clock.monotonic()
        # A pulled cable is to be noticed soon; whether it is back, may be asked patiently.
        within_s = self._answer_s if self._link is Link.UP else None
        answer = self._client.heartbeat(
            Heartbeat(
                journal_id=reader.journal_id,
                last_seq=head_seq,
                last_hash=head_hash.hex(),
                unsent=head_seq - self._durable,
                oldest_unsent_s=self._age_ms(oldest[0].header) // 1000 if oldest else 0,
                state=says.state,
                acceptor=says.acceptor,
                printer=says.printer,
                paper=says.paper,
                journal=says.journal,
                disk_free_mb=database.free_bytes(self._journal_path.parent) // database.MIB,
                clock=self._clock.reading().state,
                software=self._software,
                posted_seq=self._posted,
                sent=outbox.sent_now(self._clock),
            ),
            within_s,
        )
        self._answer_s = max(self._timing.answer_s, 2 * (self._clock.monotonic() - began))
        self._refresh.version_is(answer.config_version)
        self._interval_s = min(max(answer.interval_s, 1), MAX_INTERVAL_S)
        holds = answer.ack_seq or 0  # null: nothing of this journal
        if holds > reader.head()[0]:
            self._ask_whether_we_are_old(reader)
        # An office restored from an older copy gets again what it lost.
        if holds < self._acked:
            log.warning("sync.office_lost_entries from=%d", holds + 1)
            self._acked = self._posted = holds
            self._commit_waits.set()
        elif answer.posted_seq > self._posted:
            self._posted = min(answer.posted_seq, self._acked)
            own = reader.hash_at(self._acked)
            if own:
                self._report(
                    Acked(ack_seq=self._acked, ack_hash=own.hex(), posted_seq=self._posted, outcomes=answer.outcomes)
                )

    def _age_ms(self, head: Header) -> int:
        return age_ms(self._clock, head.boot_id, head.mono_ms, head.wall_ms if head.clock in TRUSTED else None)

    def _ask_whether_we_are_old(self, reader: JournalReader) -> None:
        """The office named an entry that was never written here: say how far we are, so that it knows and raises its alarm.

        Raises:
            Refused: ``ahead``, by the office's own word or, should it have none, by ours.
        """
        self._client.upload(reader.journal_id, outbox.nothing_more(reader, self._clock).gzipped)
        raise Refused(409, _own_finding("ahead", "the office holds entries that this journal does not have"))

    # --- when it does not go well ------------------------------------------------------------------------------

    def _pause_s(self) -> float:
        if self._commit_waits.is_set():
            return 0.0
        if self._stopped_for_good:
            return self._timing.rarely_s
        return min(self._timing.heartbeat_s or self._interval_s, self._refresh.due_in_s(), self._until_posted_s())

    def _until_posted_s(self) -> float:
        """How soon to ask again for entries that the office holds but has not folded: a payer may be waiting."""
        self._asked_for = 0 if self._posted >= self._acked else self._asked_for + 1
        return 2.0 ** min(self._asked_for - 1, 10) if self._asked_for else MAX_INTERVAL_S

    def _failed(self, asked_s: float | None) -> float:
        """How long to wait after a failure; what the office asked for is kept even when something new is written."""
        if asked_s is None:
            return self._backoff.next_s()
        # Not sooner, and not all kiosks that were told the same at the same instant.
        pause_s = max(1.0, asked_s) + self._rng.uniform(0, min(asked_s, self._timing.first_try_s))
        self._not_before = self._clock.monotonic() + pause_s
        return pause_s

    def _refused(self, refused: Refused) -> float:
        if refused.code in STOPPED_FOR_GOOD:
            self._stopped_for_good = True
            self._became(Link.REFUSED, refused.code)
            return self._timing.rarely_s
        if refused.code == "gap" and self._resend_from(refused):
            return self._failed(None)
        if refused.code == "revoked":
            self._became(Link.REFUSED, refused.code)
            return self._timing.rarely_s
        if refused.status == 429 or refused.status >= 500:
            self._became(Link.DOWN, refused.code)
            return self._failed(refused.retry_after_s)
        # Wrong signature, suspended, too old, or one entry the office can't even read: it is kept, whatever they say.
        self._became(Link.REFUSED, refused.code)
        return self._timing.refused_s

    def _resend_from(self, refused: Refused) -> bool:
        """Go back to the entry the office expects; False when that leads nowhere."""
        expected = refused.problem.expected_seq or 0
        if not 1 <= expected <= self._acked:
            return False
        self._acked = expected - 1
        return True

    def _became(self, link: Link, reason: str = "") -> None:
        """Report a change. A refusal stands until the office takes it back: a pulled cable must not lift it, and one that ends
        the service is not lifted by one that does not."""
        if self._link is Link.REFUSED and link is Link.DOWN:
            return
        if link is Link.REFUSED and self._refusal in OUT_OF_SERVICE and reason not in OUT_OF_SERVICE:
            return
        if link is not self._link or (link is Link.REFUSED and reason != self._refusal):
            log.info("sync.link is=%s reason=%s", link, reason)
            self._link, self._refusal = link, reason
            if link is not Link.DOWN:
                self._cache.take_refusal(reason)
            self._report(LinkChanged(up=link is Link.UP, refused=link is Link.REFUSED, reason=reason))

    def _open_reader(self) -> JournalReader:
        if self._reader is None:
            self._reader = JournalReader(self._journal_path)
            cursor = self._reader.cursor()
            self._acked = self._durable = cursor.ack_seq
            self._posted = cursor.posted_seq
        return self._reader

    def _close_reader(self) -> None:
        if self._reader:
            self._reader.close()
            self._reader = None


def _own_finding(code: str, detail: str) -> Problem:
    """What we found ourselves, in the form the office would have told it."""
    return Problem(code=code, detail=detail, retry="never")
