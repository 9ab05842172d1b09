import logging

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from redis.exceptions import RedisError

from dispatcher import collector
from dispatcher.starting import begin
from dispatcher.worker import GentleWorker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Works on one queue until stopped. One queue per process: RQ loses jobs of a killed worker on several."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", choices=sorted(settings.RQ_QUEUES))

    def handle(self, *args, queue: str, **options) -> None:
        begin(self)
        connections.close_all()  # a connection must not be inherited by the horses
        collector.spare()
        try:
            GentleWorker(queue).work(logging_level="WARNING")
        except RedisError as error:
            logger.error("The worker stops because Redis does not answer: %s", error)
            raise SystemExit(1) from None
