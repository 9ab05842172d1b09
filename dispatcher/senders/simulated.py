"""The sender to the simulated provider: no network, no credentials, the same answers a real one gives."""

from datetime import timedelta

from django.conf import settings

from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Unsure
from simulator import provider


class SimulatedSender:
    """Speaks to the provider of the `simulator` app and translates its answers."""

    remembers_refusals = True

    def __init__(self) -> None:
        self.honours_keys = timedelta(days=1) if settings.SIMULATOR_HONOURS_KEYS else None
        self._provider = provider.Provider()

    async def __aenter__(self) -> "SimulatedSender":
        await self._provider.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._provider.close()

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over. Raises Busy, Refused or Unsure."""
        try:
            accepted = await self._provider.accept(
                parcel.key, parcel.tries, parcel.channel, parcel.to, parcel.subject, parcel.text
            )
            return Receipt(accepted)
        except provider.TooFast as answer:
            raise Busy(str(answer), category="rate_limited", retry_after=answer.retry_after, counts=False) from None
        except provider.Unavailable as answer:
            raise Busy(str(answer), category="provider_down") from None
        except provider.NotAccepted as answer:
            raise Refused(str(answer), category=answer.category) from None
        except provider.Broken as answer:
            raise Unsure(str(answer), category="network") from None
