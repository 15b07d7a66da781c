"""How much memory a process has, as the kernel counts it, shared libraries included."""

from pathlib import Path


def resident_kib(pid: int | str = "self") -> int:
    """Now."""
    return _kib(pid, "VmRSS:")


def peak_resident_kib(pid: int | str = "self") -> int:
    """The most it ever was."""
    return _kib(pid, "VmHWM:")


def _kib(pid: int | str, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
