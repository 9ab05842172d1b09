"""Services that are not there, for every test that asks what happens then."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=500, print_blob=True)  # new courses each time: see CONTRIBUTING


@pytest.fixture
def silence() -> Iterator[int]:
    """The port of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
