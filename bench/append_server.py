"""The least a server can do with an upload: append its bytes to a file, sync, answer. ``python -m bench.append_server FILE``.

Waitress with the office's own number of threads. Prints one JSON line with its address.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from waitress.server import create_server

from office.commands.serve import THREADS


class Appending:
    """A WSGI application that keeps what it is sent."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        with self._lock:
            os.write(self._file, body)
            os.fsync(self._file)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
        return [b"{}"]


def main(file: Path) -> int:
    server = create_server(Appending(file), host="127.0.0.1", port=0, threads=THREADS)
    print(json.dumps({"ready": True, "url": f"http://127.0.0.1:{server.effective_port}"}), flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
