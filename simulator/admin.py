"""What the simulated provider remembers, to be looked at."""

from django.contrib import admin

from accounts.back_office import ReadOnly
from simulator.models import Call, Outage


@admin.register(Call)
class Calls(ReadOnly):
    list_display = ("id", "at", "channel", "address", "accepted", "category", "key")
    list_filter = ("accepted", "at")
    search_fields = ("=key", "address__exact")
    ordering = ("-id",)


@admin.register(Outage)
class Outages(ReadOnly):
    list_display = ("workspace", "until")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name",)
