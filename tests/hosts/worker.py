"""A dispatch worker that reaches its provider over the outside network: `python -m tests.hosts.worker`.

The simulated provider keeps its ledger in the same PostgreSQL; a host that is cut off from the books shall still be
able to send, or it would be no wonder that nothing is sent twice.
"""

import os

import django
import psycopg
from django.core.management import call_command

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    connect = psycopg.AsyncConnection.connect

    def over_there(**known):
        return connect(**known | {"host": os.environ["PROVIDER_HOST"], "port": "5432"})

    psycopg.AsyncConnection.connect = over_there
    django.setup()
    call_command("worker", "dispatch")
