"""What a request of the API costs beside one that Django answers without doing anything, with very many rows there."""

import http.client
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat

from accounts.models import ApiKey, Role, Workspace
from campaigns.models import Campaign
from tests.bench import bare
from tests.bench.children import web
from tests.bench.filled import fill
from tests.bench.ground import emptied, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options
from tests.bench.pages import middle

FLOOR = "static JSON"
COUNTED_ANEW = "drafts"  # whom each would reach now: work of its own, which is only told beside static JSON
ASKED = 40  # requests of each kind in each round, one after the other
CROWD = 8  # clients at once
TOGETHER = 15  # requests of each of them, of each kind and in each round
FULL_SIZE = 10_000  # people below which nobody wants to wait for so many
NO_LIMIT = 1_000_000  # requests a minute: they are counted all the same
P95_MS = 50
TIMES_THE_FLOOR = 8
HOST = "127.0.0.1"


def paths_of(workspace: Workspace, campaign: Campaign) -> dict[str, str]:
    """What is asked for, by name; the deep ones begin in the middle of all rows."""
    here, half = f"/api/campaigns/{campaign.pk}", campaign.messages.count() // 2
    return {
        FLOOR: f"/{bare.PATH}",
        "campaigns": "/api/campaigns",
        COUNTED_ANEW: "/api/campaigns?status=draft",
        "a campaign": here,
        "messages, from the middle": f"{here}/messages?cursor={half}",
        "messages that failed, from the middle": f"{here}/messages?status=failed&cursor={half}",
        "customers": "/api/customers?cursor=",
        "customers, from the middle": f"/api/customers?cursor={middle(workspace)}",
        "a customer": f"/api/customers/{middle(workspace)}",
    }


class Client:
    """A program that keeps its connection open."""

    def __init__(self, port: int, secret: str) -> None:
        self.connection = http.client.HTTPConnection(HOST, port, timeout=30)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def ask(self, path: str) -> float:
        """The milliseconds until the whole answer is there."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        return (time.perf_counter() - began) * 1000


def measure(notebook: Notebook, options: Options) -> None:
    messages = (50 if options.full else 5) * options.people
    workspace = workspace_of(messages // 2)
    campaign = ground(workspace, messages)
    _, secret = ApiKey.make(workspace, "bench", Role.VIEWER)
    paths = paths_of(workspace, campaign)
    with ExitStack() as stack:
        _, port = stack.enter_context(web("-m", "tests.bench.bare_web", API_REQUESTS_PER_MINUTE=NO_LIMIT))
        crowd = stack.enter_context(ThreadPoolExecutor(CROWD))
        clients = [Client(port, secret) for _ in range(CROWD)]
        for path in paths.values():
            for client in clients:
                client.ask(path)
        share = min(1, options.people / FULL_SIZE)
        for _ in range(options.rounds):
            alone(notebook, clients[0], paths, max(2, int(share * ASKED)))
            together(notebook, crowd, clients, paths, max(1, int(share * TOGETHER)))
    for name in paths:
        if name != FLOOR:
            notebook.at_most(P95_MS, f"{name}: 95 of 100")
            ratio = notebook.divide(name, FLOOR)
            if name != COUNTED_ANEW:
                notebook.at_most(TIMES_THE_FLOOR, ratio)
            notebook.divide(f"{FLOOR}, {CROWD} clients", f"{name}, {CROWD} clients")


def ground(workspace: Workspace, messages: int) -> Campaign:
    """The largest campaign of a workspace with so many messages, as the benchmark of pages may have left it."""
    left = workspace.campaigns.order_by("pk").first()
    if left and left.messages.count() == messages // 2:
        return left
    emptied()
    return fill(workspace, messages)


def alone(notebook: Notebook, client: Client, paths: dict[str, str], times_each: int) -> None:
    """One client asks for one after the other in turn, so that a busy moment of the machine slows all."""
    taken: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(times_each):
        for name, path in paths.items():
            taken[name].append(client.ask(path))
    for name, times in taken.items():
        notebook.write(name, statistics.median(times), "ms")
        notebook.write(f"{name}: 95 of 100", statistics.quantiles(times, n=20)[-1], "ms")


def together(
    notebook: Notebook, crowd: ThreadPoolExecutor, clients: list[Client], paths: dict[str, str], times_each: int
) -> None:
    """All clients ask for the same at once, again and again."""
    for name, path in paths.items():
        began = time.perf_counter()
        times = [time for some in crowd.map(asks, clients, repeat(path), repeat(times_each)) for time in some]
        notebook.write(f"{name}, {CROWD} clients", len(times) / (time.perf_counter() - began), "requests/s")
        notebook.write(f"{name}, {CROWD} clients: 95 of 100", statistics.quantiles(times, n=20)[-1], "ms")


def asks(client: Client, path: str, times_each: int) -> list[float]:
    return [client.ask(path) for _ in range(times_each)]
