"""Words for each person: written before the first is sent, the same for every try, and never the cost of a message."""

import signal
from collections.abc import Iterator
from datetime import date
from threading import Barrier, Event, Thread

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Role
from campaigns.generated import words_for
from campaigns.models import Campaign
from campaigns.personalisers import PERSONALISERS
from campaigns.personalisers.brief import Brief
from campaigns.personalising import choose_personaliser
from dispatcher import clock, generate, operations
from dispatcher.audit import findings
from dispatcher.erase import erase
from dispatcher.models import Generation, Message
from dispatcher.picture import picture_of
from dispatcher.senders.parcel import Busy
from dispatcher.why import why
from people.channels import Channel
from tests.campaigns.test_personalisers import answering
from tests.dispatcher.sending import work_off
from tests.make import logged_in, make_campaign, make_recipient, make_workspace
from tests.start import start_process

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def written(*towns: str, **fields) -> Campaign:
    """A text message with an opening to somebody in each of these towns."""
    content = {"channel": Channel.SMS, "subject": "", "body": "{opening|Hello}!", "brief": "our sale"} | fields
    campaign = make_campaign(generated_words=True, **content)
    for town in towns:
        make_recipient(campaign.workspace, location=town)
    choose_personaliser(campaign.workspace, "opening", is_on=True, options={"tone": "plain"}, by=None)
    return campaign


def prepare(campaign: Campaign) -> Campaign:
    """Launch it and let chores and clock do their part."""
    campaign = operations.launch(campaign, by=None)
    generate.generate_due()
    clock.carry_on_preparing()
    campaign.refresh_from_db()
    return campaign


def texts(provider) -> list[str]:
    return sorted(parcel.text.partition("\nStop")[0] for parcel in provider.calls)


def test_each_person_reads_the_words_that_were_written_for_them(provider):
    campaign = prepare(written("Nairobi", "Thika", ""))

    books = work_off(campaign)

    assert texts(provider) == ["For everybody in Nairobi: our sale.!", "For everybody in Thika: our sale.!", "Hello!"]
    assert (books.total, books.sent) == (3, 3)
    assert findings(campaign) == [] or all("provider" in str(each) for each in findings(campaign))
    (launch,) = [change for change in campaign.history.all() if change.to_status == Status.SENDING]
    assert launch.reason.endswith("first sentence written for 2, 1 read the fallback (1 nothing to say)")


def test_nothing_is_handed_over_before_all_words_are_written(provider):
    campaign = operations.launch(written("Nairobi"), by=None)

    clock.carry_on_preparing()
    clock.carry_on_preparing()
    campaign.refresh_from_db()

    assert campaign.status == Status.PREPARING
    assert (Message.objects.count(), campaign.batches.count()) == (1, 0)


def test_a_campaign_without_generated_words_pays_nothing(provider):
    campaign = operations.launch(make_campaign(people=2, body="Hi"), by=None)

    assert campaign.status == Status.SENDING
    assert not Generation.objects.exists()


def test_every_try_says_the_same_though_the_person_moved_meanwhile(provider):
    campaign = prepare(written("Nairobi"))
    person = campaign.workspace.recipients.get()
    provider.answers[person.phone] = [Busy("503", category="provider_down"), None]
    type(person).objects.update(location="Mombasa")

    work_off(campaign)

    assert texts(provider) == ["For everybody in Nairobi: our sale.!"] * 2


def test_a_personaliser_is_told_just_what_it_asks_for(provider, monkeypatch):
    told = []
    fake = answering({"opening": "Hi"})
    fake.generate = lambda self, people, brief: told.extend(people) or [{"opening": "Hi"}]
    monkeypatch.setitem(PERSONALISERS, "opening", fake)

    prepare(written("Nairobi"))

    assert told == [{"location": "Nairobi"}]


def test_a_personaliser_that_fails_costs_nobody_their_message(provider, monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 1)
    monkeypatch.setitem(PERSONALISERS, "opening", answering(ZeroDivisionError("no")))
    campaign = prepare(written("Nairobi", "Thika", "Nakuru", "Kisumu", "Lamu"))

    books = work_off(campaign)

    assert (books.sent, {*texts(provider)}) == (5, {"Hello!"})
    generation = Generation.objects.get()
    assert (generation.failed, generation.fell_back, generation.in_a_row) == (5, 5, generate.GIVE_UP_AFTER)
    assert generation.trouble == "given up: it failed: ZeroDivisionError"


@pytest.fixture
def hangs() -> Iterator[Event]:
    """What a personaliser waits for that does not come back before the test is over."""
    event = Event()
    yield event
    event.set()


def test_a_personaliser_that_hangs_is_waited_for_no_longer_than_it_may_take(provider, monkeypatch, settings, hangs):
    settings.GENERATE_SECONDS = 0.05
    monkeypatch.setattr(generate, "BATCH", 1)
    fake = answering({})
    fake.generate = lambda self, people, brief: hangs.wait(60)
    monkeypatch.setitem(PERSONALISERS, "opening", fake)

    campaign = prepare(written("Nairobi", "Thika", "Nakuru", "Kisumu"))

    generation = Generation.objects.get()
    assert (generation.slow, generation.failed) == (3, 1)  # the last was not even tried
    assert campaign.status == Status.SENDING


def test_one_that_hangs_while_it_learns_holds_up_neither_the_campaign_nor_the_preview(
    provider, monkeypatch, settings, hangs
):
    settings.GENERATE_SECONDS = 0.05
    monkeypatch.setattr("campaigns.generated.PREVIEW_SECONDS", 0.05)
    fake = answering({})
    fake.learn = lambda self, workspace: hangs.wait(60)
    monkeypatch.setitem(PERSONALISERS, "opening", fake)
    campaign = written("Nairobi")

    shown = words_for(campaign.workspace, {}, ["opening"], Brief("", date(2026, 5, 4)))
    campaign = prepare(campaign)

    assert campaign.status == Status.SENDING
    assert shown.troubles == ["Fake: it took longer than 0.05 s."]
    assert Generation.objects.get().trouble == "given up: it could not begin: it took longer than 0.05 s"


def test_nonsense_is_not_sent(provider, monkeypatch):
    monkeypatch.setitem(PERSONALISERS, "opening", answering({"opening": "a\r\nBcc: all"}, {"opening": "{phone}"}))
    campaign = prepare(written("Nairobi", "Thika"))

    work_off(campaign)

    assert texts(provider) == ["Hello!", "{phone}!"]
    assert Generation.objects.get().unusable == 1


def test_a_personaliser_that_cannot_begin_or_is_gone_gives_way_to_the_fallback(provider, monkeypatch):
    fake = answering({})
    fake.learn = lambda self, workspace: 1 / 0
    monkeypatch.setitem(PERSONALISERS, "opening", fake)
    assert prepare(written("Nairobi")).status == Status.SENDING

    monkeypatch.delitem(PERSONALISERS, "recommendations")
    campaign = operations.launch(written("Thika"), by=None)
    Generation.objects.filter(campaign=campaign).update(personaliser="recommendations")
    generate.generate_due()

    assert "this version does not have it" in Generation.objects.get(campaign=campaign).trouble


def test_two_at_once_keep_each_batch_once(provider, monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 1)
    operations.launch(written("Nairobi", "Thika"), by=None)
    ours, theirs = (Generation.objects.select_related("campaign__workspace").get() for _ in range(2))
    personaliser = PERSONALISERS["opening"]({"tone": "plain"})

    assert generate.next_batch(ours, personaliser)
    assert not generate.next_batch(theirs, personaliser)

    assert (Generation.objects.get().written, Generation.objects.get().up_to) == (1, 1)


def test_a_campaign_that_was_cancelled_or_launched_anew_gets_no_words_of_before(provider, monkeypatch):
    campaign = operations.launch(written("Nairobi"), by=None)
    before = Generation.objects.select_related("campaign__workspace").get()
    operations.cancel(campaign, by=None)

    assert not Generation.objects.exists()
    assert not generate.next_batch(before, PERSONALISERS["opening"]({}))


def test_who_is_erased_meanwhile_gets_no_words_into_what_is_left(provider, monkeypatch):
    campaign = operations.launch(written("Nairobi"), by=None)
    generation = Generation.objects.select_related("campaign__workspace").get()
    person = campaign.workspace.recipients.get()
    fake = answering({})
    fake.generate = lambda self, people, brief: [{"opening": "Hi Nairobi"}]
    rows = generate.people_of(generation, fake())
    erase(person, by=None)

    generate.keep(generation, [rows[0][0]], [{"opening": "Hi Nairobi"}], {"written": 1}, trouble="", in_a_row=0)

    assert Message.objects.get().fields == {}


@pytest.mark.django_db(transaction=True)  # it learns by a connection of its own
def test_what_was_learnt_of_people_is_the_same_for_every_batch_and_forgotten_with_the_last(provider, monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 1)
    campaign = written("Nairobi", "Nairobi", body="{recommendations|Hello}!")
    workspace = campaign.workspace
    for product in ("Socks", "Shoes"):
        make_recipient(workspace, location="Nairobi", preferred_product=product, phone="")
    campaign = operations.launch(campaign, by=None)
    generation = Generation.objects.select_related("campaign__workspace").get()
    personaliser = PERSONALISERS["recommendations"]({})
    generate.learn(generation, personaliser)
    generate.next_batch(generation, personaliser)
    make_recipient(workspace, location="Nairobi", preferred_product="A canary", phone="")

    generate.generate_due()
    clock.carry_on_preparing()
    work_off(campaign)

    assert texts(provider) == ["Shoes and Socks!"] * 2
    assert Generation.objects.get().learnt is None


def test_people_left_out_are_not_told_to_anybody(provider, monkeypatch):
    campaign = written("Nairobi")
    make_recipient(campaign.workspace, location="Thika", opted_out=True)
    prepare(campaign)

    generation = Generation.objects.get()
    assert (generation.written, generation.fell_back) == (1, 0)


def test_the_page_says_how_far_it_is_and_that_nobody_does_it(provider, monkeypatch):
    campaign = operations.launch(written("Nairobi", "Thika"), by=None)
    clock.beat()
    monkeypatch.setattr("dispatcher.picture.workers.doing_chores", lambda: 0)
    assert why(picture_of(campaign, Role.OWNER)).words == "No worker is running for chores."

    monkeypatch.setattr("dispatcher.picture.workers.doing_chores", lambda: 1)
    Generation.objects.update(up_to=1)
    told = why(picture_of(campaign, Role.OWNER))
    assert (told.words, told.sentence) == ("Generating the words of each person.", "1 of 2 people so far.")


def test_an_admin_sets_a_personaliser_and_can_turn_it_off(provider):
    workspace = make_workspace()
    admin = logged_in(workspace, Role.ADMIN)
    page = reverse("personaliser", args=["recommendations"])

    refused = admin.post(page, {"is_on": "on", "option-most": "9", "option-catalogue": "Shoes"})
    saved = admin.post(page, {"option-most": "2", "option-catalogue": "Shoes: Socks"})

    assert refused.status_code == 422
    assert "Line 1: write a product" in refused.content.decode()
    assert saved.status_code == 302
    row = workspace.chosen_personalisers.get()
    assert (row.is_on, row.options) == (False, {"most": 2, "catalogue": "Shoes: Socks"})
    assert "Off" in admin.get(reverse("personalisers")).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["before_words_kept:2", "after_words_kept:2"])
def test_a_chore_killed_in_the_middle_is_gone_on_with_and_nobody_is_counted_twice(provider, point):
    campaign = operations.launch(written(*(f"Town {n}" for n in range(7))), by=None)
    dead = start_process("-m", "tests.dispatcher.generating", CRASH_AT=point)
    assert dead.wait(30) == -signal.SIGKILL
    assert Generation.objects.get().up_to == (2 if point.startswith("before") else 4)

    generate.generate_due()
    assert Generation.objects.get().done_at is None  # it may still live
    Generation.objects.update(held_until=Now())
    generate.generate_due()
    clock.carry_on_preparing()
    campaign.refresh_from_db()
    work_off(campaign)

    assert Generation.objects.get().written == 7
    assert texts(provider) == [f"For everybody in Town {n}: our sale.!" for n in range(7)]


@pytest.mark.django_db(transaction=True)
def test_two_clocks_start_sending_once(provider):
    campaign = operations.launch(written("Nairobi"), by=None)
    generate.generate_due()
    both = Barrier(2)

    def tick() -> None:
        both.wait()
        clock.carry_on_preparing()
        connection.close()

    threads = [Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert campaign.history.filter(to_status=Status.SENDING).count() == 1
    assert campaign.batches.count() == 1
