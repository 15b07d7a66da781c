"""Typed, signed calls to the office over one kept-alive connection.

An answer that the office did not sign, to this very request, is no answer: a captive portal's page, a proxy's error and a
forged receipt all end as Unreachable. Nothing is retried here but a refused signature, once; the sync thread has the one retry
policy. Source: docs/office-api.md, journal-and-upload sections 5 and 6.
"""

import secrets
import time
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
import urllib3

from kiosk.clock import Clock
from kiosk.domain.billing import Unit
from kiosk.domain.estate import Estate
from kiosk.domain.http_signature import SignatureInvalid, sign_request, verify_answer
from kiosk.office_client import wire
from kiosk.office_client.deadline import Deadline, DeadlineAdapter
from kiosk.office_client.identity import Identity

BASE = "/api/v1"
CONNECT_S = 5.0
READ_S = 20.0
SENT_BYTES_PER_S = 2048  # one more second of patience for each of these
IDLE_S = 25.0  # a server may close a connection that idles longer; the call that finds out would look like a failure
ANSWER_LIMIT = 32 * 1024 * 1024
RETRY_AFTER_LIMIT_S = 900.0

Answered = TypeVar("Answered")
Told = TypeVar("Told", wire.BillsAnswer, wire.HeartbeatAnswer, wire.UploadAnswer)


class Unreachable(Exception):
    """No answer that the office signed. Nothing is known about what it did; ask again later."""

    def __init__(self, reason: str, retry_after_s: float | None = None, *, slow: bool = False) -> None:
        """``slow``: nobody said no, and nothing came in time."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.slow = slow


class Refused(Exception):
    """The office answered, and said no. ``problem.retry`` is never, later or after_fix."""

    def __init__(self, status: int, problem: wire.Problem, retry_after_s: float | None = None) -> None:
        super().__init__(f"{status} {problem.code}: {problem.detail or problem.title}")
        self.status = status
        self.code = problem.code
        self.retry = problem.retry
        self.detail = problem.detail
        self.problem = problem
        self.retry_after_s = retry_after_s


class SignedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was verified."""

    status: int
    headers: dict[str, str]
    body: bytes


class Transport:
    """One HTTP connection to one address, blind to everything in the environment."""

    def __init__(self, url: str, connect_s: float = CONNECT_S, read_s: float = READ_S) -> None:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no office address such as https://office.example")
        self.url = url.rstrip("/")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        default = {"http": 80, "https": 443}[parts.scheme]
        self.authority = host if parts.port in (None, default) else f"{host}:{parts.port}"
        self.connect_s = connect_s
        self.read_s = read_s
        self._deadline = Deadline()
        self._session = self._new_session()
        self._used_at = time.monotonic()

    def prepare(self, method: str, path: str, query: dict[str, str], body: bytes) -> requests.PreparedRequest:
        """The request as it will be sent, so that what is signed is what travels."""
        target = f"{self.url}{BASE}{path}" + (f"?{urlencode(query)}" if query else "")
        return self._session.prepare_request(requests.Request(method, target, data=body))

    def send(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        """
        Raises:
            Unreachable: no whole answer in time; the connection is dropped.
        """
        if time.monotonic() - self._used_at > IDLE_S:
            self.drop()
        patience_s = self.read_s + len(request.body or b"") / SENT_BYTES_PER_S
        self._deadline.begin(self.connect_s + patience_s)
        try:
            with self._session.send(
                request, stream=True, timeout=(self.connect_s, patience_s), allow_redirects=False
            ) as response:
                return response.status_code, dict(response.headers.items()), _read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.drop()
            slow = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError)
            raise Unreachable(f"{type(error).__name__}: {error}", slow=slow) from error
        finally:
            self._used_at = time.monotonic()

    def drop(self) -> None:
        """Forget the connection; the next call makes a new one."""
        self._session.close()
        self._session = self._new_session()

    def close(self) -> None:
        self._session.close()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxies, no .netrc, no CA bundle from the environment
        session.headers.clear()
        session.headers.update({"User-Agent": "menting-kiosk", "Accept-Encoding": "identity"})
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter(self._deadline))
        return session


class OfficeClient:
    """The office as one kiosk may use it. An object belongs to one thread."""

    def __init__(
        self, url: str, identity: Identity, clock: Clock, *, connect_s: float = CONNECT_S, read_s: float = READ_S
    ) -> None:
        self._transport = Transport(url, connect_s, read_s)
        self._identity = identity
        self._clock = clock
        self._asked = 0, 0  # when the last call began and ended

    @property
    def kiosk_id(self) -> str:
        return self._identity.kiosk_id

    @property
    def kiosk_code(self) -> str:
        return self._identity.kiosk_code

    def close(self) -> None:
        self._transport.close()

    def be_patient(self, connect_s: float, read_s: float) -> None:
        """How long the next calls may take."""
        self._transport.connect_s, self._transport.read_s = connect_s, read_s

    # --- resources ---------------------------------------------------------------------------------------------

    def config(self, etag: str | None = None) -> tuple[Estate, str | None] | None:
        """The estate and its ETag; None: not changed since ``etag``."""
        answer = self._call("GET", "/kiosk/config", headers={"If-None-Match": etag} if etag else {})
        if answer.status == 304:
            return None
        return _decode(answer, Estate), answer.headers.get("etag")

    def buildings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Buildings and their entrances."""
        return _decode(self._call("GET", "/buildings"), wire.Buildings).as_pairs()

    def find_unit(self, code: str) -> Unit | None:
        """The unit with exactly this code; None when the office knows none for us, whatever the cause."""
        try:
            return _decode(self._call("GET", "/units", {"code": code}), wire.UnitAnswer).unit
        except Refused as refused:
            if refused.code == "unit_not_found":
                return None
            raise

    def bills(self, unit_id: str) -> wire.BillsAnswer:
        return self._timed(_decode(self._call("GET", f"/units/{unit_id}/bills"), wire.BillsAnswer))

    def changed_units(self, since: str, limit: int = 500) -> wire.ChangedUnits:
        query = {"since": since, "limit": str(limit)} if since else {"limit": str(limit)}
        return _decode(self._call("GET", "/sync/units", query), wire.ChangedUnits)

    def heartbeat(self, beat: wire.Heartbeat, within_s: float | None = None) -> wire.HeartbeatAnswer:
        """``within_s``: less patience than usual. One slow answer is no pulled cable, so a second try has to be as slow."""
        usual = self._transport.connect_s, self._transport.read_s
        if within_s is None:
            return self._beat(beat)
        self.be_patient(*(min(within_s, seconds) for seconds in usual))
        try:
            return self._beat(beat)
        except Unreachable as unreachable:
            if not unreachable.slow:
                raise
            return self._beat(beat)
        finally:
            self.be_patient(*usual)

    def _beat(self, beat: wire.Heartbeat) -> wire.HeartbeatAnswer:
        answer = self._call("POST", "/kiosk/heartbeats", body=msgspec.json.encode(beat))
        return self._timed(_decode(answer, wire.HeartbeatAnswer))

    def upload(self, journal_id: str, gzipped: bytes) -> wire.UploadAnswer:
        path = f"/kiosks/{self.kiosk_id}/journals/{journal_id}/events"
        return self._timed(_decode(self._call("POST", path, body=gzipped, encoding="gzip"), wire.UploadAnswer))

    def server_time(self) -> str:
        return _decode(self._call("GET", "/time"), wire.TimeAnswer).server_time

    def _timed(self, answer: Told) -> Told:
        """Take the office's time from a good answer, whoever asked for what.

        Raises:
            Unreachable: it is no time.
        """
        try:
            self._learn(wire.instant_ms(answer.server_time))
        except ValueError as error:
            raise Unreachable("the office's time is not understood") from error
        return answer

    def _learn(self, office_ms: int) -> None:
        asked_ms, heard_ms = self._asked
        self._clock.learn(office_ms, asked_ms, heard_ms)

    # --- one call ----------------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        *,
        body: bytes = b"",
        encoding: str = "identity",
        headers: dict[str, str] | None = None,
    ) -> SignedAnswer:
        sent = {"Content-Type": "application/json", "Content-Encoding": encoding, **(headers or {})}
        answer = self._exchange(method, path, query or {}, sent, body)
        if answer.status == 401 and self._may_sign_again(_problem(answer)):
            answer = self._exchange(method, path, query or {}, sent, body)
            if answer.status == 401 and _is_of_a_copy(_problem(answer)):
                raise Unreachable("somebody in between sends every request twice and passes on the second answer")
        if answer.status >= 400:
            raise Refused(answer.status, _problem(answer), retry_after_s(answer.headers))
        return answer

    def _may_sign_again(self, problem: wire.Problem) -> bool:
        """Whether another signature over the same request may please the office: with the time it tells, or with a new nonce,
        for a proxy that sends a request twice hands us the refusal of the copy.
        """
        if (correct_ms := _time_told(problem)) is not None:
            self._learn(correct_ms)  # signed over our nonce, so nobody else can set our clock by it
            return True
        return _is_of_a_copy(problem)

    def _exchange(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> SignedAnswer:
        request = self._transport.prepare(method, path, query, body)
        signed_path, _, signed_query = request.path_url.partition("?")
        added = sign_request(
            self._identity.key,
            method=method,
            authority=self._transport.authority,
            path=signed_path,
            query=signed_query,
            headers=headers,
            body=body,
            created=self._clock.reading().wall_ms // 1000,
            nonce=secrets.token_urlsafe(16),
        )
        request.headers.update(headers | added)
        asked_ms = self._clock.since_boot_ms()
        status, answered, content = self._transport.send(request)
        self._asked = asked_ms, self._clock.since_boot_ms()
        try:
            verify_answer(
                self._identity.office_key,
                status=status,
                headers=answered,
                body=content,
                request_signature=added["Signature"],
            )
        except SignatureInvalid as error:
            self._transport.drop()
            raise Unreachable(
                f"what answers ({status}) is not the office: {error}",
                retry_after_s(answered) if status in (429, 503) else None,
            ) from error
        return SignedAnswer(
            status=status, headers={name.lower(): value for name, value in answered.items()}, body=content
        )


def retry_after_s(headers: dict[str, str]) -> float | None:
    """Seconds of a Retry-After header, at most 15 minutes; the form with a date needs a clock and is not read."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(value), RETRY_AFTER_LIMIT_S) if value.isdecimal() else None


def _read(response: requests.Response) -> bytes:
    whole = bytearray()
    while chunk := response.raw.read1(65536, decode_content=False):
        whole += chunk
        if len(whole) > ANSWER_LIMIT:
            raise requests.RequestException("the answer is too long")
    expected = response.headers.get("Content-Length", "")
    if (
        expected.isdecimal()
        and response.request.method != "HEAD"
        and int(expected) != len(whole)
        and response.status_code != 304
    ):
        raise requests.ConnectionError(f"the answer broke off after {len(whole)} of {expected} bytes")
    return bytes(whole)


def _decode(answer: SignedAnswer, kind: type[Answered]) -> Answered:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        raise Unreachable(f"the office's answer is not understood: {error}") from error


def _problem(answer: SignedAnswer) -> wire.Problem:
    try:
        return msgspec.json.decode(answer.body, type=wire.Problem)
    except msgspec.MsgspecError as error:
        raise Unreachable(f"the office answers {answer.status} and no problem document") from error


def _is_of_a_copy(problem: wire.Problem) -> bool:
    """Whether the office means that it had this very request before, not that it will not have us."""
    return problem.code == "signature_invalid" and problem.retry == "later"


def _time_told(problem: wire.Problem) -> int | None:
    if problem.code != "clock_out_of_range" or not problem.server_time:
        return None
    try:
        return wire.instant_ms(problem.server_time)
    except ValueError as error:
        raise Unreachable("the office's time is not understood") from error
