"""Reads a QR code back from a clean, upright 1-bit picture: proof that a phone can, without a camera.

Corrects no errors: on a picture without noise a wrong bit is a defect of the slip. Source: ISO/IEC 18004.
"""

import re
from collections.abc import Iterator
from itertools import combinations, zip_longest

from PIL import Image
from qrcode.base import rs_blocks
from qrcode.util import mask_func, pattern_position

Grid = list[list[bool]]

MODULE_DOTS = range(3, 17)
FORMAT_MASK = 0x5412
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
NUMERIC_BITS = {1: 4, 2: 7, 3: 10}

_FINDERS = {
    # In a look-ahead, so that a pattern which data happens to form can't hide a real one that overlaps it.
    dots: re.compile(f"(?<!1)(?=1{{{dots}}}0{{{dots}}}1{{{3 * dots}}}0{{{dots}}}1{{{dots}}}(?!1))")
    for dots in MODULE_DOTS
}
_FINDER_ROWS = ("1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111")


def read_qr(image: Image.Image) -> str | None:
    """The text of the first QR code in the picture, or None when there is none that can be read."""
    rows = _rows(image)
    for grid in _grids(rows):
        text = _decode(grid)
        if text is not None:
            return text
    return None


def _rows(image: Image.Image) -> list[str]:
    """Each row as a string of 1 (black) and 0."""
    data, row_bytes = image.tobytes(), (image.width + 7) // 8
    full = (1 << 8 * row_bytes) - 1
    return [
        f"{int.from_bytes(data[at : at + row_bytes], 'big') ^ full:0{8 * row_bytes}b}"[: image.width]
        for at in range(0, len(data), row_bytes)
    ]


def _grids(rows: list[str]) -> Iterator[Grid]:
    """Candidates: two finder patterns side by side, with the distance of a known size."""
    for y, row in enumerate(rows):
        for dots, finder in _FINDERS.items():
            starts = [found.start() for found in finder.finditer(row)] if "1" * 3 * dots in row else []
            for left, right in combinations(starts, 2):
                size, rest = divmod(right - left + 7 * dots, dots)
                if rest == 0 and size % 4 == 1 and 21 <= size <= 177:
                    # The pattern first shows where the inner square begins, two modules below the top.
                    grid = _sample(rows, left, y - 2 * dots, dots, size)
                    if _has_finders(grid):
                        yield grid


def _sample(rows: list[str], left: int, top: int, dots: int, size: int) -> Grid:
    def dark(row: int, column: int) -> bool:
        y, x = top + row * dots + dots // 2, left + column * dots + dots // 2
        return 0 <= y < len(rows) and rows[y][x : x + 1] == "1"

    return [[dark(row, column) for column in range(size)] for row in range(size)]


def _has_finders(grid: Grid) -> bool:
    far = len(grid) - 7
    return all(
        "".join("01"[dark] for dark in grid[top + row][left : left + 7]) == _FINDER_ROWS[row]
        for top, left in ((0, 0), (0, far), (far, 0))
        for row in range(7)
    )


def _decode(grid: Grid) -> str | None:
    size = len(grid)
    version = (size - 17) // 4
    places = [(8, 0), (8, 1), (8, 2), (8, 3), (8, 4), (8, 5), (8, 7), (8, 8), (7, 8), (5, 8), (4, 8), (3, 8), (2, 8)]
    fields = sum(grid[row][column] << (14 - at) for at, (row, column) in enumerate(places)) ^ FORMAT_MASK
    level, mask = fields >> 13, fields >> 10 & 7
    bits = list(_data_bits(grid, version, mask))
    words = [sum(bit << (7 - at) for at, bit in enumerate(bits[start : start + 8])) for start in range(0, len(bits), 8)]
    blocks = rs_blocks(version, level)
    return _text(_deinterleaved(words, [block.data_count for block in blocks]), version)


def _data_bits(grid: Grid, version: int, mask: int) -> Iterator[bool]:
    """Two columns at a time from the right, up and down in turn, past everything that is not data."""
    size = len(grid)
    inverted = mask_func(mask)
    fixed = _fixed_modules(version, size)
    columns = [column for column in range(size - 1, -1, -1) if column != 6]
    for number in range(0, len(columns), 2):
        rows = range(size - 1, -1, -1) if number % 4 == 0 else range(size)
        for row in rows:
            for column in columns[number : number + 2]:
                if (row, column) not in fixed:
                    yield grid[row][column] != inverted(row, column)


def _fixed_modules(version: int, size: int) -> set[tuple[int, int]]:
    """Finders with format information, timing, alignment, version."""
    edges = [(range(9), range(9)), (range(9), range(size - 8, size)), (range(size - 8, size), range(9))]
    if version >= 7:
        edges += [(range(6), range(size - 11, size - 8)), (range(size - 11, size - 8), range(6))]
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    for row in pattern_position(version):
        for column in pattern_position(version):
            if (row, column) not in corners:
                edges.append((range(row - 2, row + 3), range(column - 2, column + 3)))
    fixed = {(row, column) for rows, columns in edges for row in rows for column in columns}
    return fixed | {(6, at) for at in range(size)} | {(at, 6) for at in range(size)}


def _deinterleaved(words: list[int], counts: list[int]) -> bytes:
    """Data words were dealt out like cards, one to each block in turn."""
    blocks: list[list[int]] = [[] for _ in counts]
    places = zip_longest(*([number] * count for number, count in enumerate(counts)))
    deal = [number for turn in places for number in turn if number is not None]
    for number, word in zip(deal, words, strict=False):
        blocks[number].append(word)
    return bytes(word for block in blocks for word in block)


def _text(data: bytes, version: int) -> str | None:
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at] or "0", 2)

    size = 0 if version < 10 else 1 if version < 27 else 2
    found = b""
    while at + 4 <= len(bits):
        match take(4):
            case 0:
                break
            case 1:
                left = take((10, 12, 14)[size])
                while left > 0:
                    part = min(3, left)
                    found += f"{take(NUMERIC_BITS[part]):0{part}d}".encode()
                    left -= part
            case 2:
                left = take((9, 11, 13)[size])
                while left > 0:
                    pair = take(11) if left > 1 else take(6)
                    found += (ALPHANUMERIC[pair // 45] if left > 1 else "").encode() + ALPHANUMERIC[pair % 45].encode()
                    left -= 2
            case 4:
                found += bytes(take(8) for _ in range(take((8, 16, 16)[size])))
            case _:
                return None
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError:
        return None
