"""The admin: the ledger can be looked at and not touched, and the queues are for superusers."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import get_resolver, reverse

from dispatcher.models import Attempt, Category, Heartbeat, Message, Pace, Settlement
from tests.dispatcher.outcomes import launched, sent
from tests.make import make_campaign, make_user

pytestmark = pytest.mark.django_db
LEDGER = ["batch", "message", "attempt", "settlement", "heartbeat"]


@pytest.fixture
def superuser(client):
    user = make_user(is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


@pytest.fixture
def staff(client):
    """Staff with every permission there is, and yet no superuser."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    return user


@pytest.fixture
def ledger():
    campaign = launched(make_campaign(people=3), *sent())
    message = Message.objects.filter(campaign=campaign).first()
    Attempt.objects.create(message=message, key=message.key, outcome=1, category=Category.TIMEOUT)
    Settlement.objects.create(campaign=campaign, settled=1)
    Heartbeat.objects.create(name="clock")
    return campaign


@pytest.mark.parametrize("name", LEDGER)
def test_the_ledger_is_shown_and_cannot_be_changed(client, superuser, ledger, name):
    rows = reverse(f"admin:dispatcher_{name}_changelist")
    model = client.get(rows).context["cl"].model
    row = reverse(f"admin:dispatcher_{name}_change", args=[model.objects.first().pk])

    assert client.get(row).status_code == 200
    assert client.post(row, {}).status_code == 403
    assert client.post(reverse(f"admin:dispatcher_{name}_delete", args=[model.objects.first().pk])).status_code == 403
    assert client.get(reverse(f"admin:dispatcher_{name}_add")).status_code == 403


def test_of_a_pace_only_the_limit_can_be_changed(client, superuser, ledger):
    pace = Pace.objects.create(workspace=ledger.workspace, channel=1, sender="simulated", tokens=5)
    address = reverse("admin:dispatcher_pace_change", args=[pace.pk])

    client.post(address, {"limit": "200", "sender": "other", "tokens": "9", "channel": "2"})

    pace.refresh_from_db()
    assert (pace.limit, pace.sender, pace.tokens, pace.channel) == (200, "simulated", 5, 1)


def queue_pages() -> list[str]:
    """The address of every page django-rq has in the admin."""
    values = {"queue_index": 0, "job_id": "x", "result_id": "x", "key": "x", "scheduler_index": 0, "token": "x"}
    values |= {"connection_index": 0, "scheduler_name": "x", "cron_job_name": "x", "object_id": "1"}
    found = []
    for name, ways in get_resolver().namespace_dict["admin"][1].reverse_dict.lists():
        if isinstance(name, str) and name.startswith(("django_rq", "dispatcher_never")):
            for possibility, *_ in ways:
                for _, needed in possibility:
                    found.append(reverse(f"admin:{name}", kwargs={key: values[key] for key in needed}))
    return sorted(set(found))


def test_staff_who_are_no_superusers_see_no_queue(client, staff):
    pages = queue_pages()
    assert len(pages) > 25

    answers = {page: (client.get(page).status_code, client.post(page).status_code) for page in pages}

    assert answers == dict.fromkeys(pages, (403, 403))
    assert "django_rq" not in client.get(reverse("admin:index")).content.decode()


def test_a_superuser_sees_the_queues(client, superuser):
    assert client.get(reverse("admin:django_rq_dashboard_changelist")).status_code == 200
    assert client.get(reverse("admin:django_rq_home_json")).json()["queues"]


def test_strangers_are_asked_to_log_in(client):
    assert {client.get(page).status_code for page in queue_pages()} <= {302, 403}
