import pytest

from dispatcher import senders, workers
from tests.dispatcher.filing import place
from tests.dispatcher.killing import killed_at
from tests.dispatcher.scripted import Script

__all__ = ["killed_at", "place"]


@pytest.fixture
def provider(monkeypatch, settings) -> Script:
    """The outside world, for tests in this process: whoever is not scripted is accepted."""
    script = Script()
    monkeypatch.setitem(senders.SENDERS, "scripted", script)
    settings.SENDERS = dict.fromkeys(("email", "sms", "whatsapp"), "scripted")
    return script


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch):
    """Redis is asked in each test, whatever the one before heard."""
    monkeypatch.setattr(workers, "_asked", (float("-inf"), None))
