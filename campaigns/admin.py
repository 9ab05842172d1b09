from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from campaigns.models import Campaign, StatusChange


class History(admin.TabularInline):
    """What became of the campaign; written by `move_to` alone."""

    model = StatusChange
    extra = 0
    can_delete = False
    fields = readonly_fields = ("at", "from_status", "to_status", "by", "reason")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Campaign)
class Campaigns(admin.ModelAdmin):
    """Campaigns to look at: they are written and sent on their own pages, where every rule holds."""

    list_display = ("name", "workspace", "channel", "status", "priority", "scheduled_at", "created_at")
    list_filter = ("status", "channel", "priority", "workspace")
    list_select_related = ("workspace",)
    search_fields = ("name",)
    show_full_result_count = False
    inlines = (History,)
    fieldsets = (
        (None, {"fields": ("workspace", "name", "channel", "status", "priority", "subject", "body")}),
        ("Audience", {"fields": ("audience_words",)}),
        ("When", {"fields": ("scheduled_at", "launched_at", "finished_at", "created_by", "created_at", "updated_at")}),
    )
    readonly_fields = [field for _, options in fieldsets for field in options["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return False
