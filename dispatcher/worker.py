"""An RQ worker that ends gently: the process that works is told to stop, settles what is in flight and leaves."""

import os
import signal
from contextlib import suppress
from types import FrameType

from django.conf import settings
from redis import Redis
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import REDIS_WORKER_KEYS, register

from accounts.origin import working_at
from accounts.veil import veiled
from dispatcher.engine import stop_requested
from wires.queue import AllowedJob


class GentleWorker(Worker):
    """One queue, one work-horse at a time; SIGTERM reaches the horse, and an emptied Redis forgets nobody."""

    def __init__(self, queue: str) -> None:
        super().__init__(
            [queue],
            connection=Redis.from_url(settings.REDIS_URL),
            job_class=AllowedJob,
            serializer=JSONSerializer,
            worker_ttl=20,
            job_monitoring_interval=5,
            default_result_ttl=0,
        )

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        # The horse has a process group of its own, so nobody else tells it.
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)
        super().request_stop(signum, frame)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()
        if self.queue_names() == ["dispatch"]:
            signal.signal(signal.SIGTERM, lambda *_: stop_requested.set())

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        with working_at(job=job.id, work=str(job.func_name).rpartition(".")[2]):
            return super().perform_job(job, queue, execution)

    def handle_job_failure(self, job: Job, queue: Queue, started_job_registry=None, exc_string="", execution=None):
        # Redis keeps it for a day, and PostgreSQL names in it the very row that it refused.
        super().handle_job_failure(job, queue, started_job_registry, veiled(exc_string), execution)

    def heartbeat(self, timeout: int | None = None, pipeline=None) -> None:
        super().heartbeat(timeout, pipeline)
        if not self.connection.sismember(REDIS_WORKER_KEYS, self.key):  # after a FLUSHALL
            self.connection.hset(self.key, mapping=self.serialize())
            register(self)
