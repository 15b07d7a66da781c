"""Tokens, lines, icons and fonts: what can be proven without drawing."""

import re
from pathlib import Path

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont

from kiosk.screens import fonts, icons, theme
from kiosk.screens.lines import wrap

SCREENS = Path(fonts.__file__).parent
JAPANESE_BY_MISTAKE = "直骨复关将角门"  # drawn otherwise by the collection's first face


def luminance(colour):
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(autouse=True)
def standard_mode():
    yield
    theme.use_mode(theme.STANDARD)
    theme.use_glass(theme.panel_glass("portrait-21.5"))


@pytest.mark.parametrize("mode", ["standard", "senior", "high_contrast", "senior+high_contrast"])
def test_every_pair_of_colours_keeps_its_least_contrast(mode):
    theme.use_mode(mode)
    for group in theme.tokens()["contrast"]:
        for front, back in group["pairs"]:
            if mode.endswith("high_contrast") and theme.colour(front) == theme.colour(back):
                continue  # fills become outlines there
            if mode.endswith("high_contrast") and "sunk" in (front, back):
                continue
            ratio = contrast(theme.colour(front), theme.colour(back))
            assert ratio >= group["least"], f"{front} on {back}: {ratio:.1f}"


def test_note_figures_are_white_on_dark_enough_grounds():
    for face, note in theme.tokens()["note"].items():
        assert contrast((1, 1, 1), theme.rgba(note["color"])) >= 7, face


def test_a_mode_changes_only_what_it_lists():
    standard = theme.type_px("body"), theme.colour("brick")
    theme.use_mode("senior")
    assert theme.type_px("body") > standard[0]
    assert theme.colour("brick") == standard[1]


def test_both_panels_have_targets_of_at_least_20_millimetres():
    for name in ("portrait-21.5", "landscape-10.1"):
        theme.use_glass(theme.panel_glass(name))
        for target in ("button_h", "row_h", "key_h", "building_h"):
            assert theme.size(target) / theme.glass().px_per_mm >= 20 - 0.2, (name, target)


def test_no_mode_uses_more_than_six_sizes_of_type():
    assert len(theme.TYPE_SIZES) == 6
    for kv in [*SCREENS.glob("*.kv"), *SCREENS.glob("*.py"), *SCREENS.glob("widgets/*.py")]:
        assert not re.search(r"font_size\s*[:=]\s*\d", kv.read_text(encoding="utf-8")), kv.name


def test_unknown_tokens_and_icons_are_named():
    with pytest.raises(theme.UnknownToken, match="plum"):
        theme.colour("plum")
    with pytest.raises(icons.UnknownIcon, match="unicorn"):
        icons.strokes("unicorn")


def test_every_rule_name_stands_in_one_layout_file():
    owners: dict[str, str] = {}
    for kv in SCREENS.rglob("*.kv"):
        for name in re.findall(r"^<-?([\w,]+)(?:@[\w+]+)?>:", kv.read_text(encoding="utf-8"), re.MULTILINE):
            assert name not in owners, f"<{name}> stands in {owners[name]} and {kv.name}: Kivy would apply both"
            owners[name] = kv.name


def test_every_icon_named_in_a_layout_exists():
    for kv in SCREENS.rglob("*.kv"):
        for line in re.findall(r"^\s*\w*icon: (.*)$", kv.read_text(encoding="utf-8"), re.MULTILINE):
            for name in re.findall(r'"(\w+)"', line.partition(" if ")[0] + line.partition(" else ")[2]):
                assert name in icons.names(), f"{kv.name}: {name}"


def test_every_icon_stays_inside_its_grid():
    for name in icons.names():
        for stroke in icons.strokes(name):
            assert stroke.points, name
            assert all(-0.5 <= x <= 24.5 and -0.5 <= y <= 24.5 for x, y in stroke.points), name


def test_the_split_fonts_have_the_simplified_outlines():
    try:
        files = fonts.simplified_fonts()
        collections = [fonts.find_collection(fonts.REGULAR), fonts.find_collection(fonts.BOLD)]
    except fonts.FontsMissing as error:
        pytest.skip(str(error))
    for path, collection in zip(files, collections, strict=True):
        with TTFont(str(path), lazy=True) as split:
            assert "CJK SC" in split["name"].getDebugName(4)
            with TTFont(str(collection), fontNumber=fonts.face_number(collection), lazy=True) as simplified:
                assert outlines(split) == outlines(simplified)
            with TTFont(str(collection), fontNumber=0, lazy=True) as japanese:
                assert all(a != b for a, b in zip(outlines(split), outlines(japanese), strict=True))


def outlines(font):
    glyphs, names, drawn = font.getGlyphSet(), font.getBestCmap(), []
    for char in JAPANESE_BY_MISTAKE:
        pen = RecordingPen()
        glyphs[names[ord(char)]].draw(pen)
        drawn.append(pen.value)
    return drawn


def width(text):
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)


def test_a_line_never_begins_with_closing_punctuation():
    lines = wrap("请核对门牌。为了保护隐私，姓名只显示姓。", width, 12)
    assert all(line[0] not in "，。、" for line in lines)
    assert all(width(line) <= 14 for line in lines)
    assert "".join(lines) == "请核对门牌。为了保护隐私，姓名只显示姓。"


def test_a_number_keeps_its_word_and_is_never_cut():
    for room in range(12, 40):
        lines = wrap("您有 12 笔待缴账单，共 1,234.50 元", width, room)
        assert any("12 笔" in line for line in lines)
        assert any("1,234.50 元" in line for line in lines)


def test_the_last_line_is_no_lonely_character():
    lines = wrap("一二三四五六七八九十一二三", width, 24)
    assert len(lines) == 2
    assert width(lines[-1]) >= 8


def test_words_of_english_stay_whole():
    assert wrap("Takes notes from one to a hundred", width, 14) == ["Takes notes", "from one to a", "hundred"]


def test_line_breaks_of_the_catalogue_are_kept():
    assert wrap("上\n下", width, 40) == ["上", "下"]
