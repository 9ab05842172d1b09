"""Variants: each person gets the one of his or her lot, the books stay exact, and the rest waits for the winner."""

from collections import Counter
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Role
from campaigns.models import Campaign, IllegalMove, Split
from campaigns.splitting import HELD_OUT, WAITS, letter, lot_of
from campaigns.variants import set_up_variants
from campaigns.wordings import write_wording
from dispatcher import clock, engine, freeze, operations
from dispatcher.attention import attention_of
from dispatcher.books import books_of
from dispatcher.models import Batch, Category, Message, SkipReason
from dispatcher.picture import picture_of
from dispatcher.senders.parcel import Refused
from dispatcher.variants import comparison_of, counts_of
from dispatcher.why import why
from dispatcher.winner import NobodyWaits, choose_winner
from tests.dispatcher.filing import archive, ended_long_ago
from tests.dispatcher.sending import make_due, press, send, work_off, wrong_with_the_books
from tests.make import make_campaign

Status = Campaign.Status


def split_campaign(people: int = 60, *, weights=(50, 50), **choices) -> Campaign:
    """A campaign whose variants begin with their letters, as "B: Dear Ann"."""
    campaign = make_campaign(people=people)
    set_up_variants(campaign, by=None, weights=weights, **choices)
    Campaign.objects.filter(pk=campaign.pk).update(body="A: Dear {first_name|friend}")
    for variant in range(2, len(weights) + 1):
        text = {"subject": "Hello {first_name}", "body": f"{letter(variant)}: Dear {{first_name|friend}}"}
        write_wording(campaign, by=None, variant=variant, **text)
    campaign.refresh_from_db()
    return campaign


def lots(campaign: Campaign) -> dict[int, int]:
    """By person, as Python says."""
    people = campaign.workspace.recipients.values_list("pk", flat=True)
    return {pk: lot_of(campaign.split.shares, campaign.pk, pk) for pk in people}


def variants_of(campaign: Campaign) -> dict[int, int]:
    """By person, as the messages say."""
    return dict(campaign.messages.values_list("recipient", "variant"))


@pytest.mark.django_db
def test_everybody_gets_the_variant_of_their_lot_and_the_results_add_up(provider, settings):
    settings.BATCH_SIZE = 10
    campaign = split_campaign(weights=(20, 50, 30))
    expected = lots(campaign)
    refused = [p.email for p in campaign.workspace.recipients.all() if expected[p.pk] == 2][:5]
    for address in refused:
        provider.answers[address] = [Refused("no", category="bounced")]

    books = send(campaign)

    assert variants_of(campaign) == expected
    names = dict(campaign.workspace.recipients.values_list("email", "pk"))
    assert {names[call.to]: call.text[0] for call in provider.calls} == {pk: letter(n) for pk, n in expected.items()}
    tallies = {one.counts.variant: one.counts for one in comparison_of(campaign, campaign.split).results}
    counted = Counter(expected.values())
    assert {variant: one.total for variant, one in tallies.items()} == counted
    assert {variant: one.sent for variant, one in tallies.items()} == counted - Counter({2: 5})
    assert tallies[2].failed_by[Category.BOUNCED - 1] == tallies[2].failed == books.failed == 5
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db
def test_a_batch_holds_people_of_one_variant_only(provider, settings, monkeypatch):
    settings.BATCH_SIZE = 7
    monkeypatch.setattr(freeze, "CHUNK", 50)
    campaign = operations.launch(split_campaign(120, weights=(50, 30, 20), tested=60, hold_out=10), by=None)
    while campaign.status == Status.PREPARING:
        clock.carry_on_preparing()
        campaign.refresh_from_db()

    spans = list(campaign.batches.order_by("first").values_list("first", "last", "variant", "total", "is_rest"))
    assert all(before[1] < after[0] for before, after in zip(spans, spans[1:], strict=False))
    assert max(total for *_, total, _ in spans) == 7
    for first, last, variant, total, is_rest in spans:
        inside = campaign.messages.filter(number__range=(first, last))
        assert inside.count() == total
        assert set(inside.values_list("variant", flat=True)) == {variant}
        assert not is_rest or set(inside.values_list("status", flat=True)) == {Message.Status.PENDING}
    assert sum(total for *_, total, _ in spans) == 120
    assert {pk: max(lot, 0) for pk, lot in lots(campaign).items()} == variants_of(campaign)


@pytest.mark.django_db
def test_frozen_again_everybody_has_the_same_lot(provider):
    campaign = split_campaign(weights=(34, 33, 33))
    operations.launch(campaign, by=None)
    first = variants_of(campaign)
    freeze.undo(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.DRAFT)

    operations.launch(campaign, by=None)

    assert variants_of(campaign) == first


@pytest.mark.django_db
def test_who_is_held_out_gets_nothing_and_is_listed_with_the_reason(provider):
    campaign = split_campaign(hold_out=40)
    held_out = [pk for pk, lot in lots(campaign).items() if lot == HELD_OUT]

    foreseen = freeze.forecast(campaign).skipped
    books = send(campaign)

    skipped = campaign.messages.filter(skip_reason=SkipReason.HELD_OUT)
    assert sorted(skipped.values_list("recipient", flat=True)) == held_out
    assert foreseen == {SkipReason.HELD_OUT: len(held_out)}
    assert (books.skipped, books.sent) == (len(held_out), 60 - len(held_out)) == (len(held_out), len(provider.calls))
    assert books.skips() == [(SkipReason.HELD_OUT, len(held_out))]


@pytest.mark.django_db
def test_the_rest_waits_for_the_winner_and_then_gets_it(provider, settings):
    settings.BATCH_SIZE = 10
    campaign = split_campaign(tested=30)
    rest = [pk for pk, lot in lots(campaign).items() if lot == WAITS]

    books = send(campaign)

    assert books.pending == len(rest) and campaign.status == Status.SENDING
    assert why(picture_of(campaign, Role.MARKETER)).words == "Waiting for the winner."
    assert choose_winner(campaign, variant=2, by=None) == len(rest)
    books = work_off(campaign)

    assert (books.sent, campaign.status) == (60, Status.SENT)
    assert {variant for pk, variant in variants_of(campaign).items() if pk in rest} == {2}
    assert [call.text[0] for call in provider.calls[-len(rest) :]] == ["B"] * len(rest)
    comparison = comparison_of(campaign, campaign.split)
    assert comparison.got_winner.sent == len(rest) and comparison.held == 0
    assert sum(one.counts.total for one in comparison.results) == 60 - len(rest)
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db
def test_whoever_makes_their_batch_due_nobody_hands_over_those_who_wait(provider):
    campaign = split_campaign(tested=50)
    send(campaign)
    before = len(provider.calls)

    campaign.batches.filter(is_rest=True).update(due_at=timezone.now())
    engine.work(seconds=0.3)

    assert len(provider.calls) == before


@pytest.mark.django_db(transaction=True)
def test_of_two_who_choose_at_once_one_wins(provider):
    campaign = split_campaign(tested=50)
    send(campaign)
    barrier, outcomes = Barrier(2), []

    def choose(variant: int) -> None:
        barrier.wait()
        try:
            outcomes.append((variant, choose_winner(campaign, variant=variant, by=None)))
        except NobodyWaits:
            outcomes.append((variant, 0))
        connection.close()

    threads = [Thread(target=choose, args=[variant]) for variant in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    winner = next(variant for variant, count in outcomes if count)
    assert sum(count > 0 for _, count in outcomes) == 1
    assert set(campaign.batches.filter(is_rest=True).values_list("variant", flat=True)) == {winner}
    assert Split.of(campaign).winner == winner
    assert work_off(campaign).sent == 60


@pytest.mark.django_db(transaction=True)
def test_killed_while_it_chooses_nothing_is_chosen_and_one_can_choose_again(provider, monkeypatch):
    campaign = split_campaign(tested=50)
    send(campaign)

    def killed(point: str) -> None:
        raise ConnectionError(point)

    monkeypatch.setattr("dispatcher.winner.crash_point", killed)
    with pytest.raises(ConnectionError):
        choose_winner(campaign, variant=1, by=None)
    monkeypatch.undo()

    assert Split.of(campaign).winner is None and comparison_of(campaign, campaign.split).held
    assert not campaign.batches.filter(is_rest=True, variant__gt=0).exists()


@pytest.mark.django_db
def test_chosen_while_paused_the_rest_goes_out_when_it_is_resumed(provider):
    campaign = split_campaign(tested=50)
    send(campaign)
    before = len(provider.calls)
    operations.pause(campaign, by=None)

    choose_winner(campaign, variant=1, by=None)
    work_off(campaign, shifts=1)
    assert len(provider.calls) == before

    operations.resume(campaign, by=None)
    assert work_off(campaign).sent == 60


@pytest.mark.django_db
def test_a_pause_and_a_resume_leave_those_who_wait_waiting(provider):
    campaign = split_campaign(tested=50)
    held = send(campaign).pending
    operations.pause(campaign, by=None)
    operations.resume(campaign, by=None)

    engine.work(seconds=0.3)

    assert books_of(campaign).pending == held == comparison_of(campaign, campaign.split).held


@pytest.mark.django_db
def test_a_cancel_cancels_those_who_wait(provider):
    campaign = split_campaign(tested=50)
    held = send(campaign).pending

    operations.cancel(campaign, by=None)
    for _ in range(3):
        engine.work(seconds=0.3)
    clock.finish_the_finished()

    campaign.refresh_from_db()
    books = books_of(campaign)
    assert (books.cancelled, books.pending) == (held, 0) and campaign.finished_at
    assert wrong_with_the_books(campaign) == []
    with pytest.raises(IllegalMove):
        choose_winner(campaign, variant=1, by=None)


@pytest.mark.django_db
def test_a_retry_keeps_the_variant(provider):
    campaign = split_campaign(20)
    person = campaign.workspace.recipients.first()
    provider.answers[person.email] = [Refused("no", category="rejected"), None]
    send(campaign)
    variant = lots(campaign)[person.pk]

    operations.retry_failed(campaign, by=None)
    books = work_off(campaign)

    assert books.sent == 20 and variants_of(campaign)[person.pk] == variant
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db(transaction=True)
def test_chosen_while_the_test_is_still_being_sent_nobody_is_lost_or_written_to_twice(provider, settings):
    settings.DISPATCH_WINDOW, settings.BATCH_SIZE = 20, 10
    provider.latency = 0.005
    campaign = operations.launch(split_campaign(200, tested=50), by=None)
    provider.at_call[30] = partial(press, partial(choose_winner, variant=2), campaign)

    engine.work(seconds=1)
    books = work_off(campaign)

    assert books.sent == 200 and set(provider.accepted.values()) == {1}
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db
def test_those_who_wait_for_a_person_need_attention_once_the_others_are_done(provider):
    campaign = operations.launch(split_campaign(tested=50), by=None)
    assert attention_of(campaign.workspace).count == 0

    held = work_off(campaign).pending

    (item,) = attention_of(campaign.workspace).shown
    assert (item.words, item.campaign) == (f"{held} people wait for the winner.", campaign)
    choose_winner(campaign, variant=1, by=None)
    assert attention_of(campaign.workspace).count == 0


@pytest.mark.django_db(transaction=True)
def test_in_a_file_and_back_again_variants_and_results_are_what_they_were(provider, place):
    campaign = split_campaign(20, tested=60, hold_out=10)
    send(campaign)
    choose_winner(campaign, variant=2, by=None)
    work_off(campaign)
    ended_long_ago(campaign, [])
    before, results = variants_of(campaign), counts_of(campaign)

    archive("--older-than", 30)
    assert not campaign.messages.exists() and counts_of(campaign) == results
    archive("--restore", campaign.pk)

    assert variants_of(campaign) == before and counts_of(campaign) == results


# --- the rule ---


def overdue(campaign: Campaign, hours: int = 5) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now() - timedelta(hours=hours))


def refuse_variant(provider, campaign: Campaign, variant: int) -> None:
    for person in campaign.workspace.recipients.all():
        if lots(campaign)[person.pk] == variant:
            provider.answers[person.email] = [Refused("no", category="bounced")]


@pytest.mark.django_db
def test_the_clock_chooses_by_rule_once_its_hours_are_over_even_after_a_long_stop(provider):
    campaign = split_campaign(200, tested=60, measure="accepted", after_hours=4, at_least=5)
    refuse_variant(provider, campaign, 1)
    send(campaign)

    clock.choose_winners()
    assert Split.of(campaign).winner is None  # not yet
    overdue(campaign, hours=200)
    clock.choose_winners()
    clock.choose_winners()

    assert Split.of(campaign).winner == 2
    lines = [change.reason for change in campaign.history.all() if "by rule" in change.reason]
    assert len(lines) == 1 and lines[0].startswith("B is sent to the other ")
    assert work_off(campaign).pending == 0


@pytest.mark.django_db
def test_where_none_leads_by_enough_a_person_is_asked_once_and_may_still_choose(provider):
    campaign = split_campaign(200, tested=60, measure="accepted", after_hours=4, at_least=5)
    send(campaign)
    overdue(campaign)

    clock.choose_winners()
    clock.choose_winners()

    lines = [change.reason for change in campaign.history.all() if "no winner by rule" in change.reason]
    assert len(lines) == 1 and Split.of(campaign).winner is None
    assert "Choose which variant they get." in why(picture_of(campaign, Role.MARKETER)).sentence
    choose_winner(campaign, variant=1, by=None)
    assert work_off(campaign).sent == 200


@pytest.mark.django_db
def test_on_a_handful_of_answers_the_rule_asks_a_person(provider):
    campaign = split_campaign(40, tested=50, measure="accepted", after_hours=1)
    refuse_variant(provider, campaign, 1)
    send(campaign)
    overdue(campaign)

    clock.choose_winners()

    (line,) = [change.reason for change in campaign.history.all() if "no winner by rule" in change.reason]
    assert Split.of(campaign).winner is None and "not every variant has 30 answers" in line


@pytest.mark.django_db
def test_the_rule_waits_until_all_who_get_a_variant_at_once_have_an_outcome(provider):
    campaign = split_campaign(200, tested=60, measure="accepted", after_hours=1)
    refuse_variant(provider, campaign, 1)
    operations.launch(campaign, by=None)
    operations.pause(campaign, by=None)
    overdue(campaign)
    operations.resume(campaign, by=None)

    clock.choose_winners()
    split = Split.of(campaign)
    assert (split.winner, split.undecided_at) == (None, None)
    work_off(campaign)
    overdue(campaign)
    clock.choose_winners()

    assert Split.of(campaign).winner == 2


@pytest.mark.django_db
def test_while_it_is_paused_the_rule_waits(provider):
    campaign = split_campaign(200, tested=60, measure="accepted", after_hours=1)
    refuse_variant(provider, campaign, 1)
    send(campaign)
    overdue(campaign)
    operations.pause(campaign, by=None)

    clock.choose_winners()
    assert Split.of(campaign).winner is None
    operations.resume(campaign, by=None)
    clock.choose_winners()

    assert Split.of(campaign).winner == 2


@pytest.mark.django_db
def test_a_campaign_without_variants_is_sliced_as_ever(provider, settings):
    settings.BATCH_SIZE = 10
    campaign = operations.launch(make_campaign(people=25), by=None)

    found = Batch.objects.filter(campaign=campaign).order_by("first").values_list("first", "last", "variant", "is_rest")
    assert list(found) == [(1, 10, 0, False), (11, 20, 0, False), (21, 30, 0, False)]
    assert make_due(campaign) == 3
