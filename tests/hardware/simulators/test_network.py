"""The simulated cable between a real HTTP client and a real HTTP server on loopback."""

import http.client
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kiosk.hardware.simulators.network import Cable

PATIENCE_S = 20
ANSWER = b"0123456789" * 100


class Office(ThreadingHTTPServer):
    """Counts what reaches it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[bytes] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Office

    def do_POST(self) -> None:
        self.server.heard.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200 if len(self.server.heard) == len(set(self.server.heard)) else 208)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Between:
    """An office, a cable, and what the cable told."""

    def __init__(self) -> None:
        self.office = Office()
        self.events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.cable = Cable(
            ("127.0.0.1", 0),
            self.office.server_address[:2],
            standard_streams=False,
            on_event=lambda name, facts: self.events.put((name, facts)),
        )
        self._threads = [threading.Thread(target=run) for run in (self._serve, self.cable.run)]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        self.office.serve_forever(poll_interval=0.01)

    def close(self) -> None:
        self.cable.loop.stop()
        self.office.shutdown()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self.office.server_close()

    def do(self, **command: Any) -> dict[str, Any]:
        answer = self.cable.ask(command)
        assert "error" not in answer, answer
        return answer

    def connect(self, timeout_s: float = PATIENCE_S) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.cable.port, timeout=timeout_s)

    def post(self, body: bytes = b"note") -> tuple[int, bytes]:
        connection = self.connect()
        try:
            return ask(connection, body)
        finally:
            connection.close()

    def why_cut(self) -> str:
        while (event := self.events.get(timeout=PATIENCE_S))[0] != "cut":
            pass
        return event[1]["why"]


def ask(connection: http.client.HTTPConnection, body: bytes = b"note") -> tuple[int, bytes]:
    connection.request("POST", "/api", body)
    response = connection.getresponse()
    return response.status, response.read()


@pytest.fixture
def between() -> Iterator[Between]:
    between = Between()
    yield between
    between.close()


def test_a_plugged_cable_changes_nothing(between: Between) -> None:
    connection = between.connect()
    big = b"x" * 3_000_000
    assert [ask(connection, body) for body in (b"a", big, b"b")] == [(200, ANSWER)] * 3
    connection.close()
    assert between.office.heard == [b"a", big, b"b"]
    assert between.do(do="ledger")["cuts"] == 0


def test_a_pulled_cable_refuses_who_calls_and_lets_them_in_again(between: Between) -> None:
    between.do(do="unplug")
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        between.post()
    assert between.why_cut() == "unplugged"
    between.do(do="plug")
    assert between.post(b"later") == (200, ANSWER)
    assert between.office.heard == [b"later"]


def test_an_answer_under_way_when_the_cable_is_pulled_arrives_when_it_is_back(between: Between) -> None:
    connection = between.connect()
    ask(connection, b"first")
    between.do(do="unplug")
    connection.request("POST", "/api", b"second")
    assert between.office.heard == [b"first"]
    between.do(do="plug")
    assert connection.getresponse().read() == ANSWER
    connection.close()
    assert between.office.heard == [b"first", b"second"]


def test_a_silent_break_answers_nothing_at_all(between: Between) -> None:
    between.do(do="unplug", silent=True)
    connection = between.connect(timeout_s=0.3)
    with pytest.raises(TimeoutError):
        ask(connection)
    connection.close()


def test_a_lost_answer_is_one_that_the_office_gave(between: Between) -> None:
    between.do(do="lose_answers", count=1)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        between.post(b"one")
    assert between.why_cut() == "answer_lost"
    assert between.post(b"two") == (200, ANSWER)
    assert between.office.heard == [b"one", b"two"]


def test_a_truncated_answer_ends_where_it_was_cut(between: Between) -> None:
    between.do(do="truncate", bytes=300, count=1)
    connection = between.connect()
    with pytest.raises(http.client.IncompleteRead):
        ask(connection)
    connection.close()
    assert between.why_cut() == "truncated"
    assert between.post(b"later") == (200, ANSWER)


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [({"do": "portal"}, 200, "登录"), ({"do": "status", "code": 503}, 503, "503")],
)
def test_somebody_in_between_answers_and_the_office_hears_nothing(
    between: Between, command: dict[str, Any], status: int, words: str
) -> None:
    between.do(**command)
    answered, page = between.post(b"x" * 100_000)
    assert (answered, words in page.decode()) == (status, True)
    assert between.office.heard == []
    between.do(do="plug")
    assert between.post() == (200, ANSWER)


def test_a_status_may_ask_for_patience(between: Between) -> None:
    between.do(do="status", code=429, retry_after_s=17, count=1)
    connection = between.connect()
    connection.request("POST", "/api", b"note")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "17")
    connection.close()
    between.do(do="status", code=429, count=1)
    connection.request("POST", "/api", b"note")
    assert connection.getresponse().headers["Retry-After"] is None
    connection.close()


def test_a_duplicated_request_reaches_the_office_twice_and_the_last_answer_comes_back(between: Between) -> None:
    between.do(do="duplicate", count=1)
    big = b"x" * 1_000_000
    assert between.post(big) == (208, ANSWER)
    assert between.office.heard == [big, big]
    assert between.post(b"once") == (208, ANSWER)
    assert between.office.heard == [big, big, b"once"]


def test_a_reset_breaks_every_connection_at_once(between: Between) -> None:
    connection = between.connect()
    ask(connection)
    between.do(do="reset")
    assert between.why_cut() == "reset"
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        ask(connection)
    connection.close()


def test_a_delay_holds_both_directions(between: Between) -> None:
    between.do(do="delay_ms", ms=150)
    started = time.monotonic()
    assert between.post() == (200, ANSWER)
    assert time.monotonic() - started >= 0.3
    between.do(do="delay_ms", ms=0)


def test_an_office_that_is_down_looks_like_one(between: Between) -> None:
    between.office.shutdown()
    between.office.server_close()
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        between.post()
    assert between.why_cut() == "office_gone"


@pytest.mark.parametrize(
    "command",
    [
        {"do": "unplug", "silent": "yes"},
        {"do": "delay_ms"},
        {"do": "delay_ms", "ms": -1},
        {"do": "status"},
        {"do": "status", "code": 20},
        {"do": "status", "code": 503, "retry_after_s": "soon"},
        {"do": "lose_answers", "count": "all"},
        {"do": "duplicate", "count": -2},
        {"do": "truncate", "bytes": 1.5},
        {"do": "chew"},
    ],
)
def test_a_wrong_command_is_refused_with_a_reason(between: Between, command: dict[str, Any]) -> None:
    assert between.cable.ask(command)["error"]


def test_as_a_program_it_says_where_it_listens_and_stops_cleanly() -> None:
    program = [sys.executable, "-m", "kiosk.hardware.simulators", "network"]
    arguments = ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--control", "127.0.0.1:0"]
    with subprocess.Popen([*program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert ready["ready"] is True
    assert ready["port"] != ready["listen"]
