"""The ledger in the admin, to be looked at: only the limit of a pace can be changed. And the queues, for superusers."""

from functools import cached_property, wraps
from typing import cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard

from dispatcher.models import Attempt, Batch, Heartbeat, Message, Pace, Settlement


class CountedToALimit(Paginator):
    """Counts no further than anybody pages: nobody waits for the count of a million rows."""

    LIMIT = 10_000

    @cached_property
    def count(self) -> int:
        return cast(QuerySet, self.object_list)[: self.LIMIT].count()


class Looked(admin.ModelAdmin):
    """Read-only: these rows are written by launch, lease and settle alone."""

    paginator = CountedToALimit
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Batch)
class BatchAdmin(Looked):
    list_display = [
        "id",
        "campaign",
        "first",
        "last",
        "due_at",
        "owner",
        "epoch",
        "pending",
        "sent",
        "failed",
        "unknown",
    ]
    list_select_related = ["campaign"]
    ordering = ["-id"]


@admin.register(Message)
class MessageAdmin(Looked):
    list_display = ["id", "campaign", "number", "address", "status", "tries", "retry_count", "last_error"]
    list_select_related = ["campaign"]
    ordering = ["-id"]


@admin.register(Attempt)
class AttemptAdmin(Looked):
    list_display = ["id", "message", "outcome", "category", "error", "at"]
    list_select_related = ["message"]
    ordering = ["-id"]


@admin.register(Settlement)
class SettlementAdmin(Looked):
    list_display = ["id", "campaign", "at", "settled"]
    list_select_related = ["campaign"]
    ordering = ["-id"]


@admin.register(Heartbeat)
class HeartbeatAdmin(Looked):
    list_display = ["name", "at"]


@admin.register(Pace)
class PaceAdmin(admin.ModelAdmin):
    list_display = ["workspace", "channel", "sender", "limit", "rate", "closed_until", "slowed_at"]
    list_select_related = ["workspace"]
    readonly_fields = ["rate", "tokens", "refilled_at", "closed_until", "slowed_at"]

    def get_readonly_fields(self, request, obj=None) -> list[str]:
        return [*self.readonly_fields, *(["workspace", "channel", "sender"] if obj else [])]


def superusers_only(view):
    """A view that answers 403 to everybody else: who can requeue jobs can do what he likes."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not (request.user.is_active and request.user.is_superuser):
            raise PermissionDenied("Only superusers may look at the queues.")
        return view(request, *args, **kwargs)

    return guarded


# django-rq registers its dashboard for all staff.
admin.site.unregister(Dashboard)


@admin.register(Dashboard)
class QueueDashboard(QueueAdmin):
    def has_module_permission(self, request) -> bool:
        return request.user.is_superuser

    def get_urls(self) -> list:
        urls = super().get_urls()
        for pattern in urls:
            pattern.callback = superusers_only(pattern.callback)
        return urls
