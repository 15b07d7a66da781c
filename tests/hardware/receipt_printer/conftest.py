"""Fixtures of the printer's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware.receipt_printer.printer_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    bench.plug_in()
    yield bench
    bench.close()
