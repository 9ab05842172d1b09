"""What the doorbell names can be run by a worker that has loaded nothing else."""

import subprocess
import sys

import pytest
from django.conf import settings

from wires import queue


@pytest.mark.parametrize("module", sorted({job.rpartition(".")[0] for job in queue.ALLOWED}))
def test_a_worker_that_starts_with_a_job_finds_it(module):
    wanted = [job.rpartition(".")[2] for job in queue.ALLOWED if job.startswith(f"{module}.")]
    program = f"import django; django.setup(); import {module} as jobs; print([getattr(jobs, w) for w in {wanted}])"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
