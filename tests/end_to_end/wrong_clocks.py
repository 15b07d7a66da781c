"""Real programs under another wall clock, which a test moves while they run; see wrong_clock.c."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("wrong_clock.c")


class ShiftedClock:
    """The wall clock and the clock files of one machine. ``has_rtc``: a battery-backed clock set it at boot."""

    def __init__(self, folder: Path, *, has_rtc: bool = False, boot_id: str = "") -> None:
        self.folder = folder
        rtc = folder / "sys/class/rtc/rtc0"
        rtc.mkdir(parents=True)
        (rtc / "hctosys").write_text("1" if has_rtc else "0")
        kernel = folder / "proc/sys/kernel/random"
        kernel.mkdir(parents=True)
        (kernel / "boot_id").write_text(boot_id or Path("/proc/sys/kernel/random/boot_id").read_text())
        self._shift_ms = 0
        (folder / "shift").write_bytes(struct.pack("=q", 0))
        self._library = _compiled(folder)

    @property
    def shift_ms(self) -> int:
        return self._shift_ms

    @shift_ms.setter
    def shift_ms(self, ms: int) -> None:
        """Eight bytes in one write, which no reader sees half of."""
        self._shift_ms = ms
        with (self.folder / "shift").open("r+b", buffering=0) as file:
            file.write(struct.pack("=q", ms))

    def launch(self, name: str, *arguments: str) -> list[str]:
        """The command that starts one of our programs under this clock; as tests.end_to_end.parts.program()."""
        environment = (f"LD_PRELOAD={self._library}", f"MENTING_CLOCK={self.folder}")
        return ["env", *environment, str(Path(sys.executable).parent / name), *arguments]


def _compiled(folder: Path) -> Path:
    """Skips without a compiler, except in CI, where one has to be."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None and not os.environ.get("CI"):
        pytest.skip("the shifted clock can't be built, gcc is missing")
    library = folder / "wrong_clock.so"
    subprocess.run([compiler or "cc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library
