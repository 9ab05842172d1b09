"""Services that are not there, for every test that asks what happens then."""

import socket
from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase
from hypothesis import settings

from tests.sweep import sweep

settings.register_profile("long", max_examples=500, print_blob=True)  # new courses each time: see CONTRIBUTING


@pytest.fixture(scope="session", autouse=True)
def swept() -> Iterator[None]:
    """Tests that commit leave empty tables, which Django's own way takes very long for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", sweep)
        yield


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
