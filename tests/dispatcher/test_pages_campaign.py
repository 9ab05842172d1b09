"""The page of a campaign: who may see and press what, and that its numbers add up."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from campaigns.authoring import create_campaign
from campaigns.models import Campaign, Format
from dispatcher import dismissals, operations
from dispatcher.books import books_of
from dispatcher.models import Category, Message
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import make_campaign, make_member, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status
VERBS = ["pause", "resume", "cancel", "unschedule", "retry_failed", "assume_delivered", "send_again"]
PAGES = ["campaign", "campaign-live", "campaign-people", "check"]


@pytest.fixture
def workspace():
    return make_workspace(name="Acme")


@pytest.fixture
def ann(client, workspace):
    ann = make_member(workspace, name="Ann")
    client.force_login(ann)
    return ann


def page(client, campaign, query: str = "") -> str:
    answer = client.get(f"{reverse('campaign', args=[campaign.pk])}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def the_sum(html: str) -> list[int]:
    """The numbers of the sum: the total, then the six it is made of."""
    found = re.search(r'<p class="sum">(.*?)</p>', html, re.DOTALL)[1]
    return [int(number.replace(",", "")) for number in re.findall(r"<b>([\d,]+)</b>", found)]


@pytest.mark.parametrize("name", PAGES)
def test_a_campaign_of_another_workspace_is_not_there(client, ann, name):
    theirs = launched(make_campaign(people=2))

    assert client.get(reverse(name, args=[theirs.pk])).status_code == 404
    assert client.get(reverse(name, args=[10**30])).status_code == 404


def test_messages_and_questions_of_another_workspace_are_not_there(client, ann):
    theirs = launched(make_campaign(people=2))

    assert client.get(reverse("message", args=[theirs.pk, 1])).status_code == 404
    assert client.get(reverse("confirm", args=[theirs.pk, "cancel"])).status_code == 404


@pytest.mark.parametrize("verb", [*VERBS, "send"])
def test_no_verb_reaches_into_another_workspace(client, ann, verb):
    theirs = launched(make_campaign(people=2), *failed())

    assert client.post(reverse(verb, args=[theirs.pk])).status_code == 404
    theirs.refresh_from_db()
    assert (theirs.status, books_of(theirs).failed) == (Status.SENDING, 1)


@pytest.mark.parametrize("verb", [*VERBS, "send"])
def test_a_verb_is_posted_with_the_token_by_somebody_who_may_send(client, ann, workspace, verb):
    campaign = make_campaign(workspace, people=1)
    address = reverse(verb, args=[campaign.pk])

    assert client.get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    assert strict.post(address).status_code == 403
    for role in (Role.VIEWER, Role.EDITOR):
        other = Client()
        other.force_login(make_member(workspace, role))
        assert other.post(address).status_code == 403
    assert Client().post(address).status_code == 302  # to the login
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


@pytest.mark.parametrize("role", list(Role))
def test_a_viewer_has_no_buttons_and_an_editor_may_only_edit(client, workspace, role):
    draft = make_campaign(workspace, people=4)
    going = launched(make_campaign(workspace), *failed(Category.TIMEOUT), *unknown())
    client.force_login(make_member(workspace, role))

    html, sending = page(client, draft), page(client, going)

    assert (reverse("campaign-edit", args=[draft.pk]) in html) == role.may("write")
    assert (f'href="{reverse("check", args=[draft.pk])}">Check and send' in html) == role.may("send")
    for word in ("Pause", "Cancel…", "Retry 1", "Assume delivered", "Send again…"):
        assert (word in sending) == role.may("send"), word


def test_pause_and_resume_work_without_scripts(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=2))

    answer = client.post(reverse("pause", args=[campaign.pk]))
    assert (answer.status_code, answer["Location"]) == (303, reverse("campaign", args=[campaign.pk]))
    html = page(client, campaign)
    assert "Resume" in html and "Paused by Ann at" in html

    client.post(reverse("resume", args=[campaign.pk]))
    assert "Pause</button>" in page(client, campaign)


def test_a_button_answers_with_the_page_as_it_stands_now(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=2))

    answer = client.post(reverse("pause", args=[campaign.pk]), headers={"HX-Request": "true"})

    html = answer.content.decode()
    assert "Resume" in html and "Paused by Ann" in html
    assert f'id="campaign-{campaign.pk}-badge" class="badge is-paused"' in html


def test_who_was_slower_is_shown_how_things_stand(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=2))
    operations.cancel(campaign, by=None)

    assert client.post(reverse("pause", args=[campaign.pk])).status_code == 303
    answer = client.post(reverse("pause", args=[campaign.pk]), headers={"HX-Request": "true"})

    assert "Cancelling" in answer.content.decode()


@pytest.mark.parametrize("verb", ["cancel", "send_again"])
def test_what_cannot_be_taken_back_is_asked_about_first(client, ann, workspace, verb):
    campaign = launched(make_campaign(workspace, people=2), *sent(), *unknown())
    question = reverse("confirm", args=[campaign.pk, verb])

    assert question in page(client, campaign)
    html = client.get(question).content.decode()
    assert f'formaction="{reverse(verb, args=[campaign.pk])}"' in html
    campaign.refresh_from_db()
    assert (campaign.status, books_of(campaign).unknown) == (Status.SENDING, 1)


@pytest.mark.parametrize(("is_paused", "words"), [(False, "Keep sending"), (True, "Keep it paused")])
def test_the_way_out_of_a_cancel_stands_first_and_says_what_stays(client, ann, workspace, is_paused, words):
    campaign = launched(make_campaign(workspace, people=2))
    if is_paused:
        operations.pause(campaign, by=ann)

    for html in (page(client, campaign), client.get(reverse("confirm", args=[campaign.pk, "cancel"])).content.decode()):
        question = html[html.index("Cancel this campaign?") :]
        assert "autofocus" in question[: question.index(f">{words}<")]
        assert question.index(f">{words}<") < question.index(">Cancel the campaign<")


def test_all_that_failed_is_retried_by_one_button_once_nothing_is_sent_any_more(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=4), *failed(Category.TIMEOUT, 2), *failed())

    assert "Retry all" not in page(client, campaign) and "Retry 2" in page(client, campaign)
    operations.pause(campaign, by=ann)
    assert "Retry all 3 failed" in page(client, campaign)


def test_before_all_that_failed_is_retried_it_is_asked_with_how_many_it_is_likely_to_help(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=5), *failed(Category.TIMEOUT, 2), *failed(Category.BOUNCED, 3))
    operations.pause(campaign, by=ann)
    question = reverse("confirm", args=[campaign.pk, "retry_failed"])

    for html in (page(client, campaign), client.get(question).content.decode()):
        assert "Retry 5 failed messages?" in html and "2 of them are worth another try" in html
        assert "For the other 3 trying again rarely helps" in html and "until the campaign is resumed" in html
    assert f'href="{question}"' in page(client, campaign) and books_of(campaign).failed == 5


def test_what_was_dismissed_is_marked_and_not_retried_with_the_others(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=4), *failed(Category.TIMEOUT, 2), *failed(), *sent())
    dismissals.dismiss(campaign, by=ann, category=Category.TIMEOUT)
    operations.pause(campaign, by=ann)

    html = page(client, campaign)
    assert "· dismissed" in html and "Retry the 1 failed not dismissed" in html
    client.post(reverse("retry_failed", args=[campaign.pk]), {"spare_dismissed": "yes"})

    assert books_of(campaign).failures() == [(Category.TIMEOUT, 2)]
    assert "Retry all" not in page(client, campaign) and "failed not dismissed" not in page(client, campaign)


def test_what_went_wrong_is_one_link_away_from_the_top(client, ann, workspace):
    well = launched(make_campaign(workspace, people=2), *sent())
    badly = launched(make_campaign(workspace, people=2), *failed())

    assert f'href="#campaign-{well.pk}-causes"' not in page(client, well)
    assert f'href="#campaign-{badly.pk}-causes"' in page(client, badly)


def test_the_numbers_of_the_chips_tick_with_the_sum(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=9), *sent(3), *unknown())
    drawn = client.get(reverse("campaign-live", args=[campaign.pk])).content.decode()

    chips = dict(re.findall(r'id="people-(\w+)-count" hx-swap-oob="morph">([\d,]+)<', drawn))

    assert chips == {
        **{"all": "9", "sent": "3", "unknown": "1", "waiting": "5"},
        **{"failed": "0", "skipped": "0", "cancelled": "0"},
    }
    html = page(client, campaign)
    assert all(f'id="people-{word}-count"' in html for word in chips)


def test_the_message_follows_a_draft_through_its_launch(client, ann, workspace):
    campaign = make_campaign(workspace, people=2, body="Dear {first_name}")

    def drawn() -> str:
        return client.get(reverse("campaign-live", args=[campaign.pk])).content.decode()

    assert "Read it as the people will" in drawn()
    launched(campaign)
    assert "Read it as the first person gets it" in drawn() and "as the people will" not in drawn()


def test_a_mail_is_shown_as_a_mail_and_its_source_only_beside_it(client, ann, workspace):
    body = '<p>Dear {first_name}</p><p><a href="{unsubscribe_link}">Stop</a></p>'
    campaign = create_campaign(
        workspace, by=ann, name="Sale", subject="Sale", body=body, format=Format.HTML, everyone=True
    )
    make_recipients(workspace, 1)

    html = page(client, operations.launch(campaign, by=ann))

    frame, source = html.index(f'src="{reverse("campaign-mail", args=[campaign.pk])}"'), html.index("&lt;p&gt;Dear")
    assert frame < html.index("As it is written: HTML") < source and html.count("&lt;p&gt;Dear") == 1


@pytest.mark.parametrize(("ending", "is_added"), [("", True), ("Stop: {unsubscribe_link}", False)])
def test_the_message_ends_with_our_line_only_where_it_was_sent_with_it(client, ann, workspace, ending, is_added):
    campaign = operations.launch(make_campaign(workspace, people=1, body=f"Dear all. {ending}"), by=ann)

    assert campaign.footer and ("To stop these emails" in page(client, campaign)) == is_added


def test_without_scripts_a_page_is_asked_for_again_by_a_link(client, ann, workspace):
    for html in (page(client, make_campaign(workspace)), client.get(reverse("campaigns")).content.decode()):
        assert '<noscript> <a href="">Reload</a></noscript>' in html


def test_what_was_noted_stands_in_the_history_by_its_words(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=2), *failed())
    operations.retry_failed(campaign, by=ann)

    assert "<b>Retry of 1 failed</b>" in page(client, campaign)


def test_there_is_no_question_about_other_verbs(client, ann, workspace):
    campaign = make_campaign(workspace)

    assert client.get(reverse("confirm", args=[campaign.pk, "pause"])).status_code == 404


def test_one_cause_of_failure_is_retried_and_the_others_stay(client, ann, workspace):
    campaign = launched(
        make_campaign(workspace, people=4), *failed(Category.TIMEOUT, 2), *failed(Category.BOUNCED), *sent()
    )

    client.post(reverse("retry_failed", args=[campaign.pk]), {"category": "timeout"})

    books = books_of(campaign)
    assert (books.pending, books.failed) == (2, 1)
    assert books.failures() == [(Category.BOUNCED, 1)]


@pytest.mark.parametrize("category", ["nonsense", "1", "TIMEOUT; DROP"])
def test_a_cause_that_does_not_exist_retries_nothing(client, ann, workspace, category):
    campaign = launched(make_campaign(workspace, people=1), *failed())

    answer = client.post(reverse("retry_failed", args=[campaign.pk]), {"category": category})

    assert (answer.status_code, books_of(campaign).failed) == (404, 1)


def test_unknown_messages_are_decided_all_at_once_or_one_by_one(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=3), *unknown(3))

    client.post(reverse("assume_delivered", args=[campaign.pk]), {"numbers": "2"})
    assert Message.objects.get(campaign=campaign, number=2).assumed
    assert (books_of(campaign).unknown, books_of(campaign).sent) == (2, 1)

    client.post(reverse("send_again", args=[campaign.pk]))
    assert (books_of(campaign).unknown, books_of(campaign).pending) == (0, 2)
    assert client.post(reverse("send_again", args=[campaign.pk]), {"numbers": "9" * 30}).status_code == 404


def test_the_sum_adds_up_and_says_so(client, ann, workspace):
    make_recipient(workspace, opted_out=True)
    campaign = launched(
        make_campaign(workspace, people=9),
        *sent(3),
        *failed(Category.TIMEOUT, 2),
        *unknown(),
        (Message.Status.CANCELLED, None),
    )

    html = page(client, campaign)

    assert the_sum(html) == [10, 3, 2, 1, 2, 1, 1]
    assert "the books balance" in html and "do not balance" not in html
    assert "80%" in html and "8 of 10 done" in html


def test_a_shared_bar_shows_the_smallest_share(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=3), *sent(2), *failed())

    html = page(client, campaign)

    assert '<svg class="s" width="66.67%"' in html and '<svg class="f" width="33.33%"' in html
    assert '<svg class="u" width="0%"' in html


def test_what_went_wrong_is_told_by_cause_with_the_one_thing_to_do(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=3), *failed(Category.TIMEOUT, 2), *failed())

    html = page(client, campaign)

    assert "No answer in time" in html and "Retry 2" in html
    assert "Mailbox does not exist" in html and "Retry 1<" not in html
    assert f"/campaigns/{campaign.pk}/?cause=timeout#people" in html


def test_a_draft_that_was_sent_back_says_why(client, ann, workspace):
    campaign = make_campaign(workspace)
    campaign.move_to(Status.PREPARING, by=None)
    campaign.move_to(Status.DRAFT, by=None, reason="Nobody was left to write to.")

    assert "Nobody was left to write to." in page(client, campaign)


def test_nothing_a_person_typed_becomes_markup(client, workspace):
    evil = "<img src=x onerror=alert(1)>"
    ann = make_member(workspace, name=evil)
    make_recipient(workspace, first_name=evil, last_name=evil)
    client.force_login(ann)
    campaign = make_campaign(workspace, name=evil, subject=evil, body=f"{evil} {{first_name}}", created_by=ann)
    operations.launch(campaign, by=ann)
    Message.objects.filter(campaign=campaign).update(
        last_error=evil, retry_count=1, provider_id=evil, status=Message.Status.PENDING
    )
    operations.pause(campaign, by=ann, reason=evil)

    for address in (
        "/",
        reverse("campaign", args=[campaign.pk]),
        reverse("message", args=[campaign.pk, 1]),
        reverse("check", args=[campaign.pk]),
        reverse("confirm", args=[campaign.pk, "cancel"]),
    ):
        html = client.get(address).content.decode()
        assert "<img" not in html and "&lt;img src=x" in html, address


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-1", "?page=99999999999999999999", "?page=x", "?status=x", "?cause=x", "?page=²"]
)
def test_whatever_the_address_asks_there_is_a_page(client, ann, workspace, query):
    campaign = launched(make_campaign(workspace, people=30))

    assert 'id="message-' in page(client, campaign, query)


def test_the_page_keeps_its_filter_where_it_asks_for_itself(client, ann, workspace):
    campaign = launched(make_campaign(workspace, people=60), *sent(55))

    html = page(client, campaign, "?status=sent&page=3")

    assert f'hx-get="/campaigns/{campaign.pk}/people/?status=sent&amp;page=3"' in html
    assert "51 to 55 of 55" in html


def test_a_bigger_campaign_does_not_take_more_queries(client, ann, workspace, settings):
    settings.BATCH_SIZE = 10

    def queries(campaign: Campaign) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, campaign)
        return len(captured)

    small = launched(make_campaign(workspace, people=2), *sent())
    few = queries(small)
    big = launched(make_campaign(workspace, people=200), *sent(20), *failed(Category.TIMEOUT, 20), *failed(how_many=20))

    assert queries(big) <= few
    assert few <= 24


def test_an_open_page_is_not_fetched_again_from_a_cache_for_a_stranger(client, ann, workspace):
    campaign = make_campaign(workspace)

    answer = client.get(reverse("campaign", args=[campaign.pk]))

    assert "Cookie" in answer["Vary"]
