"""``kiosk-sim PROGRAM``: devices that speak the real bytes, each a program of its own."""

import importlib
import sys
from collections.abc import Sequence

# Program: what it is, and the module whose main(argv) runs it.
PROGRAMS: dict[str, tuple[str, str]] = {
    "bill-acceptor": ("a note validator with escrow", "kiosk.hardware.bill_acceptor.simulator"),
    "receipt-printer": ("draws its slips to PNG", "kiosk.hardware.receipt_printer.simulator"),
    "network": ("the cable between kiosk and office", "kiosk.hardware.simulators.network"),
    "replay": ("plays a recorded trace, as the device", "kiosk.hardware.simulators.replay_command"),
    "play": ("plays a scenario file on running simulators", "kiosk.hardware.simulators.play_command"),
    "bench": ("the page that plays all of them", "kiosk.hardware.simulators.bench.command"),
    "lobby": ("a whole lobby on one laptop: what make run starts", "kiosk.hardware.simulators.lobby.command"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one program; 0 after a clean stop, 2 on wrong usage, 1 on failure."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["--help"], ["-h"]):
        print(usage())
        return 0
    if not arguments or arguments[0] not in PROGRAMS:
        asked = f"there is no program {arguments[0]!r}" if arguments else "which program?"
        print(f"kiosk-sim: {asked}\n{usage()}", file=sys.stderr)
        return 2
    module = importlib.import_module(PROGRAMS[arguments[0]][1])
    status: int = module.main(arguments[1:])
    return status


def usage() -> str:
    rows = "\n".join(f"  {name:<18}{what}" for name, (what, _) in PROGRAMS.items())
    return f"usage: kiosk-sim PROGRAM [--help] ...\n\n{rows}"


if __name__ == "__main__":
    sys.exit(main())
