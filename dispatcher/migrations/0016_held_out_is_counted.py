from django.db import migrations

# Those of one more reason are counted at the end of the array.
LONGER = "UPDATE dispatcher_batch SET skipped_by = skipped_by || 0 WHERE cardinality(skipped_by) = 7"
SHORTER = "UPDATE dispatcher_batch SET skipped_by = skipped_by[1:7] WHERE cardinality(skipped_by) = 8"


class Migration(migrations.Migration):
    dependencies = [
        ("dispatcher", "0015_batches_of_variants"),
    ]

    operations = [
        migrations.RunSQL(LONGER, SHORTER),
    ]
