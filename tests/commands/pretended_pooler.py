"""A pooler as seen from outside: it refuses what PgBouncer refuses, and makes up the number of the server's process."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import connection

KEY_DATA, READY = b"K", b"Z"


@contextmanager
def pretended_pooler(directory: Path, *, refuses_options: bool) -> Iterator[str]:
    """Lets connections through to the database of this test; yields the directory of its socket."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(directory / ".s.PGSQL.5432"))
        listening.listen()
        threading.Thread(target=_accept, args=[listening, refuses_options], daemon=True).start()
        yield str(directory)
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, refuses_options: bool) -> None:
    with suppress(OSError):  # the test is over
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=[client, refuses_options], daemon=True).start()


def _serve(client: socket.socket, refuses_options: bool) -> None:
    with client, _database() as server, suppress(EOFError, OSError):
        length = _exactly(client, 4)
        startup = length + _exactly(client, struct.unpack("!i", length)[0] - 4)
        if refuses_options and b"\0options\0" in startup:
            client.sendall(_message(b"E", b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"))
            return
        server.sendall(startup)
        kind = b""
        while kind != READY:
            kind = _exactly(server, 1)
            body = _exactly(server, struct.unpack("!i", _exactly(server, 4))[0] - 4)
            client.sendall(_message(kind, struct.pack("!i", 7) + body[4:] if kind == KEY_DATA else body))
        threading.Thread(target=_carry, args=[client, server], daemon=True).start()
        _carry(server, client)


def _database() -> socket.socket:
    params = connection.get_connection_params()
    host, port = params.get("host") or "", params.get("port") or 5432
    if not host.startswith("/"):
        return socket.create_connection((host, int(port)))
    server = socket.socket(socket.AF_UNIX)
    server.connect(os.path.join(host, f".s.PGSQL.{port}"))
    return server


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _exactly(source: socket.socket, wanted: int) -> bytes:
    got = b""
    while len(got) < wanted:
        more = source.recv(wanted - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def _carry(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(65536):
            to.sendall(some)
        to.shutdown(socket.SHUT_WR)
