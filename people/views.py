"""The pages of people and groups."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from people.back import came_from
from people.channels import Channel
from people.forms import GroupForm, PersonForm
from people.groups import (
    DuplicateGroup,
    GroupInUse,
    add_group,
    change_group,
    delete_group,
    with_counts,
)
from people.listing import WISHES, Asked, NoSuchGroup
from people.models import MEMBERSHIP
from people.plain import NotPlain
from people.recipients import DuplicateRecipient
from people.search import COUNTED, counted, number_in

GROUPS_SHOWN = 500


@require_GET
@may("read")
def people(request: MemberRequest) -> HttpResponse:
    asked = asked_for(request)
    page = asked.page(
        request.workspace,
        before=number_in(request.GET.get("before", "")),
        after=number_in(request.GET.get("after", "")),
    )
    context = {
        "asked": asked,
        "page": page,
        "count": asked.count(request.workspace, page),
        "wishes": {word: words for word, (words, _) in WISHES.items()},
        "channels": Channel,
        "groups": request.workspace.groups.all()[:GROUPS_SHOWN],
        "may_write": request.membership.may("write"),
        "may_send": request.membership.may("send"),
        "may_manage": request.membership.may("manage"),
    }
    return render(request, "people/people.html", context)


def asked_for(request: MemberRequest) -> Asked:
    try:
        return Asked.of(request.GET, request.workspace)
    except NoSuchGroup:
        raise Http404 from None


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def person(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    known = get_object_or_404(request.workspace.recipients, pk=pk) if pk else None
    back = came_from(request, reverse("person", args=[known.pk]) if known else reverse("people"))
    form = PersonForm(request.workspace, request.POST or None, known)
    if form.is_bound and form.is_valid():
        try:
            saved = form.save(by=request.user)
        except (NotPlain, DuplicateRecipient) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{saved} is saved.")
            return redirect(back)
    context = {"form": form, "person": known, "back": back}
    return render(request, "people/person_form.html", context, status=422 if form.errors else 200)


@require_GET
@may("read")
def groups(request: MemberRequest) -> HttpResponse:
    context = {
        "groups": with_counts(request.workspace.groups.all())[:GROUPS_SHOWN],
        "counted": COUNTED,
        "may_write": request.membership.may("write"),
    }
    return render(request, "people/groups.html", context)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def group(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    known = get_object_or_404(request.workspace.groups, pk=pk) if pk else None
    initial = {field: getattr(known, field) for field in GroupForm.base_fields} if known else {}
    form = GroupForm(request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            if known:
                change_group(known, by=request.user, **form.cleaned_data)
            else:
                add_group(request.workspace, by=request.user, **form.cleaned_data)
        except DuplicateGroup as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"The group “{form.cleaned_data['name']}” is saved.")
            return redirect("groups")
    context = {"form": form, "group": pk and get_object_or_404(request.workspace.groups, pk=pk)}
    return render(request, "people/group.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@may("write")
def group_delete(request: MemberRequest, pk: int) -> HttpResponse:
    group = get_object_or_404(request.workspace.groups, pk=pk)
    sentence = ""
    if request.method == "POST":
        try:
            delete_group(group, by=request.user)
        except GroupInUse as refusal:
            sentence = str(refusal)
        else:
            messages.success(request, f"The group “{group}” is deleted; its people are still here.")
            return redirect("groups")
    count = counted(MEMBERSHIP.objects.filter(group=group))
    context = {"group": group, "count": count, "sentence": sentence}
    return render(request, "people/group_delete.html", context, status=409 if sentence else 200)
