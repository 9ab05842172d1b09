"""The pages of WhatsApp templates: what they say, what the provider decided, and by whom that was written down."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns.faults import InvalidContent
from campaigns.models import Campaign, IllegalStatus, WhatsAppSettings, WhatsAppTemplate
from campaigns.whatsapp import (
    MaySendOnly,
    add_template,
    archive_template,
    change_status,
    change_template,
    change_whatsapp_settings,
    duplicate_template,
    unarchive_template,
)
from campaigns.whatsapp_forms import StatusForm, TemplateForm
from people.search import number_in

SHOWN = 50


@require_GET
@may("read")
def templates(request: MemberRequest) -> HttpResponse:
    is_archive = "archived" in request.GET
    after = number_in(request.GET.get("after", "")) or 0
    rows = request.workspace.whatsapp_templates.filter(archived_at__isnull=not is_archive, pk__gt=after)
    shown = list(rows.order_by("pk")[: SHOWN + 1])
    context = {
        "templates": shown[:SHOWN],
        "following": shown[SHOWN - 1].pk if len(shown) > SHOWN else None,
        "is_archive": is_archive,
        "settings": WhatsAppSettings.of(request.workspace),
        "may_write": request.membership.may("write"),
        "may_manage": request.membership.may("manage"),
    }
    return render(request, "campaigns/whatsapp_templates.html", context)


@require_GET
@may("read")
def template(request: MemberRequest, pk: int) -> HttpResponse:
    return draw(request, found(request, pk))


def draw(request: MemberRequest, template: WhatsAppTemplate, form: StatusForm | None = None) -> HttpResponse:
    waiting = request.workspace.campaigns.filter(whatsapp_template=template, status=Campaign.Status.SCHEDULED)
    context = {
        "template": template,
        "form": form or StatusForm(template),
        "history": template.history.select_related("by", "key")[:SHOWN],
        "waiting": waiting.order_by("scheduled_at")[:SHOWN],
        "may_write": request.membership.may("write"),
        "may_send": request.membership.may("send"),
    }
    return render(request, "campaigns/whatsapp_template.html", context, status=422 if form else 200)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def edit(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    known = found(request, pk) if pk else None
    form = TemplateForm(posted(request), known)
    if form.is_bound and form.is_valid():
        try:
            saved = save(request, known, form)
        except InvalidContent as refusal:
            form.add_errors(refusal.errors)
        except MaySendOnly as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The template “{saved}” is saved.")
            return redirect("whatsapp-template", saved.pk)
    context = {"template": known, "form": form}
    return render(request, "campaigns/whatsapp_form.html", context, status=422 if form.errors else 200)


def save(request: MemberRequest, known: WhatsAppTemplate | None, form: TemplateForm) -> WhatsAppTemplate:
    if known is None:
        return add_template(request.workspace, by=request.user, **form.content())
    only_drafts = not request.membership.may("send")
    return change_template(known, by=request.user, only_drafts=only_drafts, **form.content())


@require_POST
@may("send")
def status(request: MemberRequest, pk: int) -> HttpResponse:
    template = found(request, pk)
    form = StatusForm(template, request.POST)
    if not form.is_valid():
        return draw(request, template, form)
    try:
        change_status(template, to=form.cleaned_data["to"], by=request.user, reason=form.cleaned_data["reason"])
    except InvalidContent as refusal:
        form.add_error("reason", str(refusal))
        return draw(request, template, form)
    except IllegalStatus as fact:
        messages.warning(request, f"Nothing was changed. {fact}")
    return redirect("whatsapp-template", pk)


@require_POST
@may("write")
def duplicate(request: MemberRequest, pk: int) -> HttpResponse:
    copy = duplicate_template(found(request, pk), by=request.user)
    messages.success(request, f"“{copy}” is a copy with the same text; it is a draft.")
    return redirect("whatsapp-template-edit", copy.pk)


@require_POST
@may("write")
def archive(request: MemberRequest, pk: int) -> HttpResponse:
    template = archive_template(found(request, pk), by=request.user)
    messages.success(request, f"“{template}” is archived; campaigns that use it go on.")
    return redirect("whatsapp-templates")


@require_POST
@may("write")
def unarchive(request: MemberRequest, pk: int) -> HttpResponse:
    unarchive_template(found(request, pk), by=request.user)
    return redirect("whatsapp-template", pk)


@require_POST
@may("manage")
def settings(request: MemberRequest) -> HttpResponse:
    needs_template = request.POST.get("needs_template") == "on"
    change_whatsapp_settings(request.workspace, needs_template=needs_template, by=request.user)
    messages.success(request, "The setting is saved.")
    return redirect("whatsapp-templates")


def found(request: MemberRequest, pk: int) -> WhatsAppTemplate:
    return get_object_or_404(request.workspace.whatsapp_templates.select_related("workspace"), pk=pk)


def posted(request: MemberRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None
