"""A simulated acceptor on a real terminal pair, and a small host that keeps books as the payment thread will."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kiosk.clock import SystemClock
from kiosk.domain.money import NOTE_FACES, Fen
from kiosk.hardware.bill_acceptor.simulator import DEFAULT_SERIAL, AcceptorSimulator
from kiosk.hardware.ports import (
    AcceptorReady,
    BillAcceptor,
    CountBefore,
    DeviceEvent,
    DeviceFault,
    FaultCleared,
    NoteCredited,
    NoteEscrowed,
    NoteReturned,
    NoteUnclear,
)
from kiosk.hardware.simulators.control import ControlLine, Message
from kiosk.hardware.simulators.loop import Loop

ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 15.0
ALL_FACES = frozenset(NOTE_FACES)
SPEED = 20
PATIENT_SPEED = (
    4  # where a test must act within a device's own time: a busy machine is not to be taken for a slow driver
)

Event = TypeVar("Event", bound=DeviceEvent)
Test = TypeVar("Test", bound=Callable[..., None])


def at_speed(speed: int) -> Callable[[Test], Test]:
    """How fast device and driver are in this test; read by the fixtures of conftest.py."""

    def mark(test: Test) -> Test:
        test.speed = speed  # type: ignore[attr-defined]
        return test

    return mark


class SimulatedAcceptor:
    """The simulator's own program parts, its loop in a thread; do() is what a person's hand does."""

    def __init__(
        self,
        link: Path,
        *,
        state: Path | None,
        protocol: str = "ssp",
        speed: int = SPEED,
        seed: int = 0,
        serial: int = DEFAULT_SERIAL,
    ) -> None:
        self.told: queue.Queue[Message] = queue.Queue()
        self._loop = Loop()
        self._simulator = AcceptorSimulator(
            self._loop,
            lambda event, **facts: self.told.put({"event": event, **facts}),
            protocol=protocol,
            speed=speed,
            seed=seed,
            state=state,
            link=link,
            serial=serial,
        )
        self._control = ControlLine(self._loop, self._simulator.commands(), standard_streams=False)
        self._thread = threading.Thread(target=self._loop.run, args=(self._simulator.tick,), name="simulator")
        self._thread.start()
        self.running = True

    def do(self, word: str, **values: Any) -> Message:
        return self._loop.call(lambda: self._control.perform({"do": word, **values}))

    def tamper(self, change: Callable[[int, bytes], bytes]) -> None:
        """Let ``change(command, answer)`` rewrite what the device answers to each command it executes."""
        device: Any = self._simulator._device
        execute = device._execute
        device._execute = lambda code, parameters: change(code, execute(code, parameters))

    def insert(self, face_fen: int) -> None:
        """Push until the motor pulls the note in, as a person does."""
        deadline = time.monotonic() + WAIT_S
        while "error" in (answer := self.do("insert", face_fen=face_fen)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.005)

    def wait_for(self, *events: str) -> Message:
        while True:
            told = self.told.get(timeout=WAIT_S)
            if told["event"] in events:
                return told

    def forget(self) -> None:
        """What was told until now is of no interest."""
        while not self.told.empty():
            self.told.get()

    def ledger(self) -> Message:
        return self.do("ledger")

    def unplug(self) -> None:
        """The program ends as if killed: its power is cut and its port vanishes."""
        if not self.running:
            return
        self.running = False
        self.ledger_at_unplug = self.ledger()
        self._loop.stop()
        self._thread.join(WAIT_S)
        self._simulator.close()
        self._loop.close()


class Host:
    """Owns a driver and does what the flow does: renews the lease, decides, writes down, acknowledges."""

    def __init__(self, link: Path, *, recall: Path, driver: Any, speed: int = SPEED, accept: bool = True) -> None:
        self.events: queue.Queue[DeviceEvent] = queue.Queue()
        self.credited: Counter[int] = Counter()
        self.unclear: list[NoteUnclear] = []
        self.returned = 0
        self.open_intent: Fen | None = None
        self.by_counter = 0
        self.claims_by_counter: list[Fen] = []
        self._counted: int | None = None
        self.standing: set[str] = set()
        self.accept_notes = accept
        self.acknowledge = True
        self._wishes = threading.Event()
        self._stopping = False
        self._faces = ALL_FACES
        self.driver: BillAcceptor = driver(str(link), self._heard, SystemClock(), speed=speed, recall_path=recall)
        self._keeper = threading.Thread(target=self._keep_lease, name="lease")

    def start(self, *, intent_open: bool = False, before: CountBefore | None = None, enabled: bool = True) -> "Host":
        self.driver.start(intent_open=intent_open, before=before)
        if not enabled:
            self._faces = frozenset()
        self._keeper.start()
        return self

    def take(self, kind: type[Event], within_s: float = WAIT_S) -> Event:
        """The next event of a kind; what came before it is passed over."""
        deadline = time.monotonic() + within_s
        while True:
            event = self.events.get(timeout=max(0.001, deadline - time.monotonic()))
            if isinstance(event, kind):
                return event

    def hears_no(self, kind: type[DeviceEvent], for_s: float) -> bool:
        """Whether such an event stays away; what comes meanwhile is passed over."""
        try:
            self.take(kind, for_s)
        except queue.Empty:
            return True
        return False

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < deadline, f"never came true: {what}"
            time.sleep(0.005)

    def forget_lease(self) -> None:
        self._faces = frozenset()

    def stop(self) -> None:
        self._stopping = True
        self._wishes.set()
        if self._keeper.ident is not None:
            self._keeper.join(WAIT_S)
        self.driver.stop()

    def abandon(self) -> None:
        """Die as a killed process does: not a byte more on the wire, the port free."""
        self._stopping = True
        self._wishes.set()
        self._keeper.join(WAIT_S)
        vanish(self.driver)

    def _keep_lease(self) -> None:
        while not self._stopping:
            if self._faces:
                self.driver.enable(self._faces)
            self._wishes.wait(0.2)

    def _heard(self, event: DeviceEvent) -> None:
        match event:
            case NoteEscrowed(face=face) if self.accept_notes:
                self.open_intent = face
                self.driver.accept()
            case NoteCredited(face=face) if self.acknowledge:
                self._credit(face or 0)
                self.driver.acknowledge(event)
            case NoteUnclear() if self.acknowledge:
                self.unclear.append(event)
                self.open_intent = None
                self.driver.acknowledge(event)
            case NoteReturned(accepted=accepted) if self.acknowledge or not accepted:
                self.returned += 1
                self.open_intent = None
                if accepted:
                    self.driver.acknowledge(event)
            case AcceptorReady(counters=counters) if counters is not None:
                self._reconcile(counters.stacked)
            case DeviceFault(fault=fault):
                self.standing.add(fault.code)
            case FaultCleared(code=code):
                self.standing.discard(code)
        self.events.put(event)

    def _credit(self, face: int) -> None:
        self.credited[face] += 1
        self.open_intent = None
        if self._counted is not None:
            self._counted += 1

    def _reconcile(self, stacked: int) -> None:
        """The device has told all it will. One more in its counter is a credit; none more is not a no, but a claim:
        a hand may have cleared a jam the host never heard of."""
        if self.open_intent is not None and self._counted is not None and stacked == self._counted + 1:
            self._credit(self.open_intent)
            self.by_counter += 1
        elif self.open_intent is not None:
            self.claims_by_counter.append(self.open_intent)
        self.open_intent, self._counted = None, stacked


def box_by_face(ledger: Message) -> Counter[int]:
    """Every note that is in the box or left with the cash."""
    return Counter({int(face): count for face, count in ledger["stacker"].items()}) + Counter(
        {int(face): count for face, count in ledger["collected"].items()}
    )


def vanish(driver: Any) -> None:
    """End a driver's thread without its good-bye."""
    driver._session.shut = lambda: None
    driver.stop()


def is_ready(host: Host) -> AcceptorReady:
    return host.take(AcceptorReady)
