"""A small real ext4 of a test's own, which finds an error in itself when told to and turns read-only under whoever writes to it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE_MB = 64


class Ext4Disk:
    """An image on a loop device, mounted at ``at``; the device goes with the mount."""

    def __init__(self, image: Path, at: Path) -> None:
        self._image, self._at = image, at
        with image.open("wb") as file:
            file.truncate(SIZE_MB * 1024 * 1024)
        run("mkfs.ext4", "-q", "-F", str(image))

    def mount(self) -> None:
        run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self._at))

    def fail(self) -> None:
        """As after an error of the medium: the kernel aborts the file system's own journal and lets no write through any more."""
        self._trigger().write_text("1")

    def repair(self) -> None:
        """What a technician does. Nobody may have a file open on it."""
        run("umount", str(self._at))
        run("e2fsck", "-f", "-y", str(self._image), well=(0, 1))  # 1: there were errors, and they are gone
        self.mount()

    def can_fail(self) -> bool:
        return os.access(self._trigger(), os.W_OK)

    def _trigger(self) -> Path:
        device = self._at.stat().st_dev
        name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        return Path("/sys/fs/ext4") / name / "trigger_fs_error"


def run(*command: str, well: tuple[int, ...] = (0,)) -> None:
    """
    Raises:
        OSError: it can't be done here.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in well:
        raise OSError(f"{' '.join(command)}: exit {done.returncode}: {done.stdout}{done.stderr}".strip())


@contextmanager
def ext4_disk(image: Path, at: Path) -> Iterator[Ext4Disk]:
    """The disk, mounted; skips where that can't be. Whatever happens, neither mount nor loop device is left behind."""
    at.mkdir()
    try:
        disk = Ext4Disk(image, at)
        disk.mount()
    except OSError as error:
        pytest.skip(f"an ext4 can't be made and mounted here: {error}")
    try:
        if not disk.can_fail():
            pytest.skip("this kernel lets nobody make an ext4 fail (/sys/fs/ext4/*/trigger_fs_error)")
        yield disk
    finally:
        if at.is_mount():
            subprocess.run(["umount", "--lazy", str(at)], check=True)
