"""The simulated provider: repeatable chance, a ledger of its own, and keys it honours."""

import asyncio
import uuid
from collections import Counter
from contextlib import suppress

import pytest

from simulator.models import Call
from simulator.provider import PROFILES, Broken, Letter, NotAccepted, Provider, TooFast, Unavailable, draws

pytestmark = pytest.mark.django_db(transaction=True)


def call(how_many: int = 1, *, keys: list[str] | None = None, tries: int = 0) -> list[object]:
    """What the provider answers to that many messages at once."""

    async def run() -> list[object]:
        provider = Provider()
        await provider.open()
        one_by_one = keys or [str(uuid.UUID(int=n)) for n in range(how_many)]
        calls = (provider.accept(Letter(key, tries, "sms", f"+1{n}", "", "hello")) for n, key in enumerate(one_by_one))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        await provider.close()
        return answers

    return asyncio.run(run())


def call_together(keys: list[str]) -> list[object]:
    """The same in one call."""

    async def run() -> list[object]:
        provider = Provider()
        await provider.open()
        answers = await provider.accept_together(Letter(key, 0, "sms", "+1", "", "hello") for key in keys)
        await provider.close()
        return answers

    return asyncio.run(run())


def test_many_in_one_call_are_answered_as_if_they_came_one_by_one(settings):
    settings.SIMULATOR_PROFILE = "quick"
    keys = [str(uuid.UUID(int=n)) for n in range(300)]

    together, apart = call_together(keys), call(keys=keys)

    known = [n for n, answer in enumerate(together) if not isinstance(answer, Unavailable)]
    assert [repr(together[n]) for n in known] == [repr(apart[n]) for n in known]
    assert [type(answer) for answer in together] == [type(answer) for answer in apart]
    assert 200 < Call.objects.count() == len(known) < 300


@pytest.mark.parametrize("profile", ["leopard", "quick", "rails", "dispatch", "stormy", "perfect"])
def test_each_profile_fails_as_often_as_it_says(profile):
    expected = PROFILES[profile].failures
    failed = sum(draws(1, f"key {n}", 0)[0] < expected for n in range(10_000))
    assert abs(failed / 10_000 - expected) < 0.01


def test_a_run_can_be_repeated(settings):
    settings.SIMULATOR_PROFILE = "quick"
    settings.SIMULATOR_HONOURS_KEYS = False
    first, second = ([type(answer) for answer in call(300)] for _ in range(2))
    assert first == second


def test_a_failure_that_passes_can_succeed_at_the_next_try(settings):
    settings.SIMULATOR_PROFILE = "quick"
    first, second = call(300), call(300, tries=1)
    passed = [b for a, b in zip(first, second, strict=True) if isinstance(a, Unavailable)]
    assert passed
    assert any(isinstance(answer, str) for answer in passed)


def test_the_ledger_holds_exactly_what_was_accepted_or_refused_for_good(settings):
    settings.SIMULATOR_PROFILE = "quick"
    answers = Counter("accepted" if isinstance(a, str) else type(a).__name__ for a in call(1000))
    assert Call.objects.filter(accepted=True).count() == answers["accepted"]
    assert Call.objects.filter(accepted=False).count() == answers["NotAccepted"]
    assert answers["Unavailable"] > answers["NotAccepted"] > 0


def test_the_same_key_is_delivered_once_and_answered_alike(settings):
    settings.SIMULATOR_PROFILE = "perfect"
    key = str(uuid.uuid4())
    first, second, third = call(keys=[key, key]) + call(keys=[key])
    assert first == second == third
    assert Call.objects.count() == 1


def test_a_refusal_is_remembered_with_its_key(settings):
    settings.SIMULATOR_PROFILE = "quick"
    keys = [str(uuid.UUID(int=n)) for n in range(300)]
    refused = [k for k, a in zip(keys, call(keys=keys), strict=True) if isinstance(a, NotAccepted)]
    settings.SIMULATOR_PROFILE = "perfect"
    assert all(isinstance(answer, NotAccepted) for answer in call(keys=refused, tries=1))


def test_without_keys_every_call_is_a_delivery(settings):
    settings.SIMULATOR_PROFILE = "perfect"
    settings.SIMULATOR_HONOURS_KEYS = False
    key = str(uuid.uuid4())
    call(keys=[key, key])
    assert Call.objects.filter(key=key).count() == 2


@pytest.mark.parametrize(("fault", "answer"), [("busy", TooFast), ("drop", Broken), ("garbage", Broken)])
def test_a_fault_befalls_the_share_of_calls_it_is_set_to(settings, fault, answer):
    settings.SIMULATOR_PROFILE = "perfect"
    settings.SIMULATOR_FAULTS = {fault: 0.5}
    hit = sum(isinstance(a, answer) for a in call(400))
    assert 140 < hit < 260
    assert Call.objects.count() == (400 - hit if fault == "busy" else 400)


def test_what_arrived_is_written_down_also_when_the_caller_hangs_up_before_the_answer(settings):
    settings.SIMULATOR_PROFILE = "rails"

    async def hang_up() -> None:
        provider = Provider()
        await provider.open()
        with suppress(TimeoutError):
            await asyncio.wait_for(provider.accept(Letter(str(uuid.UUID(int=1)), 0, "sms", "+1", "", "hello")), 0.01)
        await provider.close()

    asyncio.run(hang_up())

    assert Call.objects.count() == 1
