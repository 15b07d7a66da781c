"""A simulator's state file: what stays true when its program is killed, which is how one cuts its power."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

Truth = TypeVar("Truth")


class TruthUnreadable(Exception):
    """The state file is not what this simulator wrote; delete it to begin with a fresh device."""


def load(path: Path, kind: type[Truth]) -> Truth | None:
    """The last saved state, or None when there is no file yet.

    Raises:
        TruthUnreadable: the file belongs to something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TruthUnreadable(f"{path}: {error.strerror}; name another file") from error
    except msgspec.MsgspecError as error:
        raise TruthUnreadable(f"{path}: {error}; delete it to begin with a fresh device") from error


def save(path: Path, truth: object) -> None:
    """Replace the file in one step: at any instant it holds the old or the new state, whole.

    Not synced: it must outlive the program, not the machine, and a simulated device may not wait for a disk.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode(truth))
    fresh.replace(path)
