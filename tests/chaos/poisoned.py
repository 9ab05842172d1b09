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
    decide = provider.Provider._decide

    def dying(self, letter, *chances):
        if letter.address == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return decide(self, letter, *chances)

    provider.Provider._decide = dying
    provider.Provider.answers_at_once = False  # one by one: those beside it are accepted, and their answers lost
    import_module("dispatcher.engine").work(seconds=20)
