"""Why a campaign cannot be sent, said by each call just where the OpenAPI document declares it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import Role, Workspace
from campaigns.models import Campaign, Linking, WhatsAppTemplate
from dispatcher import operations
from dispatcher.models import ChosenSender
from people.channels import Channel
from people.models import Import
from tests.api.calls import Program, error_of
from tests.api.described import codes_of, operation_at
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_group, make_whatsapp_template, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db


def unwritten(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(body="")


def unapproved(campaign: Campaign) -> None:
    by_template(campaign)
    WhatsAppTemplate.objects.update(status=WhatsAppTemplate.Status.PAUSED)


def unfitting(campaign: Campaign) -> None:
    by_template(campaign)
    campaign.workspace.recipients.update(first_name="Ann\nLee")


def by_template(campaign: Campaign) -> None:
    template = make_whatsapp_template(campaign.workspace)
    values = {"whatsapp_template": template, "whatsapp_values": {"1": "{first_name|there}"}}
    body = template.body.replace("{{1}}", "{first_name|there}")
    Campaign.objects.filter(pk=campaign.pk).update(channel=Channel.WHATSAPP, subject="", body=body, **values)


def of_a_broken_segment(campaign: Campaign) -> None:
    to_nobody(campaign)
    group = make_group(campaign.workspace)
    campaign.segments.add(make_segment(campaign.workspace, ("group", "in", group.pk)))
    group.delete()


def to_nobody(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(everyone=False)


def linking(campaign: Campaign) -> None:
    Linking.objects.create(campaign=campaign, addresses=["ann@example.com"], total=1)


def importing(campaign: Campaign) -> None:
    Import.objects.create(workspace=campaign.workspace, name="people.csv", status=Import.Status.RUNNING)


def without_sender(campaign: Campaign) -> None:
    ChosenSender.objects.create(workspace=campaign.workspace, channel=Channel.EMAIL, sender="gone")


def without_room(campaign: Campaign) -> None:
    operations.launch(make_campaign(campaign.workspace), by=None)
    full(campaign.workspace)


def full(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(open_messages=1)


HINDRANCES: dict[str, Callable[[Campaign], None]] = {
    "INVALID_TEMPLATE": unwritten,
    "WHATSAPP_TEMPLATE": unapproved,
    "SEGMENT_BROKEN": of_a_broken_segment,
    "NO_RECIPIENTS": to_nobody,
    "UNFITTING_VALUES": unfitting,
    "IMPORT_RUNNING": importing,
    "ADDRESSES_LINKING": linking,
    "SENDER_NOT_CONFIGURED": without_sender,
    "QUEUE_FULL": without_room,
}


@pytest.mark.parametrize("path", ["send", "{}/send", "{}/enqueue", "{}/schedule", "{}/repeat"])
def test_what_hinders_a_send_is_declared_where_it_is_said_and_nowhere_else(path):
    said = set()
    for hinder in HINDRANCES.values():
        campaign = make_campaign(make_workspace(), people=1)
        hinder(campaign)
        campaign.refresh_from_db()
        answer = asked(campaign, path)
        said |= {error_of(answer)["code"]} if answer.status_code >= 400 else set()

    assert said == declared(f"/api/campaigns/{path.format(1)}")


@pytest.mark.parametrize("verb", ["resume", "retry-failed", "send-again"])
def test_what_hinders_going_on_is_declared_where_it_is_said_and_nowhere_else(verb):
    said = set()
    for code in ("SENDER_NOT_CONFIGURED", "QUEUE_FULL"):
        campaign = launched(make_campaign(people=3), *failed(), *sent())
        if verb == "resume":
            operations.pause(campaign, by=None)
        HINDRANCES[code](campaign)
        answer = Program(campaign.workspace, Role.OWNER).post(f"/api/campaigns/{campaign.pk}/{verb}")
        said |= {error_of(answer)["code"]} if answer.status_code >= 400 else set()

    assert said == declared(f"/api/campaigns/1/{verb}")


def asked(campaign: Campaign, path: str) -> HttpResponse:
    day = timezone.now() + timedelta(days=2)
    bodies = {
        "send": {"id": campaign.pk},
        "{}/send": choice(campaign),
        "{}/schedule": {"scheduled_at": day.isoformat()},
        "{}/repeat": {"repeat": "daily", "starts": f"{day:%Y-%m-%d}", "time": "09:00"},
    }
    program = Program(campaign.workspace, Role.OWNER)
    return program.post(f"/api/campaigns/{path.format(campaign.pk)}", bodies.get(path))


def choice(campaign: Campaign) -> dict[str, Any]:
    """Whom it is for, as a send says it, which chooses anew."""
    if campaign.everyone:
        return {"target": "all"}
    segments = list(campaign.segments.values_list("pk", flat=True))
    return {"segment_ids": segments} if segments else {"group_ids": [make_group(campaign.workspace).pk]}


def declared(path: str) -> set[str]:
    operation = operation_at("post", path)
    codes = {code for status in ("400", "409", "503") for code in codes_of(operation, int(status))}
    return codes & HINDRANCES.keys()
