"""Where somebody came from, and is led back to when a form is saved."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 1_000


def came_from(request: HttpRequest, otherwise: str) -> str:
    """The address in `next`, if it is one of ours."""
    asked = request.GET.get("next", "")
    is_ours = asked.startswith("/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_ours and len(asked) <= LONGEST else otherwise
