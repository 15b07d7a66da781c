"""A 1-bit picture to raster commands that every Chinese ESC/POS printer has (GS v 0), safe from its real-time ear."""

from PIL import Image

from kiosk.hardware.receipt_printer import commands

SLICE_ROWS = 64  # a question may stand only between slices; 64 rows are 0.4 s of a 115200 baud line

_INVERT = bytes(255 - value for value in range(256))
_WHITE = 1


def picture(image: Image.Image) -> bytes:
    """The picture in slices; the printer's alignment places it when it is narrower than the paper."""
    if spare := -image.width % 8:
        wider = Image.new("1", (image.width + spare, image.height), _WHITE)
        wider.paste(image, (spare // 2, 0))
        image = wider
    rows, row_bytes = _without_real_time(_black_bits(image)), image.width // 8
    slice_bytes = SLICE_ROWS * row_bytes
    slices = (rows[start : start + slice_bytes] for start in range(0, len(rows), slice_bytes))
    return b"".join(commands.raster(row_bytes, part) for part in slices)


def printable(image: Image.Image) -> Image.Image:
    """The picture as it will be on paper: without the dots that ``picture`` has to leave out."""
    rows = _without_real_time(_black_bits(image))
    return Image.frombytes("1", image.size, rows.translate(_INVERT))


def _without_real_time(rows: bytes) -> bytes:
    """Clear single dots so that no real-time command can be read out of the picture.

    Printers obey real-time commands inside image data. Each begins with 10, one dot in eight; taking it away
    changes nothing that a person can see. A usual receipt has one or two such places.
    """
    for start in commands.REAL_TIME_STARTS:
        rows = rows.replace(start, b"\0" + start[1:])
    return rows


def _black_bits(image: Image.Image) -> bytes:
    """Rows as the printer wants them: 1 is black."""
    return image.tobytes().translate(_INVERT)
