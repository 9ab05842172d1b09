"""What a colleague notes of a person's wishes, on the person's page."""

import pytest
from django.urls import reverse

from people.channels import Channel
from people.consent import How
from people.models import ConsentEvent
from tests.make import make_recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(workspace):
    return make_recipient(workspace, first_name="Ann", last_name="")


def press(client, verb, person, **typed):
    return client.post(reverse(verb, args=[person.pk]), typed, follow=True).content.decode()


def test_one_channel_is_opted_out_with_the_reason_and_in_again_only_with_one(client, ann):
    assert "Ann is opted out of SMS." in press(client, "opt_out", ann, channel="sms", reason="told us on the phone")
    assert "Say how they agreed" in press(client, "opt_in", ann, channel="sms", reason=" ")
    ann.refresh_from_db()
    assert ann.refused_channels == [Channel.SMS]

    page = press(client, "opt_in", ann, channel="sms", reason="wrote to us on 3 May")

    ann.refresh_from_db()
    assert ann.refused_channels == []
    out, back = ConsentEvent.objects.order_by("pk")
    assert (out.how, out.reason, back.reason) == (How.COLLEAGUE, "told us on the phone", "wrote to us on 3 May")
    assert "Opted out of SMS through a colleague" in page and "wrote to us on 3 May" in page


def test_everything_is_opted_out_at_once_and_the_channels_say_so(client, ann):
    page = press(client, "opt_out", ann)

    ann.refresh_from_db()
    assert ann.opted_out
    assert page.count("opted out</span>") == 1 + 1 + len(Channel)  # the heading, everything, and each channel
    assert reverse("opt_out", args=[ann.pk]) not in page


@pytest.mark.parametrize("typed", [{"channel": "fax"}, {"channel": "sms", "reason": "a\x0bb"}, {"reason": "x" * 301}])
def test_nonsense_changes_nothing(client, ann, typed):
    press(client, "opt_out", ann, **typed)

    ann.refresh_from_db()
    assert not ann.opted_out and ann.refused_channels == [] and not ConsentEvent.objects.exists()
