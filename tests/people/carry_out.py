"""A worker process of its own for the tests that kill it: `python -m tests.people.carry_out <import>`."""

import os
import signal
import sys

import django

django.setup()

from people import forecast, imports, merge, undo  # noqa: E402 - models can be imported only after setup

imports.STAGE = forecast.RANGE = merge.RANGE = undo.RANGE = 20  # small, so that there is a middle to be killed in
if len(sys.argv) > 2:  # the name of a step, and how often it is done before the process kills itself at the next one
    step, left = sys.argv[2], int(sys.argv[3])
    places = {"stage": imports, "merge_range": imports, "undo_range": imports, "_look_up_range": forecast}
    carry_out_step = getattr(places[step], step)

    def step_or_die(*arguments) -> None:
        global left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        carry_out_step(*arguments)

    setattr(places[step], step, step_or_die)

imports.carry_out(int(sys.argv[1]))
