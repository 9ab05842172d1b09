"""A test of a campaign goes to the people named, by the real sender, and touches nothing that counts."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts import once
from accounts.models import AuditEntry, KeptAnswer, Role
from campaigns.models import Campaign
from dispatcher import clock, trials, tryout
from dispatcher.books import books_of
from dispatcher.models import Message, Trial
from dispatcher.senders.parcel import Refused, Unsure
from people import consent
from people.channels import Channel
from people.models import Suppression
from people.suppression import suppress
from tests.api.calls import Program, error_of
from tests.dispatcher.sending import send
from tests.make import logged_in, make_campaign, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(client):
    cache.clear()
    workspace = make_workspace("Acme")
    client.force_login(make_member(workspace, email="ann@example.com"))
    return workspace


@pytest.fixture
def campaign(workspace) -> Campaign:
    make_recipient(workspace, first_name="Alice")
    return make_campaign(workspace, subject="Hi {first_name}", body="Dear {first_name}")


def page(client, campaign) -> str:
    return client.get(reverse("send_test", args=[campaign.pk])).content.decode()


def sent(client, campaign, addresses: str, **typed) -> str:
    """The page after the button was pressed."""
    typed = {"addresses": addresses, "is_marked": "on"} | typed
    return client.post(reverse("send_test", args=[campaign.pk]), typed, follow=True).content.decode()


def test_a_test_says_what_a_person_would_get_and_is_marked(client, campaign, provider):
    html = sent(client, campaign, "ann@example.com\nBob@Example.com")

    assert [call.to for call in provider.calls] == ["ann@example.com", "bob@example.com"]
    assert {call.subject for call in provider.calls} == {"[Test] Hi Alice"}
    assert provider.calls[0].text.startswith("Dear Alice")
    assert html.count("is-sent") >= 2 and "Accepted" in html


def test_it_says_what_the_person_chosen_would_get_and_the_mark_can_be_left_out(client, campaign, provider):
    brian = make_recipient(campaign.workspace, first_name="Brian")

    sent(client, campaign, "ann@example.com", person=brian.pk, is_marked="")

    assert provider.calls[0].subject == "Hi Brian"


def test_a_test_stands_in_no_book_and_is_told_in_the_audit_log_without_addresses(client, campaign, provider):
    sent(client, campaign, "bob@example.com")

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    assert not Message.objects.exists() and books_of(campaign).total == 0
    entry = AuditEntry.objects.get(verb="send_test")
    assert (entry.changes["addresses"], entry.changes["accepted"]) == ([None, 1], [None, 1])
    assert "bob@example.com" not in str(entry.changes)


def test_the_link_in_a_test_acts_for_nobody(client, campaign, provider):
    sent(client, campaign, "ann@example.com")

    (call,) = provider.calls
    link = re.search(r"http\S+/u/(\S+)", call.text)
    send(campaign)  # a link with a seal would act from now on
    answer = client.post(f"/u/{link[1]}", {"wish": "stop"})
    assert "List-Unsubscribe" not in call.headers
    assert answer.status_code == 404
    assert not campaign.workspace.recipients.exclude(opted_out=False, refused_channels=[]).exists()


def test_nothing_is_sent_to_a_suppressed_address_or_to_who_opted_out(client, campaign, provider):
    suppress(campaign.workspace, "gone@example.com", reason=Suppression.Reason.BOUNCED, by=None)
    olga = make_recipient(campaign.workspace, email="olga@example.com")
    consent.opt_out(olga, channel=Channel.EMAIL, how=consent.How.PREFERENCES, by=None)

    html = sent(client, campaign, "gone@example.com, olga@example.com, ann@example.com")

    assert [call.to for call in provider.calls] == ["ann@example.com"]
    assert "gone@example.com is on the suppression list" in html
    assert "olga@example.com belongs to somebody who opted out" in html


def test_what_became_of_each_is_told(client, campaign, provider):
    provider.answers["bad@example.com"] = [Refused("550 no such user", category="bounced")]
    provider.answers["odd@example.com"] = [Unsure("connection lost")]

    html = sent(client, campaign, "ann@example.com;bad@example.com;odd@example.com")

    outcomes = dict(Trial.objects.values_list("address", "outcome"))
    assert outcomes == {"ann@example.com": 1, "bad@example.com": 2, "odd@example.com": 0}
    assert "550 no such user" in html and "It may arrive" in html


def test_who_gives_no_answer_does_not_keep_the_others_waiting(client, campaign, provider, monkeypatch):
    monkeypatch.setattr(tryout, "SECONDS", 0.5)
    provider.answers["slow@example.com"] = ["hang"]

    sent(client, campaign, "slow@example.com\nann@example.com")

    outcomes = dict(Trial.objects.values_list("address", "outcome"))
    assert outcomes == {"slow@example.com": 0, "ann@example.com": 1}


def test_a_web_server_that_dies_leaves_a_note_that_the_test_may_have_arrived(client, campaign, provider, monkeypatch):
    def die(*_):
        raise SystemExit

    monkeypatch.setattr(trials, "hand_over", die)
    with pytest.raises(SystemExit):
        sent(client, campaign, "ann@example.com")

    assert "The answer was lost" in page(client, campaign)


def test_the_own_address_is_offered_first_and_then_those_of_the_last_test(client, campaign, provider):
    assert ">\nann@example.com</textarea>" in page(client, campaign)

    sent(client, campaign, "bob@example.com\ncarol@example.com")

    assert ">\nbob@example.com\ncarol@example.com</textarea>" in page(client, campaign)
    other = logged_in(campaign.workspace, Role.EDITOR)
    assert "bob@example.com" not in page(other, campaign)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Say where the test goes."),
        ("nowhere", "is not an email address"),
        ("\n".join(f"p{n}@example.com" for n in range(11)), "a test goes to 10 at most"),
    ],
)
def test_what_cannot_be_sent_to_is_said_and_nothing_is_sent(client, campaign, provider, typed, sentence):
    assert sentence in sent(client, campaign, typed)
    assert provider.calls == []


def test_a_text_that_is_not_finished_is_not_tested(client, workspace, provider):
    campaign = make_campaign(workspace, people=1, subject="", body="Hi")

    assert "The email has no subject." in page(client, campaign)
    assert "Nothing was sent." in sent(client, campaign, "ann@example.com")
    assert provider.calls == []


def test_a_text_too_long_with_the_words_of_the_person_is_not_sent_empty_but_refused(client, workspace, provider):
    make_recipient(workspace, first_name="A" * 60)
    campaign = make_campaign(workspace, channel=Channel.SMS, body="{first_name}" * 30)

    html = sent(client, campaign, "+254712345678")

    assert "Nothing was sent.</b> <p>It would have 1,8" in html and "characters for this person" in html
    assert provider.calls == [] and not Trial.objects.exists()


def test_what_was_sent_is_not_tested_any_more(client, campaign, provider):
    send(campaign)
    provider.calls.clear()

    assert "only drafts and scheduled campaigns" in sent(client, campaign, "ann@example.com")
    assert provider.calls == []


def test_more_tests_than_anybody_needs_are_refused_with_a_sentence(client, campaign, provider, monkeypatch):
    monkeypatch.setattr(trials, "MOST_OF_USER", 3)
    sent(client, campaign, "a@example.com\nb@example.com")

    answer = client.post(reverse("send_test", args=[campaign.pk]), {"addresses": "c@example.com\nd@example.com"})

    assert answer.status_code == 429
    assert "You have sent 3 tests within the last hour" in answer.content.decode()
    assert len(provider.calls) == 2


def test_a_workspace_has_a_limit_of_its_own_that_outlives_its_campaigns(client, campaign, provider, monkeypatch):
    monkeypatch.setattr(trials, "MOST_OF_WORKSPACE", 3)
    other = logged_in(campaign.workspace, Role.EDITOR)
    another = make_campaign(campaign.workspace)
    sent(client, campaign, "a@example.com\nb@example.com")
    campaign.delete()

    assert "People of Acme have sent 3 tests" in sent(other, another, "c@example.com\nd@example.com")


def test_tests_of_a_month_ago_are_forgotten(client, campaign, provider):
    sent(client, campaign, "a@example.com")
    Trial.objects.update(at=timezone.now() - timedelta(days=31))

    clock.tidy()

    assert not Trial.objects.exists()


def test_a_national_number_is_read_as_one_of_the_workspace(client, workspace, provider):
    workspace.region = "KE"
    workspace.save(update_fields=["region"])
    campaign = make_campaign(workspace, people=1, channel=Channel.SMS)

    sent(client, campaign, "0712 345 678")

    assert [call.to for call in provider.calls] == ["+254712345678"]


def test_saving_a_draft_can_lead_to_its_test(client, campaign, provider):
    typed = {"name": "Spring", "channel": "email", "subject": "Hi", "body": "Hello", "audience": "everyone"}

    answer = client.post(reverse("campaign-edit", args=[campaign.pk]), typed | {"then": "test"})

    assert answer.headers["Location"] == reverse("send_test", args=[campaign.pk])


def test_another_workspace_cannot_be_tested(client, workspace, provider):
    assert client.get(reverse("send_test", args=[make_campaign(people=1).pk])).status_code == 404


# --- over the API ---


def test_a_program_sends_a_test_and_is_told_what_became_of_each(campaign, provider):
    brian = make_recipient(campaign.workspace, first_name="Brian")
    suppress(campaign.workspace, "gone@example.com", reason=Suppression.Reason.BOUNCED, by=None)
    program = Program(campaign.workspace, Role.EDITOR)
    body = {"addresses": ["Bob@Example.com", "gone@example.com"], "customer_id": brian.pk, "is_marked": False}

    told = program.post(f"/api/campaigns/{campaign.pk}/test", body).json()

    assert [(call.to, call.subject) for call in provider.calls] == [("bob@example.com", "Hi Brian")]
    assert (told["customer_id"], told["accepted"]) == (brian.pk, 1)
    assert [(one["address"], one["outcome"]) for one in told["results"]] == [
        ("bob@example.com", "accepted"),
        ("gone@example.com", "refused"),
    ]
    assert not Message.objects.exists() and set(Trial.objects.values_list("key", "by")) == {(program.key.pk, None)}


def test_a_test_of_a_program_says_what_the_first_person_gets(campaign, provider):
    Program(campaign.workspace).post(f"/api/campaigns/{campaign.pk}/test", {"addresses": ["ann@example.com"]})

    assert provider.calls[0].subject == "[Test] Hi Alice"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"addresses": []}, 400),
        ({"addresses": ["nobody"]}, 400),
        ({"addresses": [f"p{n}@example.com" for n in range(11)]}, 400),
        ({"addresses": ["ann@example.com"], "customer_id": 999_999}, 404),
        ({"addresses": ["ann@example.com"], "variant": "B"}, 404),
    ],
)
def test_a_test_that_cannot_be_sent_is_refused_with_a_sentence(campaign, provider, body, status):
    answer = Program(campaign.workspace).post(f"/api/campaigns/{campaign.pk}/test", body)

    assert answer.status_code == status and error_of(answer)["message"]
    assert provider.calls == []


def test_a_program_cannot_make_a_campaign_of_tests(campaign, provider, monkeypatch):
    monkeypatch.setattr(trials, "MOST_OF_USER", 2)
    program, path = Program(campaign.workspace), f"/api/campaigns/{campaign.pk}/test"

    program.post(path, {"addresses": ["ann@example.com", "bob@example.com"]})
    refused = program.post(path, {"addresses": ["ann@example.com"]})

    assert (refused.status_code, error_of(refused)["code"]) == (429, "RATE_LIMITED")
    assert error_of(refused)["message"].startswith("This key has sent 2 tests") and refused["Retry-After"]
    assert len(provider.calls) == 2


def test_what_is_sent_is_not_tried_out_any_more(campaign, provider):
    send(campaign)

    refused = Program(campaign.workspace).post(f"/api/campaigns/{campaign.pk}/test", {"addresses": ["a@example.com"]})

    assert refused.status_code == 409


# --- over the API, under an Idempotency-Key ---


def under_key(program: Program, campaign: Campaign, key: str = "a", to: str = "ann@example.com") -> HttpResponse:
    program.headers["Idempotency-Key"] = key
    return program.post(f"/api/campaigns/{campaign.pk}/test", {"addresses": [to]})


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_hangs_keeps_no_other_test_waiting_and_is_asked_once(campaign, provider, monkeypatch):
    monkeypatch.setattr(tryout, "SECONDS", 0.5)
    provider.answers["ann@example.com"] = ["hang"]
    program, other, meanwhile = Program(campaign.workspace), Program(campaign.workspace), []

    def look() -> None:
        meanwhile.append(under_key(program, campaign))
        meanwhile.append(under_key(other, campaign, to="bob@example.com"))
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        provider.at_call[1] = lambda: pool.submit(look).result()
        first = under_key(program, campaign)
    again = under_key(program, campaign)

    assert [answer.status_code for answer in meanwhile] == [409, 200] and meanwhile[0]["Retry-After"]
    assert first.json()["results"][0]["outcome"] == "not heard"
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert provider.accepted == {"ann@example.com": 1, "bob@example.com": 1}
    assert AuditEntry.objects.filter(verb="send_test").count() == 2


def test_a_test_whose_process_died_is_never_sent_again_under_its_key(campaign, provider, monkeypatch):
    def die(*_):
        raise SystemExit

    program = Program(campaign.workspace)
    with monkeypatch.context() as dying, pytest.raises(SystemExit):
        dying.setattr(trials, "hand_over", die)
        under_key(program, campaign)

    soon = under_key(program, campaign)
    KeptAnswer.objects.update(at=timezone.now() - timedelta(minutes=2))
    later = under_key(program, campaign)

    assert (soon.status_code, later.status_code) == (409, 409)
    assert soon.has_header("Retry-After") and not later.has_header("Retry-After")
    assert "never heard" in error_of(later)["message"]
    assert provider.calls == [] and under_key(program, campaign, "b").status_code == 200


def test_after_a_fault_of_ours_a_test_that_may_have_arrived_is_not_sent_again(campaign, provider, monkeypatch):
    program = Program(campaign.workspace)
    with monkeypatch.context() as broken:
        broken.setattr(trials, "in_words", None)
        assert under_key(program, campaign).status_code == 500

    assert under_key(program, campaign).status_code == 409
    assert len(provider.calls) == 1


def test_a_test_that_came_too_often_may_be_sent_later_under_its_key(campaign, provider, monkeypatch):
    program = Program(campaign.workspace)
    with monkeypatch.context() as strict:
        strict.setattr(trials, "MOST_OF_USER", 0)
        assert under_key(program, campaign).status_code == 429

    assert under_key(program, campaign).status_code == 200


def test_what_a_test_was_answered_is_not_kept_of_somebody_who_is_erased_meanwhile(campaign, provider, monkeypatch):
    def erase_meanwhile(*asked):
        once.forget_of(campaign.workspace)
        return tryout.hand_over(*asked)

    monkeypatch.setattr(trials, "hand_over", erase_meanwhile)
    program = Program(campaign.workspace)

    assert under_key(program, campaign).status_code == 200
    assert KeptAnswer.objects.get().body == ""
    assert under_key(program, campaign).status_code == 409
