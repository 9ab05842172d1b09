from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatcher", "0003_senders")]

    operations = [
        migrations.AddField(
            model_name="dismissal",
            name="count",
            field=models.IntegerField(db_default=0, verbose_name="how many of the failures of this cause"),
        ),
    ]
