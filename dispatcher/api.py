"""The API: programs ask with a key and are answered in JSON, whatever becomes of their request."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLResolver, reverse
from django.urls.resolvers import RegexPattern
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.security import HttpBearer

from accounts.models import ApiKey
from accounts.once import once
from campaigns import api_images, api_settings, api_templates, api_whatsapp
from dispatcher import (
    api_again,
    api_attention,
    api_audience,
    api_campaigns,
    api_checks,
    api_door,
    api_dry_runs,
    api_house,
    api_ledger,
    api_letters,
    api_message,
    api_people,
    api_senders,
    api_series,
    api_trials,
    api_variants,
    api_verbs,
    api_wordings,
)
from dispatcher.api_bodies import read_body, refuse_unasked
from dispatcher.api_errors import ANSWERS, not_allowed, possible
from dispatcher.api_errors_of_people import REFUSED
from dispatcher.api_schema import completed
from people import (
    api_complaints,
    api_consent,
    api_consent_settings,
    api_groups,
    api_imports,
    api_membership,
    api_recipients,
    api_replies,
    api_segments,
    api_suppressions,
)


class Key(HttpBearer):
    """Lets a request work as a member would: in the key's workspace, with the key's role. Cookies count for nothing."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = api_door.asker_of(request)
        if key:
            refuse_unasked(request, api)
            key.used(timezone.now())
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
api.add_router("", api_verbs.router)  # before the numbers of campaigns: one of them is called "send"
api.add_router("", api_campaigns.router)
api.add_router("", api_audience.router)
api.add_router("", api_variants.router)
api.add_router("", api_wordings.router)
api.add_router("", api_checks.router)
api.add_router("", api_dry_runs.router)
api.add_router("", api_trials.router)
api.add_router("", api_again.router)
api.add_router("", api_series.router)
api.add_router("", api_ledger.router)
api.add_router("", api_message.router)
api.add_router("", api_letters.router)
api.add_router("", api_attention.router)
api.add_router("", api_house.router)
api.add_router("", api_templates.router)
api.add_router("", api_whatsapp.router)
api.add_router("", api_images.router)
api.add_router("", api_people.router)
api.add_router("", api_recipients.router)
api.add_router("", api_consent.router)
api.add_router("", api_groups.router)
api.add_router("", api_membership.router)
api.add_router("", api_imports.router)
api.add_router("", api_segments.router)
api.add_router("", api_suppressions.router)
api.add_router("", api_replies.router)
api.add_router("", api_complaints.router)
api.add_router("", api_settings.router)
api.add_router("", api_senders.router)
api.add_router("", api_consent_settings.router)

ROUTES = URLResolver(RegexPattern("^"), api.urls[0])


def answered_once(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """A POST with an Idempotency-Key is done once; whose key is not known has nothing done."""
    word, key = request.headers.get("Idempotency-Key"), request.asker  # type: ignore[attr-defined]
    return once(key, word, request, answer) if key and word is not None and request.method == "POST" else answer()


@csrf_exempt
@login_not_required
def front_door(request: HttpRequest, route: str) -> HttpResponse:
    """Every address below /api, with or without a slash at its end; the server keeps back the body of a HEAD."""
    asked, request.method = request.method, "GET" if request.method == "HEAD" else request.method
    try:
        found = ROUTES.resolve(route.removeprefix("/").removesuffix("/"))
        found.route = f"api/{found.route}"
        request.resolver_match = found  # what the log tells is the operation, not that it was one
        with api_door.admitted(request):
            answer = answered_once(request, partial(found.func, request, *found.args, **found.kwargs))
    except Exception as error:  # an unknown route, or a fault outside any operation
        answer = api.on_exception(request, error)
    request.method = asked
    if answer.status_code == 405:
        answer = (possible if asked == "OPTIONS" else not_allowed)(request, answer["Allow"])
    api_door.tell(request, answer)
    answer["Cache-Control"] = "no-store"
    return answer
