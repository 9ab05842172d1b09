"""The list of campaigns: newest first, page by page, in a fixed number of queries."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.models import Category
from dispatcher.place import SIZE
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_group, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def ann(client, workspace):
    ann = make_member(workspace, name="Ann")
    client.force_login(ann)
    return ann


def shown(answer) -> list[str]:
    """The names on the cards, from top to bottom."""
    return re.findall(r'<h2><a href="/campaigns/\d+/">(.*?)</a>', answer.content.decode())


def test_the_newest_campaign_comes_first(client, ann, workspace):
    for name in ("first", "second", "third"):
        make_campaign(workspace, name=name)

    assert shown(client.get("/")) == ["third", "second", "first"]


def test_pages_follow_each_other_without_gaps_or_repeats_while_campaigns_are_added(client, ann, workspace):
    for n in range(SIZE + 5):
        make_campaign(workspace, name=f"n{n}")

    answer = client.get("/")
    first = shown(answer)
    make_campaign(workspace, name="meanwhile")
    older = re.search(r'href="/\?(before=\d+)">Older', answer.content.decode())[1]
    second = shown(client.get(f"/?{older}"))

    assert len(first) == SIZE
    assert first + second == [f"n{n}" for n in reversed(range(SIZE + 5))]


def test_an_empty_list_says_what_to_do_next(client, ann):
    html = client.get("/").content.decode()

    assert reverse("campaign-new") in html and reverse("import-new") in html


def test_a_kind_nobody_has_offers_the_way_back(client, ann, workspace):
    make_campaign(workspace)

    assert "Show all campaigns" in client.get("/?show=finished").content.decode()


def test_only_campaigns_of_the_own_workspace_are_listed(client, ann):
    make_campaign(name="of somebody else")

    assert shown(client.get("/")) == []


def test_a_chip_shows_its_kind_only(client, ann, workspace):
    make_campaign(workspace, name="a draft", people=2)
    launched(make_campaign(workspace, name="a sending one"))

    assert shown(client.get("/?show=drafts")) == ["a draft"]
    assert shown(client.get("/?show=sending")) == ["a sending one"]


def test_each_card_says_how_it_stands(client, ann, workspace):
    group = make_group(workspace, make_recipient(workspace), name="Customers")
    draft = make_campaign(workspace, everyone=False)
    draft.groups.set([group])
    draft.picked.set([make_recipient(workspace)])
    draft.excluded_groups.set([make_group(workspace, name="Staff")])
    draft.excluded.set(group.recipients.all())
    make_campaign(workspace, everyone=False, name="nobody")
    done = launched(make_campaign(workspace, people=2), *sent(3), *failed(Category.BOUNCED))
    Campaign.objects.filter(pk=done.pk).update(status=Status.SENT)
    paused = launched(make_campaign(workspace), *sent(2))
    operations.pause(paused, by=ann)

    html = client.get("/").content.decode()

    assert "Customers and 1 picked by hand, without Staff and 1 person" in html
    assert "no people chosen yet" in html
    assert "Sent, 1 failed" in html and "3 sent, 1 failed" in html
    assert "50% · paused by Ann at" in html


def test_names_are_shown_as_typed(client, ann, workspace):
    make_campaign(workspace, name="<script>alert(1)</script> & Söhne")

    html = client.get("/").content.decode()

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne" in html


@pytest.mark.parametrize("show", ["", "drafts", "no such kind", "%00".replace("%", "%25")])
@pytest.mark.parametrize("before", ["", "0", "-1", "abc", "1.5", str(2**63), str(10**20), "²"])
def test_whatever_the_address_asks_there_is_a_page(client, ann, workspace, show, before):
    make_campaign(workspace)

    assert client.get("/", {"show": show, "before": before}).status_code == 200
    assert client.get("/campaigns/live/", {"show": show, "before": before}).status_code == 200


def test_more_campaigns_do_not_take_more_queries(client, ann, workspace):
    def one_of_each():
        make_campaign(workspace, people=1)
        operations.pause(launched(make_campaign(workspace), *sent()), by=None)
        operations.cancel(launched(make_campaign(workspace)), by=None)
        launched(make_campaign(workspace))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/").status_code == 200
        return len(captured)

    one_of_each()
    few = queries()
    for _ in range(4):
        one_of_each()

    assert queries() == few
    assert few <= 20


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_only_those_who_write_are_offered_a_new_campaign(client, workspace, role):
    client.force_login(make_member(workspace, role))
    make_campaign(workspace)

    assert ("New campaign" in client.get("/").content.decode()) == (role == Role.EDITOR)
