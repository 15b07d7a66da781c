"""Migrate, check the books, and serve kiosks and staff until told to stop."""

import argparse
import ipaddress
import logging
import os
import signal
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from office.commands.common import CommandFailed, complain, say, set_up, usage

THREADS = 8
FOLD_TURN_S = 0.5  # then it looks whether a backlog is arriving, and gives way to it
LOOK_S = 1.0  # how often the background looks for events that an answer had no time to fold

log = logging.getLogger("office.serve")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen",
        type=usage(_address),
        default="127.0.0.1:8000",
        metavar="HOST:PORT",
        help="default 127.0.0.1:8000; port 0 takes a free one",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="a public name of this office; may be repeated",
    )
    parser.add_argument(
        "--public-url",
        type=usage(_public_url),
        metavar="URL",
        help="where people's phones reach this office, such as https://pay.example.cn; slips show it as a QR code",
    )
    parser.add_argument(
        "--proxy",
        metavar="ADDRESS",
        help="address of the TLS proxy in front; its X-Forwarded-For and -Proto are believed",
    )


def run(arguments: argparse.Namespace) -> int:
    host, port = arguments.listen
    names = [
        name
        for name in (*os.environ.get("OFFICE_NAMES", "").split(","), *arguments.name, _own_name(host, port))
        if name
    ]
    os.environ["OFFICE_NAMES"] = ",".join(dict.fromkeys(names))
    if arguments.public_url:
        os.environ["OFFICE_PUBLIC_URL"] = arguments.public_url
    _public_url(os.environ.get("OFFICE_PUBLIC_URL", ""))
    set_up()
    _check_books()
    server = _server(host, port, arguments.proxy)
    stopped = threading.Event()
    folder = threading.Thread(target=_fold_in_background, args=(stopped,), name="folder", daemon=True)
    folder.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    url = f"http://{host}:{server.effective_port}"
    say(arguments, {"event": "ready", "url": url, "pid": os.getpid()}, f"The office serves at {url} (Ctrl-C stops it)")
    try:
        server.run()  # returns once _stop's SystemExit has let the requests in hand finish
    finally:
        stopped.set()
        server.close()
        folder.join(timeout=3)
    return 0


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(0)


def _public_url(url: str) -> str:
    """The address goes onto paper, so a wrong one is refused at once."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query):
        raise CommandFailed(f"public URL {url}: give scheme and name only, such as https://pay.example.cn")
    return url


def _server(host: str, port: int, proxy: str | None) -> Any:
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    # Without a named proxy every X-Forwarded header is dropped: anybody could send one.
    believed = {"trusted_proxy_count": 1, "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}}
    try:
        return create_server(
            get_wsgi_application(),
            host=host,
            port=port,
            threads=THREADS,
            ident="menting",
            clear_untrusted_proxy_headers=True,
            **({"trusted_proxy": proxy, **believed} if proxy else {}),
            max_request_body_size=16 * 1024 * 1024,  # the kiosk API's own limit is smaller and answers in its own words
            channel_timeout=60,
        )
    except (OSError, socket.gaierror) as error:
        raise CommandFailed(
            f"cannot listen on {host}:{port} ({error}); stop what holds the port or choose another with --listen"
        ) from error


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535 or not host:
        raise CommandFailed(f"{text}: give HOST:PORT such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def _own_name(host: str, port: int) -> str:
    """The address itself is a name, unless it means "every address"."""
    try:
        if ipaddress.ip_address(host).is_unspecified:
            return ""
    except ValueError:
        pass  # a host name is as good as an address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_books() -> None:
    """Say what is off before serving. It serves all the same: kiosks must be able to hand over what they hold."""
    from office.ledger.verify import verify_everything

    for finding in verify_everything(quick=True):
        complain(f"office serve: the books are off: {finding}; run office verify, then office rebuild")


def _fold_in_background(stopped: threading.Event) -> None:
    from django.db import connections

    pause_s = LOOK_S
    while not stopped.wait(pause_s):
        pause_s = LOOK_S
        if not _fold_what_waits():
            pause_s = 0
    connections.close_all()


def _fold_what_waits() -> bool:
    """One turn for every project; whether nothing is left. Whatever goes wrong in one of them holds up no other, nor the next turn."""
    from django.db import DatabaseError, connections

    from office.ledger import stream

    done = True
    try:
        behind = stream.projects_behind()
    except DatabaseError:
        log.exception("background_fold_failed")
        connections.close_all()
        return True
    for project_id in behind:
        try:
            done = stream.fold(project_id, FOLD_TURN_S) and done
        except Exception:
            log.exception("background_fold_failed project=%s", project_id)
            connections.close_all()
    return done
