"""The pages of the template library: listed, written, compared, and what is done with a template as a whole."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns import library as domain
from campaigns.comparing import compared
from campaigns.faults import InvalidContent
from campaigns.frames import framed
from campaigns.library import ChangedMeanwhile, free_name
from campaigns.mail.example import MJML
from campaigns.models import Template, TemplateVersion
from campaigns.preview import preview
from campaigns.template_forms import TemplateForm
from campaigns.views import as_somebody, counted, is_sms, posted
from campaigns.whose import Asked
from people.channels import Channel
from people.consent import reached_on
from people.models import placeholders_of
from people.search import number_in

SHOWN = 200


@require_GET
@may("read")
def templates(request: MemberRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:100]
    channel = next((each for each in Channel if each.word == request.GET.get("channel", "")), None)
    archived = request.GET.get("show") == "archived"
    found = domain.found(request.workspace, words, channel, archived=archived, most=SHOWN + 1)
    context = {
        "templates": found[:SHOWN],
        "shown": SHOWN if len(found) > SHOWN else None,
        "words": words,
        "channel": channel,
        "channels": Channel,
        "archived": archived,
        "may_write": request.membership.may("write"),
    }
    return render(request, "campaigns/templates.html", context)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def template_new(request: MemberRequest) -> HttpResponse:
    form = TemplateForm(request.workspace, posted(request))
    if form.is_bound and form.is_valid():
        try:
            template = domain.add_template(request.workspace, by=request.user, **form.content())
        except InvalidContent as refusal:
            form.add_errors(refusal.errors)
        else:
            messages.success(request, f"The template “{template}” is saved.")
            return redirect("template", template.pk)
    return draw(request, form)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def template_edit(request: MemberRequest, pk: int) -> HttpResponse:
    template = find(request, pk)
    form = TemplateForm(request.workspace, posted(request), template)
    if form.is_bound and form.is_valid():
        content = form.content() | {"over": form.version_number()}
        del content["channel"]
        try:
            saved = domain.change_template(template, by=request.user, **content)
        except InvalidContent as refusal:
            form.add_errors(refusal.errors)
        except ChangedMeanwhile as refusal:
            return draw(request, form, theirs=refusal.template.current)
        except Template.DoesNotExist as gone:
            raise Http404 from gone
        else:
            messages.success(request, f"“{saved}” is saved as version {saved.version}.")
            return redirect("template", pk)
    return draw(request, form)


def draw(request: MemberRequest, form: TemplateForm, theirs: TemplateVersion | None = None) -> HttpResponse:
    """The form as typed; `theirs` is the version somebody saved meanwhile, which the next press follows."""
    context = {
        "form": form,
        "template": form.template,
        "theirs": theirs,
        "version": theirs.number if theirs else form.version_number(),
        "placeholders": placeholders_of(request.workspace),
        "mjml_example": MJML,
        **as_somebody(form, Asked()),
        "is_sms": is_sms(form),
        "count": counted(form),
    }
    status = 409 if theirs else 422 if form.errors else 200
    return render(request, "campaigns/template_form.html", context, status=status)


@require_GET
@may("read")
def template(request: MemberRequest, pk: int) -> HttpResponse:
    """What it says now, and beside it an older version if one is asked for."""
    known = find(request, pk)
    now, number = known.current, number_in(request.GET.get("compare", ""))
    older = get_object_or_404(known.versions.select_related("written_by"), number=number) if number else None
    context = {
        "template": known,
        "now": now,
        "older": older,
        "parts": compared(older or now, now),
        "versions": known.versions.select_related("written_by").defer("html", "plain", "body")[:SHOWN],
        "may_write": request.membership.may("write"),
    }
    return render(request, "campaigns/template.html", context)


@require_GET
@may("read")
def template_mail(request: MemberRequest, pk: int) -> HttpResponse:
    """The HTML of what it says now as the first person of the workspace would get it, for a frame."""
    known = find(request, pk)
    people = request.workspace.recipients.filter(reached_on(Channel(known.channel)))
    person = people.order_by("pk").first()
    return framed(preview(request.workspace, person, known.current.source, channel=Channel(known.channel)).html)


@require_POST
@may("write")
def template_restore(request: MemberRequest, pk: int, number: int) -> HttpResponse:
    known = find(request, pk)
    get_object_or_404(known.versions, number=number)
    restored = domain.restore_version(known, number, by=request.user)
    messages.success(request, f"Version {restored.version} says what version {number} said.")
    return redirect("template", pk)


@require_POST
@may("write")
def template_duplicate(request: MemberRequest, pk: int) -> HttpResponse:
    copy = domain.duplicate_template(find(request, pk), by=request.user)
    messages.success(request, f"“{copy}” is a template of its own.")
    return redirect("template-edit", copy.pk)


@require_POST
@may("write")
def template_archive(request: MemberRequest, pk: int) -> HttpResponse:
    known = find(request, pk)
    domain.archive_template(known, by=request.user)
    messages.success(request, f"“{known}” is in the archive.")
    return redirect("templates")


@require_POST
@may("write")
def template_unarchive(request: MemberRequest, pk: int) -> HttpResponse:
    known = find(request, pk)
    domain.unarchive_template(known, by=request.user)
    messages.success(request, f"“{known}” is back among the templates.")
    return redirect("template", pk)


@require_http_methods(["GET", "POST"])
@may("write")
def template_delete(request: MemberRequest, pk: int) -> HttpResponse:
    known = find(request, pk)
    if request.method == "POST":
        domain.delete_template(known, by=request.user)
        messages.success(request, f"The template “{known}” is deleted.")
        return redirect("templates")
    return render(request, "campaigns/template_delete.html", {"template": known})


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def save_as_template(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)
    name, errors = request.POST.get("name", free_name(request.workspace, campaign.name)), {}
    if request.method == "POST":
        try:
            saved = domain.save_as_template(campaign, by=request.user, name=name)
        except InvalidContent as refusal:
            errors = refusal.errors
        else:
            messages.success(request, f"The template “{saved}” is saved.")
            return redirect("template", saved.pk)
    context = {"campaign": campaign, "name": name, "errors": errors}
    return render(request, "campaigns/save_as_template.html", context, status=422 if errors else 200)


def find(request: MemberRequest, pk: int) -> Template:
    return get_object_or_404(request.workspace.templates.select_related("workspace"), pk=pk)
