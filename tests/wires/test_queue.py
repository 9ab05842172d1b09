"""The doorbell: only our own jobs run, and a ring is never a reason to fail or to wait."""

import time

import django_rq
import pytest
from django.db import transaction
from rq.serializers import JSONSerializer

from wires import queue
from wires.queue import DISPATCH, AllowedJob, NotAllowed


@pytest.fixture(autouse=True)
def empty_queues():
    for name in ("dispatch", "chores"):
        django_rq.get_queue(name).empty()


def test_a_job_of_a_stranger_is_refused():
    connection = django_rq.get_connection("dispatch")
    job = AllowedJob.create("os.system", args=("true",), connection=connection, serializer=JSONSerializer)
    with pytest.raises(NotAllowed, match="os.system"):
        job.perform()


def test_garbage_on_the_queue_is_dropped_with_all_it_left_and_what_stands_behind_it_is_found():
    connection = django_rq.get_connection("dispatch")
    queue = django_rq.get_queue("dispatch", connection=connection)
    connection.hset("rq:job:garbage", mapping={"data": b"\xff", "created_at": "never"})
    connection.rpush(queue.key, "garbage")
    ring = queue.enqueue(DISPATCH)

    found, _ = queue.dequeue_any([queue], timeout=None, connection=connection, job_class=AllowedJob)

    assert (found.id, queue.count) == (ring.id, 0)
    assert not connection.exists("rq:job:garbage")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_rung_before_the_commit_nor_after_a_rollback():
    with transaction.atomic():
        queue.ring()
        assert django_rq.get_queue("dispatch").count == 0
    assert django_rq.get_queue("dispatch").count == 1

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.ask_for_import(1)
        raise ZeroDivisionError
    assert django_rq.get_queue("chores").count == 0


@pytest.mark.django_db(transaction=True)
def test_rings_do_not_pile_up():
    for _ in range(300):
        queue.ring()
        queue.ask_for_import(1), queue.ask_for_import(2)
        queue.ask_to_generate()
    assert [django_rq.get_queue(name).count for name in ("dispatch", "chores")] == [1, 3]


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_ring_is_lost_quietly_and_at_once(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    queue._redis.cache_clear()
    try:
        began = time.monotonic()
        queue.ring()
        assert time.monotonic() - began < 2
        assert not queue.is_reachable()
    finally:
        queue._redis.cache_clear()
