"""Who is asking, for which workspace, and what they may do."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from accounts.models import ApiKey, Membership, User, Workspace

View = TypeVar("View", bound=Callable[..., Any])
UNPRINTABLE = re.compile("[\x00-\x1f\x7f]|[\ud800-\udfff]")


class MemberRequest(HttpRequest):
    """What a view behind the login is given: who asks, as a member of which workspace."""

    user: User
    membership: Membership
    workspace: Workspace
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


def with_workspace(get_response: Callable) -> Callable:
    """Gives every request of a logged-in user its `membership` and `workspace`, looked up when first needed.

    From then on times are those of the workspace's zone, until the request is answered.
    """

    def middleware(request: MemberRequest) -> HttpResponse:
        request.membership = cast(Membership, SimpleLazyObject(lambda: _enter(request)))
        request.workspace = cast(Workspace, SimpleLazyObject(lambda: request.membership.workspace))
        with timezone.override(None):
            return get_response(request)

    return middleware


def _enter(request: HttpRequest) -> Membership:
    membership = membership_of(request)
    timezone.activate(membership.workspace.zone)
    return membership


def membership_of(request: HttpRequest) -> Membership:
    """The membership the user is working in: the chosen one, else the first. Raises PermissionDenied."""
    memberships = Membership.objects.filter(user=request.user.pk).select_related("workspace").order_by("pk")
    chosen = request.session.get("workspace")
    membership = (chosen and memberships.filter(workspace=chosen).first()) or memberships.first()
    if membership is None:
        raise PermissionDenied("You are not a member of any workspace yet; ask an owner to invite you.")
    return membership


def may(ability: str) -> Callable[[View], View]:
    """Lets only members through who may do this; others get 403 and a sentence."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: MemberRequest, *args, **kwargs) -> HttpResponse:
            if not request.membership.may(ability):
                role = request.membership.get_role_display()
                raise PermissionDenied(f"As {role} of {request.workspace} you cannot {ability}.")
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate
