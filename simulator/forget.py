"""Forgetting calls: those of a campaign that is deleted, so that the two ledgers still say the same, or to whom.

A real provider is asked to forget somebody in the ways it has for that; the simulated one stands in our own tables.
"""

from django.db.models import QuerySet

from simulator.models import Call


def forget(keys: QuerySet) -> None:
    """Delete the calls with these keys, a query of one column, in one statement."""
    Call.objects.filter(key__in=keys).delete()


def blank(keys: QuerySet) -> None:
    """Take out of the calls with these keys, a query of one column, what tells of a person; that they were stays."""
    Call.objects.filter(key__in=keys).exclude(address="").update(address="", subject="", text="", html_digest="")
