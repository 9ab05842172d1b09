"""The web process with the bare address beside its own: `python -m tests.bench.bare_web --port N`."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    settings.ROOT_URLCONF = "tests.bench.bare"
    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])
