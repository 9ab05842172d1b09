"""The pages on which the words of a variant, or those in a language, are written."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns.authoring import NotEditable, SavedMeanwhile, Scheduled
from campaigns.faults import InvalidContent
from campaigns.forms import CampaignForm, as_typed
from campaigns.generated import names_in
from campaigns.languages import NAMES, code_of, direction_of, name_of
from campaigns.mail.example import MJML
from campaigns.models import Campaign, Format, Split, Words
from campaigns.splitting import letter
from campaigns.spoken import somebody_who_speaks, spoken_in, written_in
from campaigns.views import as_somebody, counted, is_sms, posted, refuse
from campaigns.whose import Asked
from campaigns.wordings import delete_wording, version_of, wording_of, words_of, write_wording
from people.models import placeholders_of

WORDS = ("subject", "format", "preheader", "body")


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def wording(request: MemberRequest, pk: int, variant: int, language: str = "") -> HttpResponse:
    """The words of a variant, or what of them people read who speak one language; those of A are the campaign's."""
    campaign = campaign_here(request, pk, variant, language)
    if variant == 1 and not language:
        return redirect("campaign-edit", pk)
    if refusal := refused(request, campaign):
        return refuse(request, refusal)
    form = CampaignForm(
        request.workspace, typed_like(campaign, shown_words(request, campaign, variant, language)), campaign
    )
    if not (form.is_valid() and posted(request)):
        return draw(request, campaign, form, variant, language)
    text: dict[str, Any] = {name: form.content()[name] for name in WORDS}
    over, only_drafts = request.POST.get("version", ""), not request.membership.may("send")
    text |= {"over": over, "only_drafts": only_drafts}
    try:
        write_wording(campaign, by=request.user, variant=variant, language=language, **text)
    except InvalidContent as fact:
        form.add_errors({field if field in WORDS else "body": said for field, said in fact.errors.items()})
    except SavedMeanwhile as fact:
        form.add_error("body", f"{fact} See what stands there now on another page; saving again replaces it.")
    except (NotEditable, Scheduled) as fact:
        return refuse(request, fact)
    else:
        messages.success(request, f"The words {named(campaign, variant, language)} are saved.")
        return redirect("languages", pk, variant) if language else redirect("variants", pk)
    return draw(request, campaign, form, variant, language)


def campaign_here(request: MemberRequest, pk: int, variant: int, language: str = "") -> Campaign:
    """The campaign of this workspace, if it has such a variant and there is such a language. Raises Http404."""
    campaign = get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)
    split = Split.of(campaign)
    variants = split.variants if split else range(1, 2 if language else 1)
    if variant not in variants or language != (code_of(language) if language else ""):
        raise Http404
    return campaign


def refused(request: MemberRequest, campaign: Campaign) -> NotEditable | Scheduled | None:
    if not campaign.is_editable:
        return NotEditable(campaign)
    is_theirs = campaign.status != Campaign.Status.SCHEDULED or request.membership.may("send")
    return None if is_theirs else Scheduled(campaign)


def shown_words(request: MemberRequest, campaign: Campaign, variant: int, language: str) -> Mapping[str, str]:
    """What is typed, else what is written; a new language begins with the words for any language."""
    words: Words = wording_of(campaign, variant, language) or words_of(campaign, variant)
    written = {
        "subject": words.subject,
        "format": Format(words.format).word,
        "preheader": words.preheader,
        "body": words.body,
    }
    typed: Mapping[str, Any] = posted(request) or {}
    return {name: typed.get(name, value) for name, value in written.items()}


def typed_like(campaign: Campaign, words: Mapping[str, str]) -> QueryDict:
    """The campaign as its form would have sent it, with these words in place of its own."""
    typed: Any = QueryDict(mutable=True)
    for name, value in (as_typed(campaign) | {**words}).items():
        values = value if isinstance(value, list) else [value]
        typed.setlist(name, [str(each) for each in values if each not in (None, False)])
    return typed


def hidden_of(typed: QueryDict) -> list[tuple[str, str]]:
    """What goes along with the words, so that the preview is for the same people over the same channel."""
    return [(name, each) for name, values in typed.lists() if name not in (*WORDS, "version") for each in values]


def named(campaign: Campaign, variant: int, language: str) -> str:
    """Of variant B in Greek; in Greek."""
    has_variants = Split.of(campaign) is not None
    words = [f"of variant {letter(variant)}"] if has_variants else []
    return " ".join([*words, f"in {name_of(language)}"] if language else words)


def draw(request: MemberRequest, campaign: Campaign, form: CampaignForm, variant: int, language: str) -> HttpResponse:
    now = wording_of(campaign, variant, language)
    reader = somebody_who_speaks(campaign, language) if language else None
    context = {
        "campaign": campaign,
        "form": form,
        "title": name_of(language) if language else f"Variant {letter(variant)}",
        "letter": letter(variant) if Split.of(campaign) else "",
        "variant": variant,
        "language": language,
        "direction": direction_of(language) if language else "ltr",
        "tabs": [(code, name_of(code)) for code in written_in(campaign, variant)],
        "is_new": now is None,
        "nobody_speaks_it": bool(language) and reader is None,
        "version": version_of(now) if now else "new",
        "like": hidden_of(typed_like(campaign, {})),
        "placeholders": placeholders_of(request.workspace),
        "generated_names": names_in(request.workspace) if campaign.generated_words else [],
        "mjml_example": MJML,
        **as_somebody(form, Asked(person=reader.pk) if reader else Asked()),
        "is_sms": is_sms(form),
        "count": counted(form),
    }
    return render(request, "campaigns/wording.html", context, status=422 if form.errors else 200)


@require_GET
@may("read")
def languages(request: MemberRequest, pk: int, variant: int = 1) -> HttpResponse:
    """In which languages the campaign speaks, who reads which, and which could be added."""
    campaign = campaign_here(request, pk, variant, "en")  # of variant A any campaign has words
    spoken = spoken_in(campaign, variant)
    taken = {tongue.code for tongue in (*spoken.written, *spoken.others)}
    split = Split.of(campaign)
    context = {
        "campaign": campaign,
        "spoken": spoken,
        "variant": variant,
        "waits": split is not None and split.waits and not split.winner,
        "letter": letter(variant) if split else "",
        "letters": [(each, letter(each)) for each in split.variants] if split else [],
        "all_languages": sorted(((names[0], code) for code, names in NAMES.items() if code not in taken)),
        "may_edit": request.membership.may("write") and refused(request, campaign) is None,
    }
    return render(request, "campaigns/languages.html", context)


@require_GET
@may("write")
def add_language(request: MemberRequest, pk: int, variant: int) -> HttpResponse:
    """On to the page of the language that was chosen."""
    campaign_here(request, pk, variant, "en")
    code = code_of(request.GET.get("language", "")[:60])
    if not code:
        messages.error(request, "Choose a language first.")
        return redirect("languages", pk, variant)
    return redirect(reverse("wording-in", args=[pk, variant, code]))


@require_http_methods(["GET", "POST"])
@may("write")
def remove_wording(request: MemberRequest, pk: int, variant: int, language: str) -> HttpResponse:
    campaign = campaign_here(request, pk, variant, language)
    if refusal := refused(request, campaign):
        return refuse(request, refusal)
    words = wording_of(campaign, variant, language)
    if request.method == "POST":
        try:
            delete_wording(campaign, variant=variant, language=language, by=request.user)
        except (NotEditable, Scheduled) as fact:
            return refuse(request, fact)
        messages.success(request, f"The words {named(campaign, variant, language)} are deleted.")
        return redirect("languages", pk, variant)
    if words is None:
        raise Http404
    context = {
        "campaign": campaign,
        "words": words,
        "variant": variant,
        "language": name_of(language),
        "code": language,
    }
    return render(request, "campaigns/wording_delete.html", context)
