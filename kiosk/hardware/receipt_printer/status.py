"""The decision table from four status bytes to paper and fault. Pure; no answer is never a good answer.

Source: ESC/POS reference, DLE EOT; receipt-printer section 4.1. Paper bits are joined by "or", because clones
set only one bit of each pair.
"""

from collections.abc import Mapping

import msgspec

from kiosk.hardware.faults import Fault
from kiosk.hardware.ports import Paper
from kiosk.hardware.receipt_printer.replies import KIND_MASK, STATUS_KIND

SELECTORS = (1, 4, 2, 3)  # the order of asking: the two that decide first


class Reading(msgspec.Struct, frozen=True):
    """One look at the printer. ``passing``: printing goes on by itself once the cause is gone, without a lost row."""

    paper: Paper
    fault: Fault | None
    passing: bool = False

    @property
    def can_print(self) -> bool:
        return self.fault is None and self.paper in (Paper.OK, Paper.NEAR_END)


SILENT = Reading(Paper.UNKNOWN, Fault("printer.silent", "no valid status"))


def is_status(byte: int | None) -> bool:
    return byte is not None and byte & KIND_MASK == STATUS_KIND


def paper_of(byte: int | None) -> Paper:
    """The roll sensors' answer (n = 4); anything that is not a status byte is UNKNOWN."""
    if byte is None or not is_status(byte):
        return Paper.UNKNOWN
    if byte & 0x60:
        return Paper.OUT
    return Paper.NEAR_END if byte & 0x0C else Paper.OK


def read(answers: Mapping[int, int | None]) -> Reading:
    """Judge the answers to DLE EOT 1 to 4; a missing one makes the printer not ready."""
    known = {selector: byte for selector, byte in answers.items() if byte is not None and is_status(byte)}
    paper = paper_of(known.get(4))
    for selector, mask, code, detail, passing in _CAUSES:
        if known.get(selector, 0) & mask:
            # With the cover up the roll sensor looks at nothing.
            return Reading(Paper.UNKNOWN if code == "printer.cover_open" else paper, Fault(code, detail), passing)
    if paper is Paper.OUT or known.get(2, 0) & 0x20:
        return Reading(Paper.OUT, Fault("printer.paper_out"))
    if len(known) < len(SELECTORS):
        missing = ", ".join(str(selector) for selector in sorted(SELECTORS) if selector not in known)
        return Reading(Paper.UNKNOWN, Fault("printer.silent", f"no valid status {missing}"))
    if known[1] & 0x08:
        return Reading(paper, Fault("printer.error", "off line without a cause"))
    return Reading(paper, None)


_CAUSES = (
    (3, 0x08, "printer.cutter", "", False),
    (3, 0x20, "printer.error", "unrecoverable error", False),
    (2, 0x04, "printer.cover_open", "", True),
    (3, 0x04, "printer.error", "mechanical error", False),
    (3, 0x40, "printer.error", "head too hot, waiting", True),
    (2, 0x40, "printer.error", "error without a cause", False),
)
