"""How long a slip may take, from its own size and the line's speed."""

from kiosk.hardware.ports import PrintJob
from kiosk.hardware.receipt_printer.commands import DOTS_PER_MM

COMPLETION_S = 5.0
SLOWEST_MM_PER_S = 100
BITS_PER_BYTE = 10


def line_s(job: PrintJob, baud: int) -> float:
    """Until its last byte has left."""
    return len(job.data) * BITS_PER_BYTE / baud


def until_proved_s(job: PrintJob, baud: int) -> float:
    """After the last byte was given away: an adapter may hold all of it back from the line, and the paper has to move."""
    return COMPLETION_S + line_s(job, baud) + job.height_dots / DOTS_PER_MM / SLOWEST_MM_PER_S
