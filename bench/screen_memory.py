"""Resident memory of the screen beside a bare Kivy window's, how it grows from visit to visit, and the agent's."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.figures import Figure, slope
from bench.kiosk_at_work import a_lobby, at_work
from bench.memory import resident_kib
from bench.screen_start import attract
from bench.screens import Stage, bare_command, display, running, screen_command, stage, wait_painted
from bench.visits import every_screen, visit
from kiosk.views import AnyView

VISITS = int(os.environ.get("MENTING_BENCH_VISITS", "2000"))
WARM = VISITS // 4
EVERY = 25
SMALL = (540, 960)  # the panel of the long walk: what leaks does so at any size, and painting is four times as quick
SETTLED_PAINTS = 60  # after the first view a screen builds the others, one a frame
MIB = 1024

# What the agent imports from others, in an interpreter that does nothing else.
AGENT_PEER = """
import logging, queue, sqlite3, threading, msgspec, peewee, requests, serial, PIL.Image, PIL.ImageFont, qrcode
from cryptography.hazmat.primitives.asymmetric import ed25519
print("ready", flush=True)
import sys; sys.stdin.read()
"""


def measure() -> list[Figure]:
    with display() as glass:
        bare = _bare(glass)
        start, all_shown = _screen(glass)
        growth = _slope(glass)
    return [
        Figure(
            name="screen's memory after start",
            value=start / MIB,
            unit="MiB",
            beside=bare / MIB,
            beside_name="bare window with one label",
            goal=1.5,
            how="VmRSS, X server without a display, 1080 × 1920; all screens are built by then, attract is shown",
        ),
        Figure(
            name="screen's memory, every screen shown",
            value=all_shown / MIB,
            unit="MiB",
            beside=bare / MIB,
            beside_name="bare window with one label",
            goal=1.5,
        ),
        growth,
        _agent(),
    ]


def _bare(glass: dict[str, str]) -> int:
    with running(bare_command(), glass) as bare:
        wait_painted(bare)
        return resident_kib(bare.pid)


def _screen(glass: dict[str, str]) -> tuple[int, int]:
    with stage() as opened, running(screen_command(opened.settings), glass) as screen:
        numbers = itertools.count(1)
        for _ in range(SETTLED_PAINTS):
            _show(opened, attract(), next(numbers))
        start = resident_kib(screen.pid)
        for view in [*every_screen(), attract()]:
            _show(opened, view, next(numbers))
        return start, resident_kib(screen.pid)


def _slope(glass: dict[str, str]) -> Figure:
    """Least squares over the resident memory after each 25 visits of the last three quarters."""
    numbers = itertools.count(1)
    points = []
    with stage(SMALL) as opened, running([sys.executable, "-m", "bench.visits", opened.settings], glass) as screen:
        for number in range(1, VISITS + 1):
            for view in visit(number):
                _show(opened, view, next(numbers))
            if number >= WARM and number % EVERY == 0:
                points.append((float(number), resident_kib(screen.pid) * 1.024))
    return Figure(
        name="growth of the screen's memory",
        value=slope(points),
        unit="kB a visit",
        goal=5,
        how=f"least squares over visits {WARM} to {VISITS}, each 8 painted views with its own names and amounts, from "
        f"{points[0][1] / 1000:.0f} to {points[-1][1] / 1000:.0f} MB; 540 × 960, no frame limit",
    )


def _show(opened: Stage, view: AnyView, number: int) -> None:
    opened.show(msgspec.structs.replace(view, frame=msgspec.structs.replace(view.frame, view_no=number)))


def _agent() -> Figure:
    with a_lobby() as lobby, at_work(lobby) as kiosk:
        memory = resident_kib(kiosk.agent_pid)
    return Figure(
        name="agent's memory, ready to be paid",
        value=memory / MIB,
        unit="MiB",
        beside=_agent_peer() / MIB,
        beside_name="bare Python with the agent's third-party imports",
        how="VmRSS after its first attract view with cash, nothing printed yet",
    )


def _agent_peer() -> int:
    with subprocess.Popen(
        [sys.executable, "-c", AGENT_PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.home()
    ) as peer:
        assert peer.stdout is not None
        assert peer.stdout.readline() == b"ready\n"
        return resident_kib(peer.pid)
