"""A small real office on a loopback port: verifies every signature, stores events by the rules of docs/office-api.md,
and behaves badly when told to. The real office takes its place in tests/end_to_end."""

import base64
import gzip
import json
import socket
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain import chain, events
from kiosk.domain import http_signature as hs

OFFICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
JSON = "application/json"
PROBLEM = "application/problem+json"


class Refuse(Exception):
    """A problem document to answer with."""

    def __init__(self, status: int, code: str, **fields) -> None:
        super().__init__(code)
        self.status = status
        self.fields = {
            "type": f"urn:menting:problem:{code}",
            "title": code,
            "status": status,
            "code": code,
            "retry": "later",
        } | fields


@dataclass(frozen=True)
class Told:
    """What the office would answer, before it is signed; ``asked`` is the request's own signature."""

    status: int
    body: bytes
    content_type: str
    asked: str
    at: int


class LoopbackOffice:
    """State of the office, and the server in front of it. ``moods`` are used up one a request, in order:

    lose_answer, drop, html, e500, busy, unsigned, forged, other_request, redirect, broken_off, slow, a Refuse, or a function
    that makes the bytes of an answer out of what would be Told.
    """

    def __init__(self, kiosk_key: Ed25519PrivateKey | None = None) -> None:
        self.kiosk_key = kiosk_key.public_key() if kiosk_key else None
        self.kiosk_id = "k-1"
        self.journals: dict[str, list[dict]] = defaultdict(list)
        self.bodies_seen: list[tuple[str, str]] = []
        self.nonces: set[str] = set()
        self.moods: deque = deque()
        self.clock_ahead_s = 0.0
        self.max_events = 500
        self.longest_body = 0  # bytes of a request that the line lets through; 0: any
        self.poison = ""  # a body that holds this text makes the whole request malformed
        self.posting = True
        self.hold_ms = 0
        self.interval_s = 60
        self.estate = {"config_version": 1, "kiosk_code": "YG01", "estate_name": "阳光花园", "service_phone": "010-1"}
        self.units: list[dict] = []
        self.page_size = 2
        self.names_journals = True
        self.recent = None
        self.token: str | None = "ABCD2345"
        self.next_receipt_number = 1
        self.replaces: dict | None = None  # what pairing names as the kiosk's newest journal
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> "LoopbackOffice":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def now(self) -> float:
        return time.time() + self.clock_ahead_s

    def wait_for(self, true, timeout_s: float = 10.0) -> None:
        """Until something holds about the office's state, looked at after every request."""
        with self.changed:
            assert self.changed.wait_for(lambda: true(self), timeout_s), "the office never came to that"

    def stored(self) -> list[dict]:
        return [event for journal in self.journals.values() for event in journal]

    # --- resources ---------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]):
        """Status, content, more headers."""
        match method, path.removeprefix("/api/v1").strip("/").split("/"):
            case "POST", ["pairings"]:
                return self._pair(json.loads(body))
            case "GET", ["kiosk", "config"]:
                etag = f'"{self.estate["config_version"]}"'
                if headers.get("if-none-match") == etag:
                    return 304, None, {"ETag": etag}
                told = {"server_time": self.time_text(), "business_date": "2026-11-24"}
                return 200, self.estate | told, {"ETag": etag}
            case "GET", ["buildings"]:
                return 200, {"buildings": [{"building": "3", "entrances": [{"entrance": "1"}, {"entrance": "2"}]}]}, {}
            case "GET", ["units"]:
                for row in self.units:
                    if row["unit"]["code"] == query["code"] and not row["gone"]:
                        return 200, {"unit": row["unit"]}, {}
                raise Refuse(404, "unit_not_found", retry="never")
            case "GET", ["units", unit_id, "bills"]:
                for row in self.units:
                    if row["unit"]["unit_id"] == unit_id and not row["gone"]:
                        told = {"unit": row["unit"], "bills": row["bills"], "recent_payment": self.recent}
                        return 200, told | self._as_of_now(), {}
                raise Refuse(404, "not_found", retry="never")
            case "GET", ["sync", "units"]:
                return 200, self._changed(query.get("since", "")), {}
            case "POST", ["kiosk", "heartbeats"]:
                beat = json.loads(body)
                held = self.high_water(beat["journal_id"])
                return (
                    200,
                    {
                        "server_time": self.time_text(),
                        "interval_s": self.interval_s,
                        "config_version": self.estate["config_version"],
                        "ack_seq": held or None,
                        "posted_seq": held if self.posting else 0,
                        "outcomes": self._outcomes_after(beat["posted_seq"], beat["journal_id"]),
                    },
                    {},
                )
            case "POST", ["kiosks", self.kiosk_id, "journals", journal_id, "events"]:
                if headers.get("content-encoding") != "gzip":
                    raise Refuse(400, "malformed")
                return 200, self._take(journal_id, json.loads(gzip.decompress(body))), {}
            case "GET", ["time"]:
                return 200, {"server_time": self.time_text()}, {}
            case _:
                raise Refuse(404, "not_found", retry="never")

    def _pair(self, asked: dict):
        if asked["token"] != self.token:
            raise Refuse(403, "pairing_code_invalid", retry="never")
        self.token = None
        self.kiosk_key = hs.read_public_key(asked["public_key"])
        told = {
            "kiosk_id": self.kiosk_id,
            "kiosk_code": "YG01",
            "project_code": "YG",
            "office_public_key": hs.public_text(OFFICE_KEY),
        }
        return 201, told | {"next_receipt_number": self.next_receipt_number, "replaces": self.replaces}, {}

    def _changed(self, since: str) -> dict:
        if since and not since.isdecimal():
            raise Refuse(400, "malformed")
        start = int(since or 0)
        rows = self.units[start : start + self.page_size]
        end = start + len(rows)
        more = end < len(self.units)
        told = {"units": rows, "next_cursor": str(end) if more else None, "cursor": str(end)}
        return told | self._as_of_now()

    def _as_of_now(self) -> dict:
        """What goes with bills; ``journal_id`` is that of the longest one, and an older office names none."""
        told = {"as_of": "2026-11-24", "server_time": self.time_text(), "applied_seq": self.high_water()}
        if self.names_journals:
            told["journal_id"] = max(self.journals, key=self.high_water, default=None)
        return told

    def _take(self, journal_id: str, batch: dict) -> dict:
        held = self.journals[journal_id]
        if len(batch["events"]) > self.max_events:
            raise Refuse(413, "too_large")
        if self.poison and any(self.poison in event["body"] for event in batch["events"]):
            raise Refuse(400, "malformed", retry="after_fix")
        if not batch["events"] and batch["last_seq"] < len(held):
            raise Refuse(409, "ahead", expected_seq=len(held) + 1, retry="never")
        if batch["first_seq"] > len(held) + 1:
            raise Refuse(409, "gap", expected_seq=len(held) + 1)
        fresh = []
        for event in batch["events"]:
            if event["seq"] <= len(held):
                if held[event["seq"] - 1]["hash"] != event["hash"]:
                    raise Refuse(
                        409, "fork", seq=event["seq"], stored_hash=held[event["seq"] - 1]["hash"], retry="never"
                    )
                continue
            fresh.append(event)
        prev = bytes.fromhex(held[-1]["hash"]) if held else chain.GENESIS_PREV
        for event in fresh:
            header = chain.Header(**{name: event[name] for name in chain.Header.__struct_fields__})
            prev = chain.entry_hash(journal_id, event["seq"], header, event["body"].encode(), prev)
            if prev.hex() != event["hash"]:
                raise Refuse(409, "fork", seq=event["seq"], stored_hash="", retry="never")
        held.extend(fresh)
        posted = len(held) if self.posting else 0
        return {
            "ack_seq": len(held),
            "ack_hash": held[-1]["hash"],
            "posted_seq": posted,
            "outcomes": [_outcome(event) for event in batch["events"] if posted and event["kind"] == "payment.settled"],
            "rejected": [],
            "server_time": self.time_text(),
            "config_version": self.estate["config_version"],
            "hold_ms": self.hold_ms,
        }

    def _outcomes_after(self, seq: int, journal_id: str) -> list[dict]:
        late = self.journals[journal_id][seq:] if self.posting else []
        return [_outcome(event) for event in late if event["kind"] == "payment.settled"]

    def high_water(self, journal_id: str | None = None) -> int:
        if journal_id is not None:
            return len(self.journals[journal_id])
        return max((len(held) for held in self.journals.values()), default=0)

    def time_text(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))


def _outcome(event: dict) -> dict:
    settled = events.decode(event["body"].encode())
    return {"payment_id": settled.payment_id, "state": "booked", "receipt_no": settled.receipt_no}


def unit_row(number: int, *, gone: bool = False, amount_fen: int = 12_345) -> dict:
    """A household 3-1-<number> with one open bill."""
    unit = {
        "unit_id": f"u-{number}",
        "code": f"3-1-{number}",
        "building": "3",
        "entrance": "1",
        "room": str(number),
        "masked_name": "王*",
        "prepaid_fen": 0,
    }
    bill = {
        "bill_id": f"b-{number}",
        "unit_id": f"u-{number}",
        "item_code": "property",
        "item_name": "物业费",
        "item_name_en": "Property fee",
        "category": "property",
        "period_from": "2026-10-01",
        "period_to": "2026-11-01",
        "due_on": "2026-11-10",
        "version": 1,
        "amount_fen": amount_fen,
        "principal_open_fen": amount_fen,
        "late_fee_settled_fen": 0,
        "rule": {
            "version": 1,
            "rate_ppm": 300,
            "grace_days": 0,
            "start": "after_due",
            "cap_ppm": 300_000,
            "cap_fen": None,
        },
        "steps": [{"since": "2026-10-01", "open_fen": amount_fen}],
        "computation": {"factors": [], "lines": [], "basis": ""},
        "late_fee_quoted_fen": 0,
        "late_days_quoted": 0,
        "a_field_of_tomorrow": True,
    }
    return {"unit": unit, "bills": [] if gone else [bill], "gone": gone}


def _handler(office: LoopbackOffice) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body in one write

        def do_GET(self) -> None:
            self.handle_one("GET")

        def do_POST(self) -> None:
            self.handle_one("POST")

        def log_message(self, *_: object) -> None:
            pass

        def handle_one(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with office.changed:
                mood = office.moods.popleft() if office.moods else ""
                office.changed.notify_all()  # whoever waits looks once the lock is free
                if mood == "drop" or 0 < office.longest_body < len(body):
                    return self.hang_up()
                status, content, more = self.decide(method, body, mood)
                office.bodies_seen.append((method, self.path))
            if mood == "slow":
                time.sleep(0.6)  # the slowness itself
            if mood == "lose_answer":
                return self.hang_up()
            if mood == "html":
                return self.send(200, b"<html><title>Free Wi-Fi</title></html>", {"Content-Type": "text/html"})
            if mood == "e500":
                return self.send(500, b"oops", {"Content-Type": "text/plain"})
            if mood == "redirect":
                return self.send(302, b"", {"Location": "http://127.0.0.1:1/portal"})
            if callable(mood):
                self.close_connection = True
                self.wfile.write(mood(self.told(status, content, more)))
                return None
            return self.send_signed(status, content, more, mood)

        def decide(self, method: str, body: bytes, mood: object):
            headers = {name.lower(): value for name, value in self.headers.items()}
            parts = urlsplit(self.path)
            try:
                if isinstance(mood, Refuse):
                    raise mood
                if mood == "busy":
                    raise Refuse(503, "busy")
                if parts.path != "/api/v1/pairings":
                    self.check(method, headers, body)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                return office.answer(method, parts.path, query, body, headers)
            except hs.ClockOutOfRange:
                refuse = Refuse(401, "clock_out_of_range", server_time=office.time_text())
            except hs.SignatureInvalid as error:
                refuse = Refuse(401, "signature_invalid", server_time=office.time_text(), detail=str(error))
            except Refuse as caught:
                refuse = caught
            return (
                refuse.status,
                refuse.fields,
                {"Content-Type": PROBLEM} | ({"Retry-After": "7"} if mood == "busy" else {}),
            )

        def check(self, method: str, headers: dict[str, str], body: bytes) -> None:
            assert "proxy-connection" not in headers
            path, _, query = self.path.partition("?")
            if office.kiosk_key is None:
                raise Refuse(401, "key_unknown")
            read = hs.verify_request(
                office.kiosk_key,
                method=method,
                authorities=[f"127.0.0.1:{office.server.server_port}", "office.example"],
                path=path,
                query=query,
                headers=headers,
                body=body,
                now=office.now(),
            )
            if read.nonce in office.nonces:
                raise hs.SignatureInvalid("nonce: seen before")
            office.nonces.add(read.nonce)

        def told(self, status: int, content: object, more: dict[str, str]) -> Told:
            body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
            asked = hs.request_signature_of(dict(self.headers.items()))
            return Told(status, body, more.get("Content-Type", JSON), asked or "", int(office.now()))

        def send_signed(self, status: int, content: object, more: dict[str, str], mood: object) -> None:
            body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
            headers = {"Content-Type": JSON} | more
            asked = hs.request_signature_of(dict(self.headers.items()))
            key = STRANGER if mood == "forged" else OFFICE_KEY
            if mood == "other_request":
                asked = f"sig1=:{base64.b64encode(bytes(64)).decode()}:"
            if mood != "unsigned":
                headers |= hs.sign_answer(
                    key, status=status, headers=headers, body=body, created=int(office.now()), request_signature=asked
                )
            self.send(status, body, headers, cut=mood == "broken_off")

        def send(self, status: int, body: bytes, headers: dict[str, str], cut: bool = False) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.wfile.flush()
            if cut:
                self.hang_up()

        def hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    return Handler
