"""What belongs to campaigns in the admin, to be looked at; campaigns themselves: dispatcher."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.back_office import ReadOnly
from campaigns.models import (
    ChosenPersonaliser,
    Image,
    ImageFile,
    Linking,
    PartPrice,
    Recurrence,
    Split,
    StatusChange,
    Template,
    TemplateStatus,
    TemplateVersion,
    WhatsAppSettings,
    WhatsAppTemplate,
    Wording,
)


class History(admin.TabularInline):
    """What became of the campaign; written by `move_to` alone."""

    model = StatusChange
    extra = 0
    can_delete = False
    fields = readonly_fields = ("at", "from_status", "to_status", "by", "key", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("by", "key")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(StatusChange)
class StatusChanges(ReadOnly):
    list_display = ("id", "campaign", "from_status", "to_status", "actor", "reason", "at")
    list_filter = ("to_status", "at")
    list_select_related = ("campaign", "by", "key")
    search_fields = ("campaign__name", "reason")
    ordering = ("-id",)


@admin.register(Wording)
class Wordings(ReadOnly):
    list_display = ("campaign", "variant", "language", "subject")
    list_filter = ("language",)
    list_select_related = ("campaign",)
    search_fields = ("campaign__name", "subject")
    ordering = ("-id",)


@admin.register(Recurrence)
class Series(ReadOnly):
    list_display = ("name", "workspace", "words", "channel", "made", "until", "count", "ended_at")
    list_filter = ("channel", "unit", "ended_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    ordering = ("-id",)
    exclude = ("picked", "excluded")  # there may be a million of them


@admin.register(Image)
class Images(ReadOnly):
    list_display = ("name", "workspace", "alt", "format", "width", "height", "size", "added_by", "added_at")
    list_filter = ("format", "added_at")
    list_select_related = ("workspace", "added_by")
    search_fields = ("name", "alt", "workspace__name")
    ordering = ("-id",)


@admin.register(ImageFile)
class ImageFiles(ReadOnly):
    list_display = ("image",)
    list_select_related = ("image",)
    ordering = ("-image",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("data", "small")


@admin.register(Split)
class Splits(ReadOnly):
    list_display = ("campaign", "words", "tested", "hold_out", "measure", "winner", "chosen_at")
    list_filter = ("measure", "winner")
    list_select_related = ("campaign",)
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(Linking)
class Linkings(ReadOnly):
    list_display = ("campaign", "total", "up_to", "linked", "skipped", "wrong", "moved_at", "done_at")
    list_filter = ("done_at",)
    list_select_related = ("campaign",)
    search_fields = ("campaign__name",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("addresses")


@admin.register(ChosenPersonaliser)
class ChosenPersonalisers(ReadOnly):
    list_display = ("workspace", "personaliser", "is_on")
    list_filter = ("personaliser", "is_on")


@admin.register(WhatsAppTemplate)
class WhatsAppTemplates(ReadOnly):
    list_display = ("name", "language", "workspace", "category", "status", "archived_at", "updated_at")
    list_filter = ("status", "category", "language")
    list_select_related = ("workspace",)
    search_fields = ("name", "provider_id", "workspace__name")
    ordering = ("-id",)


@admin.register(TemplateStatus)
class TemplateStatuses(ReadOnly):
    list_display = ("id", "template", "from_status", "to_status", "actor", "reason", "at")
    list_filter = ("to_status", "at")
    list_select_related = ("template", "by", "key")
    search_fields = ("template__name", "reason")
    ordering = ("-id",)


@admin.register(WhatsAppSettings)
class WhatsAppSettingsOfAll(ReadOnly):
    list_display = ("workspace", "needs_template")
    list_filter = ("needs_template",)
    list_select_related = ("workspace",)
    search_fields = ("workspace__name",)
    ordering = ("-id",)


@admin.register(Template)
class Templates(ReadOnly):
    list_display = ("name", "workspace", "channel", "version", "archived_at", "created_by", "created_at")
    list_filter = ("channel", "archived_at")
    list_select_related = ("workspace", "created_by")
    search_fields = ("name", "workspace__name")
    ordering = ("-id",)


@admin.register(TemplateVersion)
class TemplateVersions(ReadOnly):
    list_display = ("template", "number", "format", "subject", "written_by", "written_at")
    list_filter = ("format", "written_at")
    list_select_related = ("template", "written_by")
    search_fields = ("template__name", "subject")
    ordering = ("-id",)


@admin.register(PartPrice)
class PartPrices(ReadOnly):
    """Set on the page of the workspace."""

    list_display = ("workspace", "channel", "amount", "currency")
    list_filter = ("channel", "currency")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name",)
