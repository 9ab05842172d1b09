"""Email addresses are compared as they are kept, and so are kept in lower case."""

from django.db import migrations, models
from django.db.models.functions import Lower


def lower(apps, schema_editor):
    """None meet another by this: `user_email_once` told them apart in lower case before."""
    users = apps.get_model("accounts", "User").objects
    users.exclude(email=Lower("email")).update(email=Lower("email"))


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0003_members"),
    ]

    operations = [
        migrations.RunPython(lower, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", Lower("email"))), name="user_email_in_lower_case"
            ),
        ),
    ]
