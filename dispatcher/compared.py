"""A dry run held beside what really happened, with what makes the two differ."""

from dataclasses import dataclass

from campaigns.footer import links_of
from campaigns.models import Campaign
from campaigns.parts import parts_of
from campaigns.rendering import TooLong, renderer_of
from dispatcher.books import Books, books_of
from dispatcher.models import SKIP_WORDS, Category, DryRun, Message
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
    if campaign.channel == Channel.SMS:
        lines.append(_parts(campaign, run, books))
    return lines


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


def _parts(campaign: Campaign, run: DryRun, books: Books) -> Line:
    went_out = books.sent + books.unknown
    if went_out > COUNTED or campaign.stored_at:
        return Line("Parts", f"{run.weights.parts:,}", f"not counted for more than {COUNTED:,} messages")
    why = "Messages that failed or were left out have no parts."
    return _line("Parts", run.weights.parts, parts_sent(campaign), why)


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
