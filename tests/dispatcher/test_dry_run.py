"""A dry run says exactly what the launch then does, hands nothing over, and survives whatever happens to its worker."""

import signal
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Role
from campaigns.authoring import NotEditable, update_campaign
from campaigns.before_sending import change_price
from campaigns.models import Campaign
from campaigns.price import Price
from dispatcher import clock, dry_runs, freeze, workers
from dispatcher.books import books_of
from dispatcher.compared import compared
from dispatcher.cost import cost_of
from dispatcher.dry_runs import Overtaken
from dispatcher.freeze import forecast
from dispatcher.models import Category, DryRun, Message, Pace, SkipReason
from dispatcher.readiness import LaunchRefused
from people import consent
from people.channels import Channel
from people.models import Recipient, Suppression
from people.suppression import suppress
from simulator.models import Call
from tests.dispatcher.outcomes import sent, settle
from tests.dispatcher.sending import send
from tests.dispatcher.test_generate import prepare
from tests.dispatcher.test_whatsapp_templates import written_by
from tests.make import (
    logged_in,
    make_campaign,
    make_group,
    make_recipient,
    make_recipients,
    make_whatsapp_template,
    make_workspace,
)
from tests.start import start_process

pytestmark = pytest.mark.django_db
State = DryRun.State
HOSTILE = ["{first_name}", "<script>alert(1)</script>", "{{ 7*7 }}", "Łódź 🎉", "%s%n", "\u202egnp.exe", "€^{}[]"]
TEXT = "Dear {first_name|friend}, your badge is {badge}. " + "x" * 100


@pytest.fixture
def workspace():
    return make_workspace()


def nasty(workspace, channel: Channel) -> Campaign:
    """A draft to everyone in a group, with somebody for each reason not to get it."""
    field = channel.address_field
    workspace.attribute_names.create(name="badge")
    people = [make_recipient(workspace, first_name=name, attributes={"badge": name}) for name in HOSTILE]
    people += make_recipients(workspace, 20)
    people.append(make_recipient(workspace, opted_out=True))
    refusing, gone, left_out, late = (make_recipient(workspace) for _ in range(4))
    consent.opt_out(refusing, channel=channel, how=consent.How.REPLY, by=None)
    suppress(workspace, getattr(gone, field), reason=Suppression.Reason.BOUNCED, by=None)
    people += [refusing, gone, left_out, late]
    people.append(make_recipient(workspace, **{field: ""}))
    people += [make_recipient(workspace, **{field: address}) for address in ("nowhere", "+12 34", "a b@c")]
    people.append(make_recipient(workspace, first_name="", attributes={"badge": "long " * 2_000}))
    group = make_group(workspace, *people)
    make_recipients(workspace, 3)
    campaign = make_campaign(workspace, everyone=False, channel=channel, subject="Hi {first_name}", body=TEXT)
    campaign.groups.add(group)
    campaign.excluded.add(left_out)
    return campaign


def run_dry(campaign: Campaign) -> DryRun:
    run = dry_runs.dry_run(campaign, by=None)
    dry_runs.carry_out(run.pk)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("channel", Channel)
def test_a_dry_run_says_by_reason_what_the_launch_then_does(workspace, provider, channel):
    campaign = nasty(workspace, channel)

    run = run_dry(campaign)
    books = send(campaign)

    assert run.state == State.DONE
    assert run.skips == dict.fromkeys(SkipReason, 0) | dict(books.skips())
    assert {SkipReason.OPTED_OUT, SkipReason.SUPPRESSED, SkipReason.INVALID_ADDRESS} <= dict(books.skips()).keys()
    assert (run.looked_at, run.reached) == (books.total, books.sent + books.failed)
    assert run.weights.too_long == dict(books.failures()).get(Category.TEMPLATE_ERROR, 0)
    assert run.weights.too_long == (0 if channel == Channel.EMAIL else 1)
    assert all(line.is_same for line in compared(campaign, run) if not line.predicted.startswith("not "))


def test_it_counts_the_parts_that_then_go_out(workspace, provider):
    campaign = nasty(workspace, Channel.SMS)

    run = run_dry(campaign)
    send(campaign)

    parts = next(line for line in compared(campaign, run) if line.what == "Parts")
    assert parts.is_same and run.weights.parts > run.reached


def test_it_tells_the_price_and_the_time_and_what_they_were(workspace, provider, monkeypatch):
    monkeypatch.setattr(workers, "sending", lambda: 1)
    change_price(workspace, Channel.SMS, Price(Decimal("0.05"), "KES"))
    Pace.objects.create(workspace=workspace, channel=Channel.SMS, sender="scripted", limit=10)
    campaign = nasty(workspace, Channel.SMS)

    run = run_dry(campaign)
    send(campaign)
    campaign.finished_at += timedelta(minutes=1)  # else it may take exactly as long as predicted

    lines = {line.what: line for line in compared(campaign, run)}
    assert lines["Price"].is_same and run.price == Price(Decimal("0.05"), "KES").times(run.weights.parts)
    assert run.seconds == pytest.approx(run.reached / 10)
    assert "Pauses" in lines["From start to end"].why


def test_for_very_many_people_the_check_page_takes_the_parts_from_the_dry_run(workspace, monkeypatch):
    campaign = nasty(workspace, Channel.SMS)
    people = forecast(campaign).reached
    monkeypatch.setattr(freeze, "CHUNK", 5)
    assert cost_of(campaign, people).parts is None

    run = run_dry(campaign)

    assert cost_of(campaign, people).parts == run.weights.parts
    assert cost_of(campaign, people + 1).parts is None
    campaign = update_campaign(campaign, by=None, body="Other")
    assert cost_of(campaign, people).parts is None


def test_what_depends_on_generated_words_is_not_told(workspace, provider):
    change_price(workspace, Channel.SMS, Price(Decimal("1"), "KES"))
    words = {"body": "{opening|Hi}!" + "." * 150, "generated_words": True, "brief": "our great sale"}
    campaign = make_campaign(workspace, channel=Channel.SMS, subject="", **words)
    make_recipient(workspace, location="Nairobi")

    run = run_dry(campaign)
    before = page(workspace, campaign)
    settle(prepare(campaign), sent())

    assert run.price is None and "known once the words of each person are generated" in before
    assert "part in all" not in before and "KES" not in before
    lines = {line.what: line for line in compared(campaign, run)}
    assert (lines["Parts"].predicted, lines["Parts"].really) == ("not known", "2")
    assert (lines["Price"].predicted, lines["Price"].really) == ("not known", "KES 2.00")


def test_more_than_was_predicted_is_not_explained_by_those_left_out(workspace, provider):
    change_price(workspace, Channel.SMS, Price(Decimal("1"), "KES"))
    campaign = make_campaign(workspace, channel=Channel.SMS, subject="", people=2)
    run = run_dry(campaign)
    make_recipient(workspace)

    send(campaign)

    lines = {line.what: line for line in compared(campaign, run)}
    assert "More people got it" in lines["Parts"].why and "More parts went out" in lines["Price"].why


def test_it_finds_everybody_whose_words_a_whatsapp_template_cannot_take(workspace, monkeypatch):
    monkeypatch.setattr(dry_runs, "CHUNK", 2)
    make_recipients(workspace, 3)
    nameless = [make_recipient(workspace, first_name="") for _ in range(2)]
    make_recipient(workspace, first_name="A\nB")
    campaign = written_by(make_whatsapp_template(workspace), "{first_name}")

    run = run_dry(campaign)

    assert [(words, count) for words, count, _ in run.misfits.rows] == [
        ("nothing to put in {{1}}", 2),
        ("a line break or a tab in {{1}}", 1),
    ]
    html = page(workspace, campaign)
    assert '<b>3</b><div class="grow"><p>would be refused by WhatsApp' in html
    assert all(reverse("person", args=[person.pk]) in html for person in nameless)


def test_the_parts_of_other_people_are_not_taken(workspace, monkeypatch):
    campaign = nasty(workspace, Channel.SMS)
    people = forecast(campaign).reached
    monkeypatch.setattr(freeze, "CHUNK", 5)
    run = run_dry(campaign)
    assert cost_of(campaign, people).note == ""

    with monkeypatch.context() as slow:
        slow.setattr("people.patience.SECONDS", 0.001)
        slow.setattr(
            "dispatcher.cost.seal_of_people", lambda campaign: connection.cursor().execute("SELECT pg_sleep(1)")
        )
        told = cost_of(campaign, people)
    assert told.parts == run.weights.parts and "cannot be told quickly" in told.note

    rename(campaign)
    told = cost_of(campaign, people)
    assert told.parts is None and "changed since the dry run" in told.note


def test_nothing_is_handed_over_and_no_message_is_made(workspace, settings):
    settings.SIMULATOR_PROFILE = "perfect"
    known = Call.objects.count()  # what the provider learnt in tests before this one stays

    run_dry(nasty(workspace, Channel.EMAIL))

    assert Call.objects.count() == known
    assert not Message.objects.exists()
    assert Campaign.objects.get().status == Campaign.Status.DRAFT


def test_it_counts_the_same_by_how_many_steps_however(workspace, provider, monkeypatch):
    campaign = nasty(workspace, Channel.SMS)
    whole = run_dry(campaign)
    monkeypatch.setattr(dry_runs, "CHUNK", 7)

    parted = run_dry(campaign)

    assert (parted.skips, parted.looked_at, parted.weighed) == (whole.skips, whole.looked_at, whole.weighed)
    assert list(campaign.dry_runs.all()) == [parted]


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_and_counts_nobody_twice(monkeypatch, settings):
    rung = []
    monkeypatch.setattr("wires.queue.ask_for_dry_run", rung.append)
    campaign = nasty(make_workspace(), Channel.SMS)
    run = dry_runs.dry_run(campaign, by=None)
    program = f"from dispatcher import dry_runs as d; d.CHUNK = 7; d.carry_out({run.pk})"

    worker = start_process("-c", program, CRASH_AT="in_dry_run:2")

    assert worker.wait(60) == -signal.SIGKILL
    run.refresh_from_db()
    assert (run.state, run.looked_at) == (State.RUNNING, 14)
    DryRun.objects.update(moved_at=Now() - timedelta(minutes=1))
    clock.ring_for_dry_runs()
    clock.ring_for_dry_runs()
    assert rung == [run.pk, run.pk]  # by whoever began it, and by the clock once
    dry_runs.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.state, run.looked_at) == (State.DONE, run.expected)
    assert sum(run.weights.by_parts.values()) + run.weights.too_long == run.reached


def test_of_two_workers_one_counts(workspace, monkeypatch):
    monkeypatch.setattr(dry_runs, "CHUNK", 7)
    run = dry_runs.dry_run(nasty(workspace, Channel.EMAIL), by=None)
    one, other = (dry_runs._steps(DryRun.objects.select_related("campaign__workspace").get()) for _ in range(2))
    next(one), next(other), next(one)

    with pytest.raises(Overtaken):
        next(other)

    run.refresh_from_db()
    assert run.looked_at == 7


def test_a_turn_ends_and_the_next_one_goes_on(workspace, monkeypatch):
    rung = []
    monkeypatch.setattr("wires.queue.ask_for_dry_run", rung.append)
    monkeypatch.setattr(dry_runs, "TURN", -1)
    run = dry_runs.dry_run(nasty(workspace, Channel.EMAIL), by=None)

    for _ in range(5):
        dry_runs.carry_out(run.pk)

    run.refresh_from_db()
    assert run.state == State.DONE
    assert set(rung) == {run.pk}


def test_there_is_one_at_a_time(workspace):
    campaign = nasty(workspace, Channel.EMAIL)

    assert dry_runs.dry_run(campaign, by=None) == dry_runs.dry_run(campaign, by=None)


def test_another_text_ends_it(workspace):
    campaign = nasty(workspace, Channel.EMAIL)
    run = dry_runs.dry_run(campaign, by=None)
    update_campaign(campaign, by=None, body="Something else")

    dry_runs.carry_out(run.pk)

    run.refresh_from_db()
    assert run.state == State.OVERTAKEN


def test_what_was_sent_is_not_run_dry(workspace, provider):
    campaign = make_campaign(workspace, people=2)
    send(campaign)

    with pytest.raises(NotEditable):
        dry_runs.dry_run(campaign, by=None)


def test_an_unfinished_text_is_refused(workspace):
    with pytest.raises(LaunchRefused):
        dry_runs.dry_run(make_campaign(workspace, people=1, body=""), by=None)


# --- its page ---


def page(workspace, campaign, role: Role = Role.EDITOR) -> str:
    answer = logged_in(workspace, role).get(reverse("dry_run", args=[campaign.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_the_first_one_its_page_says_what_it_is_for(workspace):
    html = page(workspace, make_campaign(workspace, people=2))

    assert "No dry run yet" in html and "Start the dry run" in html


def test_while_it_runs_its_page_says_how_far_it_is_and_asks_again(workspace):
    campaign = nasty(workspace, Channel.EMAIL)
    dry_runs.dry_run(campaign, by=None)

    html = page(workspace, campaign)

    assert "waiting for a worker" in html
    assert reverse("dry-run-live", args=[campaign.pk]) in html


def test_it_names_whose_text_is_too_long_as_links(workspace):
    campaign = nasty(workspace, Channel.SMS)
    run_dry(campaign)
    person = workspace.recipients.get(first_name="", attributes__badge__startswith="long")

    html = page(workspace, campaign, Role.VIEWER)

    assert reverse("person", args=[person.pk]) in html
    assert f"{reverse('check', args=[campaign.pk])}?left_out=suppressed#left-out" in html
    assert "Run it again" not in html


def edit(campaign) -> None:
    update_campaign(campaign, by=None, subject="Other")


def opt_out(campaign) -> None:
    consent.opt_out(campaign.audience().first(), how=consent.How.REPLY, by=None)


def swap(campaign) -> None:
    campaign.groups.first().recipients.remove(campaign.audience().filter(opted_out=False).first())
    campaign.groups.first().recipients.add(make_recipient(campaign.workspace))


def rename(campaign) -> None:
    person = Recipient.objects.filter(pk=campaign.audience().first().pk).get()
    person.first_name = "Other"
    person.save()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (edit, "The campaign was changed since."),
        (opt_out, "People, or what they wish, changed since."),
        (swap, "People, or what they wish, changed since."),
        (rename, "People, or what they wish, changed since."),
    ],
)
def test_what_changed_since_is_said(workspace, change, sentence):
    campaign = nasty(workspace, Channel.EMAIL)
    run_dry(campaign)
    assert "out of date" not in page(workspace, campaign)

    change(campaign)

    assert sentence in page(workspace, campaign)


def test_a_campaign_that_is_over_is_held_beside_its_dry_run(workspace, provider):
    campaign = nasty(workspace, Channel.EMAIL)
    run_dry(campaign)
    consent.opt_out(workspace.recipients.get(first_name=HOSTILE[0]), how=consent.How.REPLY, by=None)
    send(campaign)

    html = page(workspace, campaign)
    on_its_page = logged_in(workspace, Role.VIEWER).get(reverse("campaign", args=[campaign.pk])).content.decode()

    assert "Predicted and really" in html
    assert "Wishes and addresses are asked again" in html
    assert reverse("dry_run", args=[campaign.pk]) in on_its_page
    assert books_of(campaign).pending == 0


def test_the_dry_run_of_another_workspace_is_not_found(workspace):
    campaign = make_campaign(people=1)
    browser = logged_in(workspace, Role.OWNER)

    assert browser.get(reverse("dry_run", args=[campaign.pk])).status_code == 404
    assert browser.post(reverse("dry_run", args=[campaign.pk])).status_code == 404


def test_a_viewer_starts_none(workspace):
    campaign = make_campaign(workspace, people=1)

    assert logged_in(workspace, Role.VIEWER).post(reverse("dry_run", args=[campaign.pk])).status_code == 403
    assert not DryRun.objects.exists()
