"""A turn of the chore that generates words, in a process that a test kills: `-m tests.dispatcher.generating`."""

import os
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    generate = import_module("dispatcher.generate")
    generate.BATCH = 2
    generate.generate_due()
