"""The API protects itself: from programs that ask too often, from guesses at keys, and from a queue without end."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import allowance
from accounts.models import ApiKey, AuditEntry, Role, Workspace
from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.api import admission
from dispatcher.checks import LIMITS, settings_make_sense
from tests.api.calls import Program, error_of, whole
from tests.dispatcher.athens import seal
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import logged_in, make_campaign, make_member, make_recipients, make_workspace
from wires import meter

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    workspace = make_workspace()
    make_recipients(workspace, 3)
    return Program(workspace)


@pytest.fixture(autouse=True)
def fresh_meter(monkeypatch):
    monkeypatch.setattr(meter, "_rests_until", float("-inf"))
    meter._meter.cache_clear()
    yield
    meter._meter.cache_clear()


def send(program: Program, campaign: Campaign | None = None, key: str = ""):
    campaign = campaign or make_campaign(program.workspace)
    headers = program.headers | ({"Idempotency-Key": key} if key else {})
    return Client().post(f"/api/campaigns/{campaign.pk}/enqueue", content_type="application/json", headers=headers)


def told(answer) -> list[int]:
    return [int(answer[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


def test_the_sixth_send_within_a_minute_waits_and_is_as_it_was(program, settings, monkeypatch):
    settings.API_SENDS_PER_MINUTE = 5
    accepted = [send(program) for _ in range(5)]
    sixth = make_campaign(program.workspace)

    refused = send(program, sixth)

    assert [(answer.status_code, *told(answer)[:2]) for answer in accepted] == [(200, 5, n) for n in (4, 3, 2, 1, 0)]
    assert (refused.status_code, error_of(refused)["code"]) == (429, "RATE_LIMITED")
    assert told(refused)[:2] == [5, 0]
    assert 50 < int(refused["Retry-After"]) == told(refused)[2] <= 60
    sixth.refresh_from_db()
    assert sixth.status == Campaign.Status.DRAFT and not sixth.messages.exists()
    monkeypatch.setattr(allowance, "WINDOW", timedelta(0))  # time passes
    assert send(program, sixth).status_code == 200


def test_it_is_told_in_how_many_seconds_the_next_may_be_sent(program, settings):
    settings.API_SENDS_PER_MINUTE = 3
    for ago in (70, 50, 30, 20):
        at = timezone.now() - timedelta(seconds=ago)
        kind = AuditEntry.Kind.PERSON
        AuditEntry.objects.create(workspace_id=program.workspace.pk, verb="launch", actor_kind=kind, at=at)

    assert send(program)["Retry-After"] in ("9", "10")


def test_replays_and_refusals_and_what_the_clock_starts_are_not_counted(program, settings):
    settings.API_SENDS_PER_MINUTE = 2
    operations.launch(make_campaign(program.workspace), by=None)
    campaign = make_campaign(program.workspace)

    first, *again = [send(program, campaign, key="a") for _ in range(3)]
    assert send(program, campaign).status_code == 409
    assert send(program, make_campaign(program.workspace, body="")).status_code == 400

    assert [told(first)[1], send(program).status_code, send(program).status_code] == [1, 200, 429]
    assert [answer["Idempotent-Replayed"] for answer in again] == ["true", "true"]
    assert [send(program, campaign, key=key).status_code for key in ("a", "")] == [200, 409]
    operations.launch(make_campaign(program.workspace), by=None)


def scheduled_by(program: Program, **ahead) -> list[int]:
    """Three ways to let a campaign start by itself so far ahead, and what each is answered."""
    at = {"scheduled_at": (timezone.now() + timedelta(**ahead)).isoformat()}
    draft, waiting = make_campaign(program.workspace), make_campaign(program.workspace)
    operations.schedule(waiting, at=timezone.now() + timedelta(days=1), by=None)
    calls = [("/api/campaigns", {"name": "A", "channel": "sms", "message": "B"})]
    calls += [(f"/api/campaigns/{campaign.pk}/schedule", {}) for campaign in (draft, waiting)]
    return [program.post(path, body | at).status_code for path, body in calls]


def test_what_is_let_start_within_a_minute_counts_as_a_send(program, settings):
    settings.API_SENDS_PER_MINUTE = 3

    assert scheduled_by(program, minutes=2) == [201, 200, 200]
    assert scheduled_by(program, seconds=20) == [201, 200, 200]
    assert scheduled_by(program, seconds=20) == [429, 429, 429]
    assert scheduled_by(program, minutes=2) == [201, 200, 200]
    assert send(program).status_code == 429


def test_a_page_says_when_what_starts_at_once_is_one_too_many(settings):
    settings.API_SENDS_PER_MINUTE = 1
    workspace = make_workspace(time_zone="UTC")
    client, campaign = logged_in(workspace, Role.MARKETER), make_campaign(workspace, people=1)
    send(Program(workspace))
    now = timezone.now() + timedelta(minutes=1)
    typed = {"date": f"{now:%Y-%m-%d}", "time": f"{now:%H:%M}", "zone": "UTC"}
    waiting = operations.schedule(make_campaign(workspace), at=now + timedelta(days=1), by=None)

    first = client.post(reverse("schedule", args=[campaign.pk]), typed | {"checked": seal(client, campaign)})
    moved = client.post(reverse("schedule", args=[waiting.pk]), typed | {"seen": waiting.scheduled_at.isoformat()})

    for page in (first, moved):
        assert page.status_code == 429 and "may send 1 campaign a minute. Try again in " in page.content.decode()
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


def test_a_campaign_that_is_taken_back_and_deleted_counts_on(program, settings):
    settings.API_SENDS_PER_MINUTE = 1
    campaign = make_campaign(program.workspace)
    operations.launch(campaign, by=make_member(program.workspace), undo_seconds=10)
    operations.undo(campaign, by=None)
    assert program.delete(f"/api/campaigns/{campaign.pk}").status_code == 204

    assert send(program).status_code == 429


def test_each_workspace_has_its_own_sends_and_may_have_its_own_number(settings):
    settings.API_SENDS_PER_MINUTE = 1
    ours, theirs, free = (Program(make_workspace(sends_per_minute=own)) for own in (None, 2, 0))
    for program in (ours, theirs, free):
        make_recipients(program.workspace, 1)

    def first_three(program: Program) -> list[int]:
        return [send(program).status_code for _ in range(3)]

    assert first_three(ours) == [200, 429, 429]
    assert first_three(theirs) == [200, 200, 429]
    assert first_three(free) == [200, 200, 200]


@pytest.mark.django_db(transaction=True)
def test_sends_at_once_do_not_slip_past_the_limit_together(program, settings):
    settings.API_SENDS_PER_MINUTE = 2
    start = Barrier(6)

    def one(campaign: Campaign) -> int:
        start.wait()
        try:
            return send(program, campaign).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(one, [make_campaign(program.workspace) for _ in range(6)]))

    assert sorted(answers) == [200, 200, 429, 429, 429, 429]


def test_a_page_says_how_long_to_wait_and_keeps_what_was_typed(settings):
    settings.API_SENDS_PER_MINUTE = 1
    workspace = make_workspace("Acme", typed_above=2)
    campaign, client = make_campaign(workspace, people=3), logged_in(workspace, Role.MARKETER)
    check = reverse("check", args=[campaign.pk])
    page = client.get(check).content.decode()
    assert "1 campaign a minute can be sent here, by people and programs: 1 more now." in page
    send(Program(workspace))
    page = client.get(check).content.decode()
    assert "the next one in " in page
    seal = page.split('name="checked" value="')[1].split('"')[0]

    answer = client.post(reverse("send", args=[campaign.pk]), {"checked": seal, "number": "3"})

    assert answer.status_code == 429 and 50 < int(answer["Retry-After"]) <= 60
    page = answer.content.decode()
    assert f"Acme may send 1 campaign a minute. Try again in {answer['Retry-After']} seconds." in page
    assert 'name="number" inputmode="numeric" autocomplete="off" value="3"' in page
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


def test_a_key_may_ask_so_often_a_minute_and_is_told_with_every_answer(program, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    other = Program(program.workspace)

    answers = [program.get(path) for path in ("/api/campaigns", "/api/campaigns/0", "/api/stats", "/api/stats")]

    assert [(answer.status_code, told(answer)[1]) for answer in answers] == [(200, 2), (404, 1), (200, 0), (429, 0)]
    assert error_of(answers[3])["message"].startswith("This key may ask 3 times a minute. Try again in ")
    assert 50 < int(answers[3]["Retry-After"]) <= 60
    assert other.get("/api/stats").status_code == 200
    page = logged_in(program.workspace, Role.ADMIN).get(reverse("api-keys")).content.decode()
    assert "3 a minute with each key" in page and "0 of 3 requests left" in page and "2 of 3 requests left" in page


def test_an_answer_tells_of_the_limit_that_is_nearest(program, settings):
    settings.API_REQUESTS_PER_MINUTE, settings.API_SENDS_PER_MINUTE = 100, 5

    assert told(send(program))[:2] == [5, 4]
    assert told(program.get("/api/stats"))[:2] == [100, 98]


@pytest.mark.parametrize("down", ["closed", "silence"])
def test_without_redis_everybody_is_served_and_one_waits_for_it(program, settings, request, down, monkeypatch, caplog):
    monkeypatch.setattr(meter, "REST", 60)
    settings.API_REQUESTS_PER_MINUTE = settings.API_WRONG_KEYS_PER_MINUTE = 1
    settings.REDIS_URL = f"redis://127.0.0.1:{request.getfixturevalue(down)}/0"
    began = time.monotonic()

    answers = [program.get("/api/stats") for _ in range(5)]
    wrong = [Client().get("/api/stats", headers={"Authorization": "Bearer x"}) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.status_code for answer in wrong} == {401}
    assert not answers[0].has_header("RateLimit-Limit")
    assert len([line for line in caplog.messages if "all are let through" in line]) == 1
    assert time.monotonic() - began < 20  # of its own accord the client would wait a minute


def test_an_emptied_redis_gives_no_sends_back(program, settings):
    settings.API_SENDS_PER_MINUTE = 1
    send(program)

    meter._meter().storage.reset()

    assert send(program).status_code == 429


def test_wrong_keys_are_counted_by_address_and_a_good_one_is_served_all_the_while(program, settings):
    settings.API_WRONG_KEYS_PER_MINUTE = 2

    def knock(key: str, address: str):
        return Client(REMOTE_ADDR=address).get("/api/stats", headers={"Authorization": f"Bearer {key}"})

    answers = [knock(f"guess {n}", "2001:db8:1:2::9") for n in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert error_of(answers[2])["message"].startswith("Too many wrong keys came from your address. Try again in ")
    assert int(answers[2]["Retry-After"]) <= 60
    assert knock("guess", "2001:db8:1:2::8").status_code == 429  # one customer has all of the network
    assert knock("guess", "2001:db8:1:3::9").status_code == 401
    assert knock(program.secret, "2001:db8:1:2::9").status_code == 200
    assert Client(REMOTE_ADDR="2001:db8:1:2::9").get("/api/stats").status_code == 401  # not even a try


def test_a_wrong_key_costs_one_query_under_an_idempotency_key_too():
    headers = {"Authorization": f"Bearer cd_{'x' * 43}", "Idempotency-Key": "a"}

    with CaptureQueriesContext(connection) as captured:
        Client().post("/api/campaigns", "{}", content_type="application/json", headers=headers)

    assert len(captured) == 1 and '"digest" = ' in captured[0]["sql"]


@pytest.mark.parametrize("guess", ["cd_guess", "x" * 46, f"cd_{'x' * 44}", f"cd_{'x' * 43}\n", f"cd_{'é' * 43}"])
def test_what_has_not_the_form_of_a_key_costs_no_query(guess, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert ApiKey.of(guess) is None


def test_a_key_has_only_so_many_requests_answered_at_once(program, settings):
    settings.API_REQUESTS_AT_ONCE = 2
    places = [admission.take_place(program.key) for _ in range(2)]

    refused = program.get("/api/stats")
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert Program(program.workspace).get("/api/stats").status_code == 200

    for _ in places:
        admission.leave_place(program.key)
    assert [program.get("/api/stats").status_code for _ in range(4)] == [200] * 4


def test_what_comes_piece_by_piece_keeps_its_place_until_it_is_written_or_dropped(settings):
    settings.API_REQUESTS_AT_ONCE = 1
    program = Program(make_workspace())

    def status() -> int:
        return program.get("/api/stats").status_code

    export = program.get("/api/customers/export")
    assert (export.status_code, status()) == (200, 429)
    whole(export)
    assert status() == 200

    dropped = program.get("/api/customers/export")
    assert status() == 429
    del dropped
    gc.collect()
    assert status() == 200


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_below_none_is_told_at_the_start(settings, name):
    setattr(settings, name, -1)

    assert f"{name} must be 0, for no limit, or more." in [fault.msg for fault in settings_make_sense()]


# --- a full queue ---


def waiting(program: Program) -> Campaign:
    """Three messages that wait, and as many may."""
    Workspace.objects.filter(pk=program.workspace.pk).update(open_messages=3)
    return operations.launch(make_campaign(program.workspace), by=None)


def test_while_the_queue_is_full_nothing_begins_and_nothing_is_half_made(program):
    going, campaign = waiting(program), make_campaign(program.workspace, everyone=False)
    someone = program.workspace.recipients.first().pk

    refused = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [someone]})

    assert (refused.status_code, error_of(refused)["code"], refused["Retry-After"]) == (503, "QUEUE_FULL", "60")
    assert error_of(refused)["message"].startswith(f"3 messages of {program.workspace} wait to be sent, and 3 are the")
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    assert not (campaign.messages.exists() or campaign.picked.exists() or AuditEntry.objects.filter(verb="send"))
    elsewhere = make_campaign(make_workspace(open_messages=3), people=1)
    assert send(Program(elsewhere.workspace), elsewhere).status_code == 200
    operations.cancel(going, by=None)
    going.batches.update(due_at=None, pending=0, cancelled=3)
    assert program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [someone]}).status_code == 200


def test_while_the_queue_is_full_nothing_is_tried_again(program):
    broken = launched(make_campaign(program.workspace), *failed(), *failed(), *sent())
    waiting(program)
    client = logged_in(program.workspace, Role.MARKETER)

    paths = ("campaigns/{}/retry-failed", "campaigns/{}/send-again", "dead-letters/retry")
    refused = [program.post(f"/api/{path.format(broken.pk)}") for path in paths]
    pressed = client.post(reverse("retry_failed", args=[broken.pk]), follow=True).content.decode()
    listed = client.post(reverse("retry_dead"), follow=True).content.decode()

    assert [(answer.status_code, error_of(answer)["code"]) for answer in refused] == [(503, "QUEUE_FULL")] * 3
    assert "wait to be sent, and 3 are the most" in pressed and "Not all was tried again. 3 messages" in listed
    assert broken.messages.filter(status=3).count() == 2


def test_while_the_queue_is_full_a_page_says_so_and_lets_it_be_scheduled(program):
    waiting(program)
    campaign, client = make_campaign(program.workspace), logged_in(program.workspace, Role.MARKETER)

    page = client.get(reverse("check", args=[campaign.pk])).content.decode()

    assert "wait to be sent, and 3 are the most. Send when some of them are done" in page
    assert "Ask an admin" not in page and "Send 3 emails" not in page and "Send it later" in page
