"""Dead letters over the API: what failed for good, tried again or dismissed, and put back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.paging import Cursor, Walked, cursor_of
from accounts.unknown import Unknown
from dispatcher import dead_letters, dismissals, letters_at_once
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.shapes import CategoryWord
from dispatcher.dead_letters import DeadRow, Letters
from dispatcher.models import Category
from dispatcher.picture import Cause
from dispatcher.readiness import LaunchRefused
from people.api.shapes import Number

router = Router(tags=["what needs a person"])
SIZE = 100  # campaigns at a time
LARGEST = 2**31 - 2


class CauseOut(Schema):
    category: CategoryWord
    words: str
    messages: int
    is_worth_a_try: bool = Field(description="Whether another try may help.")


class LettersOut(Schema):
    campaign_id: int
    name: str
    messages: int = Field(description="That failed and were neither tried again nor dismissed.")
    worth_a_try: int
    refusal: str = Field(description="Why nothing of it can be tried again; empty if it can.")
    causes: list[CauseOut]
    dismissed: list[CauseOut]
    last_at: datetime | None = Field(description="When something of the campaign was settled last.")


class AllLettersOut(Schema):
    messages: int
    worth_a_try: int
    data: list[LettersOut] = Field(description="The newest campaigns first; those archived are left out.")
    pagination: Walked


class LetterOut(Schema):
    number: int
    customer_id: int | None
    address: str
    category: CategoryWord
    error: str
    attempts: int
    failed_at: datetime


class LettersPage(Schema):
    data: list[LetterOut]
    pagination: Walked


class WhichIn(Schema, extra="forbid"):
    """All there is, or that of one campaign, or some causes of it."""

    campaign_id: Number | None = None
    categories: Annotated[list[CategoryWord], Field(description="Only these causes; all if none is named.")] = []


class DoneOut(Schema):
    messages: int
    campaigns: int
    refused: list[int] = Field(description="Campaigns of which nothing can be tried again.")
    left: int = Field(description="Campaigns that were too many for one call; call again for them.")


class CausesIn(Schema, extra="forbid"):
    categories: list[CategoryWord] = []


class PutBackOut(Schema):
    messages: int


ALL = WhichIn()
ALL_CAUSES = CausesIn()


class AskedAll(Schema):
    cursor: Cursor = ""


@router.get("dead-letters", response=AllLettersOut, summary="What failed for good, by campaign and cause")
@may("read")
def list_letters(request: KeyRequest, asked: Query[AskedAll]) -> dict[str, Any]:
    """A hundred campaigns at a time; the sums are those of all."""
    every, before = dead_letters.all_of(request.workspace), cursor_of(asked.cursor)
    found = [letters for letters in every if not before or letters.campaign.pk < before]
    return {
        "messages": sum(letters.count for letters in every),
        "worth_a_try": sum(letters.worth_a_try for letters in every),
        "data": [letters_row(letters) for letters in found[:SIZE]],
        "pagination": Walked(page_size=SIZE, next_cursor=found[SIZE - 1].id if len(found) > SIZE else None),
    }


@router.post("dead-letters/retry", response=DoneOut, summary="Try dead letters again")
@may("send")
def retry_dead_letters(request: KeyRequest, which: WhichIn = ALL) -> dict[str, Any]:
    """Those that were dismissed stay as they are."""
    result = letters_at_once.retry_dead(chosen(request, which), categories_of(which.categories), by=request.auth)
    if result.why_full and not result.messages:
        raise LaunchRefused("QUEUE_FULL", result.why_full)
    return done(result)


@router.post("dead-letters/dismiss", response=DoneOut, summary="Take dead letters off the list")
@may("send")
def dismiss_dead_letters(request: KeyRequest, which: WhichIn = ALL) -> dict[str, Any]:
    """They stay in the books, and can be put back."""
    return done(letters_at_once.dismiss_dead(chosen(request, which), categories_of(which.categories), by=request.auth))


class AskedLetters(Schema):
    category: CategoryWord | None = None
    cursor: Cursor = ""


@router.get("dead-letters/{campaign_id}", response=LettersPage, summary="The dead letters of one campaign")
@may("read")
def list_letters_of(request: KeyRequest, campaign_id: int, asked: Query[AskedLetters]) -> dict[str, Any]:
    """By their numbers, 25 at a time."""
    letters, after = letters_of(request, campaign_id), cursor_of(asked.cursor)
    page = dead_letters.page_of(letters, category_of(asked.category), min(after, LARGEST))
    end = None if page.after is None else str(page.after)
    walked = Walked(page_size=dead_letters.SIZE, next_cursor=end)
    return {"data": [letter_row(row) for row in page.rows], "pagination": walked}


@router.post("dead-letters/{campaign_id}/undismiss", response=PutBackOut, summary="Put dismissed ones back on the list")
@may("send")
def undismiss_dead_letters(request: KeyRequest, campaign_id: int, which: CausesIn = ALL_CAUSES) -> dict[str, int]:
    campaign, categories = campaign_of(request, campaign_id), categories_of(which.categories)
    return {
        "messages": sum(dismissals.undismiss(campaign, by=request.auth, category=category) for category in categories)
    }


def chosen(request: KeyRequest, which: WhichIn) -> list[Letters]:
    """Raises Unknown."""
    if which.campaign_id is None:
        return dead_letters.all_of(request.workspace)
    return [letters_of(request, which.campaign_id)]


def letters_of(request: KeyRequest, campaign_id: int) -> Letters:
    """Raises Unknown, also where nothing of the campaign failed."""
    campaign = campaign_of(request, campaign_id)
    letters = dead_letters.one_of(campaign)
    if letters is None:
        raise Unknown("Dead letters", campaign_id, f"Nothing of “{campaign}” failed.")
    return letters


def categories_of(words: Sequence[str]) -> list[Category | None]:
    """The causes; None alone for all of them."""
    return [Category[word.upper()] for word in dict.fromkeys(words)] or [None]


def category_of(word: str | None) -> Category | None:
    return Category[word.upper()] if word else None


def done(result: dismissals.Result) -> dict[str, Any]:
    refused = [campaign.pk for campaign in result.refused]
    counts = {"messages": result.messages, "campaigns": len(result.campaigns), "left": result.left}
    return counts | {"refused": refused}


def letters_row(letters: Letters) -> dict[str, Any]:
    return {
        "campaign_id": letters.campaign.pk,
        "name": letters.campaign.name,
        "messages": letters.count,
        "worth_a_try": letters.worth_a_try,
        "refusal": letters.refusal,
        "causes": [cause_row(cause) for cause in letters.causes],
        "dismissed": [cause_row(cause) for cause, _ in letters.dismissed],
        "last_at": letters.at,
    }


def cause_row(cause: Cause) -> dict[str, Any]:
    return {
        "category": cause.word,
        "words": cause.words,
        "messages": cause.count,
        "is_worth_a_try": cause.can_be_retried,
    }


def letter_row(row: DeadRow) -> dict[str, Any]:
    message = row.message
    return {
        "number": message.number,
        "customer_id": message.recipient_id,
        "address": message.address or "",
        "category": message.get_category_display(),
        "error": message.last_error,
        "attempts": row.attempts,
        "failed_at": message.updated_at,
    }
