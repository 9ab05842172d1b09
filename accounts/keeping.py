"""Forms whose text is never lost: what was posted in vain comes back on a page that can post it again."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

View = TypeVar("View", bound=Callable[..., Any])
NOT_KEPT = {"csrfmiddlewaretoken"}


def keeps_what_was_typed(view: View) -> View:
    """Of the page of a form: posted after the session ended, it answers with a page that holds what was typed."""

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method == "POST":
            return render(request, "registration/logged_out.html", status=401)
        return redirect_to_login(request.get_full_path())

    guarded.keeps_what_was_typed = True  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def fields_to_keep(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed into one of our forms on one of our pages; nothing of what another site posted."""
    view = getattr(request.resolver_match, "func", None)
    if request.method != "POST" or not getattr(view, "keeps_what_was_typed", False) or not is_from_here(request):
        return []
    return [(name, value) for name, values in request.POST.lists() if name not in NOT_KEPT for value in values]


def is_from_here(request: HttpRequest) -> bool:
    """Whether a page of this very host sent it, as the browser says (Fetch Metadata, else Origin or Referer)."""
    if said := request.headers.get("Sec-Fetch-Site"):
        return said == "same-origin"
    sender = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    return (sender.scheme, sender.netloc) == (request.scheme, request.get_host())
