"""The rules of doubt, tries and refusals hold for every combination of message, answer and sender."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Workspace
from dispatcher.models import Attempt, Category, Message
from dispatcher.senders.parcel import Busy, Receipt, Refused, Unsure
from dispatcher.verdicts import NotFilledIn, NotStarted, Standing, Terms, judge

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Status = Message.Status

standings = st.builds(
    Standing,
    id=st.just(1),
    number=st.just(1),
    key=st.just(str(uuid.uuid4())),
    tries=st.integers(0, 9),
    retry_count=st.integers(0, 9),
    in_doubt_since=st.sampled_from([None, NOON]),
    doubt_of_old_key=st.booleans(),
)
terms = st.builds(
    lambda keys, remembers, policy: Terms(keys, keys and remembers, policy),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Workspace.RetryPolicy),
)
categories = st.sampled_from([category.name.lower() for category in Category])
answers = st.one_of(
    st.builds(Receipt, st.text()),
    st.builds(lambda c, n: Busy("busy", category=c, counts=n), categories, st.booleans()),
    st.builds(lambda c: Refused("no", category=c), categories),
    st.builds(lambda c: Unsure("?", category=c), categories),
    st.sampled_from([NotStarted("late"), NotFilledIn("bug"), ValueError("unforeseen"), None]),
)


@given(standings, answers, terms)
def test_only_a_receipt_makes_a_message_sent(standing, answer, terms):
    assert (judge(standing, answer, terms, NOON).status == Status.SENT) == isinstance(answer, Receipt)


@given(standings, answers, terms)
def test_a_message_in_doubt_ends_only_as_sent_unknown_or_conclusively_refused(standing, answer, terms):
    verdict = judge(standing, answer, terms, NOON)
    if standing.in_doubt and verdict.status == Status.FAILED:
        assert isinstance(answer, Refused)
        assert terms.refusals_are_conclusive
        assert not standing.doubt_of_old_key


@given(standings, answers, terms)
def test_a_doubt_is_kept_as_long_as_the_message_is_open(standing, answer, terms):
    verdict = judge(standing, answer, terms, NOON)
    if verdict.status in (Status.PENDING, Status.UNKNOWN):
        assert verdict.doubt_of_old_key == standing.doubt_of_old_key
        assert verdict.in_doubt_since is not None or standing.in_doubt_since is None


@given(standings, terms)
def test_an_answer_never_heard_is_never_tried_again_without_keys(standing, terms):
    verdict = judge(standing, Unsure("?"), terms, NOON)
    assert verdict.status in (Status.PENDING, Status.UNKNOWN)
    if not terms.honours_keys:
        assert verdict.status == Status.UNKNOWN


@given(standings, answers, terms)
def test_every_failure_has_a_category_and_every_reason_fits_its_column(standing, answer, terms):
    verdict = judge(standing, answer, terms, NOON)
    if verdict.status == Status.FAILED:
        assert verdict.category in Category.values
    assert len(verdict.error) <= 300
    assert len(verdict.provider_id) <= 200


@given(standings, terms)
def test_a_429_never_ends_a_message(standing, terms):
    busy = Busy("429", category="rate_limited", counts=False)
    verdict = judge(standing, busy, terms, NOON)
    assert (verdict.status, verdict.retry_count) == (Status.PENDING, standing.retry_count)


@given(standings, terms)
def test_a_doubt_is_counted_from_the_earliest_moment_the_message_can_have_left(standing, terms):
    verdict = judge(standing, Unsure("?"), terms, NOON)
    assert verdict.in_doubt_since == (standing.in_doubt_since or NOON)


not_accepted = answers.filter(lambda answer: isinstance(answer, Busy | Refused | NotStarted | NotFilledIn))


@given(standings, not_accepted, terms)
def test_what_was_provably_not_accepted_casts_no_doubt(standing, answer, terms):
    verdict = judge(standing, answer, terms, NOON)
    assert verdict.in_doubt_since in (None, standing.in_doubt_since)
    assert verdict.doubt_of_old_key <= standing.doubt_of_old_key
    assert verdict.status != Status.UNKNOWN or standing.in_doubt


@given(standings, terms, categories)
def test_a_refusal_is_final_and_fails_whatever_it_proves_not_to_have_arrived(standing, terms, category):
    verdict = judge(standing, Refused("no", category=category), terms, NOON)
    is_proven = not standing.in_doubt or terms.refusals_are_conclusive and not standing.doubt_of_old_key
    assert verdict.status == (Status.FAILED if is_proven else Status.UNKNOWN)


@given(standings, terms)
def test_a_text_that_cannot_be_made_proves_nothing_about_earlier_tries(standing, terms):
    verdict = judge(standing, NotFilledIn("bug"), terms, NOON)
    assert verdict.status == (Status.UNKNOWN if standing.in_doubt else Status.FAILED)


@given(standings, st.sampled_from([ValueError("unforeseen"), None, "<html>", OSError(104)]), terms)
def test_whatever_else_comes_back_is_taken_for_an_answer_never_heard(standing, answer, terms):
    verdict, heard = (judge(standing, one, terms, NOON) for one in (answer, Unsure("?")))
    assert (verdict.status, verdict.in_doubt_since, verdict.outcome) == (
        heard.status,
        heard.in_doubt_since,
        Attempt.Outcome.UNSURE,
    )


@pytest.mark.parametrize(("policy", "most"), [("STANDARD", 3), ("PATIENT", 5), ("NONE", 1)])
@pytest.mark.parametrize("keys", [True, False])
def test_a_message_that_is_not_in_doubt_has_as_many_tries_as_its_policy_says(policy, most, keys):
    terms = Terms(keys, keys, Workspace.RetryPolicy[policy])
    assert tries_until_the_end(terms, Busy("503", category="provider_down")) == (most, Status.FAILED)


@given(terms.filter(lambda terms: terms.honours_keys))
def test_a_doubt_that_can_be_asked_about_is_worth_more_tries_and_then_unknown(terms):
    tries, status = tries_until_the_end(terms, Unsure("?"))
    assert tries == terms.most_tries(in_doubt=True) > terms.most_tries(in_doubt=False)
    assert status == Status.UNKNOWN


def tries_until_the_end(terms: Terms, answer: object) -> tuple[int, Status]:
    """How often a new message is tried when this is always the answer, and what it becomes."""
    standing = Standing(1, 1, "key", 0, 0, None, False)
    while True:
        verdict = judge(standing, answer, terms, NOON)
        tries = standing.tries + 1
        if verdict.status != Status.PENDING:
            return tries, verdict.status
        doubts = verdict.in_doubt_since, verdict.doubt_of_old_key
        standing = Standing(1, 1, "key", tries, verdict.retry_count, *doubts)
        assert tries < 99, "it never ends"
