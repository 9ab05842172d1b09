"""Erase: nobody finds a trace of the person anywhere, and every message keeps its place in the books."""

import json
import logging
import zlib
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from redis import Redis

from accounts.models import AuditEntry
from campaigns.models import Campaign
from dispatcher import clock, engine, erase, forget_due, operations
from dispatcher.audit import findings, strays
from dispatcher.books import books_of
from dispatcher.models import Attempt, Erasure, Message, SkipReason, Trial
from dispatcher.senders.parcel import Busy, Refused, Unsure
from people import consent, erased, imports
from people.channels import Channel
from people.models import ConsentEvent, Import, ImportRow, Recipient, Reply, Suppression
from people.recipients import Erased, add_recipient, change_recipient
from people.suppression import suppress
from simulator.models import Call
from tests.dispatcher.filing import archive, long_over, text_in
from tests.dispatcher.outcomes import launched, settle, unknown
from tests.dispatcher.sending import press, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_group, make_recipient, make_recipients, make_workspace
from tests.people.describing import fitting, make_segment
from tests.people.listing import bring_in, carry_on

pytestmark = pytest.mark.django_db
Status = Message.Status
EMAIL, PHONE, NAME, VALUE = "canary.grace@example.com", "+254700123987", "Canarygrace", "canaryvalue"
CANARIES = (EMAIL, PHONE, PHONE[1:], NAME, VALUE)


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def grace(workspace) -> Recipient:
    """Somebody of whom there is a trace in every table, in a file and in Redis."""
    bring_in(
        workspace,
        f"email,phone,first_name,badge\n{EMAIL},{PHONE},Grace,{VALUE}\nbob@example.com,{PHONE},Bob,\n{EMAIL},12,{NAME},\n"
        f"{EMAIL.upper()},,{NAME * 20},{VALUE}\nbad@,0700-123 987,{NAME * 20},\n",
    )
    bring_in(workspace, f"{NAME},{EMAIL},{PHONE}\n{NAME},{EMAIL},neither nor,{PHONE}\n")
    person = Recipient.objects.get(email=EMAIL)
    make_group(workspace, person)
    make_segment(workspace, ("email", "is_not", EMAIL), ("phone", "contains", f"x {PHONE[1:]}"), match="any")
    unfinished = imports.begin(workspace, name="waits.csv", by=None)
    imports.keep_list(unfinished, imports.as_bytes(f"email,name,badge\n{EMAIL},{NAME},{VALUE}\n"))
    imports.complete(unfinished, by=None)
    told = {"how": consent.How.REPLY, "by": None, "reason": f"STOP from {PHONE}", "evidence": {"from": EMAIL}}
    consent.opt_out(person, channel=Channel.SMS, **told)
    consent.opt_in(person, **told)
    said = {"channel": Channel.SMS, "number": PHONE, "text": f"STOP, {NAME}", "provider_id": f"from {PHONE}"}
    Reply.objects.create(workspace=workspace, recipient=person, **said)
    suppress(workspace, PHONE, reason=Suppression.Reason.BOUNCED, by=None, note=f"550 {PHONE}")
    suppress(workspace, "other@example.com", reason=Suppression.Reason.ADDED, by=None)
    Trial.objects.create(workspace=workspace, channel=Channel.EMAIL, address=EMAIL, sentence=f"550 {EMAIL}")
    return person


def text() -> dict[str, str]:
    """Whatever campaigns say to her, each with a name of its own."""
    return {"subject": "Hello {first_name}", "body": "Your badge is {badge} and your address {email}"}


def tables_that_name(canary: str) -> list[str]:
    """Every table of the database in which a row holds the word, in whatever column and case, also as bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text ILIKE %s OR t::text ILIKE %s)",  # noqa: S608
                [f"%{canary}%", f"%{canary.encode().hex()}%"],
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def text_in_redis() -> str:
    """All keys and values, unpacked where RQ has packed them."""
    redis = Redis.from_url(settings.REDIS_URL)
    words = []
    for key in redis.keys("*"):
        read = {
            "string": lambda key: [redis.get(key)],
            "hash": lambda key: [part for pair in redis.hgetall(key).items() for part in pair],
            "list": lambda key: redis.lrange(key, 0, -1),
            "set": lambda key: list(redis.smembers(key)),
            "zset": lambda key: redis.zrange(key, 0, -1),
            "stream": lambda key: [repr(redis.xrange(key)).encode()],
        }[redis.type(key).decode()]
        words += [key, *read(key)]
    return " ".join(unpacked(word) for word in words)


def unpacked(value: bytes) -> str:
    try:
        return zlib.decompress(value).decode(errors="replace")
    except zlib.error:
        return value.decode(errors="replace")


def traces(place, caplog) -> dict[str, object]:
    """Where any of the canaries is found."""
    found = {canary: tables_that_name(canary) for canary in CANARIES}
    outside = {"files": text_in(place), "Redis": text_in_redis(), "log": caplog.text}
    found |= {where: [canary for canary in CANARIES if canary in words] for where, words in outside.items()}
    return {where: what for where, what in found.items() if what}


def do_the_rest() -> None:
    """What the chores worker does of it, once no call can be under way any more."""
    Erasure.objects.update(at=Now() - timedelta(minutes=5))
    forget_due.forget_due()


@pytest.fixture
def quiet_world(workspace, transactional_db):
    """Of tests that are over the simulated provider still remembers calls, which no book has."""
    Call.objects.all().delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_world")
def test_no_trace_of_the_canary_is_left_in_tables_files_redis_or_logs_and_she_does_not_come_back(
    workspace, grace, place, provider, caplog
):
    caplog.set_level(logging.DEBUG)
    make_recipients(workspace, 4)
    long_over(workspace, name="Filed", **text())
    archive("--older-than", 30)
    over = long_over(workspace, name="Over", days=1, **text())
    provider.answers[EMAIL] = [Refused(f"550 no such user {EMAIL}", category="bounced")]
    refused = make_campaign(workspace, name="Refused", **text())
    send(refused)
    waiting = launched(make_campaign(workspace, name="Waiting", **text()))
    picked = make_campaign(workspace, everyone=False)
    picked.picked.add(grace)
    picked.excluded.add(grace)
    as_before = {campaign.pk: books_of(campaign) for campaign in Campaign.objects.all()}
    before = traces(place, caplog)
    assert {"dispatcher_message", "dispatcher_attempt", "simulator_call", "people_importrow"} <= set(before[EMAIL])
    assert {"people_recipient", "people_consentevent", "people_suppression"} <= {*before[EMAIL], *before[PHONE]}
    assert {"people_segment", "people_importpart"} <= set(before[EMAIL])
    assert before["files"]
    caplog.clear()

    erase.erase(grace, by=None)
    do_the_rest()

    assert traces(place, caplog) == {}
    assert {campaign.pk: books_of(campaign) for campaign in Campaign.objects.all()} == as_before
    assert work_off(waiting).skipped_by[SkipReason.ERASED - 1] == 1
    call_command("audit")
    for campaign in (over, refused, waiting):
        assert wrong_with_the_books(campaign) == []
    assert Erasure.objects.get().done_at
    for fields in ({"email": EMAIL.upper()}, {"phone": PHONE}):
        with pytest.raises(Erased):
            add_recipient(workspace, by=None, **fields)
    with pytest.raises(Erased):
        change_recipient(Recipient.objects.first(), by=None, email=EMAIL)
    assert traces(place, caplog) == {}


def test_a_list_that_names_her_again_does_not_bring_her_back(workspace, grace):
    erase.erase(grace, by=None)

    upload = bring_in(workspace, f"email,first_name\n{EMAIL},{NAME}\nnew@example.com,New\n")

    assert (upload.created, upload.rejected) == (1, 1)
    assert not Recipient.objects.filter(email=EMAIL).exists()
    assert tables_that_name(EMAIL) == tables_that_name(NAME) == []


def test_what_others_keep_stays_as_it_was(workspace, grace):
    bob = Recipient.objects.get(email="bob@example.com")
    row = ImportRow.objects.get(recipient=bob)
    assert EMAIL in row.reason

    erase.erase(grace, by=None)

    row.refresh_from_db()
    assert (row.recipient_id, row.address, row.reason) == (bob.pk, "bob@example.com", "")
    assert [upload.rows for upload in Import.objects.order_by("pk")] == [5, 2, 0]
    assert ConsentEvent.objects.filter(recipient=None, reason="", evidence={}).count() == 2
    assert Suppression.objects.filter(reason=Suppression.Reason.ERASED, address="", note="").count() == 2
    assert Suppression.objects.get(address="other@example.com")


def test_a_list_that_named_her_can_still_be_undone_for_the_others(workspace, grace):
    upload = Import.objects.earliest("pk")
    erase.erase(grace, by=None)

    imports.undo(upload, by=None)
    carry_on(upload)

    assert (upload.status, upload.removed) == (Import.Status.UNDONE, 1)
    assert not Recipient.objects.exists()


def test_her_digests_are_those_of_her_own_workspace_alone(grace):
    erase.erase(grace, by=None)

    assert add_recipient(make_workspace(), by=None, email=EMAIL)


@pytest.mark.parametrize(
    ("answer", "honours_keys", "status"),
    [
        (None, True, Status.SENT),
        (Refused(f"no {EMAIL}", category="bounced"), True, Status.FAILED),
        (Busy(f"later, {EMAIL}", category="provider_down"), True, Status.SKIPPED),
        (Unsure(f"lost {EMAIL}"), True, Status.UNKNOWN),
        (Unsure(f"lost {EMAIL}"), False, Status.UNKNOWN),
    ],
    ids=["accepted", "refused", "busy", "unsure", "unsure for good"],
)
@pytest.mark.django_db(transaction=True)
def test_a_message_under_way_ends_as_it_must_and_what_is_said_of_it_names_nobody(
    workspace, grace, provider, answer, honours_keys, status
):
    provider.honours_keys = provider.honours_keys if honours_keys else None
    provider.answers[EMAIL] = [answer]
    campaign = operations.launch(make_campaign(workspace, **text()), by=None)
    provider.at_call[1] = partial(press, lambda campaign, by: erase.erase(grace, by=by), campaign)

    engine.work(seconds=1)
    work_off(campaign)

    message = campaign.messages.get(recipient=None)
    assert (message.status, message.address, message.fields, message.last_error) == (status, None, {}, "")
    assert len(provider.calls) == 2  # Bob's and hers: nobody writes to her after that
    assert not Attempt.objects.exclude(error="").filter(message=message).exists()
    assert tables_that_name(EMAIL) == []
    assert wrong_with_the_books(campaign) == []


def test_who_is_in_doubt_stays_unknown_even_if_somebody_sends_again(workspace, grace, provider):
    campaign = launched(make_campaign(workspace, **text()))
    message = campaign.messages.get(recipient=grace)
    settle(campaign, [(Status.SENT, None), (Status.SENT, None)])
    settle(campaign, [(Status.SENT, None)] * (message.number - 1) + unknown())
    erase.erase(grace, by=None)

    operations.send_again(campaign, by=None)
    books = work_off(campaign)

    assert (books.unknown, len(provider.calls)) == (1, 0)
    assert wrong_with_the_books(campaign) == []


def test_while_a_list_is_imported_nobody_is_erased(workspace, grace):
    Import.objects.update(finished_at=None, status=Import.Status.RUNNING)

    with pytest.raises(erased.StillImported):
        erase.erase(grace, by=None)

    assert Recipient.objects.filter(pk=grace.pk).exists() and not Erasure.objects.exists()


def test_the_second_of_two_who_erase_is_told_that_she_is_gone(grace):
    erase.erase(grace, by=None)

    with pytest.raises(Recipient.DoesNotExist):
        erase.erase(grace, by=None)

    assert Erasure.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_ring_that_was_lost_is_repeated_and_a_file_in_the_way_is_told(workspace, grace, place):
    long_over(workspace, **text())
    archive("--older-than", 30)
    (broken,) = place.rglob("*.zip")
    whole = broken.read_bytes()
    broken.write_bytes(b"nothing")
    erase.erase(grace, by=None)

    do_the_rest()

    erasure = Erasure.objects.get()
    assert "was altered" in erasure.trouble and erasure.done_at is None
    broken.write_bytes(whole)
    Redis.from_url(settings.REDIS_URL).flushall()
    Erasure.objects.update(looked_at=Now() - 2 * forget_due.AGAIN)
    clock.ring_to_forget()
    clock.ring_to_forget()
    assert text_in_redis().count("dispatcher.jobs.forget") == 2  # of one job: its name and its description
    forget_due.forget_due()
    assert EMAIL not in text_in(place) and Erasure.objects.get().done_at


@pytest.mark.django_db(transaction=True)
def test_a_file_brought_back_before_it_was_written_anew_brings_nothing_back_of_her(workspace, grace, place):
    campaign = long_over(workspace, **text())
    archive("--older-than", 30)
    erase.erase(grace, by=None)

    archive("--restore", campaign.pk)

    assert tables_that_name(EMAIL) == tables_that_name(NAME) == []
    campaign.refresh_from_db()
    assert [*map(str, findings(campaign)), *strays()] == []


def test_what_the_simulated_provider_learns_late_is_forgotten_too(workspace, grace):
    campaign = launched(make_campaign(workspace, **text()))
    message = campaign.messages.get(recipient=grace)
    erase.erase(grace, by=None)
    Call.objects.create(key=message.key, honours_key=True, accepted=True, channel="email", address=EMAIL, text=NAME)

    forget_due.forget_due()
    assert Erasure.objects.get().done_at is None
    do_the_rest()

    assert tables_that_name(EMAIL) == []
    assert Erasure.objects.get().done_at


def test_a_segment_that_asked_for_her_describes_the_others_as_before(workspace, grace):
    segments = {
        word: make_segment(workspace, ("email", word, EMAIL), name=word) for word in ("is", "is_not", "contains")
    }
    others = {word: fitting(segment) - {grace} for word, segment in segments.items()}
    assert [len(some) for some in others.values()] == [0, 1, 0]

    erase.erase(grace, by=None)

    for word, segment in segments.items():
        segment.refresh_from_db()
        assert fitting(segment) == others[word]
        assert EMAIL not in json.dumps(segment.rules)
    assert EMAIL not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_every_row_that_points_at_a_person_is_thought_of():
    fields = Recipient._meta.get_fields(include_hidden=True)
    pointing = {f"{each.related_model.__name__}.{each.field.name}" for each in fields if each.one_to_many}

    gone_with_her = {"LeftGroup", "Recipient_groups", "Campaign_picked", "Campaign_excluded"}
    gone_with_her |= {"Recurrence_picked", "Recurrence_excluded"}
    emptied = {"Message", "ConsentEvent", "Reply", "ImportRow", "LinkHit"}
    assert pointing == {f"{name}.recipient" for name in gone_with_her | emptied}


def test_the_audit_log_tells_that_somebody_was_erased_and_not_who(workspace, grace):
    erase.erase(grace, by=None)

    entry = AuditEntry.objects.get(verb="erase")
    assert entry.about == f"person {grace.pk}"
    assert not any(canary in json.dumps(entry.changes) for canary in CANARIES)


def test_the_command_erases_everywhere_or_in_one_workspace(workspace, grace, capsys):
    elsewhere = make_recipient(make_workspace(), email=EMAIL, phone="")

    call_command("erase", EMAIL.upper(), workspace=workspace.pk)
    assert list(Recipient.objects.filter(email=EMAIL)) == [elsewhere]
    call_command("erase", EMAIL, "nobody@example.com")

    assert not Recipient.objects.filter(email=EMAIL).exists()
    said = capsys.readouterr().out
    assert said.count("is erased") == 2 and "Nobody has this address." in said
    assert EMAIL not in said


def test_the_command_fails_where_somebody_could_not_be_erased(workspace, grace, capsys):
    Import.objects.update(finished_at=None, status=Import.Status.RUNNING)

    with pytest.raises(SystemExit):
        call_command("erase", PHONE)

    assert "is not over yet" in capsys.readouterr().err
