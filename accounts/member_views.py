"""The pages of members and invitations."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import logins, mail, members, reset_links, two_factor
from accounts.access import MemberRequest, may
from accounts.forms import InviteForm, JoinForm, RoleForm, roles_up_to
from accounts.members import InvitationOver, NotPossible
from accounts.models import Invitation, Membership, User, as_kept

HAS_TWO_FACTOR = Exists(TOTPDevice.objects.filter(user=OuterRef("user"), confirmed=True))


@require_GET
@may("manage")
def show_members(request: MemberRequest) -> HttpResponse:
    return draw(request, InviteForm(request.membership.role))


def draw(request: MemberRequest, form: InviteForm) -> HttpResponse:
    rows = request.workspace.memberships.select_related("user").annotate(has_two_factor=HAS_TWO_FACTOR)
    context = {
        "members": rows.order_by("-role", "user__name", "user__email"),
        "invitations": request.workspace.invitations.filter(accepted_at=None, revoked_at=None).order_by("-pk"),
        "form": form,
        "mine": request.membership,
    }
    return render(request, "accounts/members.html", context, status=422 if form.errors else 200)


@require_POST
@may("manage")
def invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.membership.role, request.POST)
    if not form.is_valid():
        return draw(request, form)
    try:
        invitation, token = members.invite(request.workspace, **form.cleaned_data, by=request.user)
    except NotPossible as refusal:
        form.add_error("email", str(refusal))
        return draw(request, form)
    return show_link(request, invitation, token)


@require_POST
@may("manage")
def resend(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = open_invitation(request, pk)
    try:
        return show_link(request, invitation, members.resend(invitation, by=request.user))
    except NotPossible as refusal:
        messages.error(request, str(refusal))
        return redirect("members")


@never_cache
def show_link(request: MemberRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Mails the link, or shows it once where no mail server takes it.

    Whoever has it makes the account for that address: who invites sees it only if there is no other way.
    """
    link = request.build_absolute_uri(reverse("join", args=[token]))
    text = render_to_string(
        "accounts/invitation_mail.txt", {"invitation": invitation, "link": link, "by": request.user}
    )
    mailed = mail.is_mailed(invitation.email, f"Join {invitation.workspace} on Campaign Dispatcher", text)
    context = {"invitation": invitation, "link": "" if mailed else link}
    if not mailed:
        context |= {"can_mail": settings.CAN_MAIL, "goes_to_log": mail.goes_to_log()}
    return render(request, "accounts/invitation.html", context)


@require_POST
@may("manage")
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = open_invitation(request, pk)
    try:
        members.revoke(invitation, by=request.user)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The invitation of {invitation.email} is taken back; its link opens nothing.")
    return redirect("members")


def open_invitation(request: MemberRequest, pk: int) -> Invitation:
    return get_object_or_404(request.workspace.invitations, pk=pk, accepted_at=None, revoked_at=None)


@require_http_methods(["GET", "POST"])
@may("manage")
def member(request: MemberRequest, pk: int) -> HttpResponse:
    """One member: role, and what can be done when somebody is locked out."""
    found = found_member(request, pk)
    if request.method == "POST":
        form = RoleForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Choose one of the roles.")
            return redirect("member", pk)
        try:
            members.change_role(found, form.cleaned_data["role"], by=request.user)
        except NotPossible as refusal:
            messages.error(request, str(refusal))
            return redirect("member", pk)
        messages.success(request, f"{found.user} is {form.cleaned_data['role'].label} now.")
        return redirect("members")
    return draw_member(request, found)


def draw_member(request: MemberRequest, found: Membership, link: str = "") -> HttpResponse:
    context = {
        "member": found,
        "roles": roles_up_to(request.membership.role),
        "may_change": found.role <= request.membership.role,
        "may_rescue": members.may_rescue(request.user, found.user),
        "link": link,
    }
    return render(request, "accounts/member.html", context)


@require_http_methods(["GET", "POST"])
@may("manage")
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    found = found_member(request, pk)
    if found.role > request.membership.role:
        raise PermissionDenied("Only an owner can change or remove an owner.")
    if request.method == "GET":
        return render(request, "accounts/remove.html", {"member": found})
    try:
        members.remove(found, by=request.user)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
        return redirect("members")
    messages.success(request, f"{found.user} is not a member of {request.workspace} any more.")
    return redirect("campaigns" if found.user_id == request.user.pk else "members")


@never_cache
@require_POST
@may("manage")
def reset_link(request: MemberRequest, pk: int) -> HttpResponse:
    """A link to set a new password, shown once, for a member who cannot be mailed one."""
    found = rescued(request, pk)
    uid = urlsafe_base64_encode(force_bytes(found.user_id))
    token = reset_links.make_reset_link(found, by=request.membership)
    return draw_member(request, found, request.build_absolute_uri(reverse("new-password", args=[uid, token])))


@require_POST
@may("manage")
def member_two_factor_off(request: MemberRequest, pk: int) -> HttpResponse:
    """For a member who lost phone and recovery codes."""
    found = rescued(request, pk)
    two_factor.turn_off(found.user, by=request.user, workspace=request.workspace)
    messages.success(request, f"Two-factor login of {found.user} is off. They log in with the password alone.")
    return redirect("member", pk)


def rescued(request: MemberRequest, pk: int) -> Membership:
    found = found_member(request, pk)
    if not members.may_rescue(request.user, found.user):
        raise PermissionDenied("That takes at least the same role in every workspace this person belongs to.")
    return found


def found_member(request: MemberRequest, pk: int) -> Membership:
    rows = request.workspace.memberships.select_related("user", "workspace").annotate(has_two_factor=HAS_TWO_FACTOR)
    return get_object_or_404(rows, pk=pk)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation leads: a new person makes an account, a known one logs in and accepts."""
    try:
        invitation = members.invitation_of(token)
        return joined(request, invitation)
    except InvitationOver as refusal:
        return render(request, "accounts/join_over.html", {"sentence": str(refusal)}, status=410)


def joined(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    known = User.objects.filter(email=as_kept(invitation.email)).exists()
    form = JoinForm(invitation.email, request.POST if request.method == "POST" and not known else None)
    context = {"invitation": invitation, "form": form, "known": known, "now": timezone.now()}
    user = request.user
    if user.is_authenticated:
        context["is_other"] = user.email != as_kept(invitation.email)
        if request.method == "POST" and not context["is_other"]:
            return welcome(request, members.accept(invitation, user))
    elif form.is_bound and form.is_valid():
        try:
            membership = members.accept_as_new(invitation, **form.cleaned_data)
        except NotPossible:
            return redirect(request.path)  # somebody made the account meanwhile; the page says to log in
        logins.log_in(request, membership.user)
        return welcome(request, membership)
    return render(request, "accounts/join.html", context, status=422 if form.errors else 200)


def welcome(request: HttpRequest, membership: Membership) -> HttpResponse:
    request.session["workspace"] = membership.workspace_id
    messages.success(request, f"Welcome to {membership.workspace}.")
    return redirect("campaigns")
