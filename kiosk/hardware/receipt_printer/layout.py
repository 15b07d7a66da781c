"""A receipt (收据) to the bytes of a job: draw the slip, then encode the picture.

Chinese is drawn here and sent as a picture, because printers' own fonts lack rare name characters and print
four-byte characters as rubbish; ``text_mode`` is for serial lines too slow for pictures.
"""

from typing import Literal

import msgspec
from PIL import Image

from kiosk.domain.receipt import Receipt
from kiosk.hardware.ports import PrintJob
from kiosk.hardware.receipt_printer import commands
from kiosk.hardware.receipt_printer.content import blocks_of
from kiosk.hardware.receipt_printer.drawing import draw_blocks
from kiosk.hardware.receipt_printer.pictures import picture, printable
from kiosk.hardware.receipt_printer.text_mode import encode_text

WIDTH_DOTS = {80: 576, 58: 384}
PICTURE_BAUD = 38400  # below this a picture takes half a minute and more


class Slip(msgspec.Struct, frozen=True):
    """One drawn slip: black on white, one bit, as wide as the print head."""

    image: Image.Image
    height_dots: int


def render(receipt: Receipt, width_mm: Literal[58, 80]) -> Slip:
    """Draw a receipt.

    Raises:
        FontMissing: the typeface is not installed.
    """
    image = printable(draw_blocks(blocks_of(receipt), WIDTH_DOTS[width_mm]))
    return Slip(image, image.height)


def encode(slip: Slip, job_tag: str | None) -> bytes:
    """The whole job: initialise, the picture in slices, feed, cut, and the question that proves printing.

    ``job_tag`` is the process ID, four printable characters; None where the printer does not know GS ( H.
    """
    parts = [commands.INITIALISE, picture(slip.image), commands.feed_and_cut()]
    if job_tag is not None:
        parts.append(commands.process_id(job_tag))
    return b"".join(parts)


def make_job(receipt: Receipt, *, job_id: str, width_mm: Literal[58, 80], baud: int = 115200) -> PrintJob:
    """A receipt as a job for the driver; text mode where the line is too slow for a picture.

    ``job_id`` must be new for each copy: the tag that proves printing is made from it.
    """
    slip = render(receipt, width_mm)
    tag = commands.job_tag(job_id)
    data = encode(slip, tag) if baud >= PICTURE_BAUD else encode_text(receipt, width_mm, tag)
    return PrintJob(job_id=job_id, data=data, height_dots=slip.height_dots)
