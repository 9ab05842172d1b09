"""Scheduling in a workspace in Athens, whose clocks change twice a year."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.make import make_member, make_workspace

ATHENS = "Europe/Athens"


@pytest.fixture
def workspace(client):
    workspace = make_workspace(time_zone=ATHENS)
    client.force_login(make_member(workspace, name="Ann"))
    return workspace


def in_days(days: int) -> date:
    return timezone.now().astimezone(ZoneInfo(ATHENS)).date() + timedelta(days=days)


def last_sunday(month: int) -> date:
    """The day on which the clocks of Europe change next year in this month."""
    last = date(in_days(0).year + 1, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def seal(client, campaign) -> str:
    html = client.get(reverse("check", args=[campaign.pk])).content.decode()
    found = re.search(r'name="checked" value="(\w+)"', html)
    return found[1] if found else ""


def press(client, campaign, **typed):
    """Schedule as the check page does, by default for tomorrow at nine in Athens."""
    usual = {"date": str(in_days(1)), "time": "09:00", "zone": ATHENS, "repeat": "", "ends": "never"}
    typed = {"checked": seal(client, campaign)} | usual | typed
    return client.post(reverse("schedule", args=[campaign.pk]), typed, follow=True)
