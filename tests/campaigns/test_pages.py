"""The pages a campaign is written on, as a browser without scripts would use them."""

import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from campaigns.authoring import update_campaign
from campaigns.forms import SHOWN
from campaigns.models import Campaign
from people.channels import Channel
from people.models import ConsentSettings
from tests.make import make_campaign, make_group, make_member, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db

TYPED = {
    "name": "Spring",
    "channel": "email",
    "subject": "Hello {first_name}",
    "body": "Dear {first_name|friend},\r\nspring is here.",
    "audience": "some",
    "then": "campaign",
}


@pytest.fixture
def ann():
    return make_member(make_workspace("Acme"), Role.EDITOR, name="Ann")


@pytest.fixture
def workspace(ann):
    return ann.workspaces.get()


@pytest.fixture
def browser(ann):
    browser = Client()
    browser.force_login(ann)
    return browser


def page(answer):
    return answer.content.decode()


def ask(browser, method, address):
    return browser.get(address) if method == "get" else browser.post(address, TYPED)


def test_a_campaign_is_written_and_saved_as_a_draft(browser, workspace, ann):
    group, alice = make_group(workspace), make_recipient(workspace)

    answer = browser.post(reverse("campaign-new"), TYPED | {"groups": group.pk, "picked": alice.pk})

    campaign = workspace.campaigns.get()
    assert answer.headers["Location"] == reverse("campaign", args=[campaign.pk])
    assert (campaign.name, campaign.channel, campaign.created_by) == ("Spring", Channel.EMAIL, ann)
    assert campaign.body == "Dear {first_name|friend},\nspring is here."
    assert (list(campaign.groups.all()), list(campaign.picked.all())) == ([group], [alice])
    assert "saved as a draft" in str(*get_messages(answer.wsgi_request))


def test_save_and_check_leads_to_the_check_page(browser, workspace):
    answer = browser.post(reverse("campaign-new"), TYPED | {"then": "check"})

    assert answer.headers["Location"] == reverse("check", args=[workspace.campaigns.get().pk])


def test_a_refused_form_keeps_all_that_was_typed(browser, workspace):
    group, alice = make_group(workspace, name="Customers"), make_recipient(workspace, first_name="Alice <b>")
    typed = {
        "name": "",
        "body": "Hi {bogus} </textarea>",
        "groups": group.pk,
        "picked": alice.pk,
        "excluded": alice.pk,
    }

    answer = browser.post(reverse("campaign-new"), TYPED | typed | {"channel": "sms", "subject": "kept"})

    assert answer.status_code == 422
    assert not workspace.campaigns.exists()
    html = page(answer)
    assert "Give the campaign a name." in html
    assert "Nobody here has {bogus}. You can use {first_name}" in html
    assert "Hi {bogus} &lt;/textarea&gt;</textarea>" in html
    assert 'value="sms" checked' in html
    assert 'value="kept"' in html
    assert f'name="groups" value="{group.pk}" checked' in html
    assert f'name="picked" value="{alice.pk}"' in html
    assert f'name="excluded" value="{alice.pk}"' in html
    assert "Alice <b>" not in html


@pytest.mark.parametrize("wrong", [{"channel": "fax"}, {"audience": "all"}, {"groups": "x"}, {"picked": "9" * 30}, {}])
def test_nothing_a_browser_can_post_breaks_the_page(browser, workspace, wrong):
    answer = browser.post(reverse("campaign-new"), {**TYPED, **wrong} if wrong else {})

    assert answer.status_code == 422
    assert not workspace.campaigns.exists()


def test_control_characters_are_refused_by_their_number(browser):
    html = page(browser.post(reverse("campaign-new"), TYPED | {"subject": "a\r\nBcc: x", "body": "bell \x07"}))

    assert "remove the line break at position 2" in html
    assert "U+0007 at position 6" in html


@pytest.mark.parametrize("field", ["groups", "excluded_groups", "picked", "excluded"])
def test_ids_of_another_workspace_are_refused_and_never_shown(browser, workspace, field):
    other = make_workspace()
    stranger = make_group(other, name="Secret") if "groups" in field else make_recipient(other, first_name="Secret")

    answer = browser.post(reverse("campaign-new"), TYPED | {field: stranger.pk})

    assert answer.status_code == 422
    assert "Secret" not in page(answer)
    assert not workspace.campaigns.exists()


def test_a_draft_opens_with_what_it_holds_and_saves_changes(browser, workspace):
    campaign = make_campaign(workspace, everyone=False, body="Line one\nLine two")
    picked, excluded = make_recipient(workspace), make_recipient(workspace)
    campaign.picked.add(picked)
    campaign.excluded.add(excluded)
    edit = reverse("campaign-edit", args=[campaign.pk])

    html = page(browser.get(edit))
    browser.post(edit, TYPED | {"audience": "everyone", "excluded": excluded.pk})

    assert f'value="{campaign.name}"' in html
    assert "Line one\nLine two</textarea>" in html
    assert f'name="picked" value="{picked.pk}"' in html
    campaign.refresh_from_db()
    assert (campaign.name, campaign.everyone) == ("Spring", True)
    assert (list(campaign.picked.all()), list(campaign.excluded.all())) == ([], [excluded])


def test_more_picked_people_than_can_be_shown_stay_picked(browser, workspace):
    campaign = make_campaign(workspace, everyone=False)
    people = make_recipients(workspace, SHOWN + 5)
    campaign.picked.set(people)
    edit = reverse("campaign-edit", args=[campaign.pk])

    html = page(browser.get(edit))
    shown = [person.pk for person in people[1:SHOWN]]  # the first chip was removed
    browser.post(edit, TYPED | {"picked": shown, "picked_after": people[SHOWN - 1].pk})

    assert html.count('name="picked" value=') == SHOWN
    assert "and 5 more" in html
    assert set(campaign.picked.all()) == set(people[1:])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("campaign-edit", "is sending; only drafts and scheduled campaigns can be changed"),
        ("campaign-delete", "is sending; only campaigns that are over can be deleted"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_launched_campaign_says_why_it_cannot_be_changed(browser, workspace, name, why, method):
    campaign = make_campaign(workspace, status=Campaign.Status.SENDING)

    answer = ask(browser, method, reverse(name, args=[campaign.pk]))

    assert answer.status_code == 409
    assert why in page(answer)
    campaign.refresh_from_db()
    assert campaign.name != "Spring"


@pytest.mark.parametrize("name", ["campaign-edit", "campaign-delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_campaigns_of_other_workspaces_are_not_there(browser, name, method):
    theirs = make_campaign()

    assert ask(browser, method, reverse(name, args=[theirs.pk])).status_code == 404
    assert Campaign.objects.filter(pk=theirs.pk, name=theirs.name).exists()


def test_viewers_can_write_nothing():
    viewer = make_member(role=Role.VIEWER)
    campaign = make_campaign(viewer.workspaces.get())
    browser = Client()
    browser.force_login(viewer)

    answers = [
        browser.post(reverse("campaign-new"), TYPED),
        browser.post(reverse("campaign-edit", args=[campaign.pk]), TYPED),
        browser.post(reverse("campaign-delete", args=[campaign.pk])),
        browser.post(reverse("campaign-preview"), TYPED),
        browser.get(reverse("campaign-pick"), {"q": "a"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert list(Campaign.objects.all()) == [campaign]


def test_a_draft_is_deleted_only_after_the_question_is_answered(browser, workspace):
    campaign = make_campaign(workspace)
    address = reverse("campaign-delete", args=[campaign.pk])

    question = browser.get(address)
    assert Campaign.objects.exists()
    answer = browser.post(address)

    assert f"Delete “{campaign.name}”?" in page(question)
    assert not Campaign.objects.exists()
    assert answer.headers["Location"] == reverse("campaigns")
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["Campaign deleted."]


def test_the_preview_shows_the_text_as_the_first_of_the_audience_reads_it(browser, workspace):
    make_recipient(workspace, first_name="Zoe")
    alice = make_recipient(workspace, first_name="<i>Alice</i>")

    html = page(browser.post(reverse("campaign-preview"), TYPED | {"picked": alice.pk, "body": "Hi {first_name} <b>"}))

    assert "Hi &lt;i&gt;Alice&lt;/i&gt; &lt;b&gt;" in html
    assert "Zoe" not in html


def test_the_preview_names_what_will_not_be_filled_in(browser):
    html = page(browser.post(reverse("campaign-preview"), TYPED | {"body": "{bogus} {First Name} {first_name}"}))

    assert "Nobody here has <code>{bogus}</code>" in html
    assert "<code>{First Name}</code>" in html
    assert "As an example reads it" in html


def test_the_preview_never_shows_people_of_another_workspace(browser):
    stranger = make_recipient(make_workspace(), first_name="Secret")
    theirs = make_group(stranger.workspace, stranger)

    html = page(browser.post(reverse("campaign-preview"), TYPED | {"picked": stranger.pk, "groups": theirs.pk}))

    assert "Secret" not in html


def test_the_search_finds_at_most_twenty_people_of_the_workspace(browser, workspace):
    for n in range(25):
        make_recipient(workspace, first_name="Alice", last_name=f"Number{n}")
    make_recipient(make_workspace(), first_name="Alice", last_name="Secret")

    html = page(browser.get(reverse("campaign-pick"), {"q": "alice", "for": "excluded"}))

    assert html.count('data-adds="excluded"') == 20
    assert "type more of the name" in html
    assert "Secret" not in html


@pytest.mark.parametrize("words", ["", "   ", "%", "_", "\\", "a" * 5_000, "x y z w v u t", "🙂", "'; --"])
def test_the_search_takes_whatever_is_typed(browser, words):
    answer = browser.get(reverse("campaign-pick"), {"q": words})

    assert answer.status_code == 200
    assert "match" not in page(answer)


def test_placeholders_are_readable_text_with_attributes_after_the_standard_ones(browser, workspace):
    workspace.attribute_names.create(name="points")

    html = page(browser.get(reverse("campaign-new")))

    assert (
        html.index("<code>{first_name}</code>")
        < html.index("<code>{email}</code>")
        < html.index("<code>{points}</code>")
    )


@pytest.mark.parametrize("then", ["campaign", "check"])
def test_half_an_idea_can_be_kept_with_nothing_but_a_name(browser, workspace, then):
    browser.post(reverse("campaign-new"), {"name": "Spring", "channel": "email", "audience": "some", "then": then})

    campaign = workspace.campaigns.get()
    assert (campaign.name, campaign.subject, campaign.body) == ("Spring", "", "")
    typed = TYPED | {"body": "", "subject": ""}
    assert browser.post(reverse("campaign-edit", args=[campaign.pk]), typed).status_code == 302


def test_half_an_idea_is_still_checked_for_what_can_never_be_sent(browser, workspace):
    answer = browser.post(reverse("campaign-new"), TYPED | {"subject": "", "body": "{bogus} \x07"})

    assert answer.status_code == 422
    assert not workspace.campaigns.exists()


def test_a_scheduled_campaign_cannot_lose_its_text(browser, workspace):
    browser.force_login(make_member(workspace, Role.MARKETER))
    campaign = make_campaign(workspace, status=Campaign.Status.SCHEDULED, scheduled_at=timezone.now())

    answer = browser.post(reverse("campaign-edit", args=[campaign.pk]), TYPED | {"body": " ", "subject": ""})

    assert answer.status_code == 422
    assert "Write the message." in page(answer)
    assert "An email needs a subject." in page(answer)


def version_in(html):
    return html.split('name="version" value="')[1].split('"')[0]


def test_what_somebody_else_saved_meanwhile_is_shown_before_it_is_replaced(browser, workspace):
    bob = make_member(workspace, Role.EDITOR, name="Bob")
    campaign = make_campaign(workspace)
    edit = reverse("campaign-edit", args=[campaign.pk])
    seen = version_in(page(browser.get(edit)))
    update_campaign(campaign, by=bob, body="Bob was here")

    refused = browser.post(edit, TYPED | {"version": seen})
    campaign.refresh_from_db()

    html = page(refused)
    assert refused.status_code == 409
    assert "Bob saved another version at" in html
    assert "yours is below, saving again replaces it." in html
    assert "Bob was here" in html
    assert "spring is here.</textarea>" in html
    assert campaign.body == "Bob was here"

    browser.post(edit, TYPED | {"version": version_in(html)})

    campaign.refresh_from_db()
    assert campaign.body.endswith("spring is here.")


def test_a_button_pressed_twice_saves_the_same_text_without_a_question(browser, workspace):
    campaign = make_campaign(workspace)
    edit = reverse("campaign-edit", args=[campaign.pk])
    typed = TYPED | {"version": version_in(page(browser.get(edit))), "picked": make_recipient(workspace).pk}

    answers = [browser.post(edit, typed) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]


def test_a_schedule_changed_meanwhile_is_no_other_version(browser, workspace):
    browser.force_login(make_member(workspace, Role.MARKETER))
    campaign = make_campaign(workspace)
    edit = reverse("campaign-edit", args=[campaign.pk])
    seen = version_in(page(browser.get(edit)))
    campaign.move_to(Campaign.Status.SCHEDULED, by=None, scheduled_at=timezone.now())

    assert browser.post(edit, TYPED | {"version": seen}).status_code == 302


def test_a_brace_that_is_never_closed_is_pointed_out_while_writing_and_on_saving(browser):
    typed = TYPED | {"body": "Dear {first_name, hello {last_name}"}

    html = page(browser.post(reverse("campaign-preview"), typed))
    saved = browser.post(reverse("campaign-new"), typed)

    assert "A { without } stays as typed: <code>{first_name</code>" in html
    assert "A { without } stays as typed: {first_name" in [str(each) for each in get_messages(saved.wsgi_request)]


def test_another_name_of_a_field_is_answered_with_the_one_to_write(browser):
    typed = TYPED | {"body": "from {city}, {bogus}"}

    html = page(browser.post(reverse("campaign-new"), typed))
    drawn = page(browser.post(reverse("campaign-preview"), typed))

    assert "There is no {city}; write {location}." in html
    assert "Nobody here has {bogus}. You can use" in html
    assert "There is no <code>{city}</code>; write <code>{location}</code>." in drawn


def test_a_line_break_counts_as_one_character_however_the_browser_sends_it(browser, workspace):
    ConsentSettings.objects.create(workspace=workspace, sms_link=False)
    typed = TYPED | {"body": "a\r\nb\r\nc", "channel": "sms"}

    html = page(browser.post(reverse("campaign-preview"), typed))
    browser.post(reverse("campaign-new"), typed)

    assert "5 characters" in html
    assert workspace.campaigns.get().body == "a\nb\nc"


@pytest.mark.parametrize(("channel", "hint"), [("sms", True), ("email", False), ("whatsapp", False)])
def test_a_long_text_message_says_into_how_many_parts_it_falls(browser, channel, hint):
    html = page(browser.post(reverse("campaign-preview"), TYPED | {"channel": channel, "body": "x" * 161}))

    assert ("2 parts as typed" in html) == hint


def test_groups_show_how_many_are_in_them(browser, workspace):
    make_group(workspace, *make_recipients(workspace, 3), name="Customers")
    make_group(workspace, name="Later")

    html = page(browser.get(reverse("campaign-new")))

    assert '<span>Customers</span><span class="num muted">3</span>' in html
    assert '<span>Later</span><span class="num muted">empty</span>' in html


@pytest.mark.parametrize("typed", [None, {}, {"name": "", "body": "{bogus}", "subject": "{bogus}"}])
@pytest.mark.parametrize("name", ["campaign-new", "person-new", "group-new", "import-new"])
def test_every_description_a_field_names_is_on_the_page(browser, name, typed):
    html = page(browser.get(reverse(name)) if typed is None else browser.post(reverse(name), TYPED | typed))

    named = {word for ids in re.findall(r'aria-describedby="([^"]*)"', html) for word in ids.split()}
    assert named <= set(re.findall(r' id="([^"]*)"', html))


def test_without_scripts_nothing_dead_is_shown(browser):
    html = page(browser.get(reverse("campaign-new")))

    assert '<ul class="chips needs-js">' in html
    assert '<aside class="card needs-js"' in html
    assert '<fieldset class="field needs-js" id="picked">' in html


def test_the_audience_reads_well_in_words(workspace):
    campaign = make_campaign(workspace, everyone=False)
    campaign.groups.set([make_group(workspace, name="Shop list"), make_group(workspace, name="VIP")])
    campaign.picked.add(make_recipient(workspace))
    campaign.excluded_groups.add(make_group(workspace, name="Staff"))
    campaign.excluded.add(make_recipient(workspace))

    assert campaign.audience_words == "Shop list, VIP and 1 picked by hand, without Staff and 1 person"
