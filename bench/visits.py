"""One visit as views, and the screen that draws them as quickly as it can: what ``screen_memory`` repeats."""

import functools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kiosk.screens.samples import samples
from kiosk.views import AnyView

# The eight screens of a usual visit.
VISIT = (
    "s01-attract", "s03-building", "s03-room", "s04-verify", "s05-bills", "s08-method", "s09-cash", "s13-booked",
)  # fmt: skip


def every_screen() -> Iterator[AnyView]:
    """Each kind of screen once, in its usual state."""
    seen = set()
    for sample in samples("zh-Hans", time.monotonic(), rows=5):
        if type(sample.view) not in seen:
            seen.add(type(sample.view))
            yield sample.view


def visit(number: int) -> Iterator[AnyView]:
    """The walk of one payer; rooms, names and amounts differ from visit to visit, so that nothing is drawn from memory."""
    for view in _usual_views():
        yield _of(view, number)


@functools.cache
def _usual_views() -> tuple[AnyView, ...]:
    by_name = {sample.name: sample.view for sample in samples("zh-Hans", time.monotonic(), rows=5)}
    return tuple(by_name[name] for name in VISIT)


def _of(view: AnyView, number: int) -> AnyView:
    person = {
        "digits": f"{number % 10_000:04d}",
        "room": f"{number % 10_000:04d}",
        "masked_name": f"{chr(0x4E00 + number % 2_000)}*",
        "received": 65_000 + number,
        "counted": 10_000 + number,
        "receipt_no": f"YG01-{number:06d}",
        "picked_total": 61_628 + number,
    }
    changes = {name: value for name, value in person.items() if name in view.__struct_fields__}
    return msgspec.structs.replace(
        view, frame=msgspec.structs.replace(view.frame, plate=("3", f"{number % 10_000:04d}")), **changes
    )


def main(settings_file: Path) -> int:
    """``kiosk screen`` without its limit of 60 frames a second; everything else is the same."""
    from kiosk import screen, settings
    from kiosk.screens import environment

    environment.FPS = 0
    return screen.main(settings.load(settings_file))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
