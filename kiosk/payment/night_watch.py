"""What follows from the nightly self-check: an entry that the office sees, a signed checkpoint, or the end of all promises."""

import logging
from collections.abc import Callable
from datetime import datetime

from kiosk.clock import Clock
from kiosk.domain import events as journal_events
from kiosk.offline_queue.journal import Journal, JournalUnwritable
from kiosk.offline_queue.night_check import NightCheck
from kiosk.offline_queue.records import Entry
from kiosk.payment.events import SelfChecked
from kiosk.payment.local_time import LOCAL_FORMAT, local_text

log = logging.getLogger(__name__)


class NightWatch:
    """Belongs to the payment thread, like the journal."""

    def __init__(self, journal: Journal, sign: Callable[[bytes], bytes], zone: str, clock: Clock) -> None:
        """``zone`` is the estate's."""
        self._journal, self._sign, self._zone, self._clock = journal, sign, zone, clock
        self._last = journal.latest("journal.checked")
        before = self._at(self._last or journal.latest("journal.genesis"))
        self._check = NightCheck(journal.path, _local(before), clock.monotonic())

    def remembered(self) -> SelfChecked | None:
        """What the last check of an earlier process found."""
        if self._last is None or not isinstance(self._last.event, journal_events.JournalChecked):
            return None
        return SelfChecked(self._last.event.up_to_seq, self._at(self._last))

    def look(self, *, idle: bool) -> SelfChecked | None:
        """Begin a check that is due; what a check has found, once.

        Raises:
            JournalUnwritable: the journal is not as it was written, or failed while that was being written down.
        """
        reading = self._clock.reading()  # one that is not verified is good enough to tell night from day
        now = local_text(reading.wall_ms, self._zone) if reading.state != "unset" else ""
        report = self._check.look(idle=idle, local=_local(now), now=self._clock.monotonic())
        if report is None:
            return None
        if report.wrong:
            # The office is told while the file still takes an entry; then a new process checks all of it.
            log.critical("night_watch.found_wrong what=%s", report.wrong)
            self._journal.append(
                journal_events.DeviceFault(device="journal", code="journal.damaged", detail=report.wrong)
            )
            self._journal.condemn(report.wrong)
            raise JournalUnwritable("journal.damaged", report.wrong)
        self._journal.append(
            journal_events.JournalChecked(
                up_to_seq=report.entries, credited_fen=report.credited_fen, notes=report.notes
            )
        )
        self._journal.checkpoint(self._sign)
        return SelfChecked(report.entries, now)

    def stop(self) -> None:
        self._check.stop()

    def _at(self, entry: Entry | None) -> str:
        if entry is None or entry.header.clock == "unset":
            return ""
        return local_text(entry.header.wall_ms, self._zone)


def _local(text: str) -> datetime | None:
    return datetime.strptime(text, LOCAL_FORMAT) if text else None
