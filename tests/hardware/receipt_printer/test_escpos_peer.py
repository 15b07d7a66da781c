"""Our printer bytes against python-escpos, the library everybody uses: the same picture gives the same raster bytes."""

import tempfile
from collections.abc import Iterator

import pytest
from PIL import Image

from kiosk.hardware.receipt_printer import commands, layout
from kiosk.hardware.receipt_printer.pictures import SLICE_ROWS
from tests.hardware.receipt_printer.receipt_examples import USUAL


@pytest.fixture(scope="module")
def dummy_printer() -> Iterator[type]:
    """python-escpos writes its capabilities into a new temporary folder for each process; ours is thrown away."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("ESCPOS_CAPABILITIES_PICKLE_DIR", folder)
        from escpos.printer import Dummy

        yield Dummy


def slices_of(data: bytes) -> list[bytes]:
    """The raster commands of a job, each whole."""
    found = []
    at = data.find(commands.RASTER)
    while at >= 0:
        width, height = int.from_bytes(data[at + 4 : at + 6], "little"), int.from_bytes(data[at + 6 : at + 8], "little")
        end = at + commands.RASTER_HEADER_SIZE + width * height
        found.append(data[at:end])
        at = data.find(commands.RASTER, end)
    return found


@pytest.mark.parametrize("width_mm", [80, 58])
def test_the_slices_of_a_slip_are_the_bytes_python_escpos_makes_of_the_same_picture(
    dummy_printer: type, width_mm: int
) -> None:
    slip = layout.render(USUAL, width_mm)  # type: ignore[arg-type]
    ours = slices_of(layout.encode(slip, None))
    assert ours
    for number, slice_bytes in enumerate(ours):
        part = slip.image.crop(
            (0, number * SLICE_ROWS, slip.image.width, min(slip.image.height, (number + 1) * SLICE_ROWS))
        )
        peer = dummy_printer()
        peer.image(part.convert("L"), impl="bitImageRaster", center=False)
        assert slices_of(peer.output) == [slice_bytes]


def test_a_black_dot_is_a_set_bit_from_the_left(dummy_printer: type) -> None:
    picture = Image.new("1", (16, 1), 1)
    picture.putpixel((0, 0), 0)
    peer = dummy_printer()
    peer.image(picture.convert("L"), impl="bitImageRaster", center=False)
    assert slices_of(peer.output) == [commands.raster(2, b"\x80\x00")]
