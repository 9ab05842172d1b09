import signal
import threading

from django.core.management.base import BaseCommand

from dispatcher.clock import tick
from dispatcher.starting import begin


class Command(BaseCommand):
    help = "Ticks every second until stopped: starts schedules, rings for what is due, finishes what is over."

    def handle(self, *args, **options) -> None:
        begin(self)
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.is_set():
            tick()
            stopped.wait(1)
