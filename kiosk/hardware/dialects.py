"""Which dialect reads a trace: the one place beside the agent that names protocols."""

from collections.abc import Callable

from kiosk.hardware.bill_acceptor.ssp.dialect import SspDialect
from kiosk.hardware.flight_recorder.dialect import Dialect
from kiosk.hardware.receipt_printer.dialect import EscposDialect

DIALECTS: dict[str, Callable[[], Dialect]] = {"ssp": SspDialect, "escpos": EscposDialect}
