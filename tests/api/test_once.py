"""Whoever repeats a request under one Idempotency-Key has one effect and the first answer, also all at once."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import once
from accounts.models import ApiKey, KeptAnswer, Role
from campaigns.models import Campaign
from dispatcher import readiness
from dispatcher.api import campaigns
from dispatcher.erase import erase
from people.imports import MOST_UPLOADS
from people.models import Import, Recipient
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_recipients, make_workspace

SALE = {"name": "Sale", "channel": "sms", "base_template": "Hi"}
BUSY = {"import_under_way": lambda campaign: "a list", "under_way": lambda campaign: "1 of 2"}


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def post(program: Program, path: str, body: dict | None, key: str):
    headers = program.headers | {"Idempotency-Key": key}
    return Client().post(path, json.dumps(body or {}), content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_the_same_request_again_is_the_first_answer_and_nothing_more(program):
    first = post(program, "/api/campaigns", SALE, "a")
    again = post(program, "/api/campaigns", SALE, "a")
    other = post(program, "/api/campaigns", SALE, "b")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content != other.content
    assert "Idempotent-Replayed" not in first and again["Idempotent-Replayed"] == "true"
    assert Campaign.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "body"), [("/api/campaigns", SALE | {"name": "Other"}), ("/api/customers", SALE)])
def test_another_request_under_the_same_key_is_refused(program, path, body):
    post(program, "/api/campaigns", SALE, "a")

    refused = post(program, path, body, "a")

    assert (refused.status_code, error_of(refused)["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Campaign.objects.count() == 1


@pytest.mark.django_db
def test_a_refusal_is_the_answer_to_the_same_request_again_and_no_other_gets_its_key(program):
    first = post(program, "/api/campaigns", {}, "a")

    again = post(program, "/api/campaigns", {}, "a")
    other = post(program, "/api/campaigns", SALE, "a")

    assert (first.status_code, first.content, again.status_code) == (400, again.content, 400)
    assert again["Idempotent-Replayed"] == "true"
    assert (other.status_code, error_of(other)["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert not Campaign.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("what", "code"), [("import_under_way", "IMPORT_RUNNING"), ("under_way", "ADDRESSES_LINKING")])
def test_what_passes_by_itself_is_no_answer_to_keep(program, monkeypatch, what, code):
    campaign = make_campaign(program.workspace)
    make_recipients(program.workspace, 1)
    path = f"/api/campaigns/{campaign.pk}/enqueue"
    with monkeypatch.context() as busy:
        busy.setattr(readiness, what, BUSY[what])
        early = post(program, path, None, "a")

    assert (early.status_code, error_of(early)["code"], early.has_header("Retry-After")) == (409, code, True)
    assert post(program, path, None, "a").status_code == 200


@pytest.mark.django_db
def test_a_send_that_came_too_often_goes_well_later_under_the_same_key(program, settings):
    settings.API_SENDS_PER_MINUTE = 1
    make_recipients(program.workspace, 1)
    first, second = (f"/api/campaigns/{make_campaign(program.workspace).pk}/enqueue" for _ in range(2))
    assert post(program, first, None, "a").status_code == 200
    assert post(program, second, None, "b").status_code == 429

    settings.API_SENDS_PER_MINUTE = 100

    assert post(program, second, None, "b").status_code == 200


@pytest.mark.django_db
def test_a_refusal_leaves_what_it_meant_to(program):
    """Lists of which a part is missing are cancelled; else five of them would keep all others out."""
    for word in range(MOST_UPLOADS):
        begun = post(program, "/api/imports/begin", {"size": 10}, f"begin {word}").json()
        refused = post(program, f"/api/imports/{begun['id']}/complete", None, f"complete {word}")
        assert refused.status_code == 400

    assert set(Import.objects.values_list("status", flat=True)) == {Import.Status.CANCELLED}
    assert post(program, "/api/imports/begin", {"size": 10}, "begin again").status_code == 201


@pytest.mark.django_db
def test_a_method_that_is_not_possible_is_told_each_time(program):
    answers = [post(program, "/api/campaigns/1", None, "a") for _ in range(2)]

    assert [(answer.status_code, answer.has_header("Allow")) for answer in answers] == [(405, True)] * 2


@pytest.mark.django_db
def test_a_slash_at_the_end_makes_no_other_request(program):
    first = post(program, "/api/campaigns", SALE, "a")

    assert post(program, "/api/campaigns/", SALE, "a").content == first.content
    assert post(program, "/api/campaigns?a=b", SALE, "a").status_code == 422


@pytest.mark.django_db
def test_a_key_that_may_not_do_it_any_more_is_not_told_what_it_did(program):
    post(program, "/api/campaigns", SALE, "a")
    ApiKey.objects.update(role=Role.VIEWER)

    assert post(program, "/api/campaigns", SALE, "a").status_code == 403

    ApiKey.objects.update(role=Role.EDITOR)
    assert post(program, "/api/campaigns", SALE, "a").status_code == 201
    assert Campaign.objects.count() == 1


@pytest.mark.django_db
def test_keys_belong_to_their_program_and_no_key_no_effect(program):
    theirs, viewer = Program(make_workspace()), Program(program.workspace, Role.VIEWER)
    post(program, "/api/campaigns", SALE, "a")

    assert post(viewer, "/api/campaigns", SALE, "a").status_code == 403

    assert (
        post(theirs, "/api/campaigns", SALE, "a").json()["id"]
        != post(program, "/api/campaigns", SALE, "a").json()["id"]
    )
    stranger = Client().post("/api/campaigns", SALE, headers={"Authorization": "Bearer x", "Idempotency-Key": "a"})
    assert stranger.status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\tb"])
def test_what_is_no_key_is_refused(program, key):
    assert post(program, "/api/campaigns", SALE, key).status_code == 400
    assert not Campaign.objects.exists()


@pytest.mark.django_db
def test_an_answer_is_forgotten_after_a_day(program):
    post(program, "/api/campaigns", SALE, "a")
    KeptAnswer.objects.update(at=timezone.now() - timedelta(hours=25))

    assert post(program, "/api/campaigns", SALE, "a").status_code == 201
    assert Campaign.objects.count() == 2
    KeptAnswer.objects.update(at=timezone.now() - timedelta(hours=25))
    assert once.forget_old() == 1


@pytest.mark.django_db
def test_when_somebody_is_erased_answers_are_forgotten_but_nothing_is_done_twice(program):
    post(program, "/api/customers", {"email": "grace@example.com"}, "a")
    post(program, "/api/campaigns", SALE, "b")

    erase(Recipient.objects.get(email="grace@example.com"), by=None)

    assert set(KeptAnswer.objects.values_list("body", "content_type")) == {("", "")}
    again = post(program, "/api/campaigns", SALE, "b")
    assert again.status_code == 409 and "erased" in error_of(again)["message"]
    assert post(program, "/api/campaigns", SALE | {"name": "Other"}, "b").status_code == 422
    assert Campaign.objects.count() == 1


@pytest.mark.django_db
def test_after_a_fault_of_ours_the_request_may_be_repeated(program, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("dispatcher.api.front_door.campaigns.create_with_addresses", fail)
        assert post(program, "/api/campaigns", SALE, "a").status_code == 500
    assert post(program, "/api/campaigns", SALE, "a").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_twenty_sends_at_once_with_one_key_have_one_effect_and_count_once(program, settings):
    settings.API_SENDS_PER_MINUTE = 1
    campaign = make_campaign(program.workspace, everyone=False)
    people = [person.pk for person in make_recipients(program.workspace, 30)]
    start = Barrier(20)

    def send(_: int) -> tuple[int, bytes]:
        start.wait()
        try:
            answer = post(program, f"/api/campaigns/{campaign.pk}/send", {"customer_ids": people}, "a")
            return answer.status_code, answer.content
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    done = {content for status, content in answers if status == 200}
    assert {status for status, _ in answers} <= {200, 409}
    assert len(done) == 1
    assert json.loads(done.pop())["messages_queued"] == 30
    assert campaign.messages.count() == 30
    assert campaign.history.filter(to_status=Campaign.Status.PREPARING).count() == 1


@pytest.mark.django_db(transaction=True)
def test_six_sends_at_once_without_a_key_are_one_launch_and_five_refusals(program, settings):
    settings.API_SENDS_PER_MINUTE = 1  # the five are told that it is sent, not to wait
    campaign = make_campaign(program.workspace, everyone=False)
    people = [person.pk for person in make_recipients(program.workspace, 10)]
    start = Barrier(6)

    def send(_: int) -> tuple[int, int | None]:
        start.wait()
        try:
            answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": people})
            return answer.status_code, answer.json().get("messages_queued")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(send, range(6)), key=lambda answer: answer[0])

    assert answers == [(200, 10)] + [(409, None)] * 5


@pytest.mark.django_db(transaction=True)
def test_a_slow_request_keeps_no_other_with_the_same_api_key_waiting(program, monkeypatch):
    begun, may_end = Event(), Event()
    create = campaigns.create_with_addresses

    def slowly(*args, **kwargs):
        begun.set()
        may_end.wait(30)
        return create(*args, **kwargs)

    monkeypatch.setattr(campaigns, "create_with_addresses", slowly)

    def ask(request: Callable[[], HttpResponse]) -> int:
        try:
            return request().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(ask, lambda: post(program, "/api/campaigns", SALE, "a"))
        try:
            assert begun.wait(30)
            other = pool.submit(ask, lambda: program.get("/api/campaigns"))
            assert other.result(timeout=10) == 200
        finally:
            may_end.set()

    assert slow.result() == 201
