"""``kiosk gallery``: every screen, in its usual and awkward states, languages and panels, as pictures to look at.

One process a panel draws them; this one writes the index page and the contact sheets.
"""

import argparse
import html
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from kiosk.screens.samples import LANGUAGES, samples

PANELS = ("portrait-21.5", "landscape-10.1")
GROUND = (178, 168, 148)
SHEET = "contact-sheet.png"
MARGIN = 16
COLOURS = 192  # of a contact sheet: flat colours keep it small

# What the committed sheet shows: the way of one payment, then what can go wrong, on the large panel; a taste of the others.
_WALK = (
    "s01-attract", "s02-home", "s03-building", "s03-room", "s04-verify", "s05-bills", "s06-explain", "s07-amount", "s08-method",
    "s09-cash", "s10-held-note", "s13-booked", "s14-receipt-ask", "s15-done",
)  # fmt: skip
_AWKWARD = (
    "s05-bills-twenty", "s05-bills-long-names", "s05-bills-zero", "s05-bills-offline", "s07-amount-typing",
    "s09-cash-one-fen-missing", "s09-cash-e31", "s13-accepted", "s13-processing", "s14-receipt-no-paper",
    "e23-paid-already", "e60-power-returned", "e70-more-time", "s16-out-of-service",
)  # fmt: skip
_SMALL = ("s01-attract", "s03-room", "s05-bills", "s07-amount", "s08-method", "s09-cash", "s10-held-note", "s13-booked")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kiosk gallery", description="Draw every screen in every language and state.")
    parser.add_argument("--out", type=Path, required=True, help="directory for the pictures and index.html")
    parser.add_argument("--panel", choices=PANELS, help="draw this panel only, without index and contact sheets")
    parser.add_argument("--only", default="", help="draw only samples whose name contains this")
    parser.add_argument("--json", action="store_true", help="say where the index page is as a JSON object")
    arguments = parser.parse_args(argv)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"kiosk gallery: {arguments.out}: {error.strerror}; name another folder with --out", file=sys.stderr)
        return 1
    if arguments.panel:
        draw_panel(arguments.panel, arguments.out, arguments.only)
        return 0
    command = [sys.executable, "-m", "kiosk.gallery", "--out", str(arguments.out), "--only", arguments.only]
    drawing = [subprocess.Popen([*command, "--panel", panel]) for panel in PANELS]
    codes = [process.wait() for process in drawing]
    if any(codes):
        print("kiosk gallery: a panel could not be drawn; its error stands above", file=sys.stderr)
        return 1
    write_index(arguments.out)
    if not arguments.only:
        write_contact_sheet(arguments.out)
    index = str(arguments.out / "index.html")
    print(json.dumps({"index": index}) if arguments.json else f"gallery: {index}")
    return 0


def draw_panel(panel: str, out: Path, only: str) -> None:
    """Draw one panel's pictures into ``out/<panel>/<language>/``."""
    from kiosk.screens.easel import Easel, rows_per_page

    with tempfile.TemporaryDirectory() as home:
        easel = Easel(panel, Path(home))
        for language in LANGUAGES:
            directory = out / panel / language
            directory.mkdir(parents=True, exist_ok=True)
            names = [sample.name for sample in samples(language, 0, rows_per_page(panel)) if only in sample.name]
            for name in names:
                # Made anew: a countdown starts when it is drawn, not when the list was made.
                fresh = {
                    sample.name: sample.view for sample in samples(language, time.monotonic(), rows_per_page(panel))
                }
                easel.show(fresh[name])
                easel.picture().save(directory / f"{name}.png", compress_level=3)


def write_index(out: Path) -> None:
    """One page with all pictures, the languages side by side."""
    parts = ["<!doctype html><meta charset='utf-8'><title>Menting: every screen</title>", _STYLE]
    for panel in PANELS:
        names = sorted(path.stem for path in (out / panel / LANGUAGES[0]).glob("*.png"))
        parts.append(f"<h1>{html.escape(panel)}</h1><div>")
        for name in names:
            shown = "".join(
                f"<a href='{panel}/{language}/{name}.png'><img loading='lazy' src='{panel}/{language}/{name}.png'></a>"
                for language in LANGUAGES
            )
            parts.append(f"<figure class='{panel.split('-')[0]}'>{shown}<figcaption>{name}</figcaption></figure>")
        parts.append("</div>")
    (out / "index.html").write_text("\n".join(parts), encoding="utf-8")


def write_contact_sheet(out: Path) -> None:
    """The chosen pictures small on one sheet, for a person's first look."""
    portrait, landscape = PANELS
    rows = [
        [out / portrait / "zh-Hans" / f"{name}.png" for name in _WALK],
        [out / portrait / "zh-Hans" / f"{name}.png" for name in _AWKWARD],
        [out / portrait / "en" / f"{name}.png" for name in _WALK],
    ]
    small = [out / landscape / language / f"{name}.png" for language in LANGUAGES for name in _SMALL]
    wide = (MARGIN + 176) * len(_WALK) + MARGIN
    strips = [_strip(row, wide) for row in (*rows, small[: len(_SMALL)], small[len(_SMALL) :])]
    sheet = Image.new("RGB", (wide, sum(strip.height for strip in strips) + MARGIN), GROUND)
    y = 0
    for strip in strips:
        sheet.paste(strip, (0, y))
        y += strip.height
    sheet.quantize(COLOURS).save(out / SHEET, optimize=True)


def _strip(paths: Sequence[Path], wide: int) -> Image.Image:
    """One row of pictures, as large as fits."""
    each = (wide - MARGIN) // len(paths) - MARGIN
    first = Image.open(paths[0])
    high = each * first.height // first.width
    strip = Image.new("RGB", (wide, high + MARGIN), GROUND)
    pen = ImageDraw.Draw(strip)
    for place, path in enumerate(paths):
        x = MARGIN + place * (each + MARGIN)
        strip.paste(Image.open(path).convert("RGB").resize((each, high), Image.Resampling.LANCZOS), (x, MARGIN))
        pen.rectangle((x - 1, MARGIN - 1, x + each, MARGIN + high), outline=(120, 112, 96))
    return strip


_STYLE = """<style>
body { font-family: sans-serif; background: #b2a894; margin: 24px; }
div { display: flex; flex-wrap: wrap; gap: 24px; }
figure { margin: 0; } figure img { display: inline-block; margin-right: 8px; }
.portrait img { width: 270px; } .landscape img { width: 400px; }
figcaption { font-size: 14px; margin-top: 4px; }
</style>"""


if __name__ == "__main__":
    raise SystemExit(main())
