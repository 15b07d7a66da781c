"""A 1-bit picture to raster commands that every Chinese ESC/POS printer has (GS v 0), safe from its real-time ear."""

from PIL import Image

from kiosk.hardware.receipt_printer import commands

SLICE_ROWS = 96  # a question may stand only between slices; 96 rows are 0.6 s of a 115200 baud line

_INVERT = bytes(255 - value for value in range(256))
_WHITE = 1


def picture(image: Image.Image, width_dots: int = 0) -> bytes:
    """The picture in slices; with ``width_dots`` in the middle of that width."""
    if width_dots > image.width:
        middle = Image.new("1", (width_dots, image.height), _WHITE)
        middle.paste(image, ((width_dots - image.width) // 2, 0))
        image = middle
    tops = range(0, image.height, SLICE_ROWS)
    return b"".join(_slice(image, top, min(top + SLICE_ROWS, image.height)) for top in tops)


def without_real_time(rows: bytes) -> bytes:
    """Clear single dots so that no real-time command can be read out of the picture.

    Printers obey real-time commands inside image data. Each begins with 10, one lone dot in eight; taking it
    away changes nothing that a person can see, and shifting the picture instead would need every slice again.
    """
    for start in commands.REAL_TIME_STARTS:
        rows = rows.replace(start, b"\0" + start[1:])
    return rows


def _slice(image: Image.Image, top: int, bottom: int) -> bytes:
    rows = image.crop((0, top, image.width, bottom)).tobytes().translate(_INVERT)
    return commands.raster(image.width // 8, without_real_time(rows))
