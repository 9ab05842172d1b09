"""A worker's shift in a process of its own, which a test can kill or stop: `python -m tests.dispatcher.shift`."""

import os
import sys
from importlib import import_module
from urllib.parse import quote

import django
from django.db import connection


def database_url() -> str:
    """The database this test uses, for a child process."""
    params = connection.get_connection_params()
    user = quote(params.get("user") or "")
    if password := params.get("password"):
        user += f":{quote(password)}"
    host = params.get("host") or ""
    if host.startswith("/"):
        return f"postgresql://{user}@/{params['dbname']}?host={quote(host, safe='')}"
    return f"postgresql://{user}@{host}:{params.get('port') or 5432}/{params['dbname']}"


def child_environment(**environment: object) -> dict[str, str]:
    """What a child process is told: the database of this test, and settings by environment variable."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    values = {name: str(value) for name, value in environment.items()}
    return inherited | {"DATABASE_URL": database_url()} | values


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    import_module("dispatcher.collector").spare()
    import_module("dispatcher.engine").work(seconds=float(sys.argv[1]))
