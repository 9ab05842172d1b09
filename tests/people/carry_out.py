"""A worker process of its own for the tests that kill it: `python -m tests.people.carry_out <import>`."""

import sys

import django

django.setup()

from people import imports  # noqa: E402 - models can be imported only after setup

imports.CHUNK = 20  # small, so that there is a middle to be killed in
imports.carry_out(int(sys.argv[1]))
