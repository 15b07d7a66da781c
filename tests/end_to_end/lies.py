"""A kiosk's upload through a cable that lies: the real journal, the real sync thread, every lie told until it has struck."""

import queue
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kiosk.clock import SystemClock
from kiosk.domain import events
from kiosk.domain.identifiers import new_id, receipt_no
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.office_client.events import Acked, OfficeEvent
from kiosk.office_client.identity import Identity
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.sync import Sync
from tests.end_to_end.halts import Halts
from tests.end_to_end.parts import HOST, Lobby

TIMING = Timing(first_try_s=0, backoff_base_s=0.05, backoff_cap_s=0.2, retry_spacing_s=0.05, heartbeat_s=0.5)
ANSWERS_WITHIN_S = 5.0
STRIKES_WITHIN_S = 30.0
PATIENCE_ASKED_S = 1
SERIAL = "SSP-1"
FACES = (100, 500, 1000, 2000, 5000, 10_000)


class PunctualClient(OfficeClient):
    """Counts how often an answer asked for patience (Retry-After), and how often it was called again too soon."""

    not_before = 0.0
    asked_for_patience = called_too_soon = 0

    def _call(self, *asked: Any, **named: Any) -> Any:
        self.called_too_soon += time.monotonic() < self.not_before
        try:
            return super()._call(*asked, **named)
        except (Refused, Unreachable) as error:
            if error.retry_after_s is not None:
                self.asked_for_patience += 1
                self.not_before = time.monotonic() + error.retry_after_s
            raise


class Uploader:
    """The kiosk's end: this thread writes journal and cursor as the payment thread does, the sync thread sends."""

    def __init__(self, lobby: Lobby) -> None:
        clock = SystemClock()
        identity = Identity.load(lobby.state / "identity.json")
        self.journal = Journal.open(lobby.journal, clock)
        self.client = PunctualClient(
            f"http://{HOST}:{lobby.cable_port}", identity, clock, connect_s=ANSWERS_WITHIN_S, read_s=ANSWERS_WITHIN_S
        )
        self._inbox: queue.SimpleQueue[OfficeEvent] = queue.SimpleQueue()
        self._cache = Cache(lobby.state / "cache.db", clock)
        self._sync = Sync(
            self.client, lobby.journal, self._cache, clock, self._inbox.put, software="0.1.0", timing=TIMING
        )
        units = lobby.office.rows(
            "SELECT u.id FROM property_unit u JOIN property_project p ON p.id = u.project_id WHERE p.code = 'YG' ORDER BY 1"
        )
        self._units = [str(uuid.UUID(unit)) for (unit,) in units]

    def start(self) -> None:
        self._sync.start()

    def close(self) -> None:
        self._sync.stop()
        self._cache.close()
        self.journal.close()

    def write(self, written: Iterable[events.Event]) -> None:
        """All in one commit; a kiosk makes one per event, which is not what is tried here."""
        self.journal.append(*written)
        self._sync.wake()

    def pump_until(self, true: Callable[[], bool], what: str, timeout_s: float = STRIKES_WITHIN_S) -> None:
        """Write down what is acknowledged until something comes true."""
        ends_at = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < ends_at, f"never came true: {what}; the link is {self._sync.link}"
            try:
                told = self._inbox.get(timeout=0.01)
            except queue.Empty:
                continue
            if isinstance(told, Acked):
                self.journal.advance_cursor(told.ack_seq, told.ack_hash, told.posted_seq)
                self._sync.cursor_is(told.ack_seq)

    @property
    def acked(self) -> int:
        return self.journal.cursor().ack_seq

    def comes_through(self) -> None:
        """Wait until an upload succeeds, or all have."""
        before = self.acked
        self.pump_until(lambda: self.acked > before or self.acked == self.journal.head_seq, "an upload comes through")

    def payments(self, chance: random.Random) -> Iterator[Sequence[events.Event]]:
        """Prepayments of one note each, by any unit."""
        note_no, number = self.journal.next_note_no(), self.journal.next_receipt_number()
        while True:
            yield _prepayment(
                chance.choice(self._units), note_no, number, self.journal.kiosk_code, chance.choice(FACES)
            )
            note_no, number = note_no + 1, number + 1


def _prepayment(unit_id: str, note_no: int, number: int, kiosk_code: str, face_fen: int) -> Sequence[events.Event]:
    payment_id, name = new_id(), receipt_no(kiosk_code, number)
    note = {"payment_id": payment_id, "note_no": note_no, "face_fen": face_fen, "acceptor_serial": SERIAL}
    return (
        events.PaymentOpened(payment_id=payment_id, unit_id=unit_id, bills=(), due_fen=face_fen),
        events.NoteEscrow(**note),
        events.NoteAcceptIntent(**note, protocol="SSP 7", channel=1),
        events.NoteCredited(**note),
        events.PaymentSettled(
            payment_id=payment_id,
            unit_id=unit_id,
            receipt_no=name,
            receipt_number=number,
            received_fen=face_fen,
            notes={str(face_fen): 1},
            lines=(),
            prepaid_fen=face_fen,
            late_days={},
            business_date="2026-11-25",
            time_zone="Asia/Shanghai",
            ended="finished",
        ),
        events.ReceiptDeclined(payment_id=payment_id, receipt_no=name),
    )


class Liar:
    """The hands at cable and office. Each lie returns when it has struck; ``did`` counts them."""

    def __init__(
        self, lobby: Lobby, halts: Halts, uploader: Uploader, chance: random.Random, did: Counter[str]
    ) -> None:
        self._lobby, self._halts, self._uploader, self._chance, self._did = lobby, halts, uploader, chance, did
        self.lies: dict[str, Callable[[], None]] = {
            "answers lost": lambda: self._strikes("lose_answers", "answer_lost"),
            "answers truncated": lambda: self._strikes("truncate", "truncated"),
            "requests sent twice": lambda: self._strikes("duplicate", "duplicate"),
            "answered 500": lambda: self._strikes("status", "status 500", code=500),
            "answered 503 with Retry-After": lambda: self._asks_for_patience(503),
            "answered 429 with Retry-After": lambda: self._asks_for_patience(429),
            "answered 200 by a portal": lambda: self._strikes("portal", "portal"),
            "answers delayed": self._delays,
            "reset with a request under way": lambda: self._resets("request sent"),
            "reset with an answer under way": lambda: self._resets("office committed"),
            "cable out": self._pulls,
            "office killed before its commit": lambda: self._kills_office("request sent"),
            "office killed after its commit": lambda: self._kills_office("office committed"),
        }

    def tell(self, lie: str) -> None:
        self.lies[lie]()
        self._did[lie] += 1

    def _strikes(self, word: str, how: str, *, most: int = 3, **arguments: Any) -> None:
        mark, count = self._lobby.events.mark(), self._chance.randint(1, most)
        self._lobby.cable.do(word, count=count, **arguments)
        self._wait(lambda: self._seen(mark, how) >= count, f"{how} x {count}")

    def _asks_for_patience(self, code: int) -> None:
        before = self._uploader.client.asked_for_patience
        self._strikes("status", f"status {code}", most=1, code=code, retry_after_s=PATIENCE_ASKED_S)
        self._wait(lambda: self._uploader.client.asked_for_patience > before, "the kiosk hears for how long")

    def _delays(self) -> None:
        before = self._uploader.acked
        self._lobby.cable.do("delay_ms", ms=self._chance.randint(20, 300))
        self._wait(lambda: self._uploader.acked > before, "an upload gets through a slow line")
        self._lobby.cable.do("delay_ms", ms=0)

    def _resets(self, step: str) -> None:
        self._halted(step, lambda: self._lobby.cable.do("reset"))

    def _pulls(self) -> None:
        mark = self._lobby.events.mark()
        self._lobby.cable.do("unplug")
        self._lobby.cable.do("reset")
        self._wait(lambda: self._seen(mark, "unplugged") > 0, "a call finds the cable out")
        self._lobby.cable.do("plug")

    def _kills_office(self, step: str) -> None:
        self._halted(step, self._lobby.office.kill)
        self._lobby.office.start()

    def _halted(self, step: str, deed: Callable[[], Any]) -> None:
        self._halts.arm(step)
        self._wait(lambda: self._halts.wait(0), step)
        deed()
        self._halts.release()

    def _seen(self, mark: int, how: str) -> int:
        return sum(how in (event.get("why"), event.get("how")) for _, event in self._lobby.events.since(mark))

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        self._uploader.pump_until(true, what)
