"""Requests are answered in threads that are kept, each with its connection to the database."""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from subprocess import Popen
from urllib.request import Request, urlopen

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from accounts.models import ApiKey, Role
from dispatcher.threads import KEPT, InKeptThreads
from processes import end, spawn
from tests.dispatcher.shift import database_url
from tests.house import await_answer
from tests.make import make_workspace

from .clones import ROOT, free_port

HTTP = {"type": "http"}


class Asked:
    """An application each of whose requests waits in its thread until it may end."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.may_end = threading.Event()
        self.door = InKeptThreads(self.application)

    async def application(self, scope: dict, receive: object, send: object) -> None:
        await sync_to_async(self.work)()

    def work(self) -> None:
        self.threads.append(threading.get_ident())
        assert self.may_end.wait(10)

    def begin(self) -> asyncio.Task:
        return asyncio.create_task(self.door(HTTP, None, None))

    async def have_begun(self, many: int) -> None:
        await until(lambda: len(self.threads) == many)

    async def rest(self, many: int) -> None:
        await until(lambda: len(self.door.resting) == many)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.001)


def run(story: Callable[[Asked], Awaitable[None]]) -> None:
    asyncio.run(story(Asked()))


def test_one_request_after_the_other_has_the_same_thread():
    async def story(asked: Asked) -> None:
        asked.may_end.set()
        for _ in range(5):
            await asked.begin()
            await asked.rest(1)
        assert len(asked.threads) == 5 and len(set(asked.threads)) == 1

    run(story)


def test_requests_at_once_have_a_thread_each_of_which_no_more_are_kept_than_a_quiet_process_needs():
    async def story(asked: Asked) -> None:
        many = 2 * KEPT
        tasks = [asked.begin() for _ in range(many)]
        await asked.have_begun(many)
        assert len(set(asked.threads)) == many
        asked.may_end.set()
        await asyncio.gather(*tasks)
        await asked.rest(KEPT)
        await until(lambda: sum(t.ident in asked.threads for t in threading.enumerate()) == KEPT)

    run(story)


def test_a_request_that_nobody_waits_for_any_more_keeps_its_thread_until_it_is_through():
    async def story(asked: Asked) -> None:
        given_up = asked.begin()
        await asked.have_begun(1)
        for _ in range(2):  # as the server does, which waits in vain after the first time
            given_up.cancel()
            await asyncio.sleep(0)
        other = asked.begin()
        await asked.have_begun(2)
        assert len(set(asked.threads)) == 2
        asked.may_end.set()
        await asyncio.gather(given_up, other, return_exceptions=True)
        await asked.rest(2)

    run(story)


@contextmanager
def web() -> Iterator[tuple[Callable[[], int], Popen]]:
    """A web process on the test database, and what asks it something that it has to look up."""
    port = free_port()
    _, secret = ApiKey.make(make_workspace(), "test", Role.VIEWER)
    argv = [sys.executable, "manage.py", "serve", "--port", str(port)]
    child = spawn(argv, cwd=ROOT, env=os.environ | {"DATABASE_URL": database_url()})
    wanted = Request(f"http://127.0.0.1:{port}/api/campaigns", headers={"Authorization": f"Bearer {secret}"})

    def ask() -> int:
        with urlopen(wanted, timeout=10) as answer:
            return answer.status

    try:
        await_answer(f"http://127.0.0.1:{port}/login/")
        yield ask, child
    finally:
        end(child)


OTHERS = """FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'"""


def sessions() -> set[int]:
    """Those of the web process."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pid {OTHERS}")
        return {pid for (pid,) in cursor.fetchall()}


def is_waited_for(cursor) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    return cursor.fetchone()[0]


def end_sessions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_used_again_and_where_it_was_lost_there_is_another_at_once():
    with web() as (ask, _):
        assert ask() == 200
        first = sessions()
        assert [ask() for _ in range(20)] == [200] * 20
        known = sessions()
        # A few more where a request comes before the thread of the last one rests.
        assert len(first) == 1 and first <= known and len(known) < 5

        end_sessions()
        assert [ask() for _ in range(5)] == [200] * 5
        assert known.isdisjoint(sessions())


@pytest.mark.django_db(transaction=True)
def test_a_web_process_that_is_told_to_stop_gives_the_answers_it_is_at():
    with web() as (ask, child), ThreadPoolExecutor(1) as client:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE campaigns_campaign IN ACCESS EXCLUSIVE MODE")
            answer = client.submit(ask)
            while not is_waited_for(cursor):
                assert not answer.done()
            child.terminate()
            assert not wait([answer], timeout=0.5).done
        assert answer.result() == 200
