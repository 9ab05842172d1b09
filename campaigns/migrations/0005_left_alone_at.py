from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0004_restored_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='left_alone_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='messages could not be moved to a file at'),
        ),
    ]
