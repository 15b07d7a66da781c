"""Programs of these tests forked off one process that has imported them once: hundreds of starts in the time of a few.

Run as ``python -m tests.power_cut.forks`` with the recorder preloaded. Each line in is a Start; each start is answered by the process's
number and, when it has ended, by its exit code. One runs at a time.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.power_cut.operations import Failure

ROOT = Path(__file__).parents[2]
STEADY_S = 10.0  # instead of the minute for which an agent that can begin nothing says so before it ends


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, where it is written down, and how the disk fails meanwhile."""

    program: str  # life or agent
    arguments: tuple[str, ...]
    record: str
    places: str
    log: str
    hears: bool = False
    failure: Failure | None = None


class Forks:
    """The asking end."""

    def __init__(self, library: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.power_cut.forks"],
            cwd=ROOT,
            env=os.environ | {"LD_PRELOAD": str(library)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start(self, start: Start) -> int:
        """Its process number."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(start) + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def exit_code(self) -> int:
        """Waits for the one that was started last; minus the signal, if one ended it."""
        return self._answer()

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextlib.contextmanager
def forking(library: Path) -> Iterator[Forks]:
    forks = Forks(library)
    try:
        yield forks
    finally:
        forks.close()


def main() -> None:
    import kiosk.agent  # so that what is forked off has it already
    from kiosk.__main__ import main as kiosk_main
    from tests.power_cut import journal_life

    kiosk.agent.STEADY_S = STEADY_S

    def life(path: str, payments: str, seed: str, record: str, goes_quietly: str) -> int:
        return journal_life.live(Path(path), int(payments), int(seed), record, goes_quietly=goes_quietly == "quietly")

    programs = {"life": life, "agent": lambda config: kiosk_main(["agent", "--config", config])}
    for line in sys.stdin.buffer:
        start = msgspec.json.decode(line, type=Start)
        child = os.fork()
        if child == 0:
            os._exit(_run(programs[start.program], start))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(program, start: Start) -> int:  # type: ignore[no-untyped-def]
    log = os.open(start.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    fail = start.failure.encoded().encode() if start.failure else None
    ctypes.CDLL(None).power_cut_begin(start.record.encode(), start.places.encode(), int(start.hears), fail)
    try:
        return int(program(*start.arguments))
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else 1
    except BaseException:  # noqa: BLE001 - whatever it is stands in the log, and the fork must end here
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    main()
