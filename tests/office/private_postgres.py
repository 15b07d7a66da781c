"""A PostgreSQL cluster of our own for as long as the tests run: a temporary directory, a Unix socket, no network."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """Debian's newest PostgreSQL, or whatever is on the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


def why_not() -> str:
    """Empty when a cluster can be started here; else the reason for skipping."""
    if binaries() is None:
        return "PostgreSQL's server programs are not installed"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "running as root without a user postgres"
    return ""


@contextmanager
def cluster() -> Iterator[str]:
    """Start one; yields the directory of its socket."""
    bin_dir, root = binaries(), Path(tempfile.mkdtemp(prefix="menting-pg-"))
    assert bin_dir is not None
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(root, "postgres")
    data = root / "data"
    # Speed over safety: the cluster dies with the tests.
    options = f"-k {root} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=40"
    try:
        _run([*user, bin_dir / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"])
        _run([*user, bin_dir / "pg_ctl", "-D", data, "-o", options, "-l", root / "log", "-w", "start"])
        try:
            yield str(root)
        finally:
            _run([*user, bin_dir / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run(command: list[object]) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60, cwd="/tmp")
