"""Stopping the web process: requests in flight do not keep it."""

import threading
from contextlib import suppress
from urllib.request import urlopen

from tests.house import House


def test_the_web_process_stops_within_seconds_though_pages_are_being_asked_for(house: House):
    stopped = threading.Event()

    def ask() -> None:
        while not stopped.is_set():
            with suppress(OSError):
                urlopen(f"{house.address}/login/", timeout=5).close()

    askers = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for asker in askers:
        asker.start()
    house.closing.set()  # nobody starts it again
    web = house.processes["web"]
    try:
        threading.Event().wait(1)
        web.terminate()
        assert web.wait(5) == 0
    finally:
        stopped.set()
