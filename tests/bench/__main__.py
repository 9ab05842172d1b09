"""`python -m tests.bench`, on the services the environment names; `bin/bench` brings services of its own."""

import os
import sys
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    sys.exit(import_module("tests.bench.run").main())
