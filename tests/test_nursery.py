"""A fault that is set for a process of the nursery is there, or the test that sets it fails."""

from pathlib import Path
from typing import Any

import pytest

from tests.house import House
from tests.nursery import like


@pytest.mark.parametrize("told", [{"own": {"web": {"CRASH_AT": "after_call"}}}, {"logs": Path("logs")}])
def test_a_house_of_a_nursery_refuses_what_it_could_not_give(told: dict[str, Any]):
    house = House(0, {}, nursery=object(), **told)

    with pytest.raises(ValueError, match="neither an environment nor a log"):
        house.start("web")


def test_a_setting_that_is_true_or_false_is_never_told_in_words():
    assert like(True, False) is False
    assert like(5, "7") == 7
    for word in ("0", "false", ""):
        with pytest.raises(TypeError):
            like(True, word)
