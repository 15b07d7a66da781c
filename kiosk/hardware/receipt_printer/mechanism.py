"""The simulated printer's inside: buffered commands carried out at the speed of paper, and the sensors' truth."""

import base64
from collections import deque
from collections.abc import Callable

import msgspec

from kiosk.hardware.receipt_printer.paper import LINE_SPACING, Line, Strip, Style
from kiosk.hardware.receipt_printer.tokens import Characters, Command, LineFeed, Raster, Token

DOTS_PER_MM = 8
MM_PER_S = 100.0
STEP_ROWS = 8
CUT_S = 0.3
FULL_ROLL_MM = 80_000.0
NEAR_END_MM = 3_000.0
LATENESS_S = 0.2  # how far a late tick may catch up


class Truth(msgspec.Struct):
    """What stays true when the power is cut."""

    paper_left_mm: float = FULL_ROLL_MM
    cover_open: bool = False
    cutter_jammed: bool = False
    slips_printed: int = 0
    slips_hanging: int = 0
    slips_taken: int = 0
    strip_rows: str = ""  # base64: what hangs uncut below the head

    @property
    def paper(self) -> str:
        if self.paper_left_mm <= 0:
            return "out"
        return "near_end" if self.paper_left_mm <= NEAR_END_MM else "ok"


class Slip(msgspec.Struct, frozen=True):
    """What a cut let go."""

    strip: Strip
    cut: str  # full, partial


class Mechanism:
    """Carries out tokens, a millimetre of paper at a time. ``answer`` sends bytes back; ``let_go`` gets each slip."""

    def __init__(
        self, width_dots: int, truth: Truth, speed: int, answer: Callable[[bytes], None], let_go: Callable[[Slip], None]
    ) -> None:
        self.truth = truth
        self.queue: deque[Token] = deque()
        self.cutter_error = False
        self._row_bytes = width_dots // 8
        self._speed = speed
        self._answer = answer
        self._let_go = let_go
        self._rows: deque[tuple[bytes, int]] = deque()  # pixel rows on their way to the head
        self._free_at = 0.0
        self.strip = Strip(self._row_bytes, base64.b64decode(truth.strip_rows))
        self._line = Line(width_dots)
        self._style = Style()

    # --- what its sensors say ------------------------------------------------------------------------------------

    @property
    def paper_out(self) -> bool:
        return self.truth.paper_left_mm <= 0

    @property
    def offline(self) -> bool:
        return self.truth.cover_open or self.paper_out or self.cutter_error

    @property
    def busy(self) -> bool:
        return bool(self.queue or self._rows)

    # --- what happens to it --------------------------------------------------------------------------------------

    def submit(self, token: Token, now: float) -> None:
        """Buffer a command; what comes to an idle printer begins now."""
        if not self.busy:
            self._free_at = max(self._free_at, now)
        self.queue.append(token)

    def clear(self) -> None:
        """Forget what is not on paper yet (DLE DC4 8, DLE ENQ 2, power)."""
        self.queue.clear()
        self._rows.clear()
        self._line.drop()

    def power_cut(self) -> None:
        """Buffers and modes are gone; the paper stays as it is."""
        self.clear()
        self._style = Style()
        self.cutter_error = False

    def save_strip(self) -> None:
        self.truth.strip_rows = base64.b64encode(self.strip.rows).decode()

    def step(self, now: float) -> float | None:
        """Do what is due; return the seconds until more is, or None when nothing is."""
        self._free_at = max(self._free_at, now if self.offline else now - LATENESS_S)
        while self.busy and not self.offline and self._free_at <= now:
            if self._rows:
                self._print_rows()
            else:
                self._carry_out(self.queue.popleft())
        if not self.busy or self.offline:
            return None
        return max(0.0, self._free_at - now)

    def _spend(self, seconds: float) -> None:
        self._free_at += seconds / self._speed

    def _print_rows(self) -> None:
        """Up to a millimetre, or what the roll still has."""
        rows, row_bytes = self._rows.popleft()
        left = max(1, round(self.truth.paper_left_mm * DOTS_PER_MM))
        size = row_bytes * min(STEP_ROWS, left, len(rows) // row_bytes)
        if size < len(rows):
            self._rows.appendleft((rows[size:], row_bytes))
        self.strip.add(rows[:size], row_bytes)
        millimetres = size / row_bytes / DOTS_PER_MM
        self.truth.paper_left_mm = max(0.0, self.truth.paper_left_mm - millimetres)
        self._spend(millimetres / MM_PER_S)

    # --- commands ------------------------------------------------------------------------------------------------

    def _carry_out(self, token: Token) -> None:
        match token:
            case Characters(text):
                if not self._line.room_for(text, self._style):
                    self._print_line()
                    self.queue.appendleft(token)
                else:
                    self._line.add(text, self._style)
            case LineFeed():
                self._print_line()
            case Raster(row_bytes, rows):
                self._rows.append(self._aligned(rows, row_bytes))
            case Command(name, values):
                self._command(name, values)

    def _aligned(self, rows: bytes, row_bytes: int) -> tuple[bytes, int]:
        """ESC a places images too, to the byte."""
        left = max(0, self._row_bytes - row_bytes) * self._style.align // 2
        if not left:
            return rows, row_bytes
        parts = (bytes(left) + rows[start : start + row_bytes] for start in range(0, len(rows), row_bytes))
        return b"".join(parts), left + row_bytes

    def _print_line(self) -> None:
        text, rows = self._line.take(self._style)
        self.strip.text += text.rstrip() + "\n"
        self._rows.append((rows, self._row_bytes))

    def _feed(self, dots: int) -> None:
        if dots:
            self._rows.append((bytes(dots * self._row_bytes), self._row_bytes))

    def _command(self, name: str, values: bytes) -> None:
        value = values[0] if values else 0
        match name:
            case "ESC @":
                self._line.drop()
                self._style = Style()
            case "ESC d":
                if self._line:
                    self._print_line()
                self._feed(value * self._style.spacing)
            case "ESC J":
                if self._line:
                    self._print_line()
                self._feed(value)
            case "GS V" | "ESC i" | "ESC m":
                self._cut(name, values)
            case "GS ( H":
                if len(values) == 6:
                    self._answer(b"\x37\x22" + values[2:] + b"\0")
            case "GS r":
                self._answer(bytes((self._fence_answer(value),)))
            case "GS I":
                self._answer(b"\x5fMenting simulated printer\0" if value >= 65 else b"\x20")
            case _:
                self._set_style(name, value)

    def _set_style(self, name: str, value: int) -> None:
        style = self._style
        match name:
            case "ESC E":
                style.bold = bool(value & 1)
            case "ESC a":
                style.align = value % 48
            case "GS !":
                style.wide, style.tall = bool(value & 0x70), bool(value & 0x07)
            case "ESC !":
                style.bold, style.tall, style.wide = (bool(value & bit) for bit in (0x08, 0x10, 0x20))
            case "FS !":
                style.hanzi_wide, style.hanzi_tall = bool(value & 0x04), bool(value & 0x08)
            case "FS W":
                style.hanzi_wide = style.hanzi_tall = bool(value & 1)
            case "ESC 3":
                style.spacing = value
            case "ESC 2":
                style.spacing = LINE_SPACING

    def _fence_answer(self, value: int) -> int:
        return 0x03 if value % 48 == 1 and self.truth.paper != "ok" else 0x00

    def _cut(self, name: str, values: bytes) -> None:
        if len(values) == 2 and values[1]:
            # GS V 65/66 n is a feed and then a cut.
            self._feed(values[1])
            self.queue.appendleft(Command("GS V", bytes((values[0], 0))))
            return
        if self.truth.cutter_jammed:
            self.cutter_error = True
            self.queue.appendleft(Command(name, values))
            return
        partial = name == "ESC m" or (name == "GS V" and values[0] in (1, 49, 66))
        slip, self.strip = Slip(self.strip, "partial" if partial else "full"), Strip(self._row_bytes)
        self.truth.slips_printed += 1
        self.truth.slips_hanging += 1
        self._spend(CUT_S)
        self._let_go(slip)
