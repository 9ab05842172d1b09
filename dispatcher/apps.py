from importlib import import_module

from django.apps import AppConfig


class DispatcherConfig(AppConfig):
    name = "dispatcher"

    def ready(self) -> None:
        import_module("dispatcher.checks")  # registers them; they need the models, which exist only now
