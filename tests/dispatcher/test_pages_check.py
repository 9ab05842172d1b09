"""Check and send: the number in the button is the number of messages, and only what was looked at is sent."""

import re
import time
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import Role, Workspace
from campaigns.authoring import update_campaign
from campaigns.before_sending import change_price
from campaigns.models import Campaign, Format, Wording
from campaigns.price import Price, price_for
from campaigns.variants import set_up_variants
from campaigns.wordings import write_wording
from dispatcher import dry_runs, freeze, left_out, operations
from dispatcher.books import books_of
from dispatcher.models import Batch
from people.channels import Channel
from tests.make import (
    make_campaign,
    make_group,
    make_member,
    make_recipient,
    make_recipients,
    make_whatsapp_template,
    make_workspace,
)

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace(client):
    workspace = make_workspace()
    client.force_login(make_member(workspace, name="Ann"))
    return workspace


def check(client, campaign, **query) -> str:
    answer = client.get(reverse("check", args=[campaign.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def checked(html: str) -> dict[str, str]:
    """What the button of this check page posts."""
    return {"checked": re.search(r'name="checked" value="(\w+)"', html)[1]}


def press_send(client, campaign, html: str):
    return client.post(reverse("send", args=[campaign.pk]), checked(html), follow=True)


def nothing_went_out(campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.status == Status.DRAFT and books_of(campaign).total == 0


@pytest.mark.parametrize(
    ("channel", "words"),
    [(Channel.EMAIL, "emails"), (Channel.SMS, "text messages"), (Channel.WHATSAPP, "WhatsApp messages")],
)
def test_the_button_names_the_number_and_the_kind(client, workspace, channel, words):
    make_recipients(workspace, 1_200)
    campaign = make_campaign(workspace, channel=channel)

    assert f"Send 1,200 {words}" in check(client, campaign)
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


def test_one_is_one(client, workspace):
    assert "Send 1 email<" in check(client, make_campaign(workspace, people=1))


def test_who_is_left_out_is_counted_by_reason_and_shown(client, workspace):
    make_recipients(workspace, 3)
    make_recipient(workspace, opted_out=True, first_name="Olga")
    make_recipient(workspace, email="", first_name="Nina")
    campaign = make_campaign(workspace)

    html = check(client, campaign, left_out="no_address")

    assert "of 5 chosen" in html and "Send 3 emails" in html
    assert "Opted out" in html and "No address for this channel" in html
    assert "Nina" in html and "Olga" not in html


def listed(html: str) -> list[str]:
    return re.findall(r'<a href="/people/\d+/\?next[^>]*>([^<]+)</a>', html)


def test_those_left_out_are_turned_over_page_by_page_and_back_again(client, workspace, monkeypatch):
    monkeypatch.setattr(left_out, "PAGE", 2)
    for name in "ABCDE":
        make_recipient(workspace, email="", first_name=name)
    campaign = make_campaign(workspace, people=1)
    turned = []

    html = check(client, campaign, left_out="no_address")
    while following := re.search(r'rel="next" href="[^"]*after=(\d+)#left', html):
        turned.append(listed(html))
        html = check(client, campaign, left_out="no_address", after=following[1])
    assert [*turned, listed(html)] == [["A", "B"], ["C", "D"], ["E"]]

    back = re.search(r'rel="prev" href="[^"]*before=(\d+)#left', html)
    html = check(client, campaign, left_out="no_address", before=back[1])
    assert listed(html) == ["C", "D"]
    back = re.search(r'rel="prev" href="[^"]*before=(\d+)#left', html)
    html = check(client, campaign, left_out="no_address", before=back[1])
    assert listed(html) == ["A", "B"] and 'rel="prev" href="/campaigns' not in html.split("left-out-people")[-1]


def test_what_can_be_mended_says_so_and_leads_there_and_back(client, workspace):
    person = make_recipient(workspace, email="", first_name="Nina")
    make_recipient(workspace, opted_out=True)
    campaign = make_campaign(workspace, people=1)

    html = check(client, campaign, left_out="no_address")

    assert "Show and mend" in html and html.count("Show and mend") == 1
    assert f"{reverse('person-edit', args=[person.pk])}?next=%2Fcampaigns%2F{campaign.pk}%2Fcheck%2F" in html
    assert "Add the address of those who have one." in html
    client.force_login(make_member(workspace, Role.VIEWER))
    html = check(client, campaign, left_out="no_address")
    assert "Show and mend" not in html and reverse("person-edit", args=[person.pk]) not in html


def test_those_excluded_by_choice_are_listed_too(client, workspace):
    people = [make_recipient(workspace, first_name=name) for name in ("Alice", "Brian", "Carol")]
    campaign = make_campaign(workspace)
    campaign.excluded.add(people[1])

    assert listed(check(client, campaign, left_out="choice")) == ["Brian"]


def typing(number: str, client, campaign, html: str):
    return client.post(reverse("send", args=[campaign.pk]), checked(html) | {"number": number}, follow=True)


@pytest.mark.parametrize("number", ["12", " 12 ", "1,2", "1 2", "1\u00a02", "1\u202f2", "1.2", "1'2"])
def test_above_the_threshold_the_number_is_typed_however_it_is_written(client, workspace, number):
    Workspace.objects.update(typed_above=10)
    campaign = make_campaign(workspace, people=12)
    html = check(client, campaign)
    assert 'name="number"' in html

    typing(number, client, campaign, html)

    assert books_of(campaign).total == 12


@pytest.mark.parametrize("number", ["", "11", "120", "twelve", "-12", "²", "12e0", "9" * 4000, "\x00"])
def test_another_number_sends_nothing_loses_nothing_and_says_what_to_type(client, workspace, number):
    Workspace.objects.update(typed_above=10)
    campaign = make_campaign(workspace, people=12)
    html = check(client, campaign)

    answer = typing(number, client, campaign, html)

    page = answer.content.decode()
    assert answer.status_code == 422 and nothing_went_out(campaign)
    assert "Type how many people get it: 12." in page
    assert not number.strip().isalnum() or f'value="{number[:40]}"' in page
    typing("12", client, campaign, page)
    assert books_of(campaign).total == 12


def test_up_to_the_threshold_or_without_one_no_number_is_asked_for(client, workspace):
    campaign = make_campaign(workspace, people=12)
    Workspace.objects.update(typed_above=12)
    assert 'name="number"' not in check(client, campaign)
    Workspace.objects.update(typed_above=None)
    assert 'name="number"' not in check(client, campaign)
    assert Workspace.objects.create(name="Acme").typed_above == 1000


def test_the_person_shown_is_still_shown_after_a_wrong_number(client, workspace):
    Workspace.objects.update(typed_above=1)
    campaign = make_campaign(workspace, people=3, body="Dear {first_name}")
    last = workspace.recipients.latest("pk")

    html = check(client, campaign, person=last.pk)
    action = re.search(r'action="([^"]*send/[^"]*)"', html)[1]

    assert f"Dear {last.first_name}" in client.post(action, checked(html)).content.decode()


def priced(workspace, channel, amount, currency="KES") -> None:
    change_price(workspace, channel, Price(Decimal(amount), currency))


def test_parts_and_price_are_told_as_they_are_charged(client, workspace):
    priced(workspace, Channel.SMS, "0.8")
    make_recipient(workspace, first_name="A" * 90)
    make_recipients(workspace, 2)
    campaign = make_campaign(workspace, channel=Channel.SMS, body="x" * 50 + "{first_name}")

    html = check(client, campaign)

    assert "<b>KES 3.20</b> · 4 parts at KES 0.80 · 1 person gets 2 parts" in " ".join(html.split())
    press_send(client, campaign, html)
    campaign.refresh_from_db()
    assert (campaign.parts, price_for(campaign, campaign.parts)) == (4, Price(Decimal("3.2"), "KES"))


def test_the_price_of_the_launch_stays_whatever_is_changed_later(client, workspace):
    priced(workspace, Channel.EMAIL, "0.01")
    campaign = make_campaign(workspace, people=3)
    press_send(client, campaign, check(client, campaign))

    priced(workspace, Channel.EMAIL, "99", "USD")

    campaign.refresh_from_db()
    assert str(price_for(campaign, campaign.parts)) == "KES 0.03"
    page = client.get(reverse("campaign", args=[campaign.pk])).content.decode()
    assert "KES 0.03" in page and "USD" not in page


def headline(client, campaign) -> str:
    page = client.get(reverse("campaign", args=[campaign.pk])).content.decode()
    return page.split('-headline"')[1].split("</p>")[0]


@pytest.mark.parametrize(
    ("channel", "planned", "cost", "cost_of_nobody"),
    [
        (Channel.EMAIL, "KES 4.00 planned", "KES 2.00", "KES 0.00"),
        (Channel.SMS, "KES 4.00 planned", "KES 4.00 planned", "KES 0.00"),
    ],
)
def test_what_was_not_sent_cost_nothing_once_it_is_over(client, workspace, channel, planned, cost, cost_of_nobody):
    priced(workspace, channel, "1")
    cancelled = make_campaign(workspace, people=4, channel=channel, body="Hi")
    press_send(client, cancelled, check(client, cancelled))
    going = make_campaign(workspace, channel=channel, body="Hi")
    press_send(client, going, check(client, going))
    assert planned in headline(client, going)

    operations.cancel(cancelled, by=None)
    operations.cancel(going, by=None)
    Batch.objects.filter(campaign=going).update(pending=0, sent=1, unknown=1, cancelled=2)

    assert cost_of_nobody in headline(client, cancelled) and "planned" not in headline(client, cancelled)
    assert cost in headline(client, going) and ("planned" in cost) == ("planned" in headline(client, going))


def test_a_dry_run_that_ends_after_the_check_changes_no_draft(client, workspace, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 2)
    priced(workspace, Channel.SMS, "0.8")
    campaign = make_campaign(workspace, people=3, channel=Channel.SMS, body="Hi")
    looked_at = check(client, campaign)
    dry_runs.carry_out(dry_runs.dry_run(campaign, by=None).pk)

    assert "KES 2.40" in check(client, campaign) and "At least" not in check(client, campaign)
    assert press_send(client, campaign, looked_at).redirect_chain


def test_all_variants_and_languages_of_an_email_are_looked_through_and_named(client, workspace):
    campaign = make_campaign(workspace, people=3)
    set_up_variants(campaign, by=None, weights=[50, 50])
    write_wording(campaign, by=None, variant=2, subject="BUY NOW PLEASE", body="Hi")
    write_wording(campaign, by=None, language="el", subject="Γεια!!", body="Γεια")

    html = check(client, campaign)

    found = re.findall(r"<b>(?:Look|Stops)</b><span>([^<]*)", html)
    assert [each.partition(" has ")[0].partition(" is ")[0] for each in found] == [
        "The message",  # of all of them the same
        "A in Greek: The subject",
        "B: The subject",
    ]


BROKEN_LINK = {"format": Format.HTML, "body": '<a href="htp://shop.example">Shop</a>'}
UNKNOWN = {"format": Format.TEXT, "body": "Dear {mood}"}


@pytest.mark.parametrize("fault", [BROKEN_LINK, UNKNOWN])
@pytest.mark.parametrize(
    ("weights", "variant", "language", "name", "page"),
    [
        ([50, 50], 2, "", "In variant B: ", "wording"),
        ([50, 50], 2, "el", "In variant B in Greek: ", "wording-in"),
        (None, 1, "el", "In Greek: ", "wording-in"),
    ],
)
def test_what_stops_other_words_names_them_and_leads_to_their_page(
    client, workspace, fault, weights, variant, language, name, page
):
    campaign = make_campaign(workspace, people=1)
    if weights:
        set_up_variants(campaign, by=None, weights=weights)
    place = {"variant": variant, "language": language}
    Wording.objects.update_or_create(campaign=campaign, **place, defaults={"subject": "Hi", **fault})

    html = check(client, campaign)

    told = html.split("It cannot be sent like this.")[1].split("</p>")[0]
    assert name in told
    assert f'href="{reverse(page, args=[campaign.pk, *[each for each in place.values() if each]])}">Mend it' in told


def test_what_stops_the_main_words_leads_to_the_campaign(client, workspace):
    campaign = make_campaign(workspace, people=1, **BROKEN_LINK)

    told = check(client, campaign).split("It cannot be sent like this.")[1].split("</p>")[0]

    assert "In " not in told and f'href="{reverse("campaign-edit", args=[campaign.pk])}">Mend it' in told


def test_a_free_text_by_whatsapp_is_said_to_reach_few_and_may_be_sent(client, workspace):
    rule = "only to people who wrote to you in the last 24 hours"
    campaign = make_campaign(workspace, people=1, channel=Channel.WHATSAPP)

    html = check(client, campaign)

    assert rule in html and "Send 1 WhatsApp message" in html and checked(html)
    for other in (Channel.SMS, Channel.EMAIL):
        assert rule not in check(client, make_campaign(workspace, channel=other))
    Campaign.objects.filter(pk=campaign.pk).update(whatsapp_template=make_whatsapp_template(workspace))
    assert rule not in check(client, campaign)


def other_price(campaign) -> None:
    priced(campaign.workspace, Channel.SMS, "0.9")


def longer_name(campaign) -> None:
    campaign.workspace.recipients.update(first_name="A" * 90)


@pytest.mark.parametrize("change", [other_price, longer_name])
def test_another_price_than_the_one_that_was_shown_is_shown_first(client, workspace, change):
    priced(workspace, Channel.SMS, "0.8")
    campaign = make_campaign(workspace, people=2, channel=Channel.SMS, body="x" * 50 + "{first_name}")
    looked_at = check(client, campaign)
    change(campaign)

    assert press_send(client, campaign, looked_at).status_code == 409
    assert nothing_went_out(campaign)


def test_without_a_price_none_is_shown(client, workspace):
    html = check(client, make_campaign(workspace, people=2))
    assert "Price" not in html and "part" not in html.split("<main")[1].split("Send")[0].replace("particular", "")


def test_of_text_messages_the_parts_are_told_also_where_each_is_one_and_no_price_is_known(client, workspace):
    assert "<b>2 parts</b> for 2 people" in check(client, make_campaign(workspace, people=2, channel=Channel.SMS))


def test_of_too_many_text_messages_the_parts_are_not_counted_while_somebody_waits(client, workspace, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 2)
    priced(workspace, Channel.SMS, "0.8")

    campaign = make_campaign(workspace, people=3, channel=Channel.SMS)
    html = check(client, campaign)

    assert "At least KES 2.40" in html and "the parts are counted when the dry run is done" in html
    assert f'href="{reverse("dry_run", args=[campaign.pk])}">Dry run' in html


def test_the_sign_that_makes_parts_of_many_is_named(client, workspace):
    for _ in range(2):
        make_recipient(workspace, first_name="Paweł", phone=f"+25470000000{_}")
    html = check(client, make_campaign(workspace, channel=Channel.SMS, body="Hi {first_name}, " + "x" * 80))

    assert "“ł” in the first name of 2 people makes the whole text Unicode" in html
    assert re.search(r"it would need \d parts less", html)


def test_the_text_is_read_as_one_person_after_another(client, workspace):
    people = [make_recipient(workspace, first_name=name) for name in ("Alice", "Brian", "Carol")]
    make_recipient(workspace, first_name="Nobody", opted_out=True)
    campaign = make_campaign(workspace, body="Dear {first_name}")

    first = check(client, campaign)
    second = check(client, campaign, person=people[1].pk)
    last = check(client, campaign, person=people[2].pk)

    assert "Dear Alice" in first and 'rel="prev"' not in first and f"?person={people[1].pk}&amp;at=2#text" in first
    assert "Dear Brian" in second and f"?person={people[0].pk}&amp;at=1#text" in second
    assert "Dear Carol" in last and 'rel="next"' not in last


@pytest.mark.parametrize("person", ["0", "-1", "x", str(10**18), str(10**30), "²"])
@pytest.mark.parametrize("reason", ["", "nonsense", "opted_out"])
def test_whatever_the_address_asks_there_is_a_page(client, workspace, person, reason):
    assert "Dear First" in check(client, make_campaign(workspace, people=2), person=person, left_out=reason)


def test_what_stands_in_the_way_is_said_with_the_way_out(client, workspace):
    campaign = make_campaign(workspace, people=1, body="Dear {frist_name}")

    html = check(client, campaign)

    assert "{frist_name}" in html and reverse("campaign-edit", args=[campaign.pk]) in html
    assert "Send 1" not in html


def test_a_refused_launch_answers_422_with_the_sentence_and_changes_nothing(client, workspace, settings):
    campaign = make_campaign(workspace, people=1)
    looked_at = check(client, campaign)
    settings.SENDERS = {"email": "gone", "sms": "gone", "whatsapp": "gone"}

    answer = press_send(client, campaign, looked_at)

    assert answer.status_code == 422
    assert "No sender is set up for email." in answer.content.decode()
    assert nothing_went_out(campaign)


def other_text(campaign) -> None:
    update_campaign(campaign, by=None, body="Something nobody has checked")


def other_channel(campaign) -> None:
    update_campaign(campaign, by=None, channel=Channel.SMS)


def other_people(campaign) -> None:
    somebody = campaign.workspace.recipients.first()
    update_campaign(campaign, by=None, everyone=False, picked=[somebody.pk])


def one_more(campaign) -> None:
    make_recipient(campaign.workspace)


def one_less(campaign) -> None:
    campaign.workspace.recipients.first().delete()


def others_instead(campaign) -> None:
    """As many as before, but not the same."""
    campaign.excluded.set(campaign.workspace.recipients.all()[:1])
    make_recipient(campaign.workspace)


@pytest.mark.parametrize("change", [other_text, other_channel, other_people, one_more, one_less, others_instead])
def test_what_changed_after_the_check_is_not_sent_but_shown(client, workspace, change):
    campaign = make_campaign(workspace, people=3)
    looked_at = check(client, campaign)
    change(campaign)

    answer = press_send(client, campaign, looked_at)

    assert answer.status_code == 409
    assert "The draft changed since you checked it; look again." in answer.content.decode()
    assert nothing_went_out(campaign)
    assert press_send(client, campaign, answer.content.decode()).redirect_chain
    assert books_of(campaign).total > 0


@pytest.mark.parametrize("fields", [{}, {"checked": ""}, {"checked": "\x00"}, {"checked": "0" * 64}])
def test_who_did_not_check_sends_nothing(client, workspace, fields):
    campaign = make_campaign(workspace, people=3)

    answer = client.post(reverse("send", args=[campaign.pk]), fields)

    assert answer.status_code == 409
    assert "look again" in answer.content.decode() and "Send 3 emails" in answer.content.decode()
    assert nothing_went_out(campaign)


@pytest.mark.django_db(transaction=True)
def test_an_edit_under_way_when_send_is_pressed_is_waited_for_and_seen(client, workspace):
    campaign = make_campaign(workspace, people=3)
    looked_at = check(client, campaign)
    editing = Barrier(2)

    def edit() -> None:
        with transaction.atomic():
            other_text(campaign)
            editing.wait(5)
            time.sleep(0.5)  # the button is pressed while this is not committed yet
        connection.close()

    editor = Thread(target=edit)
    editor.start()
    editing.wait(5)
    answer = press_send(client, campaign, looked_at)
    editor.join()

    assert answer.status_code == 409 and nothing_went_out(campaign)


def test_those_excluded_by_choice_are_counted_so_that_the_parts_add_up(client, workspace):
    people = make_recipients(workspace, 6)
    shop, staff = make_group(workspace, *people[:5], name="Shop list"), make_group(workspace, people[0], people[5])
    make_recipient(workspace, opted_out=True).groups.add(shop)
    campaign = make_campaign(workspace, everyone=False)
    campaign.groups.add(shop)
    campaign.excluded_groups.add(staff)
    campaign.excluded.add(people[1])

    html = check(client, campaign)

    assert "Send 3 emails" in html and "of 6 chosen" in html
    assert "<b>2</b></td><td>Excluded by your choice" in html and listed(check(client, campaign, left_out="choice"))
    assert "<b>1</b></td><td>Opted out" in html


def test_nobody_excluded_is_not_mentioned(client, workspace):
    assert "Excluded by your choice" not in check(client, make_campaign(workspace, people=2))


def test_send_launches_and_leads_to_the_page_where_it_can_be_watched(client, workspace):
    campaign = make_campaign(workspace, people=3)

    answer = press_send(client, campaign, check(client, campaign))

    assert answer.redirect_chain == [(reverse("campaign", args=[campaign.pk]), 303)]
    assert "Campaign dispatch started! Watch the progress below." in answer.content.decode()
    campaign.refresh_from_db()
    assert (campaign.status, books_of(campaign).total) == (Status.SENDING, 3)
    assert campaign.history.last().by.name == "Ann"


def test_a_second_send_sends_nothing_and_says_so(client, workspace):
    campaign = make_campaign(workspace, people=3)
    looked_at = check(client, campaign)
    operations.launch(campaign, by=None)

    answer = press_send(client, campaign, looked_at)

    assert "Nothing was sent by this." in answer.content.decode()
    assert books_of(campaign).total == 3
    assert "cannot be sent again" in check(client, campaign)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_may_not_send_may_look(client, workspace, role):
    campaign = make_campaign(workspace, people=3)
    client.force_login(make_member(workspace, role))

    html = check(client, campaign)

    assert "Send 3" not in html and "Only a marketer" in html
    assert client.post(reverse("send", args=[campaign.pk])).status_code == 403
