"""The last upload of a journal that is to be replaced: all that the office still takes of it, or a reason to replace nothing yet.

Once the successor has begun the office takes no more of it, so what is merely slow or busy is asked again. Only what no waiting
changes ends it early: an entry that can't be read, or an office that has another history.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Callable

from kiosk.clock import Clock
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.offline_queue import outbox
from kiosk.offline_queue.backoff import Backoff, Timing
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.sync import SMALLER_HELPS, STOPPED_FOR_GOOD

OVER = STOPPED_FOR_GOOD | {"revoked", "key_unknown"}
PATIENCE_S = 60.0


class NotDelivered(Exception):
    """The office may still take entries, and does not take them now."""


class LastUpload:
    """One use: run(), and then ``sent`` is the last entry of ours that the office is known to have."""

    def __init__(
        self,
        client: OfficeClient,
        reader: JournalReader,
        clock: Clock,
        patience_s: float = PATIENCE_S,
        timing: Timing | None = None,
    ) -> None:
        """``patience_s``: how long nothing may go forward."""
        self._client = client
        self._reader = reader
        self._clock = clock
        self._patience_s = patience_s
        self._backoff = Backoff(timing or Timing(), random.Random())
        self._at_most = outbox.MAX_EVENTS
        self.sent = reader.cursor().ack_seq

    def run(self) -> None:
        """
        Raises:
            NotDelivered: it did not answer, was busy all the time, or refuses for a cause that can be mended.
        """
        try:
            self._ask_what_is_missing()
            while self._at_most and self._patiently(self._send_some):
                pass
        except Refused as refused:
            if refused.code not in OVER:
                raise NotDelivered(str(refused)) from refused
            print(f"the office takes no more of the old journal: {refused}", file=sys.stderr)

    def _ask_what_is_missing(self) -> None:
        """Also where nothing waits: an office restored from a backup lacks what it once acknowledged."""
        try:
            self._patiently(self._say_how_far_we_are)
        except Refused as refused:
            if refused.code not in ("ahead", "fork"):  # which say nothing yet of what both have
                raise

    def _say_how_far_we_are(self) -> None:
        try:
            self._upload(outbox.nothing_more(self._reader, self._clock))
        except (sqlite3.Error, TypeError) as error:
            print(f"the old journal does not say how far it goes: {error}", file=sys.stderr)

    def _send_some(self) -> bool:
        """One batch; False when there is none."""
        try:
            batch = outbox.next_batch(self._reader, self.sent, self._clock, self._at_most)
            if batch and self._upload(batch):
                self.sent = batch.last_seq  # not what the answer acknowledges: that may be another history's
                self._at_most = min(outbox.MAX_EVENTS, self._at_most * 2)
            return batch is not None
        except (sqlite3.Error, UnicodeDecodeError) as error:
            return self._smaller(error)
        except Refused as refused:
            if refused.code not in SMALLER_HELPS and refused.code != "fork":
                raise
            return self._smaller(refused)

    def _smaller(self, error: Exception) -> bool:
        """Up to the first entry that can't be read, here or there, or that the office has otherwise."""
        self._at_most //= 2
        if not self._at_most:
            print(f"entry {self.sent + 1} of the old journal does not go to the office: {error}", file=sys.stderr)
        return True

    def _upload(self, batch: outbox.Batch) -> bool:
        """False: the office lacks entries before these, and ``sent`` is where it ends."""
        try:
            self._client.upload(self._reader.journal_id, batch.gzipped)
        except Refused as refused:
            expected = refused.problem.expected_seq or 0
            if refused.code != "gap" or not 1 <= expected < batch.first_seq:
                raise
            # Where it has more than we were told, that may be another history: only back, never forward.
            self.sent = min(self.sent, expected - 1)
            return False
        return True

    def _patiently(self, ask: Callable[[], bool | None]) -> bool | None:
        """Ask again while the office is silent or busy.

        Raises:
            NotDelivered: for too long.
            Refused: it said no.
        """
        give_up_at = time.monotonic() + self._patience_s
        while True:
            try:
                answered = ask()
                self._backoff.reset()
                return answered
            except Unreachable as unreachable:
                reason, asked_s = unreachable.reason, unreachable.retry_after_s
                # A line that breaks off long requests may let short ones through.
                self._at_most = max(1, self._at_most // 2)
            except Refused as refused:
                if refused.status != 429 and refused.status < 500:
                    raise
                reason, asked_s = str(refused), refused.retry_after_s
            pause_s = self._backoff.next_s() if asked_s is None else max(1.0, asked_s)
            if time.monotonic() + pause_s > give_up_at:
                raise NotDelivered(reason)
            print(f"the office does not take the old journal now ({reason}); again in {pause_s:.0f} s", file=sys.stderr)
            time.sleep(pause_s)  # the wait itself: a person sits before this command, and nothing wakes it earlier
