"""The power goes while traces are written, at every operation: what is there is whole."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.recorder import MOST_OF_ONE_FAULT
from tests.power_cut.images import Disk, Model
from tests.power_cut.operations import Operation, Recording, compile_recorder

DRAWS = 3  # of what survives, for each cut


def recorded(folder: Path, *how: str) -> list[Operation]:
    state = folder / "state"
    state.mkdir()
    recording = Recording(compile_recorder(folder), folder / "operations", state)
    with recording.preloaded():
        subprocess.run([sys.executable, "-m", "tests.power_cut.trace_writer", str(state), *how], check=True)
    recording.close()
    return recording.operations()


def traces_after_every_cut(operations: list[Operation]) -> Iterator[dict[str, bytes]]:
    for cut in range(len(operations) + 1):
        disk = Disk()
        for operation in operations[:cut]:
            disk.do(operation)
        for draw in range(DRAWS):
            for model in Model:
                image = disk.image(model, random.Random(cut * DRAWS + draw))
                yield {name: data for name, data in image.items() if name.endswith(".jsonl")}


def is_whole(data: bytes) -> bool:
    try:
        return len(trace.decode(data).lines) == 500
    except trace.TraceUnreadable:
        return False


def test_after_any_cut_every_trace_is_whole_and_the_number_stays_small(tmp_path: Path) -> None:
    images = list(traces_after_every_cut(recorded(tmp_path)))
    assert all(is_whole(data) for image in images for data in image.values())
    assert max(len(image) for image in images) <= MOST_OF_ONE_FAULT + 1  # one whose removal was not yet durable
    assert len(images[-1]) == MOST_OF_ONE_FAULT


def test_a_writer_that_never_syncs_is_caught(tmp_path: Path) -> None:
    images = traces_after_every_cut(recorded(tmp_path, "careless"))
    assert not all(is_whole(data) for image in images for data in image.values())
