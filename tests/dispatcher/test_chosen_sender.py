"""A workspace's own senders: each goes its own way, and a promise stays with the one that gave it."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock, Thread

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import AuditEntry
from campaigns.models import Campaign
from dispatcher import checks, choose, engine, giveback, operations, pace, senders
from dispatcher.books import books_of
from dispatcher.chosen import Chosen, chosen_sender
from dispatcher.models import Attempt, Batch, ChosenSender, Message, Pace, Settlement
from dispatcher.picture import picture_of
from dispatcher.readiness import LaunchRefused
from dispatcher.sender_forms import SenderForm
from dispatcher.senders.parcel import Busy, Options, Refused, Unreachable, Unsure
from dispatcher.watch import silent_for_long
from dispatcher.why import why
from people.channels import Channel
from simulator.models import Call
from tests.dispatcher.scripted import Script
from tests.dispatcher.sending import make_due, message_to, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_member, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def take(workspace, sender: str, channel: Channel = Channel.EMAIL, **options) -> ChosenSender:
    chosen = {"from_name": "", "from_address": "", "limit": None, "by": None, "options": options}
    return choose.choose(workspace, channel, sender=sender, **chosen)


@pytest.fixture
def second(provider, monkeypatch) -> Script:
    """Another provider beside the first."""
    script = Script()
    monkeypatch.setitem(senders.SENDERS, "second", script)
    return script


def says(campaign: Campaign) -> str:
    campaign.refresh_from_db()
    told = why(picture_of(campaign, make_member(campaign.workspace).memberships.get().role))
    return f"{told.words} {told.sentence}"


def test_each_workspace_writes_by_its_own_sender_and_in_its_own_name(provider, second, settings):
    ours, theirs = make_campaign(people=3), make_campaign(people=2)
    choose.choose(
        theirs.workspace,
        Channel.EMAIL,
        sender="second",
        from_name='The "Shop"',
        from_address="shop@example.org",
        limit=None,
        options={},
        by=None,
    )
    operations.launch(ours, by=None)
    operations.launch(theirs, by=None)

    engine.work(seconds=0.5)

    assert (len(provider.calls), len(second.calls)) == (3, 2)
    assert {parcel.sender for parcel in provider.calls} == {settings.FROM_EMAIL}
    assert {parcel.sender for parcel in second.calls} == {'"The \\"Shop\\"" <shop@example.org>'}


def test_two_workspaces_with_one_sender_have_each_their_own_options(provider, monkeypatch):
    class Opened(Script):
        options = Options

        def __call__(self, setup=None):
            setups.append(setup)
            return self

    setups: list = []
    monkeypatch.setitem(senders.SENDERS, "opened", Opened())
    for city in ("Nairobi", "Kisumu"):
        campaign = make_campaign(people=1)
        take(campaign.workspace, "opened", city=city)
        operations.launch(campaign, by=None)

    engine.work(seconds=0.5)

    assert {setup.options["city"] for setup in setups} == {"Nairobi", "Kisumu"}


def test_a_change_of_the_sender_holds_for_the_next_shift(provider, second, settings):
    settings.BATCH_SIZE = 10
    campaign = make_campaign(people=20)
    first = campaign.workspace.recipients.order_by("pk")[:1].get()
    provider.answers[first.email] = [Busy("503", category="provider_down"), None]
    operations.launch(campaign, by=None)
    engine.work(seconds=0.2)

    take(campaign.workspace, "second")
    books = work_off(campaign)

    assert (books.sent, [parcel.to for parcel in second.calls]) == (20, [first.email])


def test_what_one_sender_left_in_doubt_is_never_handed_to_another(provider, second):
    campaign = make_campaign(people=3)
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Unsure("reset")]
    operations.launch(campaign, by=None)
    work_off(campaign, shifts=1)
    assert message_to(campaign, person.email).is_in_doubt

    take(campaign.workspace, "second")
    books = work_off(campaign)

    assert (books.sent, books.unknown, second.calls) == (3, 1, [])
    assert "sender was changed" in message_to(campaign, person.email).last_error
    assert wrong_with_the_books(campaign) == []


def test_without_a_change_the_same_key_is_tried_again(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Unsure("reset"), None]
    operations.launch(campaign, by=None)
    work_off(campaign, shifts=1)

    take(campaign.workspace, "scripted")

    assert work_off(campaign).sent == 1


def test_another_account_at_the_same_sender_is_another_promise(provider, monkeypatch):
    monkeypatch.setattr(Script, "account", ("user",))
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    take(campaign.workspace, "scripted", user="ann")
    provider.answers[person.email] = [Unsure("reset"), None]
    operations.launch(campaign, by=None)
    work_off(campaign, shifts=1)

    take(campaign.workspace, "scripted", user="bob")

    assert work_off(campaign).unknown == 1


def test_what_a_lost_worker_had_in_hand_is_not_handed_to_another_sender(provider, second):
    campaign = make_campaign(people=5)
    operations.launch(campaign, by=None)
    # A worker noted three intents and died.
    account = chosen_sender(campaign.workspace_id, Channel.EMAIL).account
    Batch.objects.update(handed_up_to=3, owner="lost:1", epoch=1, account=account, first_intent_at=timezone.now())

    take(campaign.workspace, "second")
    books = work_off(campaign)

    assert (books.unknown, books.sent, len(second.calls)) == (3, 2, 2)
    assert wrong_with_the_books(campaign) == []


def test_unknown_sent_again_by_a_person_goes_out_by_the_new_sender(provider, second):
    campaign = make_campaign(people=1)
    person = campaign.workspace.recipients.get()
    provider.honours_keys = None
    provider.answers[person.email] = [Unsure("reset")]
    assert send(campaign).unknown == 1
    take(campaign.workspace, "second")

    operations.send_again(campaign, by=None)

    assert work_off(campaign).sent == 1
    assert len(second.calls) == 1


def test_a_sender_that_lets_nobody_in_costs_no_tries_and_the_page_says_why(provider, monkeypatch):
    class Locked(Script):
        async def __aenter__(self):
            raise Unreachable("The server refused the password: check user name and password.", retry_after=60)

    monkeypatch.setitem(senders.SENDERS, "locked", Locked())
    campaign = make_campaign(people=50)
    take(campaign.workspace, "locked")
    operations.launch(campaign, by=None)

    for _ in range(3):
        make_due(campaign)
        engine.work(seconds=0.2)

    assert "The sender cannot be reached. The server refused the password" in says(campaign)
    assert (books_of(campaign).pending, Attempt.objects.count()) == (50, 0)
    assert set(Message.objects.values_list("retry_count", flat=True)) == {0}


def test_nobody_knocks_again_before_the_time_is_over_but_a_new_choice_does(provider, monkeypatch):
    class Locked(Script):
        async def __aenter__(self):
            knocks.append(1)
            raise Unreachable("no", retry_after=60)

    knocks: list[int] = []
    monkeypatch.setitem(senders.SENDERS, "locked", Locked())
    campaign = make_campaign(people=5)
    take(campaign.workspace, "locked")
    operations.launch(campaign, by=None)
    for _ in range(3):
        engine.work(seconds=0.3)
    assert (len(knocks), giveback.due_soon()) == (1, False)  # no worker stays awake for it

    take(campaign.workspace, "scripted")

    assert work_off(campaign, shifts=2).sent == 5


def test_a_sender_that_goes_away_meanwhile_keeps_everybody_waiting(provider):
    campaign = make_campaign(people=30)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unreachable("Nobody answers at mail.example.com:587.")] * 4 + [None]
    operations.launch(campaign, by=None)

    for _ in range(3):
        make_due(campaign)
        Pace.objects.update(closed_until=timezone.now())
        engine.work(seconds=0.3)

    assert "Nobody answers at mail.example.com:587." in says(campaign)
    assert (books_of(campaign).pending, Attempt.objects.count()) == (30, 0)
    choose.try_again(campaign.workspace, Channel.EMAIL)
    for _ in range(4):
        Pace.objects.update(closed_until=None)
        make_due(campaign)
        engine.work(seconds=0.2)
    assert work_off(campaign).sent == 30


def test_a_slow_opening_holds_up_nobody_else(provider, monkeypatch):
    class Slow(Script):
        async def __aenter__(self):
            await asyncio.sleep(30)

    monkeypatch.setitem(senders.SENDERS, "slow", Slow())
    stuck = make_campaign(people=5, priority=Campaign.Priority.URGENT)
    take(stuck.workspace, "slow")
    operations.launch(stuck, by=None)
    good = operations.launch(make_campaign(people=50), by=None)

    began = time.monotonic()
    engine.work(seconds=1)

    assert books_of(good).sent == 50
    assert time.monotonic() - began < 3


def test_a_sender_gets_no_more_at_once_than_it_takes(provider):
    provider.at_once, provider.latency = 7, 0.02
    campaign = make_campaign(people=60)
    assert send(campaign).sent == 60
    assert provider.most_in_flight <= 7


def test_one_sender_that_takes_little_leaves_the_window_to_the_others(provider, second, settings):
    settings.BATCH_SIZE = 30
    provider.at_once, provider.latency, second.latency = 2, 0.05, 0.05
    narrow, wide = make_campaign(people=60), make_campaign(people=60)
    take(wide.workspace, "second")
    operations.launch(narrow, by=None)
    operations.launch(wide, by=None)

    engine.work(seconds=1)

    assert provider.most_in_flight == 2
    assert second.most_in_flight > 20


def test_a_sender_that_no_longer_exists_is_said_before_anybody_is_written_to(provider):
    campaign = make_campaign(people=1)
    ChosenSender.objects.create(workspace=campaign.workspace, channel=Channel.EMAIL, sender="gone")

    with pytest.raises(LaunchRefused) as refusal:
        operations.launch(campaign, by=None)

    assert refusal.value.code == "SENDER_NOT_CONFIGURED"


def test_a_choice_is_in_the_audit_log_without_its_secrets(provider):
    workspace = make_workspace()
    ann = make_member(workspace)
    options = {"host": "mail.example.com", "port": 587, "security": "tls", "user": "ann", "password": "sesame"}
    row = choose.choose(
        workspace,
        Channel.EMAIL,
        sender="smtp",
        from_name="",
        from_address="",
        limit=5,
        options=options,
        by=ann,
    )

    entry = AuditEntry.objects.get(verb="choose_sender")
    assert (entry.workspace_id, entry.actor_id) == (workspace.pk, ann.pk)
    assert entry.changes["host"] == [None, "mail.example.com"]
    assert "sesame" not in str(entry.changes) + str(row.options)
    assert Pace.objects.get(workspace=workspace).limit == 5


def test_a_changed_secret_key_is_a_sentence_and_not_a_crash(provider, settings):
    campaign = make_campaign(people=2)
    options = {"host": "127.0.0.1", "port": 9, "security": "none", "user": "ann", "password": "sesame"}
    take(campaign.workspace, "smtp", **options)
    operations.launch(campaign, by=None)

    settings.SECRET_KEY = "another key, as long as the first one, and quite as random as that"
    engine.work(seconds=0.3)

    assert "because SECRET_KEY was changed: type it again" in says(campaign)
    operations.cancel(campaign, by=None)
    assert work_off(campaign).cancelled == 2


@pytest.mark.parametrize(
    ("installation", "name", "mailbox"),
    [
        ("Acme <news@acme.example>", "", "Acme <news@acme.example>"),
        ("Acme <news@acme.example>", "Our shop", '"Our shop" <news@acme.example>'),
        ("news@acme.example", "Our shop", '"Our shop" <news@acme.example>'),
    ],
)
def test_a_name_of_one_s_own_takes_the_place_of_the_installation_s(settings, installation, name, mailbox):
    settings.FROM_EMAIL = installation
    assert Chosen(1, Channel.EMAIL, "smtp", from_name=name).mailbox == mailbox
    assert checks.settings_make_sense() == []


@pytest.mark.parametrize("installation", ["", "Acme", "jürgen@acme.example"])
def test_an_address_of_the_installation_that_cannot_be_written_from_is_found_at_the_start(settings, installation):
    settings.FROM_EMAIL = installation
    assert [finding.msg for finding in checks.settings_make_sense() if "FROM_EMAIL" in finding.msg]


def test_a_sender_s_address_with_foreign_letters_is_refused_with_a_sentence():
    form = SenderForm(Channel.EMAIL, {"from_address": "jürgen@acme.example"})
    assert "plain letters before the @" in str(form.errors["from_address"])
    assert SenderForm(Channel.EMAIL, {"from_address": "news@müller.example"}).is_valid()


# --- several workers ---


def test_where_another_worker_gets_through_this_one_leaves_the_lane_open(provider, monkeypatch, settings):
    """A server takes so many connections: those that one worker has are refused to the next."""

    class Full(Script):
        async def __aenter__(self):
            raise Unreachable("It answered 421.")

    settings.BATCH_SIZE = 10
    monkeypatch.setitem(senders.SENDERS, "full", Full())
    campaign = make_campaign(people=20)
    take(campaign.workspace, "full")
    operations.launch(campaign, by=None)
    account = chosen_sender(campaign.workspace_id, campaign.channel).account
    theirs = Batch.objects.filter(campaign=campaign, first=1)
    later = timezone.now() + timedelta(seconds=10)
    theirs.update(owner="other:1", in_flight=3, account=account, due_at=later)

    engine.work(seconds=0.3)

    pace = Pace.objects.get()
    assert (pace.trouble, pace.closed_until) == ("", None)
    assert Batch.objects.get(first=11).due_at <= timezone.now()

    theirs.update(owner="", in_flight=0)
    engine.work(seconds=0.3)
    assert Pace.objects.get().trouble == "It answered 421."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["while opening", "while sending"])
def test_the_failure_of_a_sender_that_was_just_replaced_closes_nothing(provider, monkeypatch, when):
    class Old(Script):
        def __call__(self, setup=None):
            return self if setup.options["password"] == "old" else provider  # noqa: S105 - not a secret

        async def __aenter__(self):
            if when == "while opening":
                await asyncio.to_thread(mend)
                raise Unreachable("The server refused the password.", retry_after=60)
            return self

        async def send(self, parcel):
            await asyncio.to_thread(mend)
            raise Unreachable("The server refused the password.", retry_after=60)

    def mend() -> None:
        with mending:
            if not mended:
                mended.append(take(workspace, "old", password="new"))  # noqa: S106 - not a secret
                connection.close()

    mending, mended = Lock(), []
    monkeypatch.setitem(senders.SENDERS, "old", Old())
    campaign = make_campaign(people=5)
    workspace = campaign.workspace
    take(workspace, "old", password="old")  # noqa: S106 - not a secret
    operations.launch(campaign, by=None)

    engine.work(seconds=3)

    assert books_of(campaign).sent == 5
    assert Pace.objects.get().trouble == ""


@pytest.mark.django_db(transaction=True)
def test_lanes_are_changed_in_one_order_whichever_answers_first(provider, monkeypatch, settings):
    """Else two workers would each wait for the lane that the other holds."""
    settings.DISPATCH_WINDOW, settings.BATCH_SIZE = 100, 10
    workspace = make_workspace()
    make_recipients(workspace, 30)
    late, early = (make_campaign(workspace, channel=channel) for channel in (Channel.SMS, Channel.EMAIL))
    Pace.objects.create(workspace=workspace, channel=Channel.EMAIL, sender="scripted", limit=1000)
    for phone in workspace.recipients.values_list("phone", flat=True):
        provider.answers[phone] = [Busy("429", category="rate_limited", counts=False), None]
    for campaign in (late, early):
        operations.launch(campaign, by=None)
    turns: list[list[pace.Lane]] = []
    turn = engine.Shift._settle_and_note
    monkeypatch.setattr(engine.Shift, "_settle_and_note", lambda self, *args: turns.append([]) or turn(self, *args))
    for name in ("take", "slow_down"):
        change = getattr(pace, name)
        monkeypatch.setattr(
            pace, name, lambda cursor, lane, *a, c=change, **k: turns[-1].append(lane) or c(cursor, lane, *a, **k)
        )

    engine.work(seconds=1)

    assert any(len(set(lanes)) == 2 for lanes in turns)
    assert [lanes for lanes in turns if lanes != sorted(lanes)] == []


def test_an_outage_is_neither_settled_nor_helped(provider):
    campaign = make_campaign(people=4)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unreachable("away"), None]
    operations.launch(campaign, by=None)

    for _ in range(6):
        Pace.objects.update(closed_until=None)
        make_due(campaign)
        engine.work(seconds=0.3)

    assert books_of(campaign).sent == 4
    assert Settlement.objects.aggregate(settled=Sum("settled"), helped=Sum("helped")) == {"settled": 4, "helped": 0}


# --- silence ---


def test_a_note_in_the_history_does_not_begin_the_count_of_silence_anew(provider):
    campaign = operations.launch(make_campaign(people=1), by=None)

    Settlement.objects.create(campaign=campaign, settled=0, silence=12)
    operations.note(campaign, by=None, reason="somebody looked at it")
    Settlement.objects.create(campaign=campaign, settled=0, silence=12)
    assert silent_for_long({campaign.pk}) == [campaign.pk]

    operations.pause(campaign, by=None)
    operations.resume(campaign, by=None)
    assert silent_for_long({campaign.pk}) == []


def test_answers_never_heard_are_counted_though_all_will_be_asked_again(provider):
    campaign = make_campaign(people=3)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unsure("silence")]
    operations.launch(campaign, by=None)

    engine.work(seconds=0.2)

    assert Settlement.objects.aggregate(n=Sum("silence"))["n"] >= 3


def test_twenty_answers_never_heard_pause_the_campaign_however_many_shifts_they_take(provider, settings):
    settings.DISPATCH_WINDOW, provider.latency = 6, 0.03
    campaign = make_campaign(people=100)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unsure("silence")]
    operations.launch(campaign, by=None)

    work_in_small_shifts(campaign, lambda: campaign.status == Status.PAUSED)

    assert 20 <= len(provider.calls) <= 32


def test_one_answer_heard_in_between_begins_the_count_anew(provider, settings):
    settings.DISPATCH_WINDOW, provider.latency = 6, 0.03
    campaign = make_campaign(people=45)
    addresses = campaign.workspace.recipients.order_by("pk").values_list("email", flat=True)
    for n, address in enumerate(addresses):
        provider.answers[address] = [Refused("no", category="rejected") if n % 15 == 14 else Unsure("silence")]
    provider.honours_keys = None
    operations.launch(campaign, by=None)

    work_in_small_shifts(campaign, lambda: len(provider.calls) == 45)

    campaign.refresh_from_db()
    assert campaign.status != Status.PAUSED


def test_after_a_person_resumed_twenty_more_are_needed(provider, settings):
    settings.DISPATCH_WINDOW, provider.latency = 6, 0.03
    campaign = make_campaign(people=100)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unsure("silence")]
    operations.launch(campaign, by=None)
    work_in_small_shifts(campaign, lambda: campaign.status == Status.PAUSED)
    so_far = len(provider.calls)

    operations.resume(campaign, by=None)
    work_in_small_shifts(campaign, lambda: len(provider.calls) > so_far)

    assert campaign.status == Status.SENDING


def work_in_small_shifts(campaign: Campaign, until: Callable[[], bool]) -> None:
    """Each hands over one window, as a slow provider makes it."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        make_due(campaign)
        engine.work(seconds=0.04)
        campaign.refresh_from_db()
        if until():
            return
    raise AssertionError("it never happened")


# --- the simulated provider of a workspace ---


def simulator(workspace, **options) -> None:
    behaviour = {"profile": "perfect", "seed": 1, "honours_keys": True, "retry_after": 1}
    faults = dict.fromkeys(("busy", "hang", "drop", "garbage"), 0)
    take(workspace, "simulated", **(behaviour | faults | options))


@pytest.mark.django_db(transaction=True)
def test_each_workspace_has_its_own_simulated_provider(settings):
    settings.SIMULATOR_PROFILE = "quick"
    kind, unkind = make_campaign(people=100), make_campaign(people=100)
    simulator(kind.workspace)
    simulator(unkind.workspace, garbage=100, honours_keys=False)
    operations.launch(kind, by=None)
    operations.launch(unkind, by=None)

    engine.work(seconds=1)

    assert books_of(kind).sent == 100
    assert books_of(unkind).unknown >= 20


@pytest.mark.django_db(transaction=True)
def test_an_outage_reaches_a_shift_under_way_and_its_end_does_too():
    campaign = make_campaign(people=4000)
    simulator(campaign.workspace, profile="leopard")
    operations.launch(campaign, by=None)
    seen: dict[str, object] = {}

    def outage() -> None:
        time.sleep(0.7)
        choose.begin_outage(campaign.workspace, by=None)
        time.sleep(2)
        seen["during"] = says(campaign)
        seen["sent"] = books_of(campaign).sent
        choose.end_outage(campaign.workspace, by=None)
        connection.close()

    thread = Thread(target=outage)
    thread.start()
    engine.work(seconds=10)
    thread.join()

    books = work_off(campaign, shifts=40)
    assert "503 Service Unavailable: an outage is rehearsed" in str(seen["during"])
    assert 0 < seen["sent"] < books.sent
    assert (books.pending, books.unknown) == (0, 0)
    assert Call.objects.filter(accepted=True).count() == books.sent
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db(transaction=True)
def test_an_outage_of_one_workspace_is_not_that_of_another():
    ours, theirs = make_campaign(people=5), make_campaign(people=5)
    simulator(ours.workspace)
    simulator(theirs.workspace)
    choose.begin_outage(theirs.workspace, by=None)
    operations.launch(ours, by=None)
    operations.launch(theirs, by=None)

    engine.work(seconds=0.5)

    assert (books_of(ours).sent, books_of(theirs).sent) == (5, 0)
    assert choose.outage_until(theirs.workspace) - timezone.now() < timedelta(seconds=choose.OUTAGE_SECONDS)
