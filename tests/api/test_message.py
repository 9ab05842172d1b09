"""One message, as programs read it: its words, its outcome and every try that did not succeed."""

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher.models import Attempt, Category
from tests.api.calls import Program, error_of
from tests.dispatcher.outcomes import failed, launched
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db


def test_a_message_tells_its_words_and_its_tries():
    program = Program(make_workspace())
    campaign = launched(make_campaign(program.workspace, people=1), *failed(Category.TIMEOUT))
    message = campaign.messages.get()
    Attempt.objects.create(message=message, key=message.key, outcome=1, category=Category.TIMEOUT, error="504")
    path = f"/api/campaigns/{campaign.pk}/messages"

    told = program.get(f"{path}/1").json()

    assert (told["id"], told["status"], told["address"]) == (message.pk, "failed", message.address)
    assert told["rendered_content"].startswith(f"Dear {message.recipient.first_name}")
    assert (told["tries"], told["key"], told["is_proved"]) == (1, str(message.key), None)
    attempt = told["attempts"][0]
    assert (attempt["outcome"], attempt["category"], attempt["error"]) == ("busy", "timeout", "504")
    for number in ("0", "2", str(2**31), str(10**30)):
        assert error_of(program.get(f"{path}/{number}"))["code"] == "MESSAGE_NOT_FOUND"
    assert error_of(program.get(f"{path}/first"))["code"] == "INVALID_NUMBER"


def test_a_message_in_a_file_is_not_told():
    program = Program(make_workspace())
    campaign = launched(make_campaign(program.workspace, people=1), *failed())
    now = timezone.now()
    Campaign.objects.filter(pk=campaign.pk).update(status=7, finished_at=now, stored_at=now)

    refused = program.get(f"/api/campaigns/{campaign.pk}/messages/1")

    assert refused.status_code == 409 and "moved to a file" in error_of(refused)["message"]
