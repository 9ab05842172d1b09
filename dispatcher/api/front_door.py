"""The API: programs ask with a key and are answered in JSON, whatever becomes of their request."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLResolver, reverse
from django.urls.resolvers import RegexPattern
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.security import HttpBearer
from ninja.utils import replace_path_param_notation

from accounts.models import ApiKey
from accounts.once import once, once_called_out
from campaigns.api import images, settings, templates, whatsapp
from dispatcher.api import (
    admission,
    again,
    attention,
    audience,
    campaigns,
    checks,
    customers,
    dry_runs,
    house,
    ledger,
    letters,
    message,
    senders,
    series,
    trials,
    variants,
    verbs,
    wordings,
)
from dispatcher.api.bodies import read_body, refuse_unasked
from dispatcher.api.errors import ANSWERS, not_allowed, possible
from dispatcher.api.errors_of_people import REFUSED
from dispatcher.api.schema import completed
from people.api import (
    complaints,
    consent,
    consent_settings,
    groups,
    imports,
    membership,
    recipients,
    replies,
    segments,
    suppressions,
)


class Key(HttpBearer):
    """Lets a request work as a member would: in the key's workspace, with the key's role. Cookies count for nothing."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = admission.asker_of(request)
        if key:
            refuse_unasked(request, api)
            request.membership, request.workspace = key, key.workspace  # type: ignore[attr-defined]
        return key


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        return read_body(request)


class Docs(Swagger):
    """Swagger UI, served by ourselves; nothing of it needs more than the Content-Security-Policy allows."""

    def get_openapi_url(self, api: NinjaAPI, path_params: dict[str, Any]) -> str:
        return reverse("api", args=["/openapi.json"])


class API(NinjaAPI):
    def get_root_path(self, path_params: dict[str, Any]) -> str:
        return "/"  # of the server the description names

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **place: Any) -> OpenAPISchema:
        return self.description_of_all

    @cached_property
    def description_of_all(self) -> OpenAPISchema:
        return completed(super().get_openapi_schema())


api = API(
    title="Campaign Dispatcher",
    description="Write campaigns, say who gets them, send them, and read what became of every message.",
    auth=Key(),
    parser=StrictParser(),
    docs=Docs(),
    servers=[{"url": "/api", "description": "This installation"}],
)
for error, answer in (ANSWERS | REFUSED).items():
    api.add_exception_handler(error, answer)
api.add_router("", verbs.router)  # before the numbers of campaigns: one of them is called "send"
api.add_router("", campaigns.router)
api.add_router("", audience.router)
api.add_router("", variants.router)
api.add_router("", wordings.router)
api.add_router("", checks.router)
api.add_router("", dry_runs.router)
api.add_router("", trials.router)
api.add_router("", again.router)
api.add_router("", series.router)
api.add_router("", ledger.router)
api.add_router("", message.router)
api.add_router("", letters.router)
api.add_router("", attention.router)
api.add_router("", house.router)
api.add_router("", templates.router)
api.add_router("", whatsapp.router)
api.add_router("", images.router)
api.add_router("", customers.router)
api.add_router("", recipients.router)
api.add_router("", consent.router)
api.add_router("", groups.router)
api.add_router("", membership.router)
api.add_router("", imports.router)
api.add_router("", segments.router)
api.add_router("", suppressions.router)
api.add_router("", replies.router)
api.add_router("", complaints.router)
api.add_router("", settings.router)
api.add_router("", senders.router)
api.add_router("", consent_settings.router)

ROUTES = URLResolver(RegexPattern("^"), api.urls[0])
POSTED: dict[str, Any] = {  # what stands behind each of them for a POST
    f"api/{replace_path_param_notation(path)}": operation.view_func
    for _, router in api._routers
    for path, place in router.path_operations.items()
    for operation in place.operations
    if "POST" in operation.methods
}


def answered_once(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """A POST with an Idempotency-Key is done once; whose key is not known has nothing done.

    Nothing is told again to a key that may not do it any more.
    """
    word, key = request.headers.get("Idempotency-Key"), request.asker  # type: ignore[attr-defined]
    route = request.resolver_match.route if request.resolver_match else ""
    view = POSTED.get(route) if request.method == "POST" else None
    if key is None or word is None or view is None:
        return answer()
    given = (once_called_out if hasattr(view, "calls_out") else once)(key, word, request, answer)
    return given if key.may(view.ability) or "Idempotent-Replayed" not in given else answer()


@csrf_exempt
@login_not_required
def front_door(request: HttpRequest, route: str) -> HttpResponse:
    """Every address below /api, with or without a slash at its end; the server keeps back the body of a HEAD."""
    asked, request.method = request.method, "GET" if request.method == "HEAD" else request.method
    try:
        found = ROUTES.resolve(route.removeprefix("/").removesuffix("/"))
        found.route = f"api/{found.route}"
        request.resolver_match = found  # what the log tells is the operation, not that it was one
        with admission.admitted(request) as place:
            answer = answered_once(request, partial(found.func, request, *found.args, **found.kwargs))
            if answer.streaming:
                admission.keep_while_written(place, answer)
    except Exception as error:  # an unknown route, or a fault outside any operation
        answer = api.on_exception(request, error)
    request.method = asked
    if answer.status_code == 405:
        answer = (possible if asked == "OPTIONS" else not_allowed)(request, answer["Allow"])
    admission.tell(request, answer)
    answer["Cache-Control"] = "no-store"
    return answer
