"""A dry run held beside what really happened, with what makes the two differ."""

from dataclasses import dataclass

from campaigns.footer import links_of
from campaigns.generated import uncounted
from campaigns.models import Campaign
from campaigns.parts import parts_of
from campaigns.price import price_for
from campaigns.rendering import TooLong, renderer_of
from dispatcher.books import Books, books_of
from dispatcher.models import SKIP_WORDS, Category, DryRun, Message
from dispatcher.prediction import begun
from dispatcher.words import duration
from people.channels import Channel
from people.links import Purpose
from people.models import UNSUBSCRIBE_LINK

COUNTED = 20_000  # messages whose parts are counted anew; more take longer than anybody waits for a page
Status = Message.Status


@dataclass(frozen=True)
class Line:
    """One number that was predicted, and what it was."""

    what: str
    predicted: str
    really: str
    why: str = ""

    @property
    def is_same(self) -> bool:
        return self.predicted == self.really


def compared(campaign: Campaign, run: DryRun) -> list[Line]:
    """Line by line, for a campaign that was launched."""
    books = books_of(campaign)
    weights = run.weights
    could_not = dict(books.failures()).get(Category.TEMPLATE_ERROR, 0)
    lines = [
        _line("People chosen", run.looked_at, books.total, "People came into the audience, or left it, in between."),
        *_skips(run, books),
        _line("Get a message", run.reached, books.total - books.skipped, "See who was left out."),
        _line("Too long for their channel", weights.too_long, could_not, "Somebody’s words were changed in between."),
        Line("Failed for other reasons", "not predicted", f"{books.failed - could_not:,}"),
    ]
    parts = _parts_of(campaign, books)
    if campaign.channel == Channel.SMS:
        lines.append(_parts(campaign, run, parts))
    if run.price or price_for(campaign, 1):
        lines.append(_price(campaign, run, parts))
    return [*lines, _duration(campaign, run)]


def _line(what: str, predicted: int, really: int, why: str) -> Line:
    return Line(what, f"{predicted:,}", f"{really:,}", "" if predicted == really else why)


def _skips(run: DryRun, books: Books) -> list[Line]:
    really = dict(books.skips())
    return [
        _line(
            f"Left out: {SKIP_WORDS[reason]}",
            predicted,
            really.get(reason, 0),
            "Wishes and addresses are asked again when each message is handed over.",
        )
        for reason, predicted in run.skips.items()
        if predicted or really.get(reason, 0)
    ]


def _parts_of(campaign: Campaign, books: Books) -> int | None:
    """How many went out; None where they are not counted."""
    went_out = books.sent + books.unknown
    if campaign.channel != Channel.SMS:
        return went_out
    return None if went_out > COUNTED or campaign.stored_at else parts_sent(campaign)


NOT_COUNTED = f"not counted for more than {COUNTED:,} messages"
FEWER_PARTS = "Messages that failed or were left out have no parts."
MORE_PARTS = "More people got it, or somebody’s words were changed in between."


def _parts(campaign: Campaign, run: DryRun, parts: int | None) -> Line:
    if unwritten := uncounted(campaign):
        return Line("Parts", NOT_KNOWN, NOT_COUNTED if parts is None else f"{parts:,}", unwritten)
    predicted = run.weights.parts
    if parts is None:
        return Line("Parts", f"{predicted:,}", NOT_COUNTED)
    return _line("Parts", predicted, parts, MORE_PARTS if parts > predicted else FEWER_PARTS)


def _price(campaign: Campaign, run: DryRun, parts: int | None) -> Line:
    really = None if parts is None else price_for(campaign, parts)
    told = NOT_COUNTED if parts is None else str(really or NOT_KNOWN)
    if unwritten := uncounted(campaign):
        return Line("Price", NOT_KNOWN, told, unwritten)
    predicted = str(run.price or NOT_KNOWN)
    if parts is None or predicted == told:
        return Line("Price", predicted, told)
    what = "More parts went out" if parts > run.weights.parts else "What failed or was left out costs nothing"
    return Line("Price", predicted, told, f"{what}, and the price holds that was set at the launch.")


NOT_KNOWN = "not known"


def _duration(campaign: Campaign, run: DryRun) -> Line:
    predicted = NOT_KNOWN if run.seconds is None else duration(run.seconds)
    if not campaign.finished_at:
        return Line("From start to end", predicted, "not over yet")
    really = duration((campaign.finished_at - begun(campaign)).total_seconds())
    why = "Pauses, second tries, and what else was being sent are part of it."
    return Line("From start to end", predicted, really, "" if predicted == really else why)


def parts_sent(campaign: Campaign) -> int:
    """Of how many parts consists what was handed over, counted from the words each message keeps."""
    renderer, links = renderer_of(campaign), links_of(campaign, Channel(campaign.channel))
    rows = Message.objects.filter(campaign=campaign, status__in=[Status.SENT, Status.UNKNOWN])
    total = 0
    for recipient, fields, variant in rows.values_list("recipient_id", "fields", "variant").iterator():
        link = {UNSUBSCRIBE_LINK: links.dead(Purpose.PAGE, recipient)}
        try:
            total += parts_of(renderer.rendered(fields | link, variant).text)
        except TooLong:
            continue
    return total
