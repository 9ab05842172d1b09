"""The other words of a campaign, those of a variant or a language: written, copied and taken away again."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, User
from campaigns.authoring import SavedMeanwhile, editable, tidied
from campaigns.faults import check_body, refuse_invalid
from campaigns.languages import direction_of, name_of
from campaigns.mail.compiling import write_out
from campaigns.models import Campaign, Format, Split, StatusChange, Wording, Words
from campaigns.splitting import letter
from people.channels import Channel
from wires import live

COLUMNS = [field.name for field in Words._meta.fields]


class Wrong(NamedTuple):
    """Why a campaign cannot be sent, and where the words stand that are to be mended for it."""

    sentence: str
    variant: int = 1
    language: str = ""


@transaction.atomic
def write_wording(
    campaign: Campaign,
    *,
    by: Actor | None,
    variant: int = 1,
    language: str = "",
    subject: str = "",
    body: str,
    format: Format | None = None,
    preheader: str | None = None,
    over: str = "",
    only_drafts: bool = False,
) -> Wording:
    """What people of this variant read who speak this language.

    `over` is the version its author saw. A draft may stay unfinished, a translation may not. Raises NotEditable,
    Scheduled where only drafts may be changed, SavedMeanwhile, or InvalidContent.
    """
    campaign = editable(campaign, only_drafts=only_drafts)
    place = {"campaign": campaign, "variant": variant, "language": language}
    wording = Wording.objects.filter(**place).first() or Wording(**place, format=campaign.format, preheader="")
    if over and over != version_of(wording):
        raise SavedMeanwhile(campaign)
    before = told(wording) if wording.pk else {}
    _, wording.subject, wording.body = tidied(campaign.channel, campaign.name, subject, body)
    wording.format = wording.format if format is None else format
    preheader = wording.preheader if preheader is None else preheader
    wording.preheader = preheader.strip(" ") if campaign.channel == Channel.EMAIL else ""
    refuse_invalid(
        *(campaign.workspace, campaign.channel, campaign.name, wording.subject, wording.body),
        format=wording.format,
        preheader=wording.preheader,
        finished=bool(language) or campaign.status != Campaign.Status.DRAFT,
        generated_words=campaign.generated_words,
    )
    write_out(wording)
    wording.html = marked(wording.html, language)
    wording.save()
    touch(campaign, by=by, what=f"text of {wording}")
    audit_log.record(campaign.workspace, "write_wording", campaign, by=by, before=before, after=told(wording))
    return wording


@transaction.atomic
def delete_wording(
    campaign: Campaign, *, variant: int, language: str, by: Actor | None, only_drafts: bool = False
) -> None:
    """Let people of this language read the words for any language again. Raises NotEditable or Scheduled."""
    campaign = editable(campaign, only_drafts=only_drafts)
    wording = campaign.wordings.filter(variant=variant, language=language).exclude(language="").first()
    if wording is None:
        return
    before = told(wording)
    wording.delete()
    touch(campaign, by=by, what=f"text of {wording}")
    audit_log.record(campaign.workspace, "delete_wording", campaign, by=by, before=before)


def version_of(words: Words) -> str:
    """Names what is written now, so that a page can tell whether somebody saved another text meanwhile."""
    typed = "\0".join([str(words.format), words.subject, words.preheader, words.body])
    return hashlib.sha256(typed.encode()).hexdigest()[:16] if words.pk else "new"


def marked(html: str, language: str) -> str:
    """The page of an email that says in which language and direction it is to be read, unless its author did."""
    root = html[html.find("<html") : html.find(">", html.find("<html"))] if language else ""
    if not root or " lang=" in root or " dir=" in root:
        return html
    return html.replace("<html", f'<html lang="{language}" dir="{direction_of(language)}"', 1)


def told(wording: Wording) -> dict[str, Any]:
    """What the audit log keeps of it."""
    shown = audit_log.fields_of(wording, ("subject", "body", "preheader")) | {"format": Format(wording.format).label}
    return {f"{part} of {wording}": value for part, value in shown.items()}


def touch(campaign: Campaign, *, by: Actor | None, what: str) -> None:
    """It is another version now: whoever checked or opened the one before is told; the caller holds its row."""
    campaign.written_by, campaign.written_at = by if isinstance(by, User) else None, timezone.now()
    campaign.save(update_fields=["written_by", "written_at", "updated_at"])
    if campaign.status == Campaign.Status.SCHEDULED:
        StatusChange.write(campaign, campaign.status, campaign.status, by=by, reason=f"{what} changed")
    live.changed(campaign.pk, campaign.workspace_id)


def wordings_of(campaign: Campaign) -> list[dict[str, Any]]:
    """All the words of its variants and languages, as JSON."""
    return [*campaign.wordings.values("variant", "language", *COLUMNS)]


def give_wordings(campaign: Campaign, wordings: Iterable[Mapping[str, Any]]) -> None:
    """Let a new campaign say in its variants and languages what `wordings_of` told of another one."""
    Wording.objects.bulk_create(Wording(campaign=campaign, **words) for words in wordings)


def begin_variants(campaign: Campaign, variants: range) -> None:
    """Give each variant after the first words of its own, at first those of A; take away what is of none of them."""
    campaign.wordings.exclude(variant__in=variants).delete()
    written = set(campaign.wordings.filter(language="").values_list("variant", flat=True))
    Wording.objects.bulk_create(
        Wording(campaign=campaign, variant=variant, **{column: getattr(campaign, column) for column in COLUMNS})
        for variant in variants
        if variant > 1 and variant not in written
    )


def words_of(campaign: Campaign, variant: int) -> Words:
    """The words of a variant in any language; those of A are the campaign's."""
    return campaign.wordings.filter(variant=variant, language="").first() or campaign


def all_words_of(campaign: Campaign) -> dict[str, Words]:
    """The words of all its variants and languages, each by the name of those who read them: B, or A in Greek."""
    is_split = Split.of(campaign) is not None

    def name(variant: int, language: str) -> str:
        parts = [letter(variant)] * is_split + [name_of(language)] * bool(language)
        return " in ".join(parts) or "Any language"

    others = {name(each.variant, each.language): each for each in campaign.wordings.all()}
    return {name(1, ""): campaign, **others}


def wording_of(campaign: Campaign, variant: int, language: str) -> Wording | None:
    """The words of a variant in just this language, where there are any."""
    return campaign.wordings.filter(variant=variant, language=language).first()


def still_like_a(campaign: Campaign, variants: range) -> list[int]:
    """The variants that nobody gave words of their own yet."""
    of_a = campaign.source
    return [number for number in variants if number > 1 and words_of(campaign, number).source == of_a]


def wrong_with_variants(campaign: Campaign, variants: range) -> Wrong | None:
    """Why these variants cannot be sent; None if they can."""
    sources = {variant: words_of(campaign, variant) for variant in variants}
    for variant, words in sources.items():
        if not words.body.strip():
            return Wrong(f"Variant {letter(variant)} is empty; write it, or remove it.", variant)
        if campaign.channel == Channel.EMAIL and not words.subject.strip():
            return Wrong(f"Variant {letter(variant)} has no subject.", variant)
        if wrong := check_body(Channel(campaign.channel), words.body):
            return Wrong(f"Variant {letter(variant)}: {wrong[0]}", variant)
    alike = [n for n in variants if n > 1 and sources[n].source == sources[1].source]
    if alike:
        return Wrong(f"Variant {letter(alike[0])} says the same as A; change it, or remove it.", alike[0])
    return None


def wrong_with_languages(campaign: Campaign) -> Wrong | None:
    """Why the words in one of its languages cannot be sent; None if they can."""
    for wording in campaign.wordings.exclude(language=""):
        if sentence := _wrong_with(wording, Channel(campaign.channel)):
            return Wrong(sentence, wording.variant, wording.language)
    return None


def _wrong_with(wording: Wording, channel: Channel) -> str:
    name = name_of(wording.language)
    if channel == Channel.EMAIL and not wording.subject.strip():
        return f"The email in {name} has no subject."
    if channel != Channel.EMAIL and wording.format != Format.TEXT:
        return f"The words in {name} are those of an email; write them anew, or delete them."
    wrong = check_body(channel, wording.body)
    return f"In {name}: {wrong[0]}" if wrong else ""


def wrong_in(words: Words, sentence: str, *, has_variants: bool) -> Wrong:
    """This sentence about one wording of a campaign, which it names where it is not the main one."""
    if not isinstance(words, Wording):
        return Wrong(f"In variant A: {sentence}" if has_variants else sentence)
    name = str(words) if has_variants else name_of(words.language)
    return Wrong(f"In {name}: {sentence}", words.variant, words.language)
