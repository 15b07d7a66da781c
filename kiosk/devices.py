"""Builds the drivers that the settings name; nobody else knows them by name."""

from pathlib import Path

from kiosk.clock import Clock
from kiosk.hardware.flight_recorder.tape import Freeze, not_kept
from kiosk.hardware.ports import BillAcceptor, ReceiptPrinter, Report
from kiosk.settings import Settings


def build_acceptor(settings: Settings, report: Report, clock: Clock, freeze: Freeze = not_kept) -> BillAcceptor | None:
    """The driver of the protocol named in the settings; None where they name none."""
    section = settings.bill_acceptor
    if section.protocol == "none":
        return None
    from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor

    port = str(_at_settings(settings, section.port))
    return SspBillAcceptor(port, report, clock, speed=section.speed, recall_path=settings.recall_path, freeze=freeze)


def build_printer(settings: Settings, report: Report, clock: Clock, freeze: Freeze = not_kept) -> ReceiptPrinter:
    from kiosk.hardware.receipt_printer.driver import EscposReceiptPrinter

    section = settings.receipt_printer
    port = str(_at_settings(settings, section.port))
    return EscposReceiptPrinter(
        port,
        report,
        clock,
        baud=section.baud,
        speed=section.speed,
        process_id=section.process_id,
        freeze=freeze,
        stump_path=settings.stump_path,
    )


def _at_settings(settings: Settings, port: str) -> Path:
    """A relative port counts from the settings file, as the state directory does."""
    return Path(settings.base_dir) / port
