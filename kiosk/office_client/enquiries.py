"""Look-ups while a person waits: the office first, within ten seconds, else what the cache may still say.

A person never learns why a unit can't be paid here: unknown, closed or not ours is one answer. Source: decisions 22 and 24,
ux-and-accessibility section 11.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import date
from typing import Protocol, TypeVar

from kiosk.domain.billing import Bill, Unit
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.office_client.events import BillsFound, EnquiryFailed, OfficeEvent, UnitFound, UnitNotFound

log = logging.getLogger(__name__)

PATIENT = (4.0, 6.0)  # seconds to connect and to read: a person waits ten seconds at most
QUICK = (1.0, 2.0)  # after a failure: an office that is back answers within this, and nobody waits ten seconds again

NO_CACHE = "no_cache"
TOO_OLD = "cache_too_old"
REFUSED = "refused"
INTERNAL = "internal"


Answer = TypeVar("Answer")


class KeptUnit(Protocol):
    """A unit as the cache holds it."""

    @property
    def unit(self) -> Unit: ...
    @property
    def bills(self) -> tuple[Bill, ...]: ...
    @property
    def applied_seq(self) -> int: ...


class KeptTime(Protocol):
    """When the cache was last complete, in the office's time."""

    @property
    def server_ms(self) -> int: ...
    @property
    def as_of(self) -> date: ...


class KeptAnswers(Protocol):
    """The cache, as far as look-ups need it."""

    def find(self, code: str) -> KeptUnit | None: ...
    def unit(self, unit_id: str) -> KeptUnit | None: ...
    def refreshed(self) -> KeptTime | None: ...
    def good_for(self) -> str: ...  # bills, prepaid or nothing


class Enquiries:
    """A thread that answers one look-up after the other into the inbox; every request gets exactly one answer."""

    def __init__(
        self,
        client: OfficeClient,
        cache: KeptAnswers,
        report: Callable[[OfficeEvent], None],
        *,
        journal_id: str,
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        """``journal_id`` names the journal whose settlements will be subtracted from the bills. ``answered`` is told of every good
        answer: the sync thread then stops waiting out its backoff."""
        self._client = client
        self._journal_id = journal_id
        self._patience = PATIENT
        self._calls: queue.Queue[tuple[Callable[[], object], Future[object]] | None] = queue.Queue()
        self._hanging: Future[object] | None = None
        self._cache = cache
        self._report = report
        self._answered = answered
        self._wanted: queue.Queue[tuple[Callable[[int, str], OfficeEvent], int, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="enquiries", daemon=True)
        self._caller = threading.Thread(target=self._call, name="enquiry-calls", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._caller.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Finish at once; a call that hangs is left behind, its answer is of no use to anyone."""
        self._wanted.put(None)
        self._thread.join(timeout_s)

    def find_unit(self, request_no: int, code: str) -> None:
        """Answered by UnitFound, UnitNotFound or EnquiryFailed."""
        self._wanted.put((self._find, request_no, code))

    def bills(self, request_no: int, unit_id: str) -> None:
        """Answered by BillsFound, UnitNotFound or EnquiryFailed."""
        self._wanted.put((self._bills, request_no, unit_id))

    def _run(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            ask, request_no, what = wanted
            try:
                answer = ask(request_no, what)
            except Exception:  # one bad answer must not cost everyone after it theirs
                log.exception("enquiry.failed")
                answer = EnquiryFailed(request_no=request_no, reason=INTERNAL)
            self._report(answer)
        self._calls.put(None)

    def _call(self) -> None:
        """A thread of its own for the calls: looking a name up has no time limit, and a person's patience has one."""
        while (wanted := self._calls.get()) is not None:
            ask, future = wanted
            try:
                future.set_result(ask())
            except Exception as error:  # noqa: BLE001  (raised again where the answer is waited for)
                future.set_exception(error)
        self._client.close()

    def _find(self, request_no: int, code: str) -> OfficeEvent:
        try:
            unit = self._from_office(lambda: self._client.find_unit(code))
        except Refused as refused:
            return EnquiryFailed(request_no=request_no, reason=f"{REFUSED}.{refused.code}")
        except Unreachable:
            return self._kept_unit(request_no, code)
        return UnitFound(request_no=request_no, unit=unit) if unit else UnitNotFound(request_no=request_no)

    def _bills(self, request_no: int, unit_id: str) -> OfficeEvent:
        try:
            told = self._from_office(lambda: self._client.bills(unit_id))
        except Refused as refused:
            if refused.status == 404:
                return UnitNotFound(request_no=request_no)
            return EnquiryFailed(request_no=request_no, reason=f"{REFUSED}.{refused.code}")
        except Unreachable:
            return self._kept_bills(request_no, unit_id)
        return BillsFound(
            request_no=request_no,
            unit=told.unit,
            bills=told.bills,
            as_of=told.as_of,
            applied_seq=told.applied_of(self._journal_id),
            recent_payment=told.recent_payment,
        )

    def _from_office(self, ask: Callable[[], Answer]) -> Answer:
        """An office that is overloaded or in passing trouble counts as unreachable: the cache is there for that."""
        try:
            answer = self._in_time(ask)
        except Unreachable as unreachable:
            log.info("enquiry.offline reason=%s", unreachable.reason)
            self._patience = QUICK
            raise
        except Refused as refused:
            if refused.status == 429 or refused.status >= 500:
                log.info("enquiry.offline reason=%s", refused.code)
                raise Unreachable(refused.code) from refused
            log.log(logging.INFO if refused.status == 404 else logging.WARNING, "enquiry.refused code=%s", refused.code)
            raise
        self._patience = PATIENT
        self._answered()
        return answer

    def _in_time(self, ask: Callable[[], Answer]) -> Answer:
        if self._hanging and not self._hanging.done():
            raise Unreachable("the call before this one still hangs")
        connect_s, read_s = self._patience
        self._client.be_patient(connect_s, read_s)
        future: Future[Answer] = Future()
        self._calls.put((ask, future))  # type: ignore[arg-type]
        try:
            return future.result(timeout=connect_s + read_s)
        except TimeoutError as error:
            self._hanging = future  # type: ignore[assignment]
            raise Unreachable(f"no answer within {connect_s + read_s:.0f} s") from error

    def _kept_unit(self, request_no: int, code: str) -> OfficeEvent:
        if failed := self._not_from_cache(request_no):
            return failed
        kept = self._cache.find(code)
        return (
            UnitFound(request_no=request_no, unit=kept.unit, offline=True)
            if kept
            else UnitNotFound(request_no=request_no)
        )

    def _kept_bills(self, request_no: int, unit_id: str) -> OfficeEvent:
        if failed := self._not_from_cache(request_no):
            return failed
        kept, since = self._cache.unit(unit_id), self._cache.refreshed()
        if kept is None or since is None:
            return UnitNotFound(request_no=request_no)
        payable = self._cache.good_for() == "bills"
        return BillsFound(
            request_no=request_no,
            unit=kept.unit,
            bills=kept.bills if payable else (),
            as_of=since.as_of,
            applied_seq=kept.applied_seq,
            offline=True,
            cached_at_ms=since.server_ms,
            prepay_only=not payable,
        )

    def _not_from_cache(self, request_no: int) -> EnquiryFailed | None:
        if self._cache.refreshed() is None:
            return EnquiryFailed(request_no=request_no, reason=NO_CACHE)
        if self._cache.good_for() == "nothing":
            return EnquiryFailed(request_no=request_no, reason=TOO_OLD)
        return None
