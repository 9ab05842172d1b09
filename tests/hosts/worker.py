"""A dispatch worker that reaches its provider over the outside network: `python -m tests.hosts.worker`.

The simulated provider keeps its ledger in the same PostgreSQL; a host that is cut off from the books shall still be
able to send, or it would be no wonder that nothing is sent twice. With CALLS_TRAVEL a call is up to so many seconds on
its way before the provider hears it.
"""

import asyncio
import os
import random
from importlib import import_module

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
    provider, longest = import_module("simulator.provider").Provider, float(os.environ.get("CALLS_TRAVEL", "0"))
    accept = provider.accept

    async def travel(self, letter):
        await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
        return await accept(self, letter)

    if longest:
        provider.accept = travel
    call_command("worker", "dispatch")
