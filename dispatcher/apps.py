from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from dispatcher.pooler import keep_session_settings


class DispatcherConfig(AppConfig):
    name = "dispatcher"

    def ready(self) -> None:
        # These register themselves; they need the models, which exist only now.
        import_module("dispatcher.checks")
        import_module("dispatcher.activity")
        post_migrate.connect(keep_session_settings, sender=self)
