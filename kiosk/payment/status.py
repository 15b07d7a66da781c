"""What a running agent says about itself in one small file, for ``kiosk check`` beside it; written whole or not at all."""

import os
from pathlib import Path

import msgspec

from kiosk.clock import Clock

FRESH_S = 15.0  # the agent writes at least every 5 s


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One part: is it ready, what it says, and what to do if it is not."""

    part: str
    ready: bool
    detail: str = ""
    remedy: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The agent's own rows, and since when they are true (monotonic seconds of this boot)."""

    pid: int
    boot_id: str
    at: float
    rows: tuple[Row, ...]


def write(path: Path, status: Status) -> None:
    """Raises OSError where nothing can be written; the agent logs it and goes on."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(msgspec.json.encode(status))
    new.replace(path)


def of_running_agent(path: Path, clock: Clock) -> Status | None:
    """The file's contents if the agent that wrote it still runs and is not stuck."""
    try:
        status = msgspec.json.decode(path.read_bytes(), type=Status)
        os.kill(status.pid, 0)
    except PermissionError:
        pass  # it runs as another user
    except (OSError, msgspec.MsgspecError):
        return None
    is_fresh = status.boot_id == clock.boot_id and clock.monotonic() - status.at <= FRESH_S
    return status if is_fresh else None
