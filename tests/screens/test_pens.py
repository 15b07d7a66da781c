"""Lines of text in any size from one open copy of each font file."""

from pathlib import Path

from tests.screens.glass import on_glass

SIZES = (28, 36, 97)


def ink(picture):
    """Left and right of what is drawn, in pixels."""
    from PIL import Image

    alpha = Image.frombytes("RGBA", picture.size, picture.pixels).getchannel("A")
    left, _, right, _ = alpha.getbbox() or (0, 0, 0, 0)
    return left, right


def open_fonts():
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sorted(path.name for path in links if path.suffix == ".otf")


@on_glass()
def test_a_line_is_as_wide_as_measured_in_every_size_and_in_any_order(glass):
    from kiosk.screens.pens import pen

    for line in ("请核对门牌 3-1-502", "Total ¥1,234.50", "𠮷㐂"):
        widths = {px: pen(False).width(line, px) for px in SIZES}
        for px in (*SIZES, *reversed(SIZES)):
            picture = pen(False).draw(line, px)
            assert picture.width == pen(False).width(line, px) == widths[px]
            left, right = ink(picture)
            assert widths[px] * 0.9 < right - left <= widths[px]
        assert widths[28] < widths[36] < widths[97]


@on_glass()
def test_bold_is_another_file(glass):
    from kiosk.screens.pens import pen

    assert pen(True).draw("门", 48).pixels != pen(False).draw("门", 48).pixels


@on_glass()
def test_a_text_without_any_width_draws_nothing(glass):
    from kiosk.screens.pens import pen

    for line in ("", "\u200b"):
        assert ink(pen(False).draw(line, 36)) == (0, 0)


@on_glass()
def test_each_font_file_is_open_once_after_every_screen_was_shown(glass):
    from bench.visits import every_screen

    for view in every_screen():
        glass.easel.show(view)
    assert open_fonts() == ["sc-bold.otf", "sc-regular.otf"]
    assert set(glass.router.pane.frames) == {"standard"}
