"""What is done about the dead letters of many campaigns at once: tried again, or dismissed."""

from collections.abc import Iterable, Sequence
from typing import Any

from accounts.models import Actor
from dispatcher import dismissals, operations
from dispatcher.dead_letters import Letters
from dispatcher.dismissals import Result
from dispatcher.models import Category

AT_ONCE = 200  # campaigns of which dead letters are tried again by one press
ALL: tuple[None] = (None,)


def retry_dead(
    chosen: Iterable[Letters],
    categories: Sequence[Category | None] = ALL,
    *,
    by: Actor,
    numbers: list[int] | None = None,
) -> Result:
    """Try again what is on the list, all or these causes or numbers; what was dismissed stays as it is.

    Of more than AT_ONCE campaigns the others are `left`.
    """
    campaigns = [letters.campaign for letters in chosen if letters.count or numbers]
    result = Result(left=max(0, len(campaigns) - AT_ONCE))
    for category in categories:
        which: dict[str, Any] = {"numbers": numbers} if numbers else {"category": category, "spare_dismissed": True}
        result.add(operations.retry_failed, campaigns[:AT_ONCE], by=by, **which)
    return result


def dismiss_dead(chosen: Iterable[Letters], categories: Sequence[Category | None] = ALL, *, by: Actor) -> Result:
    """Take what is on the list off it, all or these causes."""
    campaigns, result = [letters.campaign for letters in chosen if letters.count], Result()
    for category in categories:
        result.add(dismissals.dismiss, campaigns, by=by, category=category)
    return result
