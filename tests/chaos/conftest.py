import pytest

from wires.queue import _redis

WINDOW = 10


@pytest.fixture
def small_house(settings):
    """An empty Redis, and batches and windows that a few people fill."""
    _redis().flushdb()
    settings.DISPATCH_WINDOW = WINDOW
    settings.BATCH_SIZE = 100
