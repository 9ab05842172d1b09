"""A provider that takes several messages in one call: each has its answer, and what befalls the call befalls all."""

from collections.abc import Sequence

import pytest

from dispatcher import engine, senders
from dispatcher.books import books_of
from dispatcher.models import Message
from dispatcher.senders.parcel import Busy, Parcel, Refused
from tests.dispatcher.outcomes import launched
from tests.dispatcher.scripted import Script
from tests.dispatcher.sending import send, wrong_with_the_books
from tests.make import make_campaign, make_recipient

pytestmark = pytest.mark.django_db


class Bulk(Script):
    """Takes ten at a time."""

    at_a_time = 10

    def __init__(self, **promises) -> None:
        super().__init__(**promises)
        self.together: list[int] = []
        self.befalls: Exception | None = None
        self.forgets = False

    async def send_together(self, parcels: Sequence[Parcel]) -> list[object]:
        self.together.append(len(parcels))
        if self.befalls:
            raise self.befalls
        answers = []
        for parcel in parcels:
            try:
                answers.append(await self.send(parcel))
            except Refused as answer:
                answers.append(answer)
        return answers[1:] if self.forgets else answers


@pytest.fixture
def provider(monkeypatch, provider) -> Bulk:
    bulk = Bulk(honours_keys=False)
    monkeypatch.setitem(senders.SENDERS, "scripted", bulk)
    return bulk


def test_each_message_of_one_call_has_its_own_answer(provider):
    campaign = make_campaign(people=24)
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Refused("no", category="rejected")]

    books = send(campaign)

    assert (books.sent, books.failed, provider.together) == (24, 1, [10, 10, 5])
    assert (set(provider.accepted.values()), wrong_with_the_books(campaign)) == ({1}, [])


def test_a_message_that_cannot_be_filled_in_holds_up_none_of_its_call(provider):
    campaign = launched(make_campaign(people=3, body="Hi {first_name}"))
    Message.objects.filter(campaign=campaign, number=2).update(fields=["no fields at all"])

    engine.work(seconds=0.3)

    books = books_of(campaign)
    assert (books.sent, books.failed, provider.together) == (2, 1, [2])


def test_a_call_nobody_took_leaves_all_of_its_messages_pending(provider):
    provider.befalls = Busy("503", category="provider_down")
    campaign = launched(make_campaign(people=10))

    engine.work(seconds=0.3)

    assert (books_of(campaign).pending, set(campaign.messages.values_list("retry_count", flat=True))) == (10, {1})


def test_answers_that_do_not_fit_the_call_leave_all_of_it_unknown(provider):
    provider.forgets = True
    campaign = launched(make_campaign(people=10))

    engine.work(seconds=0.3)

    assert (books_of(campaign).unknown, books_of(campaign).sent) == (10, 0)
