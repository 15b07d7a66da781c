"""The small file that lets a restarted driver ask the device for the answer its predecessor may never have read.

An SSP device repeats its last reply only for a frame with the same sequence bit. So the bit of every poll sent while
an accepted note has no outcome is kept here. It need only survive the process, not the machine: a device that loses
power with us tells the note's fate by itself. After a power cut the file may well hold the note before the last one, because
it is never synced; so a record counts only in the boot that wrote it. Source: bill-acceptors section 0, "When the host dies".
"""

import logging
import os
from enum import StrEnum
from pathlib import Path

import msgspec

from kiosk.hardware.bill_acceptor.ssp.note_cycle import NoteCycle
from kiosk.hardware.bill_acceptor.states import SETTLED_STATES

log = logging.getLogger(__name__)

RECORD_SIZE = 1024


class NoteMemory(StrEnum):
    """OPEN: accepted, no outcome yet. SETTLED: outcome reported, but a restarting device may mention it again."""

    NONE = "none"
    OPEN = "open"
    SETTLED = "settled"


class Recall(msgspec.Struct, frozen=True, kw_only=True):
    """What a successor needs. ``sequence`` is None until the accepting poll has been prepared.

    ``stacked`` is the device's counter before this note, None if it keeps none.
    """

    note: NoteMemory = NoteMemory.NONE
    sequence: int | None = None
    channel: int = 0
    serial: str = ""
    stacked: int | None = None
    faces: dict[int, int] = {}


def recall_of(cycle: NoteCycle, *, sequence: int | None, serial: str, stacked: int | None) -> Recall:
    """What a successor must know of the note under way."""
    if cycle.accepted:
        return Recall(
            note=NoteMemory.OPEN,
            sequence=sequence,
            channel=cycle.channel,
            serial=serial,
            stacked=stacked,
            faces=dict(cycle.faces),
        )
    if cycle.state in SETTLED_STATES:
        return Recall(note=NoteMemory.SETTLED, channel=cycle.channel, serial=serial)
    return Recall(serial=serial)


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file."""

    boot_id: str
    recall: Recall


class RecallFile:
    """One record at the start of a file, overwritten in place by a single write, never synced.

    A disk that can't be written costs this second witness only: the flow still has the device's counters.
    """

    def __init__(self, path: Path, boot_id: str) -> None:
        self._path, self._boot_id = path, boot_id
        self._fd = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.error("ssp.recall_unusable path=%s error=%s", path, error)

    def read(self) -> Recall:
        """The last record of this boot; an older, empty or foreign file remembers nothing."""
        raw = os.pread(self._fd, RECORD_SIZE, 0).strip() if self._fd >= 0 else b""
        if not raw:
            return Recall()
        try:
            record = msgspec.json.decode(raw, type=_Record)
        except msgspec.MsgspecError as error:
            log.error("ssp.recall_unreadable path=%s error=%s", self._path, error)
            return Recall()
        return record.recall if record.boot_id == self._boot_id else Recall()

    def write(self, recall: Recall) -> None:
        if self._fd < 0:
            return
        try:
            record = _Record(boot_id=self._boot_id, recall=recall)
            os.pwrite(self._fd, msgspec.json.encode(record).ljust(RECORD_SIZE), 0)
        except OSError as error:
            log.error("ssp.recall_unwritable path=%s error=%s", self._path, error)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
