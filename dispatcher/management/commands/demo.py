from django.core.management.base import BaseCommand

from dispatcher import demo


class Command(BaseCommand):
    help = "Makes the demo workspace, and prints its login and API key once; a second run changes nothing."

    def handle(self, *args, **options) -> None:
        secrets = demo.build()
        if secrets is None:
            return
        password, key = secrets
        self.stdout.write(f"Login     {demo.EMAIL} / {password}")
        self.stdout.write(f"API key   {key}")
