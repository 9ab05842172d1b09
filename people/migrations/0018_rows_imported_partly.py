"""Built beside those who write, so that the rows of a long list that lost something are found at once."""

from django.db import migrations, models
from django.db.models import Q

CREATE = """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS import_rows_partly ON people_importrow (upload_id, number)
    WHERE cells IS NOT NULL AND NOT verdict = 4
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS import_rows_partly"
PARTLY = Q(cells__isnull=False) & ~Q(verdict=4)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("people", "0017_import_by_program"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, DROP)],
            state_operations=[
                migrations.AddIndex(
                    model_name="importrow",
                    index=models.Index(fields=["upload", "number"], condition=PARTLY, name="import_rows_partly"),
                )
            ],
        ),
    ]
