"""The page of API keys: made once, shown once, revoked for good."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.api_keys import make_key
from accounts.models import ApiKey, AuditEntry, Role
from tests.make import make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_workspace("Acme", time_zone="Africa/Nairobi")


@pytest.fixture
def ann(acme, client):
    user = make_member(acme, Role.ADMIN, email="ann@example.com")
    client.force_login(user)
    return user


def typed(**changes) -> dict:
    return {"name": "Shop", "role": Role.MARKETER.value, "last_day": ""} | changes


def test_a_key_is_made_its_secret_shown_once_and_opens_the_api(client, ann):
    assert "No program has a key yet" in client.get(reverse("api-keys")).content.decode()

    page = client.post(reverse("api-keys"), typed()).content.decode()

    key = ApiKey.objects.get()
    secret = page.split('value="cd_')[1].split('"')[0]
    assert ApiKey.of(f"cd_{secret}") == key
    assert (key.name, key.role, key.expires_at) == ("Shop", Role.MARKETER, None)
    listed = client.get(reverse("api-keys")).content.decode()
    assert key.prefix in listed
    assert secret not in listed
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.kind, entry.actor_id) == ("make", "apikey", ann.pk)
    assert secret not in str(entry.changes)


def test_a_key_is_valid_through_its_last_day_where_the_workspace_is(client, ann):
    day = timezone.localdate() + timedelta(days=3)

    client.post(reverse("api-keys"), typed(last_day=day.isoformat()))

    until = ApiKey.objects.get().expires_at.isoformat()
    assert until == f"{day.isoformat()}T21:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "Name the program"),
        ({"role": Role.OWNER.value}, "valid choice"),
        ({"role": "9"}, "valid choice"),
        ({"last_day": "2020-01-01"}, "That day is over"),
        ({"last_day": "soon"}, "Choose a day, such as"),
        ({"last_day": "9999-12-31"}, "Choose an earlier day"),
    ],
)
def test_what_makes_no_key_is_told(client, ann, changes, sentence):
    answer = client.post(reverse("api-keys"), typed(**changes))

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_after_a_question_and_stays_in_the_list(client, acme, ann):
    key, secret = make_key(acme, name="Shop", role=Role.EDITOR, by=ann)
    address = reverse("revoke-key", args=[key.pk])

    assert "cannot be undone" in client.get(address).content.decode()
    assert ApiKey.of(secret)
    first, again = (client.post(address, follow=True).content.decode() for _ in range(2))

    assert "whoever asks with it is refused" in first
    assert "was revoked before" in again
    assert ApiKey.of(secret) is None
    assert "revoked" in client.get(reverse("api-keys")).content.decode()
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["make", "revoke"]
