"""What would run in another program's template language is here a text like any other, saved, previewed and sent."""

import pytest
from django.urls import reverse

from accounts.models import Role
from campaigns.authoring import create_campaign
from campaigns.faults import InvalidContent
from campaigns.models import Source
from campaigns.preview import preview_of
from campaigns.rendering import Renderer
from people.channels import Channel
from simulator.models import Call
from tests.dispatcher.sending import send
from tests.make import logged_in, make_recipient, make_workspace

ATTACKS = [
    "{{7*7}}",
    "{{ settings.SECRET_KEY }}",
    "{% debug %}",
    "{% load static %}{% include 'base.html' %}",
    '{{ x|ljust:"200000000" }}',
    "{0.__class__.__mro__}",
    "{first_name.__class__}",
    "{first_name!r:>99999999}",
    "${7*7} #{7*7} <%= 7*7 %> @(7*7)",
    "%mautic.db_password% %(first_name)s %s %n",
    "{{env `SECRET_KEY`}} {{ .Subscriber.Email }}",
    "${jndi:ldap://canary.invalid/x}",
    "$(id) `id` ; id",
    "{{constructor.constructor('return 1')()}}",
    "*|FNAME|* %%first_name%% [[first_name]]",
]


@pytest.mark.django_db(transaction=True)
def test_every_template_language_but_ours_comes_out_as_typed(settings):
    settings.SIMULATOR_PROFILE = "perfect"
    workspace = make_workspace()
    body = "\n".join(ATTACKS)
    subject = "{{7*7}} {% debug %} {first_name.__class__} ${7*7} %s"
    campaign = create_campaign(workspace, by=None, name="A", subject=subject, body=body, everyone=True)
    person = make_recipient(workspace, first_name="{{7*7}}")
    page = logged_in(workspace, Role.EDITOR).post(
        reverse("campaign-preview"), {"name": "A", "channel": "sms", "body": body, "audience": "everyone"}
    )

    assert preview_of(campaign, person).body.startswith(f"{body}\n\nTo stop")
    assert page.context["preview"].body.startswith(body)
    send(campaign)
    call = Call.objects.get(key=campaign.messages.get().key)
    assert (call.subject, call.text.partition("\n\nTo stop")[0]) == (subject, body)


@pytest.mark.parametrize("text", ["{" * 100_000, "{a|" * 33_000, "{a" * 50_000, "|}" * 50_000, "{a|b}" * 20_000])
def test_no_text_is_so_strange_that_it_has_no_end(text):
    rendered = Renderer(Channel.EMAIL, {(0, ""): Source(text[:200], text)}).rendered({"a": "x"})

    assert len(rendered.text) <= len(text)


@pytest.mark.django_db
def test_a_text_of_a_million_characters_is_refused_with_its_length():
    with pytest.raises(InvalidContent, match="1,000,000 characters; an email holds 100,000 at most"):
        create_campaign(make_workspace(), by=None, name="A", subject="A", body="x" * 1_000_000)
