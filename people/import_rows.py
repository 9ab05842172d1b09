"""The rows of an import by what became of them, in their order."""

from django.db.models import Q

from people.models import PARTLY, Import, ImportRow

COUNTED = {verdict.label: Q(verdict=verdict) for verdict in ImportRow.Verdict} | {
    "partly": PARTLY,
    "kept": Q(is_kept=True),
}


def rows_with(upload: Import, verdict: str, after: int, most: int) -> list[ImportRow]:
    """At most so many after this row; what the import counted none of is not looked for."""
    if verdict in COUNTED and not getattr(upload, verdict):
        return []
    rows = upload.verdicts.filter(COUNTED.get(verdict, Q()), number__gt=after)
    return list(rows.order_by("number")[:most])
