"""Lists that programs bring: they are asked nothing on the way, so that they say all beforehand."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import transaction

from accounts.models import ApiKey, Workspace
from people.imports import begin, complete, keep_list
from people.models import Import


@transaction.atomic
def begin_as_said(
    workspace: Workspace,
    *,
    name: str,
    by: ApiKey,
    titles: Sequence[str] = (),
    columns: Sequence[str] = (),
    groups: Collection[int] = (),
    is_confirmed: bool = True,
    size: int | None = None,
) -> Import:
    """An import that waits for its list; what is said of the columns is as `mapping_said` takes it.

    It goes on by itself once its list is complete: to the end, or up to the check unless `is_confirmed`. Raises as
    `begin` does.
    """
    said = {"titles": [*titles], "columns": [*columns], "is_confirmed": is_confirmed}
    upload = begin(workspace, name=name, by=by, size=size, **said)
    upload.groups.set(groups)
    return upload


@transaction.atomic
def bring(workspace: Workspace, data: Iterable[bytes], *, by: ApiKey, **said: Any) -> Import:
    """Begin as said with a whole list, given in pieces of any size. Raises UnreadableSheet, with nothing kept."""
    upload = begin_as_said(workspace, by=by, **said)
    keep_list(upload, data)
    return complete(upload, by=by)
