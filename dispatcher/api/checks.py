"""The check before sending over the API: what stands in the way, who gets it, what it costs and how long it takes."""

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.paging import Cursor, Walked, cursor_of
from campaigns.models import Campaign, IllegalMove
from dispatcher import left_out
from dispatcher.api.campaigns import campaign_of
from dispatcher.check import Check, check_of
from dispatcher.prediction import Prediction
from dispatcher.reading import Reading, reading_of

router = Router(tags=["before sending"])


class ProblemOut(Schema):
    code: str = Field(description="As a send would answer it: INVALID_TEMPLATE, NO_RECIPIENTS, CONFLICT and so on.")
    message: str
    variant: int = Field(description="In which variant it is to be mended; 1 is A.")
    language: str = Field(description="In the words of which language; empty for the main ones.")


class AdviceOut(Schema):
    message: str
    stops: bool = Field(description="Whether a send is refused for it.")


class LeftOutOut(Schema):
    reason: str = Field(description="A reason to skip, or choice for those the campaign leaves out.")
    words: str
    people: int
    advice: str = Field(description="What can be done about it; may be empty.")


class GapOut(Schema):
    placeholder: str
    people: int = Field(description="Who lack it, so that nothing stands in its place.")
    where: str


class DurationOut(Schema):
    starts_at: datetime
    ends_at: datetime | None = Field(description="About when it would be over; null where that is not known.")
    seconds: float | None
    unknown: str = Field(description="Why nobody can tell; empty where it is known.")


class CheckOut(Schema):
    """What the page that checks before sending says."""

    campaign_id: int
    can_send: bool
    can_schedule: bool
    problems: list[ProblemOut] = Field(description="What stands in the way.")
    advice: list[AdviceOut] = Field(description="What is worth another look in the words of an email.")
    chosen: int = Field(description="Everybody who was chosen: those who get it and those left out add up to it.")
    recipients: int = Field(description="Who get it.")
    left_out: list[LeftOutOut]
    gaps: list[GapOut]
    parts: int | None = Field(description="null where nobody can count them yet.")
    price: float | None
    currency: str | None
    cost_note: str = Field(description="Why the parts are not counted, or what may be wrong with them; may be empty.")
    duration: DurationOut


@router.get("campaigns/{campaign_id}/check", response=CheckOut, summary="Check a campaign before it is sent")
@may("read")
def check_campaign(request: KeyRequest, campaign_id: int) -> dict[str, Any]:
    """Changes nothing."""
    campaign = campaign_of(request, campaign_id)
    check = check_of(campaign, {})
    price = check.cost.price
    return {
        "campaign_id": campaign.pk,
        "can_send": check.can_be_sent,
        "can_schedule": check.can_be_scheduled,
        "problems": problems_of(check),
        "advice": [{"message": one.sentence, "stops": one.stops} for one in advice_of(check)],
        "chosen": check.chosen,
        "recipients": check.forecast.reached,
        "left_out": [
            {"reason": part.word, "words": part.words, "people": part.count, "advice": part.advice}
            for part in check.left_out
        ],
        "gaps": [{"placeholder": gap.name, "people": gap.people, "where": gap.where} for gap in check.gaps],
        "parts": check.cost.parts,
        "price": None if price is None else float(price.amount),
        "currency": price.currency if price else None,
        "cost_note": check.cost.note,
        "duration": duration_of(check.prediction),
    }


def problems_of(check: Check) -> list[dict[str, Any]]:
    if not check.campaign.can_become(Campaign.Status.PREPARING):
        fact = IllegalMove(check.campaign, Campaign.Status.SENDING)
        return [{"code": "CONFLICT", "message": str(fact), "variant": 1, "language": ""}]
    if check.refusal is None:
        return []
    where = {"variant": check.refusal.variant, "language": check.refusal.language}
    return [{"code": check.refusal.code, "message": str(check.refusal)} | where]


def advice_of(check: Check) -> list:
    return check.checks if check.is_looked_through else []


def duration_of(prediction: Prediction) -> dict[str, Any]:
    names = ("starts_at", "ends_at", "seconds", "unknown")
    return {name: getattr(prediction, name) for name in names}


class AskedLeftOut(Schema):
    """Who does not get it for this reason; `cursor` goes on after the page before."""

    reason: str = Field(left_out.CHOICE, description="As the check tells it, such as opted_out or choice.")
    cursor: Cursor = ""


class LeftOutRow(Schema):
    customer_id: int
    name: str
    email: str
    phone: str


class LeftOutPage(Schema):
    data: list[LeftOutRow]
    pagination: Walked


@router.get("campaigns/{campaign_id}/left-out", response=LeftOutPage, summary="Who would not get it, by reason")
@may("read")
def list_left_out(request: KeyRequest, campaign_id: int, asked: Query[AskedLeftOut]) -> dict[str, Any]:
    """Fifty at a time; nobody for a reason that leaves nobody out."""
    campaign, after = campaign_of(request, campaign_id), cursor_of(asked.cursor)
    people, more = left_out.after(campaign, asked.reason, after)
    rows = [{"customer_id": each.pk, "name": str(each), "email": each.email, "phone": each.phone} for each in people]
    walked = Walked(page_size=left_out.PAGE, next_cursor=str(people[-1].pk) if more else None)
    return {"data": rows, "pagination": walked}


class AskedReading(Schema):
    """Whose text: one person's by number, or the first by an order."""

    customer_id: str = Field("", description="The person, else the next one, else the first.")
    by: Literal["", "longest", "emptiest", "unusual"] = Field("", description="In which order; those hardest first.")


class ReadOut(Schema):
    customer_id: int | None = Field(description="null where nobody gets the campaign: then it is an example.")
    name: str
    variant: str = Field(description="A, B, ...; empty where there is none.")
    subject: str
    preheader: str
    rendered_message: str
    rendered_html: str
    too_long: str = Field(description="Why it cannot be sent to this person, in a sentence; empty if it can.")
    waits: bool = Field(description="Whether this person waits for the winner, so that nobody knows yet which words.")
    previous_id: int | None
    next_id: int | None
    people: int | None = Field(description="Who get the campaign; null where counting would take too long.")


@router.get("campaigns/{campaign_id}/reading", response=ReadOut, summary="Read it as one person after another gets it")
@may("read")
def read_campaign(request: KeyRequest, campaign_id: int, asked: Query[AskedReading]) -> dict[str, Any]:
    """Of those who get it; follow next_id. Writes nothing."""
    campaign = campaign_of(request, campaign_id)
    return read_row(reading_of(campaign, {"person": asked.customer_id, "by": asked.by}))


def read_row(reading: Reading) -> dict[str, Any]:
    words, whose = reading.preview, reading.whose
    person = whose.person
    return {
        "customer_id": person.pk if person else None,
        "name": str(person) if person else "",
        "variant": words.variant,
        "subject": words.subject,
        "preheader": words.preheader,
        "rendered_message": words.body,
        "rendered_html": words.html,
        "too_long": words.too_long,
        "waits": reading.waits,
        "previous_id": whose.previous.person if whose.previous else None,
        "next_id": whose.following.person if whose.following else None,
        "people": whose.of,
    }
