"""A worker process of its own for the tests that kill it: `python -m tests.people.carry_out <import>`."""

import sys

import django

if __name__ == "__main__":
    django.setup()
    from people import imports

    imports.CHUNK = 20
    imports.carry_out(int(sys.argv[1]))
