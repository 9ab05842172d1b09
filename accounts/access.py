"""Who is asking, for which workspace, and what they may do."""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.keeping import fields_to_keep
from accounts.models import ApiKey, Membership, User, Workspace

View = TypeVar("View", bound=Callable[..., Any])
# What each ability lets somebody do, and who has it.
LETS = {
    "read": "see this",
    "write": "write campaigns or keep people",
    "send": "send",
    "manage": "change settings and members",
}
TAKES = {
    "read": "",
    "write": ": that takes an editor, a marketer, an admin or an owner",
    "send": ": that takes a marketer, an admin or an owner",
    "manage": ": that takes an admin or an owner",
}
UNPRINTABLE = re.compile("[\x00-\x1f\x7f]|[\ud800-\udfff]")


class MemberRequest(HttpRequest):
    """What a view behind the login is given: who asks, as a member of which workspace."""

    user: User
    memberships: list[Membership]
    membership: Membership
    workspace: Workspace
    is_trusted: bool
    htmx: HtmxDetails


class KeyRequest(HttpRequest):
    """What an API route is given: the key that asks, which stands in for a membership."""

    auth: ApiKey
    membership: ApiKey
    workspace: Workspace


def refuse_unprintable(get_response: Callable) -> Callable:
    """Answers 400 to control characters and lone surrogates in a path or query, which PostgreSQL cannot store."""

    def middleware(request: HttpRequest) -> HttpResponse:
        words = [request.path, *request.GET.keys(), *(v for vs in request.GET.lists() for v in vs[1])]
        if any(UNPRINTABLE.search(word) for word in words):
            sentence = "The address contains characters that cannot be read."
            if request.path.startswith("/api"):
                error = {"code": "INVALID_REQUEST", "message": sentence, "details": {}}
                return JsonResponse({"error": error}, status=400)
            return HttpResponseBadRequest(sentence)
        return get_response(request)

    return middleware


class TwoFactorMissing(PermissionDenied):
    """The workspace lets only those in who log in with a second factor, and this user has none yet."""


class OtherPlace(PermissionDenied):
    """What was posted belongs to a page of another workspace than the one its user works in now."""


def nobody_halfway(get_response: Callable) -> Callable:
    """Takes a user with two-factor login whose session never passed the second step for nobody at all."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]
        return get_response(request)

    return middleware


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Who asks, as the session says; nobody before the second step."""
    user = get_user(request)
    if isinstance(user, User) and user.has_two_factor and DEVICE_ID_SESSION_KEY not in request.session:
        return AnonymousUser()
    return user


def with_workspace(get_response: Callable) -> Callable:
    """Gives every request of a logged-in user its `membership` and `workspace`, looked up when first needed.

    From then on times are those of the workspace's zone, until the request is answered.
    """

    def middleware(request: MemberRequest) -> HttpResponse:
        request.memberships = cast(list[Membership], SimpleLazyObject(lambda: memberships_of(request.user)))
        request.membership = cast(Membership, SimpleLazyObject(lambda: _enter(request)))
        request.workspace = cast(Workspace, SimpleLazyObject(lambda: request.membership.workspace))
        request.is_trusted = cast(bool, SimpleLazyObject(lambda: is_trusted(request.user, request.memberships)))
        with timezone.override(None):
            return get_response(request)

    middleware.process_exception = say_where  # type: ignore[attr-defined]
    return middleware


def is_trusted(user: User, memberships: Iterable[Membership]) -> bool:
    """Whether somebody may make workspaces: their owner writes to anybody by way of the installation's mail server."""
    return user.is_superuser or any(membership.may("manage") for membership in memberships)


def _enter(request: MemberRequest) -> Membership:
    membership = chosen_of(request, request.memberships)
    timezone.activate(membership.workspace.zone)
    return membership


def membership_of(request: HttpRequest) -> Membership:
    """The membership the user is working in. Raises PermissionDenied."""
    return chosen_of(request, memberships_of(request.user))


def memberships_of(user: Any) -> list[Membership]:
    return list(Membership.objects.filter(user=user.pk).select_related("workspace").order_by("pk"))


def chosen_of(request: HttpRequest, memberships: list[Membership]) -> Membership:
    """The chosen one, else the first. Raises PermissionDenied."""
    if not memberships:
        raise PermissionDenied("You are not a member of any workspace yet; ask an owner to invite you.")
    asked = request.session.get("workspace")
    chosen = next((each for each in memberships if each.workspace_id == asked), memberships[0])
    if chosen.workspace.requires_two_factor and not cast(User, request.user).has_two_factor:
        raise TwoFactorMissing(f"{chosen.workspace} asks for two-factor login. Set it up in your account.")
    return chosen


def is_inside(request: MemberRequest) -> bool:
    """Whether a workspace opens to this user now; pages of the own account do without."""
    try:
        return bool(request.membership.pk)
    except PermissionDenied:
        return False


def say_where(request: MemberRequest, exception: Exception) -> HttpResponse | None:
    if isinstance(exception, OtherPlace):
        return show_way_back(request, str(exception))
    return lead_to_two_factor(request, exception) if isinstance(exception, TwoFactorMissing) else None


def lead_to_two_factor(request: MemberRequest, exception: TwoFactorMissing) -> HttpResponse:
    """To the page that sets up the second factor, without which nothing of the workspace opens; text is kept."""
    if fields_to_keep(request) or "X-Stays" in request.headers:
        return render(request, "accounts/two_factor_needed.html", {"exception": exception}, status=403)
    if request.htmx:
        return HttpResponseClientRedirect(resolve_url("two-factor"))
    return redirect("two-factor")


def show_way_back(request: MemberRequest, sentence: str) -> HttpResponse:
    """Refuses what was posted, losing nothing of it, and leads to the workspace it was meant for."""
    meant = places_of(request)
    home = next((each.workspace for each in request.memberships if str(each.workspace_id) in meant), None)
    context = {"sentence": sentence, "home": home}
    return render(request, "accounts/other_workspace.html", context, status=409)


def check_place(request: MemberRequest) -> None:
    """Of two tabs, or after a removal, the older page must not write into another tenant. Raises OtherPlace."""
    here = str(request.workspace.pk)
    strange = places_of(request) - {here}
    if not strange:
        return
    names = {str(each.workspace_id): str(each.workspace) for each in request.memberships}
    if name := next((names[place] for place in strange if place in names), ""):
        raise OtherPlace(f"Nothing was saved. This page belongs to {name}; you are working in {request.workspace} now.")
    raise OtherPlace("Nothing was saved. This page belongs to a workspace in which you no longer work.")


def places_of(request: MemberRequest) -> set[str]:
    """The workspaces for which a posted page and its parts were drawn; that of the session if they do not say."""
    said = {request.headers.get("X-Workspace", ""), *request.POST.getlist("workspace")} - {""}
    chosen = request.session.get("workspace")
    return said or ({str(chosen)} if chosen else set())


def may(ability: str, to: str = "") -> Callable[[View], View]:
    """Lets only members through who may do this; others get 403 and a sentence, in which `to` says what it is."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: MemberRequest, *args, **kwargs) -> HttpResponse:
            if request.method == "POST" and isinstance(request.membership, Membership):
                check_place(request)
            refuse_unless(request, ability, to)
            return view(request, *args, **kwargs)

        guarded.ability = ability  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def refuse_unless(request: Any, ability: str, to: str = "") -> None:
    """Raises PermissionDenied with a sentence for who may not do this here; `to` says what, in words of its own."""
    if not request.membership.may(ability):
        role = request.membership.get_role_display()
        raise PermissionDenied(f"As {role} of {request.workspace} you cannot {to or LETS[ability]}{TAKES[ability]}.")
