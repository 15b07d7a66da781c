"""What a running agent says about itself in one small file, for ``kiosk check`` beside it; written whole or not at all."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from kiosk.clock import Clock

FRESH_S = 15.0  # the agent writes at least every 5 s


AGENT_LOCK, DEVICES_LOCK = "agent.lock", "devices.lock"


def is_first_agent(state_dir: Path, held: ExitStack) -> bool:
    """Take the place of this state directory's only agent, until ``held`` is closed or the process ends however."""
    lock = held.enter_context(_lock_file(state_dir / AGENT_LOCK))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def agent_holds(state_dir: Path) -> bool:
    """Whether an agent has taken its place there, even if it has not said anything yet."""
    with ExitStack() as held:
        return state_dir.exists() and not is_first_agent(state_dir, held)


def wait_for_devices(state_dir: Path, held: ExitStack) -> None:
    """Wait until nobody else has the devices open, and keep them: a check and an agent must not share a line."""
    lock = held.enter_context(_lock_file(state_dir / DEVICES_LOCK))
    fcntl.flock(lock, fcntl.LOCK_EX)


def _lock_file(path: Path) -> BinaryIO:
    """For reading only, which a lock needs no more than: a disk that went read-only must not keep the screen from saying so."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "rb")


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
