"""What every page carries of the workspace it was drawn for: one that is posted later must land in no other."""

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import is_inside

register = Library()


@register.simple_tag(takes_context=True)
def form_token(context: Any) -> SafeString:
    """For every form behind the login: the proof that the page is ours, and the workspace it was drawn for."""
    request = getattr(context, "request", None)
    if request is None:
        return SafeString()
    token = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))
    place = place_of(request)
    return token + format_html('<input type="hidden" name="workspace" value="{}">', place) if place else token


@register.simple_tag(takes_context=True)
def drawn_for(context: Any) -> str:
    """The number of the workspace for what htmx posts; empty where none is open."""
    request = getattr(context, "request", None)
    return place_of(request) if request else ""


def place_of(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    if not user or not user.is_authenticated or not hasattr(request, "membership") or not is_inside(request):  # type: ignore[arg-type]
        return ""
    return str(request.workspace.pk)  # type: ignore[attr-defined]
