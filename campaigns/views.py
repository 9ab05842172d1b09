"""The pages a campaign is written on."""

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns.authoring import NotEditable, SavedMeanwhile, Scheduled, update_campaign
from campaigns.copying import SeriesEnded, update_with_following
from campaigns.counting import Count, count_of
from campaigns.faults import InvalidContent
from campaigns.forms import CampaignForm
from campaigns.frames import framed
from campaigns.generated import names_in
from campaigns.languages import name_of
from campaigns.library import create_from, current
from campaigns.mail.checking import Check, checks_of
from campaigns.mail.compiling import compiled
from campaigns.mail.example import MJML
from campaigns.models import Campaign, Source, Split, TemplateVersion
from campaigns.preview import asked_for, getting, left_unclosed, preview, preview_of
from campaigns.spoken import written_in
from campaigns.template_forms import as_typed
from campaigns.whose import Asked, found_among, turn_to
from people.channels import Channel
from people.models import Recipient, placeholders_of
from people.search import number_in, search

FOUND = 20
ONWARDS = {"check": "check", "test": "send_test"}  # by the button that saves


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def new(request: MemberRequest) -> HttpResponse:
    version = began_as(request)
    chosen = {"groups": asked(request, "group"), "segments": asked(request, "segment")} | words_of(version)
    form = CampaignForm(request.workspace, posted(request), initial=chosen)
    if is_to_be_saved(request, form):
        try:
            campaign = create_from(
                version, request.workspace, by=request.user, may_be_unfinished=True, **form.content()
            )
        except InvalidContent as refusal:
            form.add_errors(refusal.errors)
        else:
            messages.success(request, f"“{campaign}” is saved as a draft.")
            return onwards(request, campaign)
    return draw(request, form, version=version)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(request.workspace.campaigns.select_related("series"), pk=pk)
    if not campaign.is_editable:
        return refuse(request, NotEditable(campaign))
    may_send = request.membership.may("send")
    if campaign.status == Campaign.Status.SCHEDULED and not may_send:
        return refuse(request, Scheduled(campaign))
    form = CampaignForm(request.workspace, posted(request), campaign)
    if is_to_be_saved(request, form):
        update = update_with_following if follows(campaign) and form.applies_to_all() else update_campaign
        try:
            campaign = update(
                campaign, by=request.user, over=form.version_seen(), only_drafts=not may_send, **form.content()
            )
        except InvalidContent as refusal:
            form.add_errors(refusal.errors)
        except SavedMeanwhile as refusal:
            return draw(request, form, theirs=refusal.campaign)
        except (NotEditable, Scheduled) as refusal:
            return refuse(request, refusal)
        except SeriesEnded as refusal:
            form.add_error("applies", f"{refusal} Save it for this one only.")
        except Campaign.DoesNotExist as gone:
            raise Http404 from gone
        else:
            messages.success(request, "Your changes are saved.")
            return onwards(request, campaign)
    return draw(request, form)


def is_to_be_saved(request: MemberRequest, form: CampaignForm) -> bool:
    """Not where only the variables of another WhatsApp template are wanted, without JavaScript."""
    return form.is_bound and form.is_valid() and request.POST.get("then") != "template"


def follows(campaign: Campaign) -> bool:
    """Whether it is the newest of a series that goes on, so that others will be made like it."""
    series = campaign.series
    return bool(series and not series.ended_at and campaign.nth == series.made)


def posted(request: MemberRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def asked(request: MemberRequest, what: str) -> list[int]:
    """The group or the segment a link to a new campaign brings along."""
    rows: QuerySet = request.workspace.groups.all() if what == "group" else request.workspace.segments.all()
    number = number_in(request.GET.get(what, ""))
    return list(rows.filter(pk=number).values_list("pk", flat=True)) if number else []


def began_as(request: MemberRequest) -> TemplateVersion | None:
    """The current version of the template a link to a new campaign names, or the one that its form was drawn with."""
    rows = TemplateVersion.objects.filter(template__workspace=request.workspace.pk).select_related("template")
    if request.method == "POST":
        return rows.filter(pk=number_in(request.POST.get("template_version", "")) or 0).first()
    return current(rows).filter(template=number_in(request.GET.get("template", "")) or 0).first()


def words_of(version: TemplateVersion | None) -> dict[str, Any]:
    """What a new campaign begins with."""
    if version is None:
        return {}
    typed = as_typed(version)
    del typed["version"]
    return typed | {"name": version.template.name}


def onwards(request: MemberRequest, campaign: Campaign) -> HttpResponse:
    for problem in compiled(campaign.format, campaign.body, campaign.preheader).problems[:3]:
        messages.warning(request, f"It is saved, and cannot be sent like this. {problem}")
    for field in ("subject", "body"):
        if unclosed := left_unclosed(request.POST.get(field, "")):
            messages.warning(request, f"A {{ without }} stays as typed: {', '.join(unclosed)}")
    wanted = request.POST.get("then", "")
    return redirect(ONWARDS.get(wanted, "campaign"), campaign.pk)


def draw(
    request: MemberRequest, form: CampaignForm, theirs: Campaign | None = None, version: TemplateVersion | None = None
) -> HttpResponse:
    """The form as typed; `theirs` is what somebody else saved meanwhile, which the next press replaces."""
    context = {
        "form": form,
        "campaign": form.campaign,
        "theirs": theirs,
        "began_as": version,
        "version": theirs.version if theirs else form.version_seen(),
        "placeholders": placeholders_of(request.workspace),
        "generated_names": names_in(request.workspace),
        "tabs": [(code, name_of(code)) for code in written_in(form.campaign)] if form.campaign else [],
        "mjml_example": MJML,
        **as_somebody(form, Asked()),
        "is_sms": is_sms(form),
        "count": counted(form),
        "follows": bool(form.campaign and follows(form.campaign)),
        "split": Split.of(form.campaign) if form.campaign else None,
    }
    status = 409 if theirs else 422 if form.errors else 200
    return render(request, "campaigns/form.html", context, status=status)


def refuse(request: MemberRequest, refusal: NotEditable | Scheduled) -> HttpResponse:
    context = {"campaign": refusal.campaign, "sentence": str(refusal)}
    status = 403 if isinstance(refusal, Scheduled) else 409
    return render(request, "campaigns/not_editable.html", context, status=status)


@require_POST
@may("write")
def show_preview(request: MemberRequest) -> HttpResponse:
    """The text as somebody of the audience reads it, while it is being written. Changes nothing."""
    form = CampaignForm(request.workspace, request.POST)
    form.is_valid()
    drawn = {"is_sms": is_sms(form), "count": counted(form), "is_answer": True}
    return render(request, "campaigns/_preview.html", {**as_somebody(form, Asked.of(request.POST)), **drawn})


@require_POST
@may("write")
def show_mail(request: MemberRequest) -> HttpResponse:
    """The HTML of the email typed so far, as the same person gets it, for a frame. Changes nothing."""
    form = CampaignForm(request.workspace, request.POST)
    form.is_valid()
    return framed(as_somebody(form, Asked.of(request.POST))["preview"].html)


@require_GET
@may("read")
def mail(request: MemberRequest, pk: int) -> HttpResponse:
    """The HTML of a saved campaign as one person of the workspace would get it, or of one variant, for a frame."""
    campaign = get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)
    number = number_in(request.GET.get("person", ""))
    person = get_object_or_404(request.workspace.recipients, pk=number) if number else None
    variant = number_in(request.GET.get("variant", "")) or 0
    return framed(preview_of(campaign, person, variant=variant if variant in variants_of(campaign) else 0).html)


def variants_of(campaign: Campaign) -> Collection[int]:
    split = Split.of(campaign)
    return split.variants if split else ()


@require_POST
@may("write")
def show_whatsapp(request: MemberRequest) -> HttpResponse:
    """The WhatsApp template chosen so far, with what is typed for each of its variables. Changes nothing."""
    form = CampaignForm(request.workspace, request.POST)
    form.is_valid()
    return render(request, "campaigns/_whatsapp.html", {"form": form})


@require_POST
@may("write")
def find_reader(request: MemberRequest) -> HttpResponse:
    """Those of the audience typed so far whose name or address begins with what is typed. Changes nothing."""
    form = CampaignForm(request.workspace, request.POST)
    form.is_valid()
    found = found_among(readers(form), request.POST.get("reader", ""))
    return render(request, "campaigns/_readers.html", {"found": found})


def as_somebody(form: CampaignForm, asked: Asked) -> dict[str, Any]:
    """The text typed so far as this person reads it, else the first one, and who stands before and after."""
    channel = channel_of(form)
    made = form.compiled()
    source = Source(form["subject"].value() or "" if channel == Channel.EMAIL else "", made.plain, made.html)
    whose = turn_to(readers(form), asked, asked_for(source))
    shown = preview(
        form.workspace,
        whose.person,
        source,
        channel=channel,
        campaign=form.campaign,
        brief=form.about(),
        is_templated=form.by_whatsapp is not None,
        preheader=form["preheader"].value() or "",
    )
    return {"preview": shown, "whose": whose, "is_chosen": asked != Asked(), "checks": checked(form)}


def checked(form: CampaignForm) -> list[Check]:
    """What is found in the email typed so far; nothing while there is no message yet."""
    is_begun = channel_of(form) == Channel.EMAIL and form.text().strip()
    return checks_of(form.words()) if is_begun else []


def readers(form: CampaignForm) -> QuerySet[Recipient]:
    return getting(form.workspace, channel_of(form), **form.chosen())


def counted(form: CampaignForm) -> Count:
    is_templated = form.by_whatsapp is not None
    return count_of(form.workspace, channel_of(form), form.text(), readers(form), form.campaign, is_templated)


def channel_of(form: CampaignForm) -> Channel:
    word = form["channel"].value()
    return next((each for each in Channel if each.word == word), Channel.EMAIL)


def is_sms(form: CampaignForm) -> bool:
    return form["channel"].value() == Channel.SMS.word


@require_GET
@may("write")
def pick(request: MemberRequest) -> HttpResponse:
    """People to choose from, for the words typed so far."""
    field = "excluded" if request.GET.get("for") == "excluded" else "picked"
    words = request.GET.get("q", "").strip()
    people = search(request.workspace, words) if words else []
    context = {"people": people[:FOUND], "more": len(people) > FOUND, "words": words[:100], "field": field}
    return render(request, "campaigns/_found.html", context)
