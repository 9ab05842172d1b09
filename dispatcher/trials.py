"""Tests of a campaign: its words to named people by the real sender, outside the books.

No message, no counter and no wish of anybody is touched: a test has no link that acts for a person.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from campaigns.authoring import NotEditable
from campaigns.models import Campaign
from campaigns.preview import Preview, preview_of
from dispatcher.chosen import Chosen, chosen_sender
from dispatcher.models import Trial
from dispatcher.readiness import LaunchRefused, refuse_unwritten
from dispatcher.senders.parcel import Parcel
from dispatcher.tryout import hand_over, in_words
from people.addresses import InvalidAddress, normal_email, normal_phone
from people.channels import Channel
from people.consent import refuses
from people.models import Recipient
from people.suppression import digest_of, refuse_wrong_key

Outcome = Trial.Outcome
MOST = 10  # addresses of one test
PERIOD = timedelta(hours=1)
MOST_OF_USER, MOST_OF_WORKSPACE = 40, 120  # in that time
REMEMBERED = timedelta(days=30)
MARK = "[Test] "


class TooMany(Exception):
    """The user, the program or the workspace has sent so many tests lately that they could be a campaign."""

    def __init__(self, who: str, most: int) -> None:
        super().__init__(f"{who} sent {most} tests within the last hour, which is the most. Try again in a while.")


def send_test(
    campaign: Campaign,
    addresses: Collection[str],
    person: Recipient | None,
    *,
    by: Actor,
    variant: int = 0,
    is_marked: bool = True,
) -> list[Trial]:
    """Hand its words, filled in as this person's, over to these normal addresses, and wait for the answers.

    Raises NotEditable, LaunchRefused where the words are not finished or too long as this person's, or TooMany, and
    then nothing is sent. No transaction is open.
    """
    refuse_unless_written(campaign)
    words = preview_of(campaign, person, variant=variant)
    if words.too_long:
        raise LaunchRefused("INVALID_TEMPLATE", words.too_long)
    channel = Channel(campaign.channel)
    chosen = chosen_sender(campaign.workspace_id, channel)
    trials = noted(campaign, addresses, by=by)
    going = [trial for trial in trials if trial.outcome == Outcome.NOT_HEARD]
    parcels = parcels_to([trial.address for trial in going], words, chosen, is_marked)
    for trial, outcome in zip(going, hand_over(chosen, parcels), strict=True):
        answer = in_words(outcome, chosen, trial.address)
        trial.outcome, trial.sentence = answer.outcome, answer.sentence[:400]
    Trial.objects.bulk_update(going, ["outcome", "sentence"])
    accepted = sum(trial.outcome == Outcome.ACCEPTED for trial in trials)
    facts = {"channel": channel.word, "sender": chosen.sender, "addresses": len(trials), "accepted": accepted}
    audit_log.record(campaign.workspace, "send_test", campaign, by=by, after=facts)
    return trials


def normal_addresses(typed: Iterable[str], channel: Channel, region: str | None) -> tuple[list[str], list[str]]:
    """Each as it is kept everywhere else, once, and what is wrong with the others, in sentences."""
    known, faults = {}, []
    for word in typed:
        try:
            known[normal_email(word) if channel == Channel.EMAIL else normal_phone(word, region)] = True
        except InvalidAddress as refusal:
            faults.append(str(refusal))
    if len(known) > MOST:
        faults.append(f"These are {len(known)} addresses; a test goes to {MOST} at most.")
    return [*known], faults


def refuse_unless_written(campaign: Campaign) -> None:
    """Raises NotEditable or LaunchRefused."""
    if not campaign.is_editable:
        raise NotEditable(campaign)
    refuse_unwritten(campaign)


@transaction.atomic
def noted(campaign: Campaign, addresses: Collection[str], *, by: Actor) -> list[Trial]:
    """A row for each address before anything is handed over; where nothing may be sent it says why. Raises TooMany."""
    with connection.cursor() as cursor:  # two presses at once are counted one after the other
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tests:{campaign.workspace_id}"])
    lately = Trial.objects.filter(workspace=campaign.workspace_id, at__gt=Now() - PERIOD)
    who = {"by": by} if isinstance(by, User) else {"key": by}
    if lately.filter(**who).count() + len(addresses) > MOST_OF_USER:
        raise TooMany("You have" if isinstance(by, User) else "This key has", MOST_OF_USER)
    if lately.count() + len(addresses) > MOST_OF_WORKSPACE:
        raise TooMany(f"People of {campaign.workspace} have", MOST_OF_WORKSPACE)
    channel = Channel(campaign.channel)
    about = {"workspace": campaign.workspace, "campaign": campaign, "channel": channel} | who
    why_not = unwanted(campaign.workspace, channel, addresses)
    return Trial.objects.bulk_create(
        Trial(
            address=address,
            outcome=Outcome.REFUSED if address in why_not else Outcome.NOT_HEARD,
            sentence=why_not.get(address, ""),
            **about,
        )
        for address in dict.fromkeys(addresses)
    )


def unwanted(workspace: Workspace, channel: Channel, addresses: Collection[str]) -> dict[str, str]:
    """Those of these addresses that nothing may be sent to, each with the reason in a sentence."""
    refuse_wrong_key()
    by_digest = {digest_of(address): address for address in addresses}
    listed = workspace.suppressions.filter(digest__in=[*by_digest]).values_list("digest", flat=True)
    suppressed = {by_digest[bytes(digest)] for digest in listed}
    refusing = workspace.recipients.filter(refuses(channel), **{f"{channel.address_field}__in": [*addresses]})
    opted_out = set(refusing.values_list(channel.address_field, flat=True))
    return {
        **{address: f"{address} belongs to somebody who opted out: nothing was sent there." for address in opted_out},
        **{address: f"{address} is on the suppression list: nothing was sent there." for address in suppressed},
    }


def parcels_to(addresses: Collection[str], words: Preview, chosen: Chosen, is_marked: bool) -> list[Parcel]:
    """One for each; without the headers of a mail that can be unsubscribed from, and with a link that leads nowhere."""
    subject = f"{MARK}{words.subject}" if is_marked and words.subject else words.subject
    return [
        Parcel(str(uuid4()), chosen.channel.word, to, chosen.mailbox, subject, words.body, words.html)
        for to in addresses
    ]


def own_of(by: User, workspace: Workspace) -> QuerySet[Trial]:
    """Those this user sent here, the newest first."""
    return Trial.objects.filter(by=by, workspace=workspace).order_by("-at", "pk")


def last_of(by: User, campaign: Campaign) -> list[Trial]:
    """What became of the last test this user sent of the campaign."""
    newest = own_of(by, campaign.workspace).filter(campaign=campaign).first()
    return list(Trial.objects.filter(campaign=campaign, by=by, at=newest.at).order_by("pk")) if newest else []


def usual_addresses(by: User, workspace: Workspace, channel: Channel) -> list[str]:
    """Where this user's last test on the channel went; at first, to the user's own address."""
    mine = own_of(by, workspace).filter(channel=channel)
    newest = mine.first()
    if newest:
        return list(mine.filter(at=newest.at).order_by("pk").values_list("address", flat=True))
    return [by.email] if channel == Channel.EMAIL else []


def forget_old() -> None:
    Trial.objects.filter(at__lt=Now() - REMEMBERED).delete()
