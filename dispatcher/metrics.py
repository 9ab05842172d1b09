"""What a running house tells Prometheus, at /metrics, within two seconds whatever hangs."""

import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from hmac import compare_digest
from typing import Any

import django
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from campaigns.models import Campaign
from dispatcher.figures import OUTCOMES, Figures, Queue, database_answers, figures
from dispatcher.health import DEADLINE, Question, answered, workers_alive
from dispatcher.tally import BOUNDS
from people.channels import Channel

KEPT = 3.0  # seconds for which everybody who asks is given the same figures
DATABASE = Question(database_answers, kept=KEPT)
FIGURES = Question(figures, kept=KEPT)
WORKERS = Question(workers_alive, kept=KEPT)

COUNTERS = {
    "outcomes": ("outcome", "Messages that workers brought to this end; one that is retried comes to an end again."),
    "failures": ("category", "Messages that failed for good, by cause."),
    "tries": ("answer", "Hand-overs by what the provider answered."),
    "lapses": ("", "Batches taken from a worker that was lost."),
}
OF_PAGES = {"drawings": "Live pages drawn.", "pushes": "Drawings sent to a browser."}
BY_LANE = ["channel", "sender"]


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """In the text format of Prometheus, or OpenMetrics where that is asked for."""
    if not settings.METRICS_TOKEN and not settings.DEV:
        raise Http404
    if settings.METRICS_TOKEN and not is_token(request.headers.get("Authorization", "")):
        sentence = "METRICS_TOKEN is needed: Authorization: Bearer <token>\n"
        return HttpResponse(sentence, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    asked: list[Future] = [FIGURES.put(), WORKERS.put(), DATABASE.put()]
    wait(asked, timeout=DEADLINE)
    known, workers, is_up = (each.result() if answered(each) else None for each in asked)
    registry = CollectorRegistry()
    registry.register(House(known or Figures(), workers, is_up=bool(is_up)))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


def is_token(sent: str) -> bool:
    scheme, _, token = sent.partition(" ")
    return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


class House(Collector):
    """Of what did not answer only that is told: no figure is better than an old one."""

    def __init__(self, known: Figures, workers: dict[str, int] | None, *, is_up: bool) -> None:
        self.known = known
        self.workers = workers
        self.is_up = is_up

    def collect(self) -> Iterator[Metric]:
        about = {"release": settings.RELEASE, "django": django.__version__, "python": platform.python_version()}
        yield InfoMetricFamily("dispatcher_build", "What runs here.", value=about)
        yield gauge("database_up", "Whether the database answered.", [([], self.is_up)])
        yield gauge("redis_up", "Whether Redis answered.", [([], self.workers is not None)])
        if self.workers is not None:
            alive = [([queue], count) for queue, count in self.workers.items()]
            yield gauge("workers", "Workers that were heard of lately.", alive, ["queue"])
        parts: tuple[tuple[Callable[[Any], Iterator[Metric]], Any], ...] = (
            (of_queue, self.known.queue),
            (of_messages, self.known.messages),
            (of_campaigns, self.known.campaigns),
            (of_paces, self.known.paces),
            (of_totals, self.known.totals),
        )
        for of, read in parts:
            if read is not None:
                yield from of(read)


def gauge(name: str, words: str, rows: Sequence[tuple[list[str], float]], labels: list[str] | None = None) -> Metric:
    family = GaugeMetricFamily(f"dispatcher_{name}", words, labels=labels or [])
    for values, n in rows:
        family.add_metric(values, n)
    return family


def of_queue(queue: Queue) -> Iterator[Metric]:
    depth = [(["waiting"], queue.waiting), (["due"], queue.due), (["in_flight"], queue.in_flight)]
    words = "Messages still to be handed over, those of them that are due, and those under way."
    yield gauge("queue_messages", words, depth, ["state"])
    yield gauge("queue_oldest_seconds", "How long the oldest of what is due has waited.", [([], queue.oldest)])
    if queue.clock_silent is not None:
        yield gauge("clock_silent_seconds", "Since the clock was heard of.", [([], queue.clock_silent)])


def of_messages(rows: list[tuple]) -> Iterator[Metric]:
    """What is there now: it falls when campaigns are deleted."""
    messages = [
        ([word_of(channel), outcome], n)
        for channel, *counts in rows
        for outcome, n in zip(OUTCOMES, counts, strict=True)
    ]
    yield gauge("messages", "Messages of all campaigns there are.", messages, ["channel", "outcome"])


def of_campaigns(rows: list[tuple]) -> Iterator[Metric]:
    statuses = {status.value: 0 for status in Campaign.Status} | dict(rows)
    counted = [([Campaign.Status(status).label], n) for status, n in statuses.items()]
    yield gauge("campaigns", "Campaigns by status.", counted, ["status"])


def of_paces(rows: list[tuple]) -> Iterator[Metric]:
    lanes = [([str(workspace), word_of(channel), sender], *pace) for workspace, channel, sender, *pace in rows]
    limited = [(labels, rate) for labels, rate, _ in lanes if rate is not None]
    yield gauge("pace_rate", "Messages a second that may be handed over now.", limited, ["workspace", *BY_LANE])
    closed = [(labels, seconds or 0) for labels, _, seconds in lanes]
    yield gauge("pace_closed_seconds", "Until a sender is tried again.", closed, ["workspace", *BY_LANE])


def of_totals(rows: list[tuple]) -> Iterator[Metric]:
    """What only grows."""
    by_name: dict[str, list[tuple]] = defaultdict(list)
    for row in rows:
        by_name[row[0]].append(row[1:])
    for name, (label, words) in COUNTERS.items():
        family = CounterMetricFamily(f"dispatcher_{name}", words, labels=[*BY_LANE, label] if label else BY_LANE)
        for channel, sender, value, n in by_name[name]:
            family.add_metric([word_of(channel), sender, value] if label else [word_of(channel), sender], n)
        yield family
    for name, words in OF_PAGES.items():
        yield CounterMetricFamily(f"dispatcher_{name}", words, value=sum(n for *_, n in by_name[name]))
    yield latency(by_name["answers"], by_name["answer_seconds"])


def latency(answers: list[tuple], seconds: list[tuple]) -> Metric:
    family = HistogramMetricFamily("dispatcher_provider_seconds", "Until a provider answered.", labels=BY_LANE)
    within: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for channel, sender, bound, n in answers:
        within[channel, sender][bound] += n
    for channel, sender, _, total in seconds:
        buckets, upto = [], 0.0
        for bound in [*map(str, BOUNDS), "+Inf"]:
            upto += within[channel, sender][bound]
            buckets.append((bound, upto))
        family.add_metric([word_of(channel), sender], buckets, sum_value=total)
    return family


def word_of(channel: int) -> str:
    return Channel(channel).word
