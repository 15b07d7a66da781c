"""`office` commands forked off one process that has Django and the office loaded: a hundred of them in the time of a few.

Each is a process of its own that runs the command's main() on the database it is given, to its exit code; that they also start from
nothing is tried in test_commands.py. Run as ``python -m tests.office.office_forks``: each line in is a command's arguments, each line
out what came of it.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Done(msgspec.Struct, frozen=True):
    """As much of subprocess.CompletedProcess as a test looks at."""

    returncode: int
    stdout: str
    stderr: str


class OfficeForks:
    """The asking end, for any thread; one command runs at a time."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> Done:
        with self._asking:
            process = self._process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(arguments).encode() + b"\n")
            process.stdin.flush()
            return msgspec.json.decode(process.stdout.readline(), type=Done)

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.office.office_forks"],
            cwd=ROOT,
            env=os.environ | {"LD_PRELOAD": ""},  # it outlives the test that happens to start it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is not for it: it ends with its input
        )
        atexit.register(process.communicate)
        return process


_FORKS = OfficeForks()


def office_command(database: str, *arguments: str) -> Done:
    """Run ``office ARGUMENTS --database DATABASE`` to its end."""
    return _FORKS.run(*arguments, "--database", database)


def main() -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "office.settings",
        "OFFICE_SECRET_KEY": "signs sessions, which no command has",
    }
    import django

    django.setup()
    from django.db.migrations.loader import MigrationLoader

    from office.kiosks import pairing  # noqa: F401 - so that what is forked off has it already, as with what follows
    from office.ledger import verify  # noqa: F401

    MigrationLoader(None)
    for line in sys.stdin.buffer:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                os._exit(_run(json.loads(line)))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            done = Done(returncode=code, stdout=_written(out.fileno()), stderr=_written(err.fileno()))
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        sys.stdout.flush()


def _written(descriptor: int) -> str:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()


def _run(arguments: list[str]) -> int:
    from django.db import connections

    from office.__main__ import main as office
    from office.database import database_settings

    chosen = database_settings(arguments[-1])
    connections.settings["default"] = connections.configure_settings({"default": chosen})["default"]
    del connections["default"]  # the one that Django's start has made, and not opened
    try:
        code = office(arguments)
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else 1
    except BaseException:  # noqa: BLE001 - it is for whoever asked, and the fork must end here
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    main()
