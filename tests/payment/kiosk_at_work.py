"""A real agent process between a simulated acceptor, a simulated printer and a robot's hand; the office is out of reach."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import taps, views
from kiosk.clock import SystemClock
from kiosk.domain import events as journal
from kiosk.domain.billing import Bill, Unit
from kiosk.domain.estate import Estate
from kiosk.domain.http_signature import public_text
from kiosk.domain.money import Fen
from kiosk.office_client.identity import Identity
from kiosk.office_client.wire import ChangedUnit, ChangedUnits
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end.lobby_runs import touch
from tests.end_to_end.robot import Robot
from tests.hardware.bill_acceptor.acceptor_harness import SimulatedAcceptor
from tests.hardware.receipt_printer.printer_bench import Bench

SPEED = 20
PATIENCE_S = 20.0
MOST_OFFERS = 5
UNREACHABLE = "http://127.0.0.1:9"  # the discard port: refused at once
UNIT = Unit(unit_id="u-502", code="3-1-502", building="3", entrance="1", room="502", masked_name="张*")


def bill(bill_id: str, amount: int, due_on: date) -> Bill:
    return Bill(
        bill_id=bill_id,
        unit_id=UNIT.unit_id,
        item_code="property",
        item_name="物业服务费",
        item_name_en="Property service fee",
        category="property",
        period_from=due_on.replace(day=1),
        period_to=(due_on.replace(day=1) + timedelta(days=32)).replace(day=1),
        due_on=due_on,
        version=1,
        amount=Fen(amount),
        principal_open=Fen(amount),
    )


def provision(directory: Path, *, bills: tuple[Bill, ...], speed: int = SPEED, office: str = UNREACHABLE) -> Path:
    """A paired kiosk whose cache is fresh; returns its settings file."""
    state = directory / "state"
    state.mkdir()
    key = Ed25519PrivateKey.generate()
    identity = Identity(
        kiosk_id="k-1",
        kiosk_code="YG01",
        project_code="YG",
        key=key,
        office_key=Ed25519PrivateKey.generate().public_key(),
    )
    identity.save(state / "identity.json")
    clock = SystemClock()
    genesis = journal.JournalGenesis(
        kiosk_id="k-1", kiosk_code="YG01", public_key=public_text(key.public_key()), software="test"
    )
    cache = Cache(state / "cache.db", clock)
    with closing(Journal.create(state / "journal.db", clock, genesis)) as begun:
        cache.keep_only_for(begun.journal_id, begun.head_seq)
    estate = Estate(config_version=1, kiosk_code="YG01", estate_name="和安里小区", payee="和安物业服务有限公司")
    cache.take_estate(estate, None, (("3", ("1", "2")),))
    now = datetime.now(UTC)
    told = ChangedUnit(unit=UNIT, bills=bills, gone=False)
    cache.take(ChangedUnits(units=(told,), cursor="c", as_of=now.date(), server_time=now.isoformat()))
    cache.close()
    settings = directory / "kiosk.toml"
    settings.write_text(
        f"""[kiosk]
state_dir = "state"
speed = {speed}
[bill_acceptor]
port = "acceptor"
speed = {speed}
[receipt_printer]
port = "printer"
speed = {speed}
[office]
url = "{office}"
first_try_s = 0
"""
    )
    return settings


class KioskAtWork:
    """One lobby corner: devices that keep their truth over the agent's deaths."""

    program: tuple[str, ...] = ("-m", "kiosk")

    def __init__(
        self,
        directory: Path,
        *,
        bills: tuple[Bill, ...],
        speed: int = SPEED,
        paired: bool = True,
        office: str = UNREACHABLE,
    ) -> None:
        self.directory, self.speed = directory, speed
        self.settings = provision(directory, bills=bills, speed=speed, office=office)
        self.state = directory / "state"
        if not paired:
            (self.state / "identity.json").rename(directory / "identity.json")
        self.plug_acceptor_in()
        self.printer = Bench(directory)
        self.printer.plug_in(speed=speed)
        self.agent: subprocess.Popen[bytes] | None = None
        self.robot: Robot | None = None
        self.start()

    # --- the agent --------------------------------------------------------------------------------------------

    def start(self) -> None:
        with (self.directory / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(
                [sys.executable, *self.program, "agent", "--config", str(self.settings)], stderr=log, stdout=log
            )
        if self.robot is None:
            self.look()

    def look(self) -> None:
        """Connect a screen."""
        self.robot = Robot(self.state / "screen.sock")

    def look_away(self) -> None:
        """The screen is gone."""
        if self.robot is not None:
            self.robot.stop()
            self.robot = None

    def kill(self) -> None:
        assert self.agent is not None
        self.agent.send_signal(signal.SIGKILL)
        self.agent.wait()

    def stop(self) -> int:
        assert self.agent is not None
        self.agent.terminate()
        return self.agent.wait(PATIENCE_S)

    def close(self) -> None:
        self.look_away()
        if self.agent is not None and self.agent.poll() is None:
            self.agent.terminate()
            try:
                self.agent.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.agent.kill()
                self.agent.wait()
        self.acceptor.unplug()
        self.printer.close()

    def exit_code(self) -> int:
        assert self.agent is not None
        return self.agent.wait(PATIENCE_S)

    def pair(self) -> None:
        (self.directory / "identity.json").rename(self.state / "identity.json")

    def plug_acceptor_in(self) -> None:
        self.acceptor = SimulatedAcceptor(
            self.directory / "acceptor", state=self.directory / "box.json", speed=self.speed
        )

    def let_no_file_grow(self) -> None:
        """As on a full disk: whatever the agent writes beyond the first bytes of a file is refused."""
        assert self.agent is not None
        resource.prlimit(self.agent.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    # --- a person ---------------------------------------------------------------------------------------------

    @property
    def hand(self) -> Robot:
        assert self.robot is not None
        return self.robot

    def tap(self, kind: type[taps.Tap], **values: Any) -> None:
        self.hand.tap(kind(**values))  # type: ignore[arg-type]

    def sees(self, kind: Any, fits: Callable[[Any], bool] = lambda view: True) -> Any:
        try:
            return self.hand.wait(lambda view: isinstance(view, kind) and fits(view), PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-3000:]}") from error

    def to_cash(self) -> None:
        """From attract to the open note slot."""
        self.to_method()
        self.tap(taps.TileChosen, tile="cash")
        self.slot_open()

    def to_method(self) -> None:
        self.ask_for_unit()
        self.sees(views.VerifyView)
        self.tap(taps.HouseholdAnswered, right=True)
        self.sees(views.BillListView)
        self.tap(taps.ContinueTapped)
        if isinstance(self.sees((views.AmountView, views.MethodView)), views.AmountView):
            self.tap(taps.ContinueTapped)
        self.sees(views.MethodView, lambda view: view.options[0].reason is None)

    def ask_for_unit(self) -> None:
        """From attract to the room that was typed."""
        self.sees(views.AttractView, lambda view: view.methods)
        self.tap(taps.StartTapped)
        self.sees(views.HomeView)
        self.tap(taps.TileChosen, tile="pay")
        self.sees(views.BuildingView)
        self.tap(taps.BuildingChosen, building="3")
        self.sees(views.EntranceView)
        self.tap(taps.EntranceChosen, entrance="1")
        for count, key in enumerate("502", start=1):
            self.sees(views.RoomView, lambda view, count=count: len(view.digits) == count - 1)
            self.tap(taps.KeyTapped, key=key)
        self.sees(views.RoomView, lambda view: view.digits == "502")
        self.tap(taps.ContinueTapped)

    def slot_open(self) -> None:
        self.sees(views.InsertCashView, lambda view: view.state == "ready")

    def insert(self, yuan: int) -> None:
        """One note, and wait until it is counted; offered again if the machine was too busy to decide within the device's time."""
        counted = self.sees(views.InsertCashView).counted
        for _ in range(MOST_OFFERS):
            self.acceptor.forget()
            self.acceptor.insert(yuan * 100)
            ended = self.acceptor.wait_for("stacked", "returned")
            if ended["event"] == "stacked":
                self.sees(views.InsertCashView, lambda view: view.counted == counted + yuan * 100)
                return
            assert ended["reason"] == "timeout", f"{ended}\n{self.log[-3000:]}"
        raise AssertionError(f"the note came back {MOST_OFFERS} times\n{self.log[-3000:]}")

    def finish(self) -> None:
        """完成, until it is heard: the view may change just while the finger comes down, and only time would end the visit."""
        self.sees(views.InsertCashView, lambda view: view.can_finish)
        touch(self.hand, taps.ContinueTapped(), lambda view: isinstance(view, views.ResultView))

    def finish_and_take_slip(self) -> None:
        self.finish()
        self.sees(views.ResultView)
        self.tap(taps.ContinueTapped)
        self.sees(views.ReceiptView, lambda view: view.state == "ask")
        self.tap(taps.PrintAnswered, wanted=True)
        self.sees(views.ReceiptView, lambda view: view.state == "printed")
        self.tap(taps.ContinueTapped)

    # --- what is written --------------------------------------------------------------------------------------

    @property
    def log(self) -> str:
        return (self.directory / "agent.log").read_text()

    def recorded(self, *kinds: type[Any]) -> list[Any]:
        with JournalReader(self.state / "journal.db") as reader:
            return [entry.event for entry in reader.entries(0, 100_000) if not kinds or isinstance(entry.event, kinds)]

    def wait_recorded(self, kind: type[Any], count: int = 1) -> list[Any]:
        ends_at = time.monotonic() + PATIENCE_S
        while len(found := self.recorded(kind)) < count:
            assert time.monotonic() < ends_at, f"{kind.__name__} is not in the journal\n{self.log[-3000:]}"
            time.sleep(0.02)
        return found

    def wait_ended(self) -> Any:
        """The end of the first payment, whatever it is."""
        ends_at = time.monotonic() + PATIENCE_S
        while not (found := self.recorded(journal.Settlement, journal.PaymentCancelled)):
            assert time.monotonic() < ends_at, f"no payment ended\n{self.log[-3000:]}"
            time.sleep(0.02)
        return found[0]

    def check_truth(self) -> None:
        """Each note in the box has exactly one record, credited or suspense; and the other way round."""
        stacker = {int(face): count for face, count in self.acceptor.ledger()["stacker"].items() if count}
        credited: dict[int, int] = {}
        for note in self.recorded(journal.NoteCredited):
            credited[note.face_fen] = credited.get(note.face_fen, 0) + 1
        assert credited == stacker, f"{self.log[-3000:]}"
        assert self.recorded(journal.NoteUnknown) == []
        opened = [one.payment_id for one in self.recorded(journal.PaymentOpened)]
        ended = [one.payment_id for one in self.recorded(journal.Settlement, journal.PaymentCancelled)]
        assert sorted(opened) == sorted(ended)
        for settled in self.recorded(journal.Settlement):
            assert settled.received_fen == sum(line.amount_fen for line in settled.lines) + settled.prepaid_fen
