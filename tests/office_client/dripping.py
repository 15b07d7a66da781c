"""Somebody in between who keeps a connection busy for ever: each byte comes well before a socket would give up."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EVERY_S = 0.05


class Dripping:
    """Answers every request with ``begins``, and then one ``drop`` after the other until it is left."""

    def __init__(self, begins: bytes, drop: bytes, tls: ssl.SSLContext | None = None) -> None:
        self._begins, self._drop, self._tls = begins, drop, tls
        self._stop = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> "Dripping":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            try:
                with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as one:
                    drip(one, self._begins, self._drop, self._stop)
            except OSError:
                continue  # the kiosk has had enough


def drip(connection: socket.socket, begins: bytes, drop: bytes, stop: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(begins)
    while not stop.wait(EVERY_S):
        connection.sendall(drop)


def own_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1, and the certificate with which a client believes it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, folder / "key.pem")
    return context, path


class Cable:
    """The way to an office. Once it is ill, the line in use is cut and the next one drips; those after that are well again."""

    def __init__(self, port: int) -> None:
        self._port, self._ill, self._stop = port, False, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> "Cable":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        self._cut()

    def falls_ill(self) -> None:
        self._ill = True
        self._cut()

    def _cut(self) -> None:
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._lines.clear()

    def _serve(self) -> None:
        while True:
            try:
                kiosk, _ = self._server.accept()
            except OSError:
                return
            way, self._ill = (self._drips if self._ill else self._carries), False
            threading.Thread(target=way, args=(kiosk,)).start()

    def _drips(self, kiosk: socket.socket) -> None:
        with kiosk, suppress(OSError):
            drip(kiosk, b"HTTP/1.1 200 OK\r\nX: ", b"x", self._stop)

    def _carries(self, kiosk: socket.socket) -> None:
        office = socket.create_connection(("127.0.0.1", self._port))
        self._lines += [kiosk, office]
        back = threading.Thread(target=_pump, args=(office, kiosk))
        back.start()
        _pump(kiosk, office)
        back.join()
        kiosk.close()
        office.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
