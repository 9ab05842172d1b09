from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0003_stored_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='restored_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='messages brought back from a file at'),
        ),
    ]
