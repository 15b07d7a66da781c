"""Money as whole fen, and its two written forms: digits and capital Chinese numerals."""

import re
from collections.abc import Sequence
from typing import NewType

Fen = NewType("Fen", int)

FEN_PER_YUAN = 100
MILLION = 1_000_000

# Fifth series of the renminbi, the faces a kiosk can take, largest first.
NOTE_FACES: tuple[Fen, ...] = tuple(Fen(face) for face in (10000, 5000, 2000, 1000, 500, 100))

_YUAN = re.compile(r"\d{1,9}(\.\d{1,2})?", re.ASCII)
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


class NotMoney(ValueError):
    """The text is not an amount in yuan; the message says what was expected."""


def round_half_up(numerator: int, denominator: int) -> int:
    """Divide two non-negative integers once, halves upward. Source: office-domain section 1."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` in proportion to ``weights`` so that the parts add up exactly.

    Largest remainder: every share is floored, missing fen go to the largest fractions, ties to the lower index.
    """
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    shares = [total * weight // whole for weight in weights]
    by_fraction = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in by_fraction[: total - sum(shares)]:
        shares[index] += 1
    return shares


def format_yuan(fen: int) -> str:
    """Write 123450 as ``1,234.50``; the caller adds ¥ where the design wants it."""
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{'−' if fen < 0 else ''}{yuan:,}.{rest:02d}"


def parse_yuan(text: str) -> Fen:
    """Read ``1234.5`` or ``1,234.50`` as fen.

    Raises:
        NotMoney: signs, more than two decimals, or anything that is not a number.
    """
    plain = text.strip().replace(",", "").replace("¥", "").replace("￥", "")
    if not _YUAN.fullmatch(plain):
        raise NotMoney(f"{text!r} is not an amount in yuan such as 1234.50")
    yuan, _, fraction = plain.partition(".")
    return Fen(int(yuan) * FEN_PER_YUAN + int(fraction.ljust(2, "0")))


def capital_yuan(fen: int) -> str:
    """Write an amount in capital numerals (大写): 100505 is 壹仟零伍元零伍分.

    Source: rules for filling in bills and settlement vouchers, People's Bank of China, annex 1.
    """
    if fen < 0:
        raise NotMoney("capital numerals are for amounts of zero or more")
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    jiao, cent = divmod(rest, 10)
    text = _capital_integer(yuan) + "元" if yuan else ""
    if rest == 0:
        return (text or "零元") + "整"
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif yuan:
        text += "零"
    return text + (_DIGITS[cent] + "分" if cent else "整")


def _capital_integer(number: int) -> str:
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    for level in range(len(groups) - 1, -1, -1):
        group = groups[level]
        # One 零 bridges any run of zeros between two written digits, also across group borders.
        if text and group and (group < 1000 or text.endswith("零")):
            text = text.rstrip("零") + "零"
        if group:
            text += _capital_group(group) + _GROUPS[level]
        elif text and not text.endswith("零"):
            text += "零"
    return text.rstrip("零")


def _capital_group(group: int) -> str:
    text = ""
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            text += _DIGITS[digit] + _PLACES[place]
        elif text and not text.endswith("零"):
            text += "零"
    return text.rstrip("零")
