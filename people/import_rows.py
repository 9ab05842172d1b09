"""The rows of an import by what became of them, in their order."""

from people.models import Import, ImportRow


def rows_with(upload: Import, verdict: str, after: int, most: int) -> list[ImportRow]:
    """At most so many after this row; what the import counted none of is not looked for."""
    if verdict in (*ImportRow.Verdict.labels, "kept") and not getattr(upload, verdict):
        return []
    rows = upload.verdicts.filter(number__gt=after).order_by("number")
    if verdict in ImportRow.Verdict.labels:
        rows = rows.filter(verdict=ImportRow.Verdict[verdict.upper()])
    elif verdict == "kept":
        rows = rows.filter(is_kept=True)
    return list(rows[:most])
