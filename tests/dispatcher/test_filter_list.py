"""The list of campaigns, filtered: by kind, status, channel and words of the name, in an address that can be kept."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher.drawings import ListPage
from dispatcher.place import SIZE, Place
from people.channels import Channel
from tests.make import make_campaign, make_member, make_series, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace(client) -> Workspace:
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    return workspace


def names(html: str) -> list[str]:
    return re.findall(r'<h[23]><a href="/campaigns/\d+/">(.*?)</a>', html)


def shown(client, **query) -> list[str]:
    return names(client.get("/", query).content.decode())


def several(workspace) -> None:
    make_campaign(workspace, name="Spring draft", subject="Hello")
    make_campaign(workspace, name="Spring text", channel=Channel.SMS, subject="")
    make_campaign(workspace, name="Summer text", channel=Channel.SMS, subject="", status=Status.PAUSED)
    make_campaign(
        workspace, name="summer sale 100%", subject="The last days", status=Status.SENT, finished_at=timezone.now()
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "summer"}, ["summer sale 100%", "Summer text"]),
        ({"q": "  SPRING  "}, ["Spring text", "Spring draft"]),
        ({"q": "spring t"}, ["Spring text"]),
        ({"q": "0%"}, ["summer sale 100%"]),
        ({"q": "%"}, ["summer sale 100%"]),
        ({"q": "_"}, []),
        ({"q": "LAST days"}, ["summer sale 100%"]),
        ({"q": "\\"}, []),
        ({"channel": "sms"}, ["Summer text", "Spring text"]),
        ({"status": "paused"}, ["Summer text"]),
        ({"status": "paused", "channel": "email"}, []),
        ({"show": "drafts", "channel": "sms", "q": "spring"}, ["Spring text"]),
        ({"show": "drafts", "status": "paused"}, []),
        ({"q": "   "}, ["summer sale 100%", "Summer text", "Spring text", "Spring draft"]),
        ({"status": "none", "channel": "fax"}, ["summer sale 100%", "Summer text", "Spring text", "Spring draft"]),
    ],
)
def test_filters_are_combined(client, workspace, query, found):
    several(workspace)

    assert shown(client, **query) == found


def test_the_filter_is_shown_can_be_cleared_and_stays_in_every_link(client, workspace):
    several(workspace)

    html = client.get("/", {"show": "drafts", "channel": "sms", "q": "spring"}).content.decode()

    assert "Only drafts · SMS · “spring” in name or subject" in html
    assert '<a class="btn quiet small" href="/?show=drafts">Clear</a>' in html
    assert 'value="spring"' in html and '<option value="sms" selected>' in html
    assert '<input type="hidden" name="show" value="drafts">' in html
    chips = re.findall(r'class="chip" href="/(.*?)"', html)
    assert chips and all("channel=sms&amp;q=spring" in chip for chip in chips)
    assert "/ws/campaigns/?show=drafts&amp;channel=sms&amp;q=spring" in html
    assert "/campaigns/live/?show=drafts&amp;channel=sms&amp;q=spring" in html


def test_chips_count_what_the_filter_leaves(client, workspace):
    several(workspace)

    html = client.get("/", {"channel": "sms"}).content.decode()

    assert re.search(r"All <b>2</b>", html) and re.search(r"Drafts <b>1</b>", html) and "Finished" not in html


def test_nothing_found_names_the_filter(client, workspace):
    several(workspace)

    html = client.get("/", {"status": "failed", "q": "<winter>"}).content.decode()

    assert "No campaign fits: failed · “&lt;winter&gt;” in name or subject." in html and "Clear the filter" in html


def test_pages_of_a_filtered_list_follow_each_other(client, workspace):
    for n in range(SIZE + 3):
        make_campaign(workspace, name=f"wanted {n}")
        make_campaign(workspace, name=f"other {n}")

    html = client.get("/", {"q": "wanted"}).content.decode()
    older = re.search(r'href="/\?(.*?)">Older', html)[1].replace("&amp;", "&")
    second = client.get(f"/?{older}").content.decode()

    assert parse_qs(older)["q"] == ["wanted"]
    assert names(html) + names(second) == [f"wanted {n}" for n in reversed(range(SIZE + 3))]
    assert re.search(r'href="/\?q=wanted">Newest', second)


def test_a_filter_chosen_with_htmx_gives_the_list_its_socket_and_its_address(client, workspace):
    several(workspace)

    answer = client.get("/", {"q": "summer", "status": "", "channel": ""}, headers={"HX-Request": "true"})

    html = answer.content.decode()
    assert names(html) == ["summer sale 100%", "Summer text"]
    assert "<html" not in html and 'ws-connect="/ws/campaigns/?q=summer"' in html
    assert urlsplit(answer["HX-Push-Url"]).query == "q=summer"


def test_a_live_list_stays_filtered(workspace):
    page = ListPage(workspace.pk, Place.asked({"q": "spring"}))
    several(workspace)
    first = page.draw()
    make_campaign(workspace, name="another")
    wanted = make_campaign(workspace, name="Spring again")

    second = page.draw(first, changed=[wanted.pk])

    assert names(second.frame) == ["Spring again", "Spring text", "Spring draft"]


@pytest.mark.parametrize("words", ["\x00", "a\x00b", "\ud800", "x" * 5_000, "'; DROP TABLE", "%27"])
def test_a_socket_may_ask_for_any_words(workspace, words):
    place = Place.asked({"q": words, "before": "²", "status": words, "channel": words})

    assert ListPage(workspace.pk, place).draw()
    assert Place.asked({name: value[0] for name, value in parse_qs(place.address).items()}) == place


def test_a_hundred_campaigns_take_as_many_queries_as_one(client, workspace):
    def one(n: int) -> None:
        make_campaign(workspace, name=f"wanted {n}")
        make_series(make_campaign(workspace, name=f"wanted too {n}"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/", {"q": "wanted", "channel": "email"})
        return len(captured)

    one(0)
    few = queries()
    for n in range(50):
        one(n)

    assert queries() == few


def test_the_page_of_a_rare_status_is_read_from_its_index(workspace):
    Campaign.objects.bulk_create(
        Campaign(workspace=workspace, name=f"n{n}", body="b", status=Status.SENT) for n in range(3_000)
    )
    make_campaign(workspace, name="rare", status=Status.PAUSED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE campaigns_campaign")
    place = Place(status="paused")

    plan = place.campaigns(workspace).explain()

    assert "campaign_status_page" in plan or "campaign_open" in plan
    assert [campaign.name for campaign in place.campaigns(workspace)] == ["rare"]
