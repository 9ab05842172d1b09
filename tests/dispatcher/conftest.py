import pytest

from dispatcher import senders
from tests.dispatcher.scripted import Script


@pytest.fixture
def provider(monkeypatch, settings) -> Script:
    """The outside world, for tests in this process: whoever is not scripted is accepted."""
    script = Script()
    monkeypatch.setitem(senders.SENDERS, "scripted", script)
    settings.SENDERS = dict.fromkeys(("email", "sms", "whatsapp"), "scripted")
    return script
