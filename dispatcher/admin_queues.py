"""The queues in the admin, for superusers: django-rq shows them to all staff."""

from functools import wraps

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard
from rq.exceptions import NoSuchJobError


def superusers_only(view):
    """A view that answers 403 to everybody else: who can requeue jobs can do what he likes."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not (request.user.is_active and request.user.is_superuser):
            raise PermissionDenied("Only superusers may look at the queues.")
        try:
            return view(request, *args, **kwargs)
        except (NoSuchJobError, ValueError, ImproperlyConfigured) as error:
            raise Http404("There is no such job, worker or scheduler.") from error

    return guarded


admin.site.unregister(Dashboard)


@admin.register(Dashboard)
class QueueDashboard(QueueAdmin):
    def has_module_permission(self, request) -> bool:
        return request.user.is_superuser

    def get_urls(self) -> list:
        # There is no table of queues, and so no row to look at.
        urls = [pattern for pattern in super().get_urls() if "<path:object_id>" not in str(pattern.pattern)]
        for pattern in urls:
            pattern.callback = superusers_only(pattern.callback)
        return urls
