from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from campaigns.authoring import check_line
from campaigns.models import Campaign, StatusChange

WHEN = ("scheduled_at", "launched_at", "finished_at", "created_by", "created_at", "updated_at")


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


class CampaignAdminForm(forms.ModelForm):
    def clean_name(self) -> str:
        if errors := check_line(self.cleaned_data["name"], "name", missing="Give the campaign a name."):
            raise forms.ValidationError(errors)
        return self.cleaned_data["name"]


@admin.register(Campaign)
class Campaigns(admin.ModelAdmin):
    """Name and priority can be changed; all else is done on its own pages, where every rule holds."""

    form = CampaignAdminForm
    list_display = ("name", "workspace", "channel", "status", "priority", "scheduled_at", "created_at")
    list_filter = ("status", "channel", "priority", "workspace")
    list_select_related = ("workspace",)
    search_fields = ("name",)
    show_full_result_count = False
    inlines = (History,)
    fieldsets = (
        (None, {"fields": ("workspace", "name", "channel", "status", "priority", "subject", "body")}),
        ("Audience", {"fields": ("audience_words",)}),
        ("When", {"fields": WHEN}),
    )
    readonly_fields = [
        *("workspace", "channel", "status", "subject", "body", "audience_words"),
        *WHEN,
    ]

    def save_model(self, request: HttpRequest, obj: Campaign, form: forms.ModelForm, change: bool) -> None:
        # A worker may be moving the row: only what was typed is written.
        obj.save(update_fields=[*form.changed_data, "updated_at"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return False
