from django.contrib import admin
from django.http import HttpRequest

from people.models import AttributeName, Group, Import, ImportRow, Recipient


class ReadOnly(admin.ModelAdmin):
    """Rows that only the pages and imports write, each in its one normal form."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(Recipient)
class Recipients(ReadOnly):
    list_display = ("__str__", "email", "phone", "workspace", "opted_out")
    list_filter = ("opted_out",)
    list_select_related = ("workspace",)
    search_fields = ("=email", "=phone")


@admin.register(Group)
class Groups(ReadOnly):
    list_display = ("name", "workspace", "description", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("name",)


@admin.register(AttributeName)
class AttributeNames(ReadOnly):
    list_display = ("name", "workspace")
    list_select_related = ("workspace",)


@admin.register(Import)
class Imports(ReadOnly):
    list_display = (
        "name",
        "workspace",
        "status",
        "expected",
        "rows",
        "created",
        "updated",
        "unchanged",
        "rejected",
    )
    list_filter = ("status",)
    list_select_related = ("workspace",)
    exclude = ("source",)


@admin.register(ImportRow)
class ImportRows(ReadOnly):
    list_display = ("upload", "line", "verdict", "address", "reason")
    list_filter = ("verdict",)
    list_select_related = ("upload",)
    search_fields = ("=address",)
    fields = ("upload", "number", "line", "verdict", "address", "reason", "recipient_id")

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("upload__source")
