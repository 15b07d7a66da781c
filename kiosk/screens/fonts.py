"""Noto Sans CJK in its Simplified face, as the two single-face files Kivy can load.

Kivy always loads face 0 of a collection, and in Noto's collections that is the Japanese one: 直 骨 复 关 将 角 门 would
be drawn in forms that Chinese readers notice. So the SC face is split out once, into a cache outside the source tree.
``python -m kiosk.screens.fonts`` does it ahead of time. Source: kivy-on-kiosk section 5.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

REGULAR = "NotoSansCJK-Regular.ttc"
BOLD = "NotoSansCJK-Bold.ttc"
FACE = "Noto Sans CJK SC"
FONT_DIRECTORIES = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
FULL_NAME = 4  # name table, OpenType


class FontsMissing(Exception):
    """No Noto Sans CJK on this machine; install fonts-noto-cjk."""


class FontFiles(NamedTuple):
    """One file per weight."""

    regular: Path
    bold: Path


def simplified_fonts() -> FontFiles:
    """Return the split files, making them where they are missing or older than the collection.

    Raises:
        FontsMissing: the collections are not installed.
    """
    return FontFiles(_split(find_collection(REGULAR), "sc-regular.otf"), _split(find_collection(BOLD), "sc-bold.otf"))


def find_collection(name: str) -> Path:
    """Return where a collection is installed.

    Raises:
        FontsMissing: it is in none of the font directories.
    """
    for directory in FONT_DIRECTORIES:
        for path in sorted(directory.rglob(name)):
            return path
    raise FontsMissing(f"{name} is not installed; install the package fonts-noto-cjk")


def face_number(collection: Path) -> int:
    """Return the index of the SC face by its name: distributions order the faces as they like.

    Raises:
        FontsMissing: a collection without that face.
    """
    from fontTools.ttLib import TTCollection

    with TTCollection(str(collection), lazy=True) as faces:
        for number, face in enumerate(faces):
            name = face["name"].getDebugName(FULL_NAME) or ""
            if name.removesuffix(" Bold").removesuffix(" Regular") == FACE:
                return number
    raise FontsMissing(f"{collection} has no face {FACE}")


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "menting" / "fonts"


def _split(collection: Path, name: str) -> Path:
    target = cache_directory() / name
    if target.exists() and target.stat().st_mtime >= collection.stat().st_mtime:
        return target
    from fontTools.ttLib import TTFont  # only here: a start that finds the files needs none of it

    target.parent.mkdir(parents=True, exist_ok=True)
    # Tables are copied as they are: recomputing boxes would decompile every outline and take half a minute.
    with TTFont(
        str(collection), fontNumber=face_number(collection), lazy=True, recalcBBoxes=False, recalcTimestamp=False
    ) as font:
        handle, unfinished = tempfile.mkstemp(dir=target.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                font.save(file, reorderTables=None)
            Path(unfinished).chmod(0o644)
            Path(unfinished).replace(target)  # two processes may do this at once; either result is whole
        finally:
            Path(unfinished).unlink(missing_ok=True)
    return target


def main() -> int:
    try:
        files = simplified_fonts()
    except FontsMissing as error:
        print(f"fonts: {error}", file=sys.stderr)
        return 1
    print(f"fonts: {files.regular} {files.bold}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
