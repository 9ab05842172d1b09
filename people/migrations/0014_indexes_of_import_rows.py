"""Built beside those who write; a database that has some of them from an earlier try keeps those."""

from django.db import migrations, models

BUILD = "CREATE INDEX CONCURRENTLY IF NOT EXISTS"
DROP = "DROP INDEX CONCURRENTLY IF EXISTS"


def index(built: str, found: models.Index) -> migrations.SeparateDatabaseAndState:
    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL(f"{BUILD} {found.name} ON people_importrow {built}", f"{DROP} {found.name}")],
        state_operations=[migrations.AddIndex(model_name="importrow", index=found)],
    )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("people", "0013_list_looks"),
    ]

    operations = [
        index(
            "(recipient_id) WHERE recipient_id IS NOT NULL",
            models.Index(condition=models.Q(recipient__isnull=False), fields=["recipient"], name="import_rows_of"),
        ),
        index(
            "(upload_id, number) WHERE is_kept",
            models.Index(condition=models.Q(is_kept=True), fields=["upload", "number"], name="import_rows_kept"),
        ),
        index(
            "(upload_id, verdict, number)",
            models.Index(fields=["upload", "verdict", "number"], name="import_rows_by_verdict"),
        ),
        migrations.RunSQL(f"{DROP} import_rows_rejected", migrations.RunSQL.noop),
    ]
