"""The web server's limits, over real sockets."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from processes import end, spawn

from .clones import ROOT, free_port

MEBIBYTE = 1024 * 1024


@contextmanager
def server(*words: str) -> Iterator[int]:
    """A server with a tiny application behind it; yields its port."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.commands.tiny_app", str(port), *words]
    child = spawn(argv, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
    finally:
        end(child)
        assert child.returncode == 0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server() as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def head(method: str = "POST", path: str = "/", **headers: object) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def everything(connection: socket.socket) -> bytes:
    """All that comes until the server closes, politely or not."""
    came = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            came += chunk
    return came


def ask(port: int, request: bytes) -> dict:
    """What the application saw of a request."""
    with connect(port) as connection:
        connection.sendall(request)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])


def seconds_until_closed(connection: socket.socket) -> float:
    start = time.monotonic()
    everything(connection)
    return time.monotonic() - start


def test_an_upload_of_5_mebibytes_arrives_whole(port):
    body = os.urandom(5 * MEBIBYTE)

    seen = ask(port, head(Content_Length=len(body), Connection="close") + body)

    assert seen["size"] == len(body)


def test_a_claim_of_600_megabytes_is_refused_before_any_of_it_is_sent(port):
    with connect(port) as connection:
        connection.sendall(head(Content_Length=600_000_000, Expect="100-continue"))

        answer = everything(connection)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nX-Request-ID: " in answer
    assert answer.endswith(b"The request is larger than the 12,582,912 bytes allowed.\n")


def test_the_api_refuses_in_json(port):
    with connect(port) as connection:
        connection.sendall(head(path="/api/campaigns", Content_Length=600_000_000))

        answer = everything(connection)

    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["code"] == "BODY_TOO_LARGE"
    assert error["details"] == {}


def test_who_sends_all_the_same_still_reads_the_refusal(port):
    with connect(port) as connection:
        connection.sendall(head(Content_Length=20 * MEBIBYTE))
        connection.sendall(bytes(20 * MEBIBYTE))

        assert everything(connection).startswith(b"HTTP/1.1 413 ")


def test_a_flood_of_chunks_is_cut_when_it_passes_the_limit(port):
    chunk = b"%x\r\n" % MEBIBYTE + bytes(MEBIBYTE) + b"\r\n"
    with connect(port) as connection:
        connection.sendall(head(Transfer_Encoding="chunked") + chunk * 13)

        assert everything(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_in_chunks_within_the_limit_arrives(port):
    chunk = b"%x\r\n" % MEBIBYTE + bytes(MEBIBYTE) + b"\r\n"

    seen = ask(port, head(Transfer_Encoding="chunked", Connection="close") + chunk * 12 + b"0\r\n\r\n")

    assert seen["size"] == 12 * MEBIBYTE


def test_a_client_that_says_nothing_is_shown_out(port):
    with connect(port) as connection:
        assert 0.4 < seconds_until_closed(connection) < 1.5


@pytest.mark.parametrize(
    "begun",
    [b"GET / HT", head("GET") + b"GET / HT", head(Content_Length=100) + b"half"],
    ids=["header", "next-header", "body"],
)
def test_a_request_that_stops_half_way_is_cut(port, begun):
    with connect(port) as connection:
        connection.sendall(begun)

        assert 0.4 < seconds_until_closed(connection) < 1.5


@pytest.mark.parametrize(
    ("begun", "drop", "limit"),
    [(b"GET / HTTP/1.1\r\n", b"X-Drop: 1\r\n", 2), (head(Content_Length=1000), b"x", 3)],
    ids=["header", "body"],
)
def test_a_request_that_only_drips_is_cut(port, begun, drop, limit):
    with connect(port) as connection:
        connection.sendall(begun)
        start = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - start < 8:
                time.sleep(0.3)
                connection.sendall(drop)

        assert limit - 0.2 < time.monotonic() - start < limit + 1.4


def test_a_connection_lives_on_between_requests(port):
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(head("GET"))
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                came = connection.recv(65536)
                assert came
                answer += came
            assert b'"size": 0' in answer
            time.sleep(1.2)


def test_the_address_a_stranger_claims_to_forward_is_ignored(port):
    claims = {"X_Forwarded_For": "6.6.6.6", "X_Forwarded_Proto": "https", "Daphne_Root_Path": "/evil"}

    seen = ask(port, head("GET", Connection="close", **claims))

    assert seen == {"size": 0, "client": "127.0.0.1", "scheme": "http", "root": "", "forwarded": []}


def test_of_a_trusted_proxy_only_what_it_appended_itself_counts():
    with server("trusting") as port:
        claims = {"X_Forwarded_For": "6.6.6.6, 9.9.9.9", "X_Forwarded_Proto": "http, https"}

        seen = ask(port, head("GET", Connection="close", **claims))

    assert (seen["client"], seen["scheme"], seen["forwarded"]) == ("9.9.9.9", "https", ["9.9.9.9", "https"])


def test_an_answer_younger_than_the_server_has_its_name(port):
    with connect(port) as connection:
        connection.sendall(head("GET", "/too-often", Connection="close"))

        assert everything(connection).startswith(b"HTTP/1.1 429 Too Many Requests\r\n")


def test_nothing_says_which_software_answers(port):
    with connect(port) as connection:
        connection.sendall(head("GET", Connection="close"))
        answered = everything(connection)
    with connect(port) as connection:
        connection.sendall(head("GET", Bad_Value="\x0b!", Connection="close"))
        refused = everything(connection)

    assert refused.startswith(b"HTTP/1.1 400 ")
    for answer in (answered, refused):
        assert b"server:" not in answer.lower()
        assert b"daphne" not in answer.lower()


def upgrade() -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    wanted = {"Sec_WebSocket_Key": key, "Sec_WebSocket_Version": 13}
    return head("GET", Upgrade="websocket", Connection="Upgrade", **wanted)


def upgraded(port: int) -> socket.socket:
    connection = connect(port)
    connection.sendall(upgrade())
    answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    assert b"server:" not in answer.lower()
    return connection


def frame(text: bytes) -> bytes:
    """A masked text frame, its length in the shortest form that holds it."""
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xff" + len(text).to_bytes(8, "big")
    return b"\x81" + length + bytes(4) + text


def test_a_socket_stays_open_in_silence_and_echoes(port):
    with upgraded(port) as connection:
        time.sleep(2)  # longer than the tiny server allows a request to be silent
        connection.sendall(frame(b"still here"))

        assert connection.recv(100).endswith(b"still here")


def test_a_socket_that_comes_in_one_packet_with_a_request_knows_nothing_of_it(port):
    with connect(port) as connection:
        connection.sendall(head("GET", "/first") + upgrade())
        came = b""
        while b"HTTP/1.1 101 " not in came or not came.endswith(b"\r\n\r\n"):
            came += connection.recv(4096)
        connection.sendall(frame(b"what was asked before?"))

        assert connection.recv(100).endswith(b"nothing")


def test_a_frame_of_more_than_64_kibibytes_closes_the_socket(port):
    with upgraded(port) as connection:
        connection.sendall(frame(b"x" * 65537)[:20])

        assert seconds_until_closed(connection) < 2


def test_a_frame_of_64_kibibytes_passes(port):
    with upgraded(port) as connection:
        connection.sendall(frame(b"x" * 65536))

        assert len(connection.recv(1000)) == 1000


def test_a_port_in_use_is_told_by_the_exit_code():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        argv = [sys.executable, "-m", "tests.commands.tiny_app", port]

        assert subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=20).returncode == 1


def test_a_half_sent_request_does_not_keep_the_server_from_stopping():
    with server() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)


@pytest.mark.parametrize("request_line", [b"GET /\xff HTTP/1.1", b"nonsense"])
def test_what_is_no_request_is_refused_under_a_number(port, request_line):
    with connect(port) as connection:
        connection.sendall(request_line + b"\r\nHost: localhost\r\n\r\n")

        answer = everything(connection)

    assert answer.startswith(b"HTTP/1.1 400 ") and b"\r\nX-Request-ID: " in answer
