"""The people of all workspaces in the admin, to be looked at: only pages, imports and the API write them."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.back_office import ReadOnly
from people.models import (
    AttributeName,
    ConsentEvent,
    ConsentSettings,
    Group,
    Import,
    ImportPart,
    ImportRow,
    LeftGroup,
    ListLook,
    Recipient,
    Reply,
    Segment,
    StagedRow,
    Suppression,
    SuppressionKey,
)


@admin.register(Recipient)
class Recipients(ReadOnly):
    list_display = ("__str__", "email", "phone", "workspace", "opted_out", "created_at")
    list_filter = ("opted_out", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("=email", "=phone")
    ordering = ("-id",)


@admin.register(Group)
class Groups(ReadOnly):
    list_display = ("name", "workspace", "description", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")


@admin.register(Segment)
class Segments(ReadOnly):
    list_display = ("name", "workspace", "created_at", "updated_at")
    list_filter = ("created_at",)
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")


@admin.register(AttributeName)
class AttributeNames(ReadOnly):
    list_display = ("name", "workspace")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")


@admin.register(Import)
class Imports(ReadOnly):
    list_display = (
        *("name", "workspace", "status", "expected", "rows", "created", "updated", "unchanged", "rejected"),
        *("created_at", "finished_at"),
    )
    list_filter = ("status", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    ordering = ("-id",)


@admin.register(ImportRow)
class ImportRows(ReadOnly):
    list_display = ("upload", "line", "verdict", "address", "reason")
    list_filter = ("verdict",)
    list_select_related = ("upload",)
    search_fields = ("address__exact",)
    ordering = ("-id",)
    fields = ("upload", "number", "line", "verdict", "address", "reason", "recipient_id", "cells", "before")


@admin.register(ImportPart)
class ImportParts(ReadOnly):
    list_display = ("upload", "number")
    list_select_related = ("upload",)
    ordering = ("-id",)
    exclude = ("data",)

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("data")


@admin.register(StagedRow)
class StagedRows(ReadOnly):
    list_display = ("upload", "line", "address", "problem", "fault")
    list_filter = ("problem",)
    list_select_related = ("upload",)
    search_fields = ("address__exact",)
    ordering = ("-id",)


@admin.register(ConsentEvent)
class ConsentEvents(ReadOnly):
    list_display = ("recipient_id", "workspace", "wish", "channel", "how", "reason", "at")
    list_filter = ("wish", "how", "channel", "at")
    list_select_related = ("workspace",)
    search_fields = ("=recipient__email", "=recipient__phone")
    ordering = ("-id",)


@admin.register(LeftGroup)
class LeftGroups(ReadOnly):
    list_display = ("recipient", "group", "at")
    list_select_related = ("recipient", "group")
    search_fields = ("=recipient__email", "=recipient__phone")


@admin.register(Suppression)
class Suppressions(ReadOnly):
    list_display = ("__str__", "workspace", "reason", "note", "by", "created_at")
    list_filter = ("reason", "created_at")
    list_select_related = ("workspace", "by")
    search_fields = ("=address",)
    ordering = ("-id",)
    exclude = ("digest",)


@admin.register(Reply)
class Replies(ReadOnly):
    list_display = ("number", "workspace", "channel", "meaning", "text", "at")
    list_filter = ("meaning", "channel", "at")
    list_select_related = ("workspace",)
    search_fields = ("=number",)
    ordering = ("-id",)


@admin.register(SuppressionKey)
class SuppressionKeys(ReadOnly):
    list_display = ("__str__",)
    exclude = ("digest",)


@admin.register(ListLook)
class ListLooks(ReadOnly):
    list_display = ("workspace", "up_to", "moved_at")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name",)


@admin.register(ConsentSettings)
class SettingsOfConsent(ReadOnly):
    list_display = ("workspace", "sms_link", "whatsapp_link")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name",)
