from collections.abc import Iterator
from pathlib import Path

import pytest

from .clones import make_clone, open_directory


@pytest.fixture
def clone() -> Iterator[Path]:
    with open_directory() as directory:
        yield make_clone(directory / "clone")
