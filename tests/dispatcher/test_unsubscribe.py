"""A link to unsubscribe: looking at it changes nothing, one press does, and nobody can use another's."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns.footer import links_of
from campaigns.models import Campaign
from dispatcher import file_place, operations, store, unsubscribe, unsubscribe_views
from dispatcher import link_hits as link_hits_module
from dispatcher.link_hits import link_hits
from dispatcher.models import LinkCount, LinkHit, Message, SkipReason
from people import consent, suppression
from people.channels import Channel
from people.consent import How, Wish
from people.links import Meant, Purpose, keys, token_of
from people.models import ConsentEvent, LeftGroup, Recipient, Suppression
from tests.dispatcher.filing import ended_long_ago
from tests.dispatcher.outcomes import launched, sent
from tests.dispatcher.sending import work_off
from tests.make import make_campaign, make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1"


@pytest.fixture(autouse=True)
def _sure(settings):
    """A provider that fails nobody by chance."""
    settings.SIMULATOR_PROFILE = "perfect"


@pytest.fixture
def campaign() -> Campaign:
    """Sent an hour ago, to one person, by email."""
    campaign = launched(make_campaign(people=1), *sent())
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now())
    Message.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    campaign.refresh_from_db()
    return campaign


def person_of(campaign: Campaign) -> Recipient:
    return Recipient.objects.get(messages__campaign=campaign)


def path(campaign: Campaign, purpose: Purpose = Purpose.PAGE, person: Recipient | None = None) -> str:
    links = links_of(campaign, Channel(campaign.channel))
    return links.to(purpose, (person or person_of(campaign)).pk).removeprefix(links.base)


def browser() -> Client:
    """Without cookies, and held to CSRF as the world outside is."""
    return Client(enforce_csrf_checks=True, headers={"User-Agent": PHONE})


def refused(campaign: Campaign) -> list[int]:
    return person_of(campaign).refused_channels


@pytest.mark.parametrize("purpose", Purpose)
def test_fifty_visits_of_scanners_change_nothing_and_are_counted_apart(campaign, purpose):
    address = path(campaign, purpose)
    scanner = Client(headers={"User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"})

    for n in range(50):
        method = ("get", "head", "options")[n % 3]
        assert getattr(scanner, method)(address).status_code == 200
    browser().get(address, headers={"Sec-Purpose": "prefetch;prerender"})
    browser().head(address)
    for _ in range(2):
        browser().get(address)

    assert (refused(campaign), person_of(campaign).opted_out, ConsentEvent.objects.count()) == ([], False, 0)
    hits = link_hits(campaign)
    assert (hits.machine, hits.opened, hits.unsubscribed) == (52, 1, 0)


def test_who_opens_it_seconds_after_it_was_sent_is_taken_for_a_machine(campaign):
    Message.objects.update(sent_at=timezone.now() - timedelta(seconds=2))

    browser().get(path(campaign))

    assert (link_hits(campaign).machine, link_hits(campaign).opened) == (1, 0)


@pytest.mark.parametrize("multipart", [False, True])
def test_one_click_works_in_both_encodings_without_cookies_and_as_often_as_it_is_asked(campaign, multipart):
    address = path(campaign, Purpose.ONE_CLICK)
    urlencoded = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}
    sent = {"data": ONE_CLICK} if multipart else urlencoded

    answers = [browser().post(address, **sent) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert not any(answer.cookies or answer.has_header("Location") for answer in answers)
    assert refused(campaign) == [Channel.EMAIL]
    event = person_of(campaign).consent_events.get()
    assert (event.wish, event.how, event.evidence["campaign"]) == (Wish.OUT, How.ONE_CLICK, campaign.pk)
    assert (link_hits(campaign).unsubscribed, link_hits(campaign).one_click) == (1, 1)


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=", "List-Unsubscribe=Two-Clicks", "wish=stop"])
def test_a_post_that_does_not_say_one_click_changes_nothing(campaign, body):
    kind = "application/x-www-form-urlencoded"

    answer = browser().post(path(campaign, Purpose.ONE_CLICK), body, content_type=kind)

    assert (answer.status_code, refused(campaign)) == (400, [])


def test_what_waits_is_skipped_after_the_click():
    campaign = make_campaign(people=2)
    operations.launch(campaign, by=None)
    gone, stays = campaign.workspace.recipients.order_by("pk")

    browser().post(path(campaign, Purpose.ONE_CLICK, gone), ONE_CLICK)
    work_off(campaign)

    assert campaign.messages.get(recipient=gone).skip_reason == SkipReason.OPTED_OUT
    assert campaign.messages.get(recipient=stays).status == Message.Status.SENT


def test_who_leaves_a_group_after_the_launch_gets_nothing_that_goes_to_it_alone():
    campaign = make_campaign(people=4, everyone=False)
    ann, ben, cyd, dan = campaign.workspace.recipients.order_by("pk")
    group, other = make_group(campaign.workspace, ann, ben, cyd, dan), make_group(campaign.workspace, ben)
    campaign.groups.add(group, other)
    campaign.picked.add(cyd)
    operations.launch(campaign, by=None)

    for person in (ann, ben, cyd):
        consent.leave_group(person, group, how=How.PREFERENCES, by=None)
    work_off(campaign)

    assert campaign.messages.get(recipient=ann).skip_reason == SkipReason.OPTED_OUT
    assert {row.status for row in campaign.messages.exclude(recipient=ann)} == {Message.Status.SENT}


def test_the_page_says_what_it_will_do_and_what_it_did_and_takes_it_back(campaign):
    page = browser().get(path(campaign))
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"]
    assert "Nothing has changed yet." in page.content.decode()
    assert person_of(campaign).email not in page.content.decode()

    done = browser().post(path(campaign), {"wish": "stop", "reason": "too\x00 many"})
    assert "You get no email messages from" in done.content.decode()
    assert refused(campaign) == [Channel.EMAIL]
    assert person_of(campaign).consent_events.get().reason == "too· many"

    undone = browser().post(path(campaign), {"wish": "undo", "channels": ["email", "sms", "whatsapp"]})
    assert "It is as it was before" in undone.content.decode()
    assert refused(campaign) == []
    assert list(person_of(campaign).consent_events.order_by("pk").values_list("wish", flat=True)) == [Wish.OUT, Wish.IN]


def fields_of_undo(html: str) -> dict[str, list[str]]:
    """What the Undo button on the page would send."""
    form = next(form for form in html.split("<form")[1:] if 'value="undo"' in form)
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="(\w+)"', form.split("</form>")[0]):
        sent.setdefault(name, []).append(value)
    return sent


@pytest.mark.parametrize(
    ("opted_out", "refused_channels", "pressed"),
    [
        (False, [], {"wish": "nothing"}),
        (False, [], {"wish": "stop"}),
        (False, [Channel.SMS], {"wish": "nothing"}),
        (True, [], {"wish": "choose", "channels": "email"}),
    ],
)
def test_undo_leaves_everything_as_it_was_also_without_a_phone(campaign, opted_out, refused_channels, pressed):
    Recipient.objects.update(opted_out=opted_out, refused_channels=refused_channels, phone="")
    was = [person_of(campaign).refuses(channel) for channel in Channel]

    html = browser().post(path(campaign), pressed).content.decode()
    assert [person_of(campaign).refuses(channel) for channel in Channel] != was
    undone = browser().post(path(campaign), fields_of_undo(html)).content.decode()

    assert "It is as it was before" in undone
    person = person_of(campaign)
    assert ([person.refuses(channel) for channel in Channel], person.opted_out) == (was, opted_out)


def test_two_who_come_at_once_do_not_wait_for_each_other(campaign):
    ann, ben = person_of(campaign), make_recipient(campaign.workspace)

    for person in (ann, ben):
        link_hits_module.note(campaign.pk, person.pk, LinkHit.Kind.OPENED)

    assert LinkCount.objects.filter(campaign=campaign).count() == 2  # each holds a row of their own
    assert link_hits(campaign).opened == 2


@pytest.mark.parametrize("wish", ["stop", "nothing", "choose", "undo"])
def test_somebody_who_is_erased_at_that_moment_gets_the_answer_of_an_unknown_link(campaign, monkeypatch, wish):
    address, visitor_of = path(campaign), unsubscribe.visitor_of

    def and_erase(*asked):
        visitor = visitor_of(*asked)
        Recipient.objects.get(pk=visitor.person.pk).delete()
        return visitor

    monkeypatch.setattr(unsubscribe_views, "visitor_of", and_erase)
    answer = browser().post(address, {"wish": wish})

    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (404, True)
    assert not ConsentEvent.objects.exists()


def test_a_wish_that_cannot_be_counted_is_not_written_either(campaign, monkeypatch):
    def fail(*_) -> None:
        raise ValueError("lost")

    monkeypatch.setattr(link_hits_module, "note", fail)
    with pytest.raises(ValueError):
        browser().post(path(campaign, Purpose.ONE_CLICK), ONE_CLICK)

    assert (refused(campaign), ConsentEvent.objects.count()) == ([], 0)


def test_nothing_at_all_stops_every_channel(campaign):
    browser().post(path(campaign), {"wish": "nothing"})

    assert person_of(campaign).opted_out
    assert (link_hits(campaign).unsubscribed, link_hits(campaign).confirmed) == (1, 1)


def test_only_groups_marked_for_it_are_shown_and_can_be_left_and_joined_again(campaign):
    person = person_of(campaign)
    news = make_group(campaign.workspace, person, name="seg-7", is_public=True, public_name="Weekly news")
    make_group(campaign.workspace, person, name="Bad payers")
    make_group(campaign.workspace, name="Not theirs", is_public=True)
    page = browser().get(path(campaign)).content.decode()
    assert "Weekly news" in page
    assert not any(name in page for name in ("seg-7", "Bad payers", "Not theirs"))

    browser().post(path(campaign), {"wish": "choose", "channels": ["email", "sms", "whatsapp"]})
    assert (person.groups.filter(pk=news.pk).exists(), LeftGroup.objects.count(), refused(campaign)) == (False, 1, [])

    both = {"wish": "choose", "channels": ["email"], "groups": [news.pk, 10**30, "x"]}
    browser().post(path(campaign), both)
    assert (person.groups.filter(pk=news.pk).exists(), LeftGroup.objects.count()) == (True, 0)
    assert refused(campaign) == [Channel.SMS, Channel.WHATSAPP]


def test_nobody_joins_a_group_of_which_they_were_never_told(campaign):
    secret = make_group(campaign.workspace, name="Bad payers")
    other = make_group(campaign.workspace, name="Offers", is_public=True)

    browser().post(path(campaign), {"wish": "choose", "channels": ["email"], "groups": [secret.pk, other.pk]})

    assert person_of(campaign).groups.count() == 0


def test_whoever_is_on_the_suppression_list_is_told(campaign):
    person = person_of(campaign)
    suppression.suppress(person.workspace, person.email, reason=Suppression.Reason.BOUNCED, by=None)

    assert "Only they can take it off." in browser().get(path(campaign)).content.decode()


def test_a_link_is_good_for_one_person_campaign_workspace_and_purpose_alone(campaign):
    other = launched(make_campaign(people=1), *sent())
    ours, theirs = path(campaign).split("-"), path(other).split("-")
    swapped = [
        "-".join([theirs[0], *ours[1:]]),
        "-".join([ours[0], theirs[1], ours[2]]),
        "-".join([*ours[:2], theirs[2]]),
        path(campaign).replace("/u/", "/o/"),
        path(campaign, Purpose.ONE_CLICK).replace("/o/", "/u/"),
        "/u/" + token_of(Purpose.PAGE, Meant(Channel.EMAIL, person_of(campaign).pk, other.pk), keys()[0]),
    ]
    unknown = browser().get("/u/nothing")

    for address in swapped:
        answers = [browser().get(address), browser().post(address, {"wish": "stop"} | ONE_CLICK)]
        assert [(each.status_code, each.content) for each in answers] == [(404, unknown.content)] * 2
    assert ConsentEvent.objects.count() == 0
    assert [link_hits(each).any for each in (campaign, other)] == [False, False]


def test_before_the_launch_and_once_its_person_is_gone_a_link_is_unknown(campaign):
    draft = make_campaign(campaign.workspace)
    early, late = path(draft, person=person_of(campaign)), path(campaign)

    assert browser().post(early, {"wish": "stop"}).status_code == 404
    assert refused(campaign) == []
    person_of(campaign).delete()
    assert browser().post(late, {"wish": "stop"}).status_code == 404


def test_the_link_works_on_when_the_messages_were_moved_to_a_file_and_when_the_campaign_is_gone(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path
    campaign = ended_long_ago(launched(make_campaign(people=1)), sent())
    person, address = person_of(campaign), path(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now() - timedelta(days=400))
    with file_place.held():
        store.store(Campaign.objects.get(pk=campaign.pk), by=None)
    assert Message.objects.filter(campaign=campaign).count() == 0

    assert browser().post(address, {"wish": "stop"}).status_code == 200
    person.refresh_from_db()
    assert person.refused_channels == [Channel.EMAIL]

    consent.opt_in(person, how=How.COLLEAGUE, by=None)
    Campaign.objects.filter(pk=campaign.pk).delete()
    assert browser().post(address, {"wish": "stop"}).status_code == 200
    person.refresh_from_db()
    assert person.refused_channels == [Channel.EMAIL]


def test_a_link_of_a_text_message_stops_text_messages():
    workspace = make_workspace()
    person = make_recipient(workspace)
    campaign = launched(make_campaign(workspace, channel=Channel.SMS), *sent())
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now())
    campaign.refresh_from_db()

    page = browser().post(path(campaign, person=person), {"wish": "stop"}).content.decode()

    person.refresh_from_db()
    assert person.refused_channels == [Channel.SMS]
    assert "You get no SMS messages" in page


def test_a_visit_asks_the_database_little(campaign, django_assert_max_num_queries):
    address = path(campaign)
    with django_assert_max_num_queries(16, connection=connection):
        browser().get(address)
