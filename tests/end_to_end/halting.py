"""Runs the real agent or office so that it halts at named steps, as under a debugger, until the test lets it go or kills it.

Run as ``python halting.py SOCKET kiosk|office ARGUMENTS``. At each step it names the step on SOCKET and waits for one byte; where
nobody is waiting there, tests/end_to_end/halts.py answers at once. Nothing else about the programs is changed.
"""

import contextlib
import functools
import socket
import sys
from collections.abc import Callable
from typing import Any

Condition = Callable[..., bool]


class Halting:
    """Puts halts before and after functions of the program."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._expected: set[str] = set()

    def halt(self, step: str) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:  # the test has ended: go on
            line.connect(self._path)
            line.sendall(step.encode() + b"\n")
            line.recv(1)

    def before(self, owner: Any, name: str, step: str, when: Condition = lambda *_, **__: True) -> None:
        self._wrap(owner, name, when, first=lambda: self.halt(step))

    def after(self, owner: Any, name: str, step: str, when: Condition = lambda *_, **__: True) -> None:
        self._wrap(owner, name, when, then=lambda: self.halt(step))

    def after_first(
        self, owner: Any, name: str, step: str, since: tuple[Any, str], when: Condition = lambda *_, **__: True
    ) -> None:
        """After the first call of a function that follows a call of another, ``since``."""
        self._wrap(*since, when, then=lambda: self._expected.add(step))
        self._wrap(owner, name, lambda *_, **__: step in self._expected, then=lambda: self._now(step))

    def _now(self, step: str) -> None:
        self._expected.discard(step)
        self.halt(step)

    def _wrap(
        self,
        owner: Any,
        name: str,
        when: Condition,
        first: Callable[[], None] = lambda: None,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        whole = getattr(owner, name)

        @functools.wraps(whole)
        def halting(*arguments: Any, **named: Any) -> Any:
            meant = when(*arguments, **named)
            if meant:
                first()
            done = whole(*arguments, **named)
            if meant:
                then()
            return done

        setattr(owner, name, halting)


def prepare_agent(halting: Halting) -> None:
    """The steps of a note's life and the agent's end of an upload."""
    from kiosk.domain import events
    from kiosk.hardware import ports
    from kiosk.hardware.bill_acceptor.ssp.frames import Happened
    from kiosk.hardware.bill_acceptor.ssp.link import SspLink
    from kiosk.hardware.bill_acceptor.ssp.note_cycle import NoteCycle
    from kiosk.hardware.bill_acceptor.ssp.session import SspSession
    from kiosk.hardware.receipt_printer.driver import EscposReceiptPrinter
    from kiosk.office_client.client import OfficeClient
    from kiosk.offline_queue.journal import Journal
    from kiosk.payment.cashier import Cashier

    def about(*kinds: type) -> Condition:
        return lambda _self, *given: any(isinstance(one, kinds) for one in given)

    halting.before(Cashier, "_handle", "escrow seen", about(ports.NoteEscrowed))
    halting.after(Journal, "append", "intent durable", about(events.NoteAcceptIntent))
    halting.after_first(SspLink, "_write", "accept sent", (NoteCycle, "accept"))
    halting.after(
        NoteCycle, "take", "stacking", lambda cycle, event: cycle.accepted and event.code is Happened.STACKING
    )
    halting.before(Cashier, "_handle", "credit seen", about(ports.NoteCredited))
    halting.after(Journal, "append", "credit durable", about(events.NoteCredited))
    halting.after_first(SspLink, "_write", "acknowledged", (SspSession, "_wait_for_disk"), about(ports.NoteCredited))
    halting.before(Journal, "append", "settling", about(events.PaymentSettled, events.PaymentPartial))
    halting.after(Journal, "append", "settled", about(events.PaymentSettled, events.PaymentPartial))
    halting.before(EscposReceiptPrinter, "_check", "printing")  # the first piece of the slip has been sent
    halting.after(OfficeClient, "upload", "answer received")
    halting.after(Journal, "advance_cursor", "cursor written")


def prepare_office(halting: Halting) -> None:
    """The steps of an upload, as soon as Django is up."""
    from office.commands import serve

    set_up = serve.set_up

    def set_up_and_halt() -> None:
        set_up()
        from office.kiosks import ingest

        def new(_kiosk: Any, _journal_id: str, batch: Any, *_: Any) -> bool:
            return bool(batch.events)

        halting.before(ingest, "store", "request sent", new)
        halting.after(ingest, "store", "office committed", new)

    serve.set_up = set_up_and_halt


def main(path: str, name: str, *arguments: str) -> int:
    halting = Halting(path)
    if name == "office":
        from office.__main__ import main as office

        prepare_office(halting)
        return office(list(arguments))
    from kiosk.__main__ import main as kiosk

    prepare_agent(halting)
    return kiosk(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
