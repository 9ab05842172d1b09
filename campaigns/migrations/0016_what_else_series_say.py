from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0015_whatsapp_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="recurrence",
            name="others",
            field=models.JSONField(
                db_default={},
                default=dict,
                editable=False,
                verbose_name="how its people are divided, words of variants and languages",
            ),
        ),
    ]
