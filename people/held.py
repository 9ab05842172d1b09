"""Rows held until the transaction ends. Everybody takes them in this order: the workspace, groups, people."""

from collections.abc import Collection

from accounts.models import Workspace
from people.models import Group


def hold_workspace(pk: int) -> Workspace:
    """Nobody adds people to it, or addresses to its suppression list, before this is over."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=pk)


def hold_groups(pks: Collection[int]) -> None:
    """Nobody joins or leaves these by a wish before this is over.

    The rows that tell of it lock their group only when they are committed, which is too late to see each other.
    """
    list(Group.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True).values_list("pk"))
