from django.db import migrations, models
from django.db.models import Q

# The people of a group in their order. It does what the two indexes on the single columns did, beside the one that
# keeps a membership from being written twice.
MEMBERS = """
    CREATE INDEX members_page ON people_recipient_groups (group_id, recipient_id);
    DROP INDEX IF EXISTS people_recipient_groups_group_id_6d228064;
    DROP INDEX IF EXISTS people_recipient_groups_recipient_id_9d949d23;
"""
AS_BEFORE = """
    CREATE INDEX people_recipient_groups_recipient_id_9d949d23 ON people_recipient_groups (recipient_id);
    CREATE INDEX people_recipient_groups_group_id_6d228064 ON people_recipient_groups (group_id);
    DROP INDEX members_page;
"""


def page(name: str, condition: Q) -> migrations.AddIndex:
    return migrations.AddIndex("recipient", models.Index(fields=["workspace", "id"], condition=condition, name=name))


class Migration(migrations.Migration):
    dependencies = [("people", "0002_consent")]

    operations = [
        page("opted_out_page", Q(opted_out=True)),
        page("refused_channels_page", Q(opted_out=False) & ~Q(refused_channels=[])),
        page("suppressed_page", Q(email_suppressed=True) | Q(phone_suppressed=True)),
        migrations.RunSQL(MEMBERS, AS_BEFORE),
    ]
