"""What the office tells a kiosk about the estate (小区) it stands in: GET /kiosk/config, kept in the cache."""

import hashlib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kiosk.domain.money import Fen


class CashDesk(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when cash can be paid to a person; a legal line on S01, S08 and S16."""

    place: str = ""
    place_en: str = ""
    hours: str = ""


class Estate(msgspec.Struct, frozen=True, kw_only=True):
    """Names, texts and limits of one project, versioned by the office."""

    config_version: int = 0
    kiosk_code: str = ""
    estate_name: str = ""
    estate_name_en: str = ""
    payee: str = ""  # 收款单位, full name
    service_phone: str = ""
    complaint: str = ""
    cash_desk: CashDesk = CashDesk()
    time_zone: str = "Asia/Shanghai"
    cash_limit_fen: Fen = Fen(200_000)  # a visit
    notes_limit: int = 60  # a visit
    held_note_threshold_fen: Fen = Fen(100)  # a note that exceeds what is due by this much is asked about
    public_url: str = ""  # where the office's page "Where is my money" is reached; empty: no QR code on slips

    def has_known_zone(self) -> bool:
        """Whether this machine knows ``time_zone``; else no time can be told in it."""
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a name that is a folder, or no name at all
            return False
        return True

    def sha256(self) -> str:
        """Two that are told apart by nothing have the same."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()
