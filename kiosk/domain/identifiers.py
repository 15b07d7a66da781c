"""Names of things: random ids, receipt numbers, and a room number in the forms people type it."""

import re
import unicodedata
import uuid
from typing import NewType

import msgspec

PaymentId = NewType("PaymentId", str)
KioskCode = NewType("KioskCode", str)
ReceiptNo = NewType("ReceiptNo", str)

RECEIPT_DIGITS = 6

_DASHED = re.compile(r"(\d{1,3})[-–—/](\d{1,2})[-–—/](\d{2,4})", re.ASCII)
_WORDS = re.compile(r"(\d{1,3})(?:栋|幢|号楼|座)(\d{1,2})单元(\d{2,4})(?:室|号|房)?", re.ASCII)
_COMPACT = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})", re.ASCII)  # building, entrance, floor, room on the floor


class UnitAddress(msgspec.Struct, frozen=True):
    """Building (楼栋), entrance (单元) and room (室), digits without leading zeros."""

    building: str
    entrance: str
    room: str

    @property
    def code(self) -> str:
        return f"{self.building}-{self.entrance}-{self.room}"


def is_numbered(name: str) -> bool:
    """3, 12, 3A: a building or entrance that needs its word; A 座 says by itself what it is."""
    return name.isascii() and len(name) <= 3 and name.isalnum()


def new_id() -> str:
    """A random identifier; nothing is ever ordered by it, so a box that boots in 1970 is no problem."""
    return str(uuid.uuid4())


def parse_address(text: str) -> UnitAddress | None:
    """Read ``3-1-502``, ``3栋1单元502`` or ``03010502``; None when it is none of these forms."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))  # ３－１ is 3-1
    if found := _DASHED.fullmatch(plain) or _WORDS.fullmatch(plain):
        building, entrance, room = found.groups()
    elif found := _COMPACT.fullmatch(plain):
        building, entrance, floor, number = found.groups()
        room = f"{floor}{number}"
    else:
        return None
    return UnitAddress(*(part.lstrip("0") or "0" for part in (building, entrance, room)))


def receipt_no(kiosk_code: str, number: int) -> ReceiptNo:
    """``YG01-000123``: gap-free per kiosk and without a date, since the box may boot in 1970."""
    return ReceiptNo(f"{kiosk_code}-{number:0{RECEIPT_DIGITS}d}")


def claim_no(kiosk_code: str, note_no: int) -> str:
    """The number a person keeps for a note whose fate is unclear."""
    return f"{kiosk_code}-Q{note_no:06d}"
