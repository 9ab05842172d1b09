"""The text as a real person will read it, before anything is sent."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Workspace
from campaigns.faults import meant_by
from campaigns.footer import footer_for, footer_of, links_of
from campaigns.generated import Shown, known_names, words_for
from campaigns.models import Campaign, Source, Split
from campaigns.parts import parts_of
from campaigns.personalise import PLACEHOLDER, NoPlace, Text, in_a_line
from campaigns.personalisers.brief import Brief
from campaigns.rendering import Rendered, Renderer, TooLong, preheaders_of, renderer_of, sources_of
from campaigns.splitting import letter
from people.channels import Channel
from people.consent import reached_on
from people.links import Links, Purpose
from people.models import MEMBERSHIP, STANDARD_FIELDS, UNSUBSCRIBE_LINK, Recipient
from people.segments import NOBODY, described_by

IN_BRACES = re.compile(r"\{[^{}\r\n]{1,60}\}")
UNCLOSED = re.compile(r"\{[^{}\r\n]*(?=[{\r\n]|\Z)")
EXAMPLE = {
    "first_name": "Alice",
    "last_name": "Johnson",
    "location": "Nairobi",
    "preferred_product": "Running Shoes",
    "phone": "+254712345678",
    "email": "alice@example.com",
}


@dataclass(frozen=True)
class Preview:
    """What `person` gets, or an example where the workspace has nobody yet; with what its author may not have meant."""

    person: Recipient | None
    subject: str
    body: str
    html: str
    too_long: str
    unknown: list[str]
    meant: dict[str, str]
    as_typed: list[str]
    unclosed: list[str]
    generated: Shown
    variant: str = ""  # its letter, where this person is in one
    preheader: str = ""  # of an email with HTML, what inboxes show beside the subject

    @property
    def has_text(self) -> bool:
        return bool(self.subject.strip() or self.body.strip() or self.html.strip())

    @property
    def parts(self) -> int:
        """Of how many text messages it would consist."""
        return parts_of(self.body)


def preview(
    workspace: Workspace,
    person: Recipient | None,
    source: Source,
    *,
    channel: Channel = Channel.EMAIL,
    campaign: Campaign | None = None,
    is_exact: bool = False,
    brief: str | None = None,
    is_templated: bool = False,
    preheader: str = "",
) -> Preview:
    """What this person would get of words nobody saved yet."""
    is_written = bool(source.text.strip() or source.html.strip())
    footer = footer_of(workspace, channel, is_templated=is_templated) if is_written else ""
    renderer = Renderer(channel, {(0, ""): source}, footer)
    return _preview(
        *(renderer, workspace, person, [source], {(0, ""): preheader}, links_of(campaign, channel)),
        is_exact=is_exact,
        brief=brief,
    )


def preview_of(campaign: Campaign, person: Recipient | None, *, variant: int = 0, is_exact: bool = False) -> Preview:
    """What this person would get of the campaign as it is saved, in his or her language and, unless named, variant."""
    split = Split.of(campaign) if person and not variant else None
    variant = split.variant_of(person.pk) if split and person else variant
    campaign.footer = campaign.footer or footer_for(campaign)
    sources = [campaign.source, *(each.source for each in campaign.wordings.all())]
    return _preview(
        renderer_of(campaign),
        campaign.workspace,
        person,
        sources,
        preheaders_of(campaign),
        links_of(campaign, Channel(campaign.channel)),
        variant=variant,
        is_exact=is_exact,
        brief=campaign.brief if campaign.generated_words else None,
    )


def _preview(
    renderer: Renderer,
    workspace: Workspace,
    person: Recipient | None,
    sources: Sequence[Source],
    preheaders: Mapping[tuple[int, str], str],
    links: Links,
    *,
    variant: int = 0,
    is_exact: bool = False,
    brief: str | None = None,
) -> Preview:
    """Not exact, the link to unsubscribe has no seal and leads nowhere: whoever has the exact one may use it."""
    link = (links.to if is_exact and person else links.dead)(Purpose.PAGE, person.pk if person else None)
    values: dict[str, object] = {**(values_of(person) if person else EXAMPLE), UNSUBSCRIBE_LINK: link}
    known = set(known_names(workspace, generated_words=brief is not None))
    generated = generated_for(workspace, values, renderer.names, brief)
    values |= generated.words
    unknown = [name for name in renderer.names if name not in known]
    meant = meant_by(unknown)
    typed = "\n".join(part for source in sources for part in source[:2])
    try:
        rendered, too_long = renderer.rendered(values, variant), ""
    except (TooLong, NoPlace) as fault:
        rendered, too_long = Rendered("", "", ""), str(fault)
    return Preview(
        person=person,
        subject=rendered.subject,
        body=rendered.text,
        html=rendered.html,
        too_long=too_long,
        unknown=[name for name in unknown if name not in meant],
        meant=meant,
        as_typed=left_as_typed(typed),
        unclosed=left_unclosed(typed),
        generated=generated,
        variant=letter(variant) if variant else "",
        preheader=preheader_in(preheaders, renderer, values, variant) if rendered.html else "",
    )


def preheader_in(
    preheaders: Mapping[tuple[int, str], str], renderer: Renderer, values: Mapping[str, object], variant: int
) -> str:
    """That of the words a person with these values reads, filled in."""
    return in_a_line(Text(preheaders[renderer.place_for(values, variant)]).filled_for(values)).strip()


def asked_for(source: Source) -> list[str]:
    """The fields of a person that these words ask for."""
    names = dict.fromkeys(name for part in source for name in Text(part).names)
    return [name for name in names if name != UNSUBSCRIBE_LINK]


def generated_for(workspace: Workspace, values: dict[str, object], names: Collection[str], brief: str | None) -> Shown:
    """The generated words among these names; a free attribute of such a name counts for nothing."""
    if brief is None:
        return Shown()
    today = timezone.now().astimezone(workspace.zone).date()
    shown = words_for(workspace, values, names, Brief(brief, today))
    for name in shown.missing:
        values.pop(name, None)
    return shown


def filled_for(campaign: Campaign, person: Recipient, template: str = "") -> tuple[str, str]:
    """The text this person reads, without the line below it, and what it was filled in from.

    Of the campaign in the person's language and variant, unless another text is given. Raises TooLong.
    """
    channel = Channel(campaign.channel)
    values = values_of(person) | {UNSUBSCRIBE_LINK: links_of(campaign, channel).dead(Purpose.PAGE, person.pk)}
    sources = {(0, ""): Source("", template)} if template else sources_of(campaign)
    renderer = Renderer(channel, sources)
    split = None if template else Split.of(campaign)
    variant = split.variant_of(person.pk) if split else 0
    values |= generated_for(
        campaign.workspace, values, renderer.names, campaign.brief if campaign.generated_words else None
    ).words
    return renderer.rendered(values, variant).text, sources[renderer.place_for(values, variant)].text


def values_of(person: Recipient) -> dict[str, object]:
    """What the text may ask about this person; a free attribute never hides a standard field."""
    return {**person.attributes, **{field: getattr(person, field) for field in STANDARD_FIELDS}}


def left_as_typed(text: str) -> list[str]:
    """Pieces in braces that are no placeholders, such as {First Name}."""
    return list(dict.fromkeys(piece for piece in IN_BRACES.findall(text) if not PLACEHOLDER.fullmatch(piece)))


def left_unclosed(text: str) -> list[str]:
    """The first word after each { that no } of its line closes, such as {first_name in "Dear {first_name,"."""
    openings = (re.match(r"\{\w{0,40}", piece) for piece in UNCLOSED.findall(text))
    return list(dict.fromkeys(opening[0] for opening in openings if opening))


def getting(
    workspace: Workspace,
    channel: Channel,
    *,
    everyone: bool,
    groups: Collection[int],
    segments: Collection[int],
    picked: Collection[int],
    excluded_groups: Collection[int],
    excluded_segments: Collection[int],
    excluded: Collection[int],
) -> QuerySet[Recipient]:
    """Those of an audience that is still being chosen who can be written to; of the workspace while nobody is."""
    people = workspace.recipients.filter(reached_on(channel))
    chosen = people.exclude(pk__in=excluded).exclude(members(excluded_groups))
    chosen = chosen.exclude(fitting(workspace, excluded_segments))
    if not everyone:
        chosen = chosen.filter(Q(pk__in=picked) | members(groups) | fitting(workspace, segments))
    return chosen if chosen.order_by("pk").values("pk")[:1] else people


def members(groups: Collection[int]) -> Q:
    member = MEMBERSHIP.objects.filter(group__in=groups, recipient=OuterRef("pk"))
    return Q(Exists(member)) if groups else NOBODY


def fitting(workspace: Workspace, segments: Collection[int]) -> Q:
    chosen = workspace.segments.filter(pk__in=segments) if segments else ()
    return described_by(chosen, workspace, None)
