"""The doorbell: says to the workers "there is work", never what the work is."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import django_rq
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.timeouts import JobTimeoutException
from rq.worker import BaseWorker

SILENT_AFTER = timedelta(seconds=20)  # a worker beats every five seconds
BROKEN_AFTER = 3  # jobs in which a worker failed, and never succeeded in one
logger = logging.getLogger(__name__)

TimeIsUp = JobTimeoutException  # raised within a job that takes too long
DISPATCH = "dispatcher.jobs.dispatch"
IMPORT = "people.jobs.carry_out_import"
STORE = "dispatcher.jobs.store"
FORGET = "dispatcher.jobs.forget"
LOOK = "people.jobs.look_at_people"
GENERATE = "dispatcher.jobs.generate"
DRY_RUN = "dispatcher.jobs.dry_run"
LINK = "campaigns.jobs.link_addresses"
ALLOWED = {DISPATCH, IMPORT, STORE, FORGET, LOOK, GENERATE, DRY_RUN, LINK}


class NotAllowed(Exception):
    """Somebody put a job on the queue that this house does not know."""


class AllowedJob(Job):
    """A job that can only be one of ours: who can write to Redis must not be able to run code here."""

    @property
    def func(self):
        if self.func_name not in ALLOWED or self.instance:
            raise NotAllowed(f"refused to run {self.func_name!r}")
        return super().func

    def restore(self, raw_data) -> None:
        try:
            super().restore(raw_data)
        except Exception as error:  # RQ would end the worker that finds it
            logger.error("dropped a job that cannot be read: %s", error)
            self.connection.delete(self.key)  # RQ takes it off the queue only
            raise NoSuchJobError(f"No job can be read from {self.key!r}") from error


@cache
def _redis() -> Redis:
    """A client that gives up after a second: redis-py's own defaults hold a page for a minute on a hung Redis."""
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0))


def _queue(name: str):
    return django_rq.get_queue(name, connection=_redis())


def ring() -> None:
    """Wake the dispatch workers once the transaction is committed; a lost ring is repeated by the clock."""
    transaction.on_commit(lambda: _put("dispatch", DISPATCH))


def ask_for_import(import_id: int) -> None:
    """Have a chores worker carry out this import once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", IMPORT, import_id))


def ask_for_dry_run(run_id: int) -> None:
    """Have a chores worker carry on this dry run once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", DRY_RUN, run_id))


def ask_to_link(campaign_id: int) -> None:
    """Have a chores worker link addresses to this campaign once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", LINK, campaign_id))


def ask_to_store() -> None:
    """Have a chores worker move old messages into files once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", STORE))


def ask_to_forget() -> None:
    """Have a chores worker take erased people out of files once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", FORGET))


def ask_to_look() -> None:
    """Have a chores worker compare people with suppression lists once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", LOOK))


def ask_to_generate() -> None:
    """Have a chores worker generate words for campaigns being prepared once the transaction is committed."""
    transaction.on_commit(lambda: _put("chores", GENERATE))


def _put(name: str, job: str, *args: int) -> None:
    try:
        queue = _queue(name)
        if job == DISPATCH and queue.count >= max(1, Worker.count(queue=queue)):
            return  # every worker has a ring waiting already
        if job != DISPATCH and any(each.func_name == job and [*each.args] == [*args] for each in queue.jobs):
            return  # it is its turn again once those before it had theirs
        queue.enqueue(job, *args, failure_ttl=86_400)
    except RedisError as error:
        logger.warning("could not ring %s, the clock will: %s", name, error)


def workers_alive(name: str = "dispatch") -> Sequence[BaseWorker]:
    """The workers of a queue that were heard of lately. Raises RedisError when Redis does not answer."""
    queue = _queue(name)
    lately = datetime.now(UTC) - SILENT_AFTER
    return [w for w in Worker.all(queue=queue) if w.last_heartbeat and w.last_heartbeat > lately]


def is_broken(worker: BaseWorker) -> bool:
    """Whether it failed at every job it took, and took enough of them: it lives, but nothing gets done."""
    return worker.failed_job_count >= BROKEN_AFTER and not worker.successful_job_count


def waiting(name: str) -> int:
    """How many jobs wait in a queue. Raises RedisError."""
    return _queue(name).count


def told_by_redis() -> dict:
    """What Redis says of itself. Raises RedisError, and ValueError when REDIS_URL is no address."""
    return _redis().info()


def is_reachable() -> bool:
    """Whether Redis answers within a second."""
    try:
        return bool(_redis().ping())
    except RedisError:
        return False
