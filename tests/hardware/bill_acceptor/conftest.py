"""Acceptor and host on two ends of a real terminal pair; the bytes really travel."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hardware.bill_acceptor.acceptor_harness import Host, SimulatedAcceptor


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "bill-acceptor"


@pytest.fixture
def plug_in(link: Path, tmp_path: Path) -> Iterator[Callable[..., SimulatedAcceptor]]:
    """Plug a simulated acceptor in; again after unplug() with the same truth."""
    plugged: list[SimulatedAcceptor] = []

    def plug(**options: Any) -> SimulatedAcceptor:
        options.setdefault("state", tmp_path / "box.json")
        plugged.append(SimulatedAcceptor(link, **options))
        return plugged[-1]

    yield plug
    for acceptor in plugged:
        if acceptor.running:
            acceptor.unplug()


@pytest.fixture
def attach(link: Path, tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Make a host for whatever is plugged in."""
    hosts: list[Host] = []

    def make(**options: Any) -> Host:
        options.setdefault("recall", tmp_path / "recall")
        hosts.append(Host(link, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        host.stop()
