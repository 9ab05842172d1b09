"""The example in docs/senders.md works as it stands there."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from campaigns.models import Campaign
from dispatcher import choose, senders
from people.channels import Channel
from tests.dispatcher.sending import send, work_off
from tests.make import make_campaign, make_recipient

pytestmark = pytest.mark.django_db


def test_the_example_carries_a_campaign(monkeypatch, tmp_path):
    text = (settings.BASE_DIR / "docs" / "senders.md").read_text()
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    module: dict = {"__name__": "example"}
    exec(example[1], module)  # noqa: S102 - our own text
    monkeypatch.setitem(senders.SENDERS, "file", module["FileSender"])
    campaign = make_campaign(people=9, channel=Channel.SMS, subject="", body="Hi {first_name}")
    person = make_recipient(campaign.workspace, first_name="Zoë")
    file = tmp_path / "messages.txt"

    write_to(campaign, module["FileOptions"], tmp_path / "no such folder" / "messages.txt")
    assert send(campaign).pending == 10
    write_to(campaign, module["FileOptions"], file)
    assert work_off(campaign).sent == 10

    assert len(file.read_text().splitlines()) == 10
    assert f"{person.phone} 'Hi Zoë\\nStop: http" in file.read_text()


def write_to(campaign: Campaign, form: type, path: Path) -> None:
    options = form({"path": path})
    assert options.is_valid()
    choose.choose(
        campaign.workspace,
        Channel.SMS,
        sender="file",
        from_name="",
        from_address="",
        limit=None,
        options=options.cleaned_data,
        by=None,
    )
