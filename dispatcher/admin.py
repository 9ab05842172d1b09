"""Campaigns and the ledger in the admin: the verbs of the pages for campaigns, and rows that are only looked at."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import IntegerField, Model, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.back_office import Audited, Quick, ReadOnly, asker
from campaigns.admin import History
from campaigns.authoring import NotEditable, update_campaign
from campaigns.faults import InvalidContent, check_line
from campaigns.models import Campaign, IllegalMove
from dispatcher import admin_queues, file_place, operations, shelf
from dispatcher.books import books_of
from dispatcher.models import (
    Attempt,
    Batch,
    Bookmark,
    ChosenSender,
    Dismissal,
    DryRun,
    Erasure,
    Generation,
    Heartbeat,
    LinkCount,
    LinkHit,
    Message,
    MessageFile,
    Pace,
    Settlement,
    Total,
    Trial,
)
from dispatcher.readiness import LaunchRefused

WHEN = (
    "scheduled_at",
    "launched_at",
    "finished_at",
    "archived_at",
    "stored_at",
    "restored_at",
    "left_alone_at",
    "created_by",
    "created_at",
    "updated_at",
)
__all__ = ["admin_queues"]  # registered by being imported
admin.site.site_header = admin.site.site_title = "Campaign Dispatcher"
admin.site.index_title = "Administration"
REFUSALS = (IllegalMove, LaunchRefused)


def verb(name: str, operation: Callable, description: str) -> Callable:
    """An action that asks the operation of the pages, campaign by campaign, and tells who was refused and why."""

    @admin.action(description=description, permissions=["change"])
    def action(modeladmin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
        done = 0
        for campaign in queryset.order_by("pk"):
            try:
                operation(campaign, by=asker(request))
            except REFUSALS as refusal:
                modeladmin.message_user(request, str(refusal), messages.WARNING)
            else:
                done += 1
        word = name.replace("_", " ")
        modeladmin.message_user(request, f"{word.capitalize()}: done for {done}.", messages.SUCCESS if done else 20)

    action.__name__ = name
    return action


class CampaignAdminForm(forms.ModelForm):
    def clean_name(self) -> str:
        if errors := check_line(self.cleaned_data["name"], "name", missing="Give the campaign a name."):
            raise forms.ValidationError(errors)
        return self.cleaned_data["name"]


@admin.register(Campaign)
class Campaigns(Quick):
    """Name and priority can be changed, by the operations of the pages; all else is done there or by an action."""

    form = CampaignAdminForm
    list_display = (
        "name",
        "workspace",
        "channel",
        "status",
        "priority",
        "sent",
        "failed",
        "launched_at",
    )
    list_filter = ("status", "channel", "priority", "launched_at", "archived_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    ordering = ("-id",)
    inlines = (History,)
    actions = (
        verb("undo", operations.undo, "Take back the chosen campaigns of which nobody got anything yet"),
        verb("pause", operations.pause, "Pause the chosen campaigns"),
        verb("resume", operations.resume, "Resume the chosen campaigns"),
        verb("cancel", operations.cancel, "Cancel the chosen campaigns, for good"),
        verb("retry_failed", operations.retry_failed, "Retry what failed in the chosen campaigns"),
        verb("unschedule", operations.unschedule, "Unschedule the chosen campaigns"),
        verb("archive", shelf.archive, "Archive the chosen campaigns"),
        verb("unarchive", shelf.unarchive, "Take the chosen campaigns out of the archive"),
    )
    fieldsets = (
        (None, {"fields": ("workspace", "name", "channel", "status", "priority", "subject", "body")}),
        ("Audience", {"fields": ("audience_words",)}),
        ("Messages", {"fields": ("counts", "ledger")}),
        ("When", {"fields": WHEN}),
    )
    fixed = ("workspace", "channel", "status", "subject", "body", "audience_words", "counts", "ledger", *WHEN)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = Batch.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
        counts = {
            f"{name}_messages": Subquery(rows.annotate(n=Sum(name)).values("n"), output_field=IntegerField())
            for name in ("sent", "failed")
        }
        return super().get_queryset(request).annotate(**counts)

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> tuple[str, ...]:
        """What was said stays said; the priority matters until it is over."""
        fixed = self.fixed if obj and obj.is_editable else (*self.fixed, "name")
        return (*fixed, "priority") if obj and obj.phase == "completed" else fixed

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        typed = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            if "name" in typed:
                update_campaign(obj, by=asker(request), name=typed["name"])
            if "priority" in typed:
                operations.change_priority(obj, to=Campaign.Priority(typed["priority"]), by=asker(request))
        except (IllegalMove, NotEditable, InvalidContent) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="sent")
    def sent(self, campaign: Any) -> int | None:
        return campaign.sent_messages

    @admin.display(description="failed")
    def failed(self, campaign: Any) -> int | None:
        return campaign.failed_messages

    @admin.display(description="how many")
    def counts(self, campaign: Campaign) -> str:
        """The books as a sum."""
        books = books_of(campaign)
        words = ("pending", "sent", "failed", "skipped", "cancelled", "unknown")
        parts = " + ".join(f"{getattr(books, word):,} {word}" for word in words)
        return f"{books.total:,} = {parts}" if books.total else "not launched yet"

    @admin.display(description="rows")
    def ledger(self, campaign: Campaign) -> str:
        """Links to its rows in the other lists, or the file they were moved to."""
        links = (("messages", "dispatcher_message"), ("batches", "dispatcher_batch"))
        messages, batches = (
            format_html(
                '<a href="{}?campaign__id__exact={}">{}</a>', reverse(f"admin:{name}_changelist"), campaign.pk, word
            )
            for word, name in links
        )
        if campaign.stored_at:
            file = file_place.kept(campaign)
            return format_html("messages in the file {}, {}", file.name if file else "that is not on record", batches)
        return format_html("{}, {}", messages, batches)


@admin.register(Batch)
class Batches(ReadOnly):
    list_display = (
        *("id", "campaign", "first", "last", "variant", "due_at", "owner", "epoch"),
        *("pending", "sent", "failed", "skipped", "cancelled", "unknown"),
    )
    list_filter = ("due_at",)
    list_select_related = ("campaign",)
    search_fields = ("campaign__name", "owner")
    ordering = ("-id",)


@admin.register(Message)
class Messages(ReadOnly):
    list_display = ("id", "campaign", "number", "address", "variant", "status", "tries", "retry_count", "last_error")
    list_filter = ("status", "category", "skip_reason", "delivery")
    list_select_related = ("campaign",)
    search_fields = ("address__exact",)
    ordering = ("-id",)


@admin.register(Attempt)
class Attempts(ReadOnly):
    list_display = ("id", "message", "outcome", "category", "error", "at")
    list_filter = ("outcome", "category", "at")
    list_select_related = ("message",)
    search_fields = ("message__address__exact", "error")
    ordering = ("-id",)


@admin.register(Settlement)
class Settlements(ReadOnly):
    list_display = ("id", "campaign", "at", "settled", "helped", "lapses")
    list_select_related = ("campaign",)
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(Dismissal)
class Dismissals(ReadOnly):
    list_display = ("campaign", "category", "by", "at")
    list_filter = ("category", "at")
    list_select_related = ("campaign", "by")
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(Erasure)
class Erasures(ReadOnly):
    list_display = ("__str__", "workspace", "messages", "by", "at", "out_of_files_at", "done_at", "trouble")
    list_select_related = ("workspace", "by")
    search_fields = ("person__exact",)
    ordering = ("-id",)


@admin.register(MessageFile)
class MessageFiles(ReadOnly):
    """Written by `manage.py archive`; the place says where below ARCHIVE_DIR."""

    list_display = ("name", "campaign", "messages", "bytes", "kept_at", "moved_at", "dropped_at")
    list_filter = ("kept_at",)
    list_select_related = ("campaign",)
    search_fields = ("name", "campaign__name")
    ordering = ("-id",)


@admin.register(Heartbeat)
class Heartbeats(ReadOnly):
    list_display = ("name", "at")
    search_fields = ("name",)


@admin.register(Total)
class Totals(ReadOnly):
    list_display = ("name", "channel", "sender", "label", "n")
    search_fields = ("name",)


@admin.register(ChosenSender)
class ChosenSenders(ReadOnly):
    """Set up on the pages of the workspace, which know what each sender takes; its options may hold secrets."""

    list_display = ("workspace", "channel", "sender", "from_name", "from_address", "updated_at")
    list_filter = ("channel", "sender")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "sender", "from_address")
    exclude = ("options",)


@admin.register(Pace)
class Paces(Audited):
    """The limit can be changed; how fast it goes now is for the engine to say."""

    list_display = ("workspace", "channel", "sender", "limit", "rate", "closed_until", "slowed_at")
    list_filter = ("channel", "sender")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "sender")
    autocomplete_fields = ("workspace",)
    engine = ("rate", "tokens", "refilled_at", "closed_until", "slowed_at", "trouble")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*self.engine, *(("workspace", "channel", "sender") if obj else ()))

    def save_model(self, request: HttpRequest, obj: Pace, form: Any, change: bool) -> None:
        # The engine moves the row: only what was typed is written.
        obj.save(update_fields=form.changed_data if change else None)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(LinkHit)
class LinkHits(ReadOnly):
    list_display = ("campaign", "recipient_id", "kind", "times", "first_at")
    list_filter = ("kind", "first_at")
    list_select_related = ("campaign",)
    search_fields = ("=campaign__id",)


@admin.register(LinkCount)
class LinkCounts(ReadOnly):
    list_display = ("campaign", "kind", "people", "times")
    list_filter = ("kind",)
    list_select_related = ("campaign",)
    search_fields = ("=campaign__id",)


@admin.register(Bookmark)
class Bookmarks(ReadOnly):
    list_display = ("name", "last")


@admin.register(Trial)
class Trials(ReadOnly):
    list_display = ("__str__", "workspace", "campaign", "by", "address", "outcome")
    list_select_related = ("workspace", "campaign", "by")
    ordering = ("-id",)


@admin.register(Generation)
class Generations(ReadOnly):
    list_display = ("campaign", "personaliser", "up_to", "written", "fell_back", "trouble", "begun_at", "done_at")
    list_filter = ("personaliser", "done_at")
    list_select_related = ("campaign",)
    search_fields = ("campaign__name", "trouble")
    ordering = ("-id",)


@admin.register(DryRun)
class DryRuns(ReadOnly):
    list_display = ("__str__", "campaign", "state", "by", "begun_at", "ended_at")
    list_select_related = ("campaign", "by")
    ordering = ("-id",)
