"""Whether the pages of a workspace with very many messages open as fast as those of one with few beside it."""

import http.client
import statistics
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.db.models import Max, Min
from django.test import Client
from django.urls import reverse

from accounts.models import Role, Workspace
from tests.bench.children import web
from tests.bench.filled import fill
from tests.bench.ground import emptied, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options
from tests.make import logged_in
from tests.people.describing import make_segment

LOOKS = 30  # at each page in each round
WARM_UP = 3
HOST = "localhost"
JOIN = """
    INSERT INTO people_recipient_groups (group_id, recipient_id)
    SELECT %s, id FROM people_recipient WHERE workspace_id = %s ON CONFLICT DO NOTHING
"""


class Browser:
    """Looks at the pages of one workspace, by itself and through a web process."""

    def __init__(self, messages: int, port: int) -> None:
        self.name = f"{messages:,} messages"
        self.client: Client = logged_in(workspace := workspace_of(messages // 2), Role.OWNER)
        campaign = fill(workspace, messages)
        here, members = reverse("campaign", args=[campaign.pk]), reverse("group-people", args=[everybody_in(workspace)])
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookie = f"{settings.SESSION_COOKIE_NAME}={self.client.cookies[settings.SESSION_COOKIE_NAME].value}"
        self.pages: dict[str, Callable[[], int]] = {
            "list": self.at(reverse("campaigns")),
            "campaign": self.at(here),
            "campaign, a page in the middle": self.at(f"{here}?page={campaign.messages.count() // 50}"),
            "campaign, last page of the failed": self.at(f"{here}?status=failed&page=999999"),
            "campaign, search": self.at(f"{here}?q=first77"),
            "campaign, through daphne": lambda: self.over(here),
            "people": self.at(reverse("people")),
            "people, a page in the middle": self.at(f"{reverse('people')}?before={middle(workspace)}"),
            "people, search": self.at(f"{reverse('people')}?q=first7"),
            "people, search by both names": self.at(f"{reverse('people')}?q=last+first7"),
            "people, reached by email": self.at(f"{reverse('people')}?channel=email"),
            "members, of a segment": self.at(f"{members}?segment={few_of(workspace)}"),
            "members, those outside": self.at(f"{members}?who=outside"),
            "person": self.at(reverse("person", args=[middle(workspace)])),
            "attention": self.at(reverse("attention")),
            "dead letters": self.at(reverse("dead-letters")),
            "queue": self.at(reverse("queue")),
        }

    def at(self, address: str) -> Callable[[], int]:
        return lambda: self.client.get(address, headers={"host": HOST}).status_code

    def over(self, address: str) -> int:
        self.connection.request("GET", address, headers={"Cookie": self.cookie})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def middle(workspace: Workspace) -> int:
    """A person from the middle of the list."""
    ends = workspace.recipients.aggregate(first=Min("pk"), last=Max("pk"))
    return (ends["first"] + ends["last"]) // 2


def everybody_in(workspace: Workspace) -> int:
    """A group of all people, so that nobody is outside it."""
    group, _ = workspace.groups.get_or_create(name="Everybody")
    with connection.cursor() as cursor:
        cursor.execute(JOIN, [group.pk, workspace.pk])
        cursor.execute("VACUUM ANALYZE people_recipient_groups")
    return group.pk


def few_of(workspace: Workspace) -> int:
    """A segment of very few people, among whom no index knows the next."""
    return (workspace.segments.first() or make_segment(workspace, ("location", "is", "Mombasa"))).pk


def measure(notebook: Notebook, options: Options) -> None:
    emptied()
    with web() as (_, port):
        few, many = (
            Browser(messages, port) for messages in (options.people // 10, (50 if options.full else 5) * options.people)
        )
        for _ in range(options.rounds):
            for page in few.pages:
                look(notebook, page, few, many)
    for page in few.pages:
        notebook.at_most(100, f"{page}, {many.name}")
        notebook.at_most(2, notebook.divide(f"{page}, {many.name}", f"{page}, {few.name}"))


def look(notebook: Notebook, page: str, *browsers: Browser) -> None:
    """At the same page of each in turn, so that a busy moment of the machine slows both."""
    taken: dict[str, list[float]] = {browser.name: [] for browser in browsers}
    for _ in range(WARM_UP + LOOKS):
        for browser in browsers:
            began = time.monotonic()
            if (status := browser.pages[page]()) != 200:
                raise SystemExit(f"{page} answered {status}")
            taken[browser.name].append((time.monotonic() - began) * 1000)
    for name, times in taken.items():
        notebook.write(f"{page}, {name}", statistics.median(times[WARM_UP:]), "ms")
        notebook.write(f"{page}, {name}: slowest of {LOOKS}", max(times[WARM_UP:]), "ms")
