"""The people of all workspaces in the admin, to be looked at: only pages, imports and the API write them."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.back_office import ReadOnly
from people.models import AttributeName, Group, Import, ImportRow, Recipient


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
    exclude = ("source",)

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("source")


@admin.register(ImportRow)
class ImportRows(ReadOnly):
    list_display = ("upload", "line", "verdict", "address", "reason")
    list_filter = ("verdict",)
    list_select_related = ("upload",)
    search_fields = ("address__exact",)
    ordering = ("-id",)
    fields = ("upload", "number", "line", "verdict", "address", "reason", "recipient_id")

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("upload__source")
