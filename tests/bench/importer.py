"""A worker for one import: `python -m tests.bench.importer <import>`; says how many bytes it held at most."""

import resource
import sys

import django

django.setup()

from people import carrying  # noqa: E402 - models can be imported only after setup

carrying.TURN = float("inf")
carrying.carry_out(int(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
