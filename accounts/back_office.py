"""What all lists and forms of the admin have in common: quick on a million rows, and written into the audit log."""

from copy import copy
from dataclasses import dataclass
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
        gone = [copy(row.form.instance) for row in rows if row.is_deleted]  # deleting takes their number away
        super().save_related(request, form, formsets, change)
        kept = [(row.form, row.original) for row in rows if row.form.has_changed() and not row.is_deleted]
        notes = [Note("delete", row, words_of(row)) for row in gone]
        notes += [Note.of(form, form.original, hidden=self.hidden), *(Note.of(*each) for each in kept)]
        # Always in the same order: at the commit each chain is held, and two that wait for each other never end.
        for note in sorted(notes, key=lambda note: chain_of(note.row)):
            if note.verb == "delete" or note.after:
                log(request, note.verb, note.row, before=note.before, after=note.after, hidden=note.hidden)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        log(request, "delete", obj, before=words_of(obj), hidden=self.hidden)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in sorted(queryset, key=chain_of):
            log(request, "delete", row, before=words_of(row), hidden=self.hidden)
        super().delete_queryset(request, queryset)


class RowForm:
    """A row on the page of another, as it stood before it was saved."""

    def __init__(self, form: Any, is_deleted: bool) -> None:
        self.form, self.is_deleted = form, is_deleted and form.instance.pk is not None
        self.original = original_of(form.instance) if form.has_changed() else None


def original_of(row: Model) -> Model | None:
    return type(row)._base_manager.filter(pk=row.pk).first() if row.pk else None


@dataclass(frozen=True)
class Note:
    """What is to be written of a row that was saved or deleted."""

    verb: str
    row: Model
    before: dict[str, Any]
    after: dict[str, Any] | None = None
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: Any, original: Model | None, hidden: tuple[str, ...] = ()) -> "Note":
        return cls("update" if original else "create", form.instance, *differing(form, original), hidden)


def chain_of(row: Model) -> int:
    workspace = workspace_of(row)
    return workspace.pk if workspace else 0


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
