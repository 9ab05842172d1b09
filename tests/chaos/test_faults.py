"""The short form of bin/chaos: the faults that no other test brings about, in one house, once each."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from processes import end, spawn

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ("F23", "F14", "F11", "F19", "F18", "F16")
WITHIN = 300  # seconds; it takes less than a minute


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    """What bin/chaos tells of its run."""
    folder = tmp_path_factory.mktemp("chaos")
    table, said = folder / "table.json", folder / "said"
    words = ["--seed", "1", "--people", "600", "--only", ",".join(FAULTS), "--json", str(table)]
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "bin/parts"))
    with said.open("wb") as output:
        argv = [sys.executable, "-m", "tests.chaos", *words]
        run = spawn(argv, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, stdout=output, stderr=output)
    try:
        run.wait(WITHIN)
    finally:
        end(run, signal.SIGINT, grace=60)
    assert table.exists(), said.read_text()
    return {"said": said.read_text(), **json.loads(table.read_text())}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_campaign_survives(fault, told):
    row = told["faults"][fault]
    assert (row["times"], row["wrong"]) == (1, []), told["said"]


def test_after_all_of_them_everybody_is_accounted_for(told):
    assert told["found"] == [], told["said"]
