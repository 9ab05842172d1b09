"""The sender to the simulated provider: no network, no credentials, the same answers a real one gives."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings

from dispatcher.senders.parcel import Busy, Options, Parcel, Receipt, Refused, Setup, Unreachable, Unsure
from simulator import provider

PROFILES = [
    ("leopard", "Everyday: 50 to 200 ms, 8 % fail"),
    ("quick", "Quick: at once, 10 % fail"),
    ("rails", "Slow: 1 to 3 s, 10 % fail"),
    ("dispatch", "Mixed: up to half a second, 5 % fail"),
    ("stormy", "Stormy: 50 to 200 ms, 75 % fail"),
    ("perfect", "Perfect: at once, nobody fails"),
]


def share(label: str, help_text: str) -> forms.FloatField:
    return forms.FloatField(label=label, help_text=help_text, min_value=0, max_value=100, initial=0, required=False)


class SimulatorOptions(Options):
    """How the simulated provider behaves; shares are in percent of the calls."""

    profile = forms.ChoiceField(label="Behaviour", choices=PROFILES)
    seed = forms.IntegerField(
        label="Seed",
        min_value=-(2**63),
        max_value=2**63 - 1,
        help_text="The same seed gives the same luck to the same messages.",
    )
    honours_keys = forms.BooleanField(
        label="Knows a message again", required=False, help_text="Without it, a lost answer leaves a message unknown."
    )
    busy = share("Too fast (429), %", "Answers “429 Too Many Requests”: not accepted, slow down.")
    retry_after = forms.FloatField(
        label="Seconds to wait after a 429", min_value=0, max_value=300, initial=1, required=False
    )
    hang = share("Never answers, %", "Accepts the message and says nothing.")
    drop = share("Drops the connection, %", "Accepts the message and hangs up.")
    garbage = share("Answers nonsense, %", "Accepts the message and answers what nobody understands.")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name in (*provider.FAULTS, "retry_after"):
            if name in values and values[name] is None:
                values[name] = self.fields[name].initial
        if sum(values.get(name) or 0 for name in provider.FAULTS) > 100:
            raise forms.ValidationError("Together the four faults cannot befall more than 100 % of the calls.")
        return values


class SimulatedSender:
    """Speaks to the provider of the `simulator` app and translates its answers."""

    title = "Simulated provider"
    about = "Nothing leaves this machine: for trying out and rehearsing."
    channels = ("email", "sms", "whatsapp")
    options = SimulatorOptions
    account = ("honours_keys",)
    remembers_refusals = True
    at_once = None

    def __init__(self, setup: Setup) -> None:
        chosen = self.defaults() | dict(setup.options)
        behaviour = provider.Behaviour(
            workspace=setup.workspace,
            profile=chosen["profile"],
            seed=chosen["seed"],
            honours_keys=chosen["honours_keys"],
            faults={name: chosen[name] / 100 for name in provider.FAULTS},
            retry_after=chosen["retry_after"],
            writes_down=not setup.is_a_test,
        )
        self.honours_keys = timedelta(days=1) if behaviour.honours_keys else None
        self._provider = provider.Provider(behaviour)
        self.at_a_time = provider.LARGEST_GROUP if self._provider.answers_at_once else 1

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """As SIMULATOR_* say."""
        faults = {name: round(settings.SIMULATOR_FAULTS.get(name, 0) * 100, 6) for name in provider.FAULTS}
        return faults | {
            "profile": settings.SIMULATOR_PROFILE,
            "seed": settings.SIMULATOR_SEED,
            "honours_keys": settings.SIMULATOR_HONOURS_KEYS,
            "retry_after": 1,
        }

    async def __aenter__(self) -> "SimulatedSender":
        await self._provider.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._provider.close()

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over. Raises Busy, Unreachable, Refused or Unsure."""
        try:
            return Receipt(await self._provider.accept(letter(parcel)))
        except provider.Answer as answer:
            raise in_our_words(answer) from None

    async def send_together(self, parcels: Sequence[Parcel]) -> list[object]:
        """Hand several over in one call. Raises Unreachable or Unsure."""
        try:
            answers = await self._provider.accept_together(map(letter, parcels))
        except provider.Answer as answer:
            raise in_our_words(answer) from None
        return [Receipt(answer) if isinstance(answer, str) else in_our_words(answer) for answer in answers]


def letter(parcel: Parcel) -> provider.Letter:
    content = parcel.subject, parcel.text, parcel.html
    return provider.Letter(parcel.key, parcel.tries, parcel.channel, parcel.to, *content)


def in_our_words(answer: provider.Answer) -> Exception:
    match answer:
        case provider.TooFast():
            return Busy(str(answer), category="rate_limited", retry_after=answer.retry_after, counts=False)
        case provider.Closed():
            return Unreachable(str(answer), retry_after=answer.retry_after)
        case provider.Unavailable():
            return Busy(str(answer), category="provider_down")
        case provider.NotAccepted():
            return Refused(str(answer), category=answer.category)
        case _:
            return Unsure(str(answer), category="network")
