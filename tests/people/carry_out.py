"""A worker process of its own for the tests that kill it: `python -m tests.people.carry_out <import>`.

With the name of a step, and how often it is done, it kills itself at the next one: before it, or before the statement
of this number within its transaction.
"""

import os
import signal
import sys

import django
from django.db import connection

django.setup()

from people import carrying, forecast, merge, undo  # noqa: E402 - models can be imported only after setup

carrying.STAGE = forecast.RANGE = merge.RANGE = undo.RANGE = 20  # small, so that there is a middle to be killed in
if len(sys.argv) > 2:
    step, left = sys.argv[2], int(sys.argv[3])
    statements = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    places = {"stage": carrying, "merge_range": carrying, "undo_range": carrying, "_look_up_range": forecast}
    carry_out_step = getattr(places[step], step)

    def step_or_die(*arguments) -> None:
        global left
        if left:
            left -= 1
            carry_out_step(*arguments)
        elif statements:
            with connection.execute_wrapper(statement_or_die):
                carry_out_step(*arguments)
        else:
            die()

    def statement_or_die(execute, *arguments):
        global statements
        statements -= 1
        return execute(*arguments) if statements else die()

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(places[step], step, step_or_die)

carrying.carry_out(int(sys.argv[1]))
