"""What all lists and forms of the admin have in common: quick on a million rows, and written into the audit log."""

from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts import audit_log
from accounts.models import User, Workspace


class CountedToALimit(Paginator):
    """Counts no further than anybody pages: nobody waits for the count of a million rows."""

    LIMIT = 10_000

    @cached_property
    def count(self) -> int:
        return cast(QuerySet, self.object_list)[: self.LIMIT].count()


class Quick(admin.ModelAdmin):
    paginator = CountedToALimit
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each line of each filter
    list_per_page = 50


class ReadOnly(Quick):
    """To be looked at: these rows are written elsewhere, where every rule holds."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Audited(Quick):
    """Every save and delete writes a row into the audit log, as the operations of the pages do."""

    hidden: tuple[str, ...] = ()  # fields of which the log tells only that they changed

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        form.original = original_of(form.instance)
        return super().save_form(request, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        rows = [RowForm(each, each in formset.deleted_forms) for formset in formsets for each in formset.forms]
        for row in rows:
            if row.is_deleted:
                log(request, "delete", row.form.instance, before=words_of(row.form.instance))
        super().save_related(request, form, formsets, change)
        verb = "update" if change else "create"
        log_changes(request, verb, form, form.original, hidden=self.hidden)
        for row in rows:
            if not row.is_deleted:
                log_changes(request, "update" if row.original else "create", row.form, row.original)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        log(request, "delete", obj, before=words_of(obj), hidden=self.hidden)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            log(request, "delete", row, before=words_of(row), hidden=self.hidden)
        super().delete_queryset(request, queryset)


class RowForm:
    """A row on the page of another, as it stood before it was saved."""

    def __init__(self, form: Any, is_deleted: bool) -> None:
        self.form, self.is_deleted = form, is_deleted and form.instance.pk is not None
        self.original = original_of(form.instance) if form.has_changed() else None


def original_of(row: Model) -> Model | None:
    return type(row)._base_manager.filter(pk=row.pk).first() if row.pk else None


def log_changes(request: HttpRequest, verb: str, form: Any, original: Model | None, **values: Any) -> None:
    before, after = differing(form, original)
    if after:
        log(request, verb, form.instance, before=before, after=after, **values)


def log(request: HttpRequest, verb: str, row: Model, **values: Any) -> None:
    """Into the audit log, as done by whoever uses the admin."""
    audit_log.record(workspace_of(row), verb, row, by=asker(request), **values)


def asker(request: HttpRequest) -> User:
    """Nobody else is let into the admin."""
    return cast(User, request.user)


def workspace_of(row: Model) -> Workspace | None:
    return row if isinstance(row, Workspace) else getattr(row, "workspace", None)


def differing(form: ModelForm, original: Model | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that were changed in a form, in the words people read: as they were and as they are."""
    many = {field.name for field in form.instance._meta.many_to_many}
    before, after = {}, {}
    for name in form.changed_data:
        if name in many:
            before[name], after[name] = form.initial.get(name), list(form.cleaned_data[name])
        elif hasattr(form.instance, name):
            before[name] = word_of(original, name) if original else None
            after[name] = word_of(form.instance, name)
    return before, after


def words_of(row: Model) -> dict[str, Any]:
    return {field.name: word_of(row, field.name) for field in row._meta.concrete_fields if field.editable}


def word_of(row: Model, name: str) -> Any:
    in_words = getattr(row, f"get_{name}_display", None)
    return in_words() if in_words else getattr(row, name)
