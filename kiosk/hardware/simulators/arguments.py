"""The arguments every simulator understands; wrong ones end the program with status 2 and a sentence."""

import argparse
import ipaddress
from pathlib import Path

MAX_SPEED = 1000


def common_parser(program: str, description: str) -> argparse.ArgumentParser:
    """A parser with --link, --state, --seed, --speed and --listen; the program adds its own."""
    parser = argparse.ArgumentParser(prog=f"kiosk-sim {program}", description=description)
    parser.add_argument("--link", type=Path, metavar="PATH", help="make a stable symbolic link to the port")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the device's physical truth over restarts")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="makes any chance repeatable (default 0)")
    parser.add_argument("--speed", type=speed, default=1, metavar="N", help="every device time N times faster")
    parser.add_argument("--listen", type=loopback, metavar="HOST:PORT", help="also take commands on this socket")
    return parser


def in_words(error: OSError) -> str:
    """What the system refused, as a sentence with its remedy."""
    if error.filename:
        return f"{error.filename}: {error.strerror}; name another path"
    return f"{error.strerror}; name another address"


def speed(text: str) -> int:
    """A whole number from 1 to 1000."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SPEED:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_SPEED}")
    return int(text)


def address(text: str) -> tuple[str, int]:
    """HOST:PORT; port 0 takes a free one."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:9001")
    return host.strip("[]"), int(port)


def loopback(text: str) -> tuple[str, int]:
    """HOST:PORT on this machine only: who may send commands may move the device's money."""
    host, port = address(text)
    if host == "localhost":
        return "127.0.0.1", port
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host, port
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{host!r} is not an address of this machine such as 127.0.0.1") from error
    raise argparse.ArgumentTypeError(f"{host} is not a loopback address; simulators listen on this machine only")
