import logging
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from twisted.python.log import PythonLoggingObserver

from dispatcher import collector
from dispatcher.asgi import application
from dispatcher.server import Server
from dispatcher.starting import begin
from dispatcher.threads import InKeptThreads


class Command(BaseCommand):
    help = "Serve pages, API and live updates over HTTP and WebSocket until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        begin(self)
        connections.close_all()
        for announcer in ("daphne", "twisted"):  # they announce every step of their start
            logging.getLogger(announcer).setLevel(logging.WARNING)
        PythonLoggingObserver().start()  # what Twisted finds wrong, in our form
        server = Server(
            InKeptThreads(application),
            host=host,
            port=port,
            max_body_bytes=settings.MAX_BODY_BYTES,
            trusted_proxy=settings.TRUSTED_PROXY,
        )
        collector.spare()
        server.run()
        if server.failed:
            raise CommandError(f"Cannot listen on {host} port {port}: it is in use or not allowed.")
        # A request in flight may leave its thread waiting for an event loop that has ended, and Python would wait
        # for that thread for ever. What it had not committed is rolled back by the database.
        logging.shutdown()
        os._exit(0)
