"""What is previewed is what the provider gets, to the letter, and what was sent can be proved for ever."""

import random

import pytest
from django.urls import reverse
from hypothesis import settings as hypothesis

from accounts.models import Role
from campaigns.models import Campaign, Format, Wording
from campaigns.preview import preview_of
from dispatcher.models import Message
from dispatcher.proof import is_proved
from people.channels import Channel
from people.models import AttributeName, Recipient
from simulator.models import Call
from simulator.provider import digest_of
from tests.campaigns.test_rendering import HOSTILE
from tests.dispatcher.sending import send, wrong_with_the_books
from tests.make import logged_in, make_campaign, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

BODY = "Γεια {first_name|friend} {last_name}! {preferred_product} in {location|your town}: {tier}{prefered_product}"
PAGE = (
    "<!doctype html><html><head><style>p { color: red }</style></head><body><p>{first_name|you} &amp; {tier}</p>"
    '<a href="https://shop.example/?who={email}&amp;in={location}" title="{last_name}">Go</a></body></html>'
)
PLAIN_FACES = ["Alice", "Zoë", "Łukasz", "Οδυσσέας", "O'Hara", "李", "🙂", "", "7", "Anne-Marie van der Berg"]


def people_of_all_kinds(campaign: Campaign, how_many: int, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - the same people each time

    def word() -> str:
        return draw.choice([*PLAIN_FACES, *HOSTILE]).replace("\0", "")[:60]

    AttributeName.objects.create(workspace=campaign.workspace, name="tier")
    Recipient.objects.bulk_create(
        Recipient(
            workspace=campaign.workspace,
            email=f"p{n}+{draw.choice('abc')}@example.com",
            phone=f"+2547{n:08}",
            first_name=word(),
            last_name=word(),
            location=word(),
            preferred_product=word(),
            attributes={"tier": draw.choice([word(), n, None, True]), "language": draw.choice(["el", "en", "", "??"])},
        )
        for n in range(how_many)
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_the_provider_gets_what_the_preview_shows(channel, settings):
    """Of 10,000 people with `--hypothesis-profile long`."""
    settings.SIMULATOR_PROFILE = "perfect"
    how_many = 10_000 if hypothesis.get_current_profile_name() == "long" else 60
    page = {"format": Format.HTML, "html": PAGE, "plain": BODY} if channel == Channel.EMAIL else {}
    campaign = make_campaign(make_workspace(), channel=channel, subject="{first_name}: {tier}", body=BODY, **page)
    Wording.objects.create(campaign=campaign, language="el", subject="{last_name}", body="Στα ελληνικά: {first_name}")
    people_of_all_kinds(campaign, how_many, seed=channel)

    books = send(campaign)

    assert (books.sent, wrong_with_the_books(campaign)) == (how_many, [])
    calls = {call.key: call for call in Call.objects.filter(key__in=campaign.messages.values("key"))}
    for message in campaign.messages.select_related("recipient__workspace"):
        shown, call = preview_of(campaign, message.recipient, is_exact=True), calls[message.key]
        assert (call.subject, call.text) == (shown.subject, shown.body)
        assert call.html_digest == (digest_of(shown.html) if shown.html else "")
        assert is_proved(campaign, message)
    assert len({call.text for call in calls.values()}) > how_many / 10


def test_words_that_were_changed_after_all_are_told_from_those_that_were_sent(settings):
    settings.SIMULATOR_PROFILE = "perfect"
    campaign = make_campaign(people=1)
    send(campaign)
    message = campaign.messages.get()
    page = reverse("message", args=[campaign.pk, message.number])
    browser = logged_in(campaign.workspace, Role.VIEWER)

    assert "word for word what was handed over" in browser.get(page).content.decode()

    Campaign.objects.filter(pk=campaign.pk).update(body="Something else, {first_name}")
    assert "This is not what was handed over" in browser.get(page).content.decode()
    assert wrong_with_the_books(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(body=campaign.body)
    Message.objects.filter(pk=message.pk).update(fields={"first_name": "Eve"})
    assert "This is not what was handed over" in browser.get(page).content.decode()


def test_what_a_value_makes_too_long_fails_that_message_alone(settings):
    settings.SIMULATOR_PROFILE = "perfect"
    campaign = make_campaign(people=2, channel=Channel.SMS, body="{tier}")
    AttributeName.objects.create(workspace=campaign.workspace, name="tier")
    talker, quiet = campaign.workspace.recipients.order_by("pk")
    Recipient.objects.filter(pk=talker.pk).update(attributes={"tier": "x" * 1_700})
    Recipient.objects.filter(pk=quiet.pk).update(attributes={"tier": "x"})

    books = send(campaign)

    assert (books.sent, books.failed) == (1, 1)
    failed = campaign.messages.get(recipient=talker)
    assert "characters for this person; 1,600 is the most" in failed.last_error
    assert failed.get_category_display() == "template_error"
    talker.refresh_from_db()
    assert preview_of(campaign, talker).too_long
