"""The kiosk's settings: one TOML file to typed values; an unknown key or a wrong value names section, key and bound."""

import re
from pathlib import Path
from typing import Annotated, Literal, get_args, get_type_hints

import msgspec

from kiosk.domain.money import NOTE_FACES, Fen

Speed = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class SettingsError(Exception):
    """The file can't be used; the message names file, section, key and what is expected."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class KioskSection(Section, frozen=True, kw_only=True):
    """``state_dir`` holds everything the kiosk writes; a relative path counts from the settings file.

    ``run_dir`` holds what need not outlive a boot (the screen's socket, what the agent says about itself); empty: ``state_dir``.
    In memory it spares the disk, and a disk gone read-only still leaves the screen a way to say so.
    ``speed`` makes every time limit of a visit N times shorter, beside simulators of the same speed.
    """

    state_dir: str = "state/kiosk"
    run_dir: str = ""
    language: Literal["zh-Hans", "en"] = "zh-Hans"
    cash_without_receipt: Literal["ask", "refuse"] = "ask"
    disk_margin_mb: Annotated[int, msgspec.Meta(ge=8, le=10_000)] = 32
    speed: Speed = 1


class ScreenSection(Section, frozen=True, kw_only=True):
    """The panel's true size; without it a millimetre on the glass is a guess."""

    panel: Literal["portrait-21.5", "landscape-10.1"] = "portrait-21.5"
    width_px: Annotated[int, msgspec.Meta(ge=480, le=8000)] = 1080
    height_px: Annotated[int, msgspec.Meta(ge=480, le=8000)] = 1920
    diagonal_inch: Annotated[float, msgspec.Meta(ge=7, le=65)] = 21.5
    fullscreen: bool = True

    @property
    def dpi(self) -> float:
        return float((self.width_px**2 + self.height_px**2) ** 0.5 / self.diagonal_inch)


class BillAcceptorSection(Section, frozen=True, kw_only=True):
    """``speed`` is 1 for a real device; simulators run N times faster with the same ratios."""

    protocol: Literal["ssp", "none"] = "ssp"
    port: str = "/dev/bill-acceptor"
    faces_fen: tuple[int, ...] = tuple(NOTE_FACES)
    speed: Speed = 1


class ReceiptPrinterSection(Section, frozen=True, kw_only=True):
    """``process_id`` says whether this printer confirms printing (GS ( H); probed once at commissioning."""

    port: str = "/dev/receipt-printer"
    width_mm: Literal[58, 80] = 80
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 115200
    process_id: bool = True
    speed: Speed = 1


class OfficeSection(Section, frozen=True, kw_only=True):
    """Where the office answers. ``first_try_s``: the first call after a start waits a random part of it, so that a
    street of kiosks does not call at once when the power comes back. ``heartbeat_s`` None: as often as the office asks."""

    url: str = "http://127.0.0.1:8000"
    heartbeat_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] | None = None
    first_try_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 10
    retry_within_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 60


class Settings(Section, frozen=True, kw_only=True):
    """The whole file; every section has defaults that fit a real box."""

    kiosk: KioskSection = KioskSection()
    screen: ScreenSection = ScreenSection()
    bill_acceptor: BillAcceptorSection = BillAcceptorSection()
    receipt_printer: ReceiptPrinterSection = ReceiptPrinterSection()
    office: OfficeSection = OfficeSection()
    base_dir: str = "."  # set by load(): where relative paths begin

    @property
    def state_dir(self) -> Path:
        return Path(self.base_dir) / self.kiosk.state_dir

    @property
    def run_dir(self) -> Path:
        return Path(self.base_dir) / (self.kiosk.run_dir or self.kiosk.state_dir)

    @property
    def screen_socket(self) -> Path:
        return self.run_dir / "screen.sock"

    @property
    def journal_path(self) -> Path:
        return self.state_dir / "journal.db"

    @property
    def cache_path(self) -> Path:
        return self.state_dir / "cache.db"

    @property
    def recall_path(self) -> Path:
        return self.state_dir / "acceptor.recall"

    @property
    def stump_path(self) -> Path:
        return self.state_dir / "printer.stump"

    @property
    def traces_dir(self) -> Path:
        return self.state_dir / "traces"

    @property
    def status_path(self) -> Path:
        return self.run_dir / "status.json"

    @property
    def identity_path(self) -> Path:
        return self.state_dir / "identity.json"


def load(path: Path) -> Settings:
    """Read a settings file.

    Raises:
        SettingsError: missing, not TOML, unknown key, wrong type or out of bounds.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; give the settings file with --config") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    try:
        settings = msgspec.toml.decode(text, type=Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_in_words(str(error))}") from error
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    if settings.base_dir != ".":
        raise SettingsError(f"{path}: base_dir is not a setting; remove it")
    _check_faces(path, settings.bill_acceptor.faces_fen)
    _check_url(path, settings.office.url)
    return msgspec.structs.replace(settings, base_dir=str(path.resolve().parent))


def _check_faces(path: Path, faces: tuple[int, ...]) -> None:
    unknown = [face for face in faces if Fen(face) not in NOTE_FACES]
    if unknown or not faces:
        known = ", ".join(str(face) for face in NOTE_FACES)
        raise SettingsError(f"{path}: [bill_acceptor] faces_fen: {unknown or 'empty'}; notes are {known} fen")


def _check_url(path: Path, url: str) -> None:
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise SettingsError(f"{path}: [office] url: {url!r} is no address such as https://office.example")


def _in_words(message: str) -> str:
    """Turn msgspec's ``… - at `$.screen.width_px` `` into ``[screen] width_px: …``."""
    unknown = re.fullmatch(r"Object contains unknown field `(\w+)`(?: - at `\$\.?(\w*)`)?", message)
    if unknown:
        key, section = unknown.groups()
        where = f"[{section}] {key}" if section else f"[{key}]"
        return f"{where}: unknown; see config/kiosk.example.toml for what there is"
    what, _, place = message.partition(" - at `$.")
    section, _, key = place.rstrip("`").partition(".")
    if what.startswith("Invalid enum value"):
        what = f"{what.removeprefix('Invalid enum value ')} is not one of {', '.join(_choices(section, key))}"
    return f"[{section}] {key}: {what[:1].lower()}{what[1:]}" if place else message


def _choices(section: str, key: str) -> list[str]:
    """What a key of few values may be."""
    kind = get_type_hints(get_type_hints(Settings)[section])[key]
    return [str(choice) for choice in get_args(kind)]
