"""Everything through PgBouncer in transaction mode: web, import, clock and workers, while all of them are killed."""

import http.client
import json
import random
import signal
import time

from accounts.api_keys import make_key
from accounts.models import Role
from campaigns.models import Campaign, StatusChange
from people import imports
from people.models import Import
from processes import Trouble
from tests.hosts.campaigns import answer, finish, launched, start_clock, start_workers, wrong_with
from tests.hosts.namespaces import DATA
from tests.hosts.stage import POOL, Running, Stage, wait_until
from tests.make import make_member, make_workspace

SEED = 4
IMPORTED = 5000


def run(stage: Stage, *, people: int, seconds: int) -> list[str]:
    """What went wrong."""
    pooler = stage.pooler_running
    hosts = list(stage.network.hosts)
    clock = start_clock(stage, hosts[0], pooled=True)
    chores = stage.start(hosts[1], "manage.py", "worker", "chores", pooled=True)
    web = stage.start(DATA, "manage.py", "serve", pooled=True)
    workers = start_workers(stage, hosts, "manage.py", "worker", "dispatch", pooled=True, SIMULATOR_PROFILE="leopard")
    wrong = [*doctor(stage, hosts[0]), *import_and_pages(stage, [clock, chores, web, *workers])]

    campaign = launched(people * len(hosts))
    kills = kill_at_random([*workers, clock, pooler], seconds)
    books = finish(campaign, [*workers, clock, pooler])
    paused = StatusChange.objects.filter(campaign=campaign, to_status=Campaign.Status.PAUSED).count()
    sessions = answer("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") - 1
    print(
        f"pooler: {kills} processes killed in {seconds} s, PgBouncer among them; paused and resumed {paused} times; "
        f"{sessions} sessions of {POOL} in use; "
        f"sent {books.sent}, failed {books.failed}, unknown {books.unknown} of {books.total}",
        flush=True,
    )
    stage.end(clock, chores, web, *workers)
    wrong += [f"{books.unknown} unknown, with keys honoured"] if books.unknown else []
    wrong += [f"{sessions} sessions: somebody went past PgBouncer"] if sessions > POOL else []
    return wrong + wrong_with(campaign, people * len(hosts))


def doctor(stage: Stage, host: str) -> list[str]:
    """It sees the pooler when nobody spoke of it, and is content when somebody did."""
    _, said = stage.run(host, "manage.py", "doctor", pooled=True)
    _, unsaid = stage.run(host, "manage.py", "doctor", pooled=True, DATABASE_POOLER="0")
    wrong = [] if "Set DATABASE_POOLER=true" in unsaid else [f"the doctor did not see the pooler: {unsaid}"]
    return wrong + [line for line in said.splitlines() if "pooler" in line or "Sessions" in line]


def import_and_pages(stage: Stage, running: list[Running]) -> list[str]:
    """A list is imported and a campaign sent to it over the API, page by page through the pooler."""
    workspace = make_workspace(name="pooled")
    _, key = make_key(workspace, name="hosts", role=Role.OWNER, by=make_member(workspace, Role.OWNER))
    source = "email\n" + "".join(f"p{number}@example.com\n" for number in range(IMPORTED))
    upload = imports.start_import(workspace, name="people.csv", source=source)

    def is_over() -> bool:
        upload.refresh_from_db()
        return not upload.is_open

    wait_until(is_over, 120, lambda: [each.keep_up() for each in running])
    wait_until(lambda: request(stage, key, "GET", "/health")[0] == 200, 60)
    wanted = {"name": "Pooled", "channel": "email", "subject": "Hi", "base_template": "Hi {first_name|you}"}
    status, made = request(stage, key, "POST", "/api/campaigns", wanted)
    ids = list(workspace.recipients.order_by("pk").values_list("pk", flat=True)[:300])
    sent = request(stage, key, "POST", f"/api/campaigns/{made.get('id')}/send", {"customer_ids": ids})
    campaign = Campaign.objects.get(pk=made["id"])
    books = finish(campaign, running, seconds=120)
    print(
        f"pooler: imported {upload.created}, made a campaign over HTTP ({status}), sent it ({sent[0]}): "
        f"{books.sent} sent, {books.failed} failed",
        flush=True,
    )
    wrong = wrong_with(campaign, 300)
    return wrong + ([] if (upload.status, upload.created) == (Import.Status.DONE, IMPORTED) else ["the import failed"])


def request(stage: Stage, key: str, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    """Status and JSON; 0 while nobody listens yet."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Host": "localhost"}
    with stage.network.on(DATA):
        connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=20)
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()


def kill_at_random(running: list[Running], seconds: int) -> int:
    """kill -9 one after another, each coming back by itself; every one of them at least once."""
    chance, kills, ends = random.Random(SEED), 0, time.monotonic() + seconds  # noqa: S311 - repeatable, not secret
    order: list[Running] = []
    while time.monotonic() < ends or kills < len(running):
        order = order or chance.sample(running, len(running))
        victim = order.pop()
        if victim.child.poll() is None:
            victim.child.send_signal(signal.SIGKILL)
            victim.child.wait(10)
            kills += 1
        time.sleep(chance.uniform(0.2, 1.5))
        for each in running:
            each.keep_up()
    if not kills:
        raise Trouble("Nothing was killed.")
    return kills
