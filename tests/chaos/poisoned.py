"""A shift that dies when it calls one address: `python -m tests.chaos.poisoned person@example.com`."""

import os
import signal
import sys
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    provider = import_module("simulator.provider")
    accept = provider.Provider.accept

    async def dying(self, key, nth, channel, address, *text):
        if address == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return await accept(self, key, nth, channel, address, *text)

    provider.Provider.accept = dying
    import_module("dispatcher.engine").work(seconds=20)
