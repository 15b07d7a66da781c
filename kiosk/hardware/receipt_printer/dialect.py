"""ESC/POS for traces: the driver's questions are compared, a slip counts as a slip whatever stands on it.

May differ: what is printed and in how many pieces, how often the driver looks, and a job's tag. Source: receipt-printer section 4.
"""

from kiosk.hardware.flight_recorder.dialect import SLIP
from kiosk.hardware.receipt_printer import commands
from kiosk.hardware.receipt_printer.replies import BuffersCleared, Fence, ProcessId, ReplyReader, StatusByte
from kiosk.hardware.receipt_printer.status import paper_of
from kiosk.hardware.receipt_printer.tokens import Command, RealTime, Token, Tokenizer

CONFIRMED = b"\x37\x22"  # begins the answer to a process ID; the tag follows
SELECTORS = {1: "printer", 2: "why off line", 3: "which error", 4: "paper"}


class EscposDialect:
    """Implements flight_recorder.dialect.Dialect."""

    def __init__(self) -> None:
        self._tokens = Tokenizer()
        self._status: dict[bytes, bytes] = {}  # question: the answer that still holds

    def cut(self, data: bytes) -> list[bytes]:
        return [_frame(token) for token in self._tokens.feed(data)]

    def key(self, frame: bytes) -> bytes:
        return commands.PROCESS_ID if frame.startswith(commands.PROCESS_ID) else frame

    def repeats(self, frame: bytes, before: bytes) -> bool:
        return False  # to ask again is to ask anew

    def objection(self, frame: bytes, before: bytes) -> str:
        return ""

    def fit(self, answer: bytes, recorded: bytes, frame: bytes) -> bytes:
        if not frame.startswith(commands.PROCESS_ID):
            return answer
        tags = [sent[len(commands.PROCESS_ID) :] for sent in (recorded, frame)]
        return answer.replace(CONFIRMED + tags[0], CONFIRMED + tags[1])

    def remember(self, frame: bytes, answer: bytes) -> None:
        if _selector(frame):
            self._status[frame] = answer

    def another(self, frame: bytes) -> bytes | None:
        return b"" if frame == SLIP else self._status.get(frame)

    def says_nothing_new(self, frame: bytes, answer: bytes) -> bool:
        return self.another(frame) == answer

    def quiet(self, frame: bytes) -> bytes:
        return b""  # a printer that knows nothing says nothing

    def words(self, frame: bytes) -> str:
        if selector := _selector(frame):
            return f"how are you: {SELECTORS.get(selector, selector)}"
        if frame.startswith(commands.PROCESS_ID):
            return "is it printed"
        names = {SLIP: "part of a slip", commands.CLEAR_BUFFERS: "forget the buffer", commands.PAPER_FENCE: "fence"}
        return names.get(frame, "unknown")

    def answer_words(self, answer: bytes, frame: bytes) -> str:
        reader = ReplyReader()
        reader.statuses_due, reader.fence_due = int(bool(_selector(frame))), frame == commands.PAPER_FENCE
        said = []
        for reply in reader.feed(answer):
            match reply:
                case StatusByte(value=value) if _selector(frame) == 4:
                    said.append(f"paper {paper_of(value)}")
                case StatusByte(value=value):
                    said.append(f"{value:08b}")
                case ProcessId(tag=tag):
                    said.append(f"printed {tag}")
                case Fence():
                    said.append("all before the fence is done")
                case BuffersCleared():
                    said.append("buffer forgotten")
                case _:
                    said.append("said by itself")
        return ", ".join(said) or ("noise" if answer else "no answer")


def _frame(token: Token) -> bytes:
    match token:
        case RealTime(name="DLE EOT", value=selector):
            return commands.ask_status(selector)
        case RealTime(name="DLE DC4"):
            return commands.CLEAR_BUFFERS
        case Command(name="GS r", values=b"\x01"):
            return commands.PAPER_FENCE
        case Command(name="GS ( H", values=values):
            return commands.PROCESS_ID + values[-commands.TAG_SIZE :]
        case _:
            return SLIP


def _selector(frame: bytes) -> int:
    """Which of the four status questions this is; 0 if none."""
    return frame[2] if len(frame) == 3 and frame[:2] == commands.ask_status(0)[:2] else 0
