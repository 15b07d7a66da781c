"""Acceptor and host on two ends of a real terminal pair; the bytes really travel."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor
from tests.hardware.bill_acceptor.acceptor_harness import SPEED, Host, SimulatedAcceptor


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "bill-acceptor"


@pytest.fixture
def plug_in(request: pytest.FixtureRequest, link: Path, tmp_path: Path) -> Iterator[Callable[..., SimulatedAcceptor]]:
    """Plug a simulated acceptor in; again after unplug(), with the same truth unless told otherwise."""
    plugged: list[SimulatedAcceptor] = []

    def plug(**options: Any) -> SimulatedAcceptor:
        options.setdefault("state", tmp_path / "box.json")
        options.setdefault("speed", getattr(request.function, "speed", SPEED))
        options.setdefault("protocol", getattr(request.cls, "protocol", "ssp"))
        plugged.append(SimulatedAcceptor(link, **options))
        return plugged[-1]

    yield plug
    for acceptor in plugged:
        acceptor.unplug()


@pytest.fixture
def attach(request: pytest.FixtureRequest, link: Path, tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Make a host for whatever is plugged in; it remembers what an earlier one of this test wrote."""
    hosts: list[Host] = []

    def make(**options: Any) -> Host:
        options.setdefault("recall", tmp_path / "recall")
        options.setdefault("speed", getattr(request.function, "speed", SPEED))
        options.setdefault("driver", getattr(request.cls, "driver", SspBillAcceptor))
        hosts.append(Host(link, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        host.stop()
