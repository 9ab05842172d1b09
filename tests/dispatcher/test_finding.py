"""Finding people in a campaign: by the beginning of a name, an address or a phone number, page by page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dispatcher import finding
from dispatcher.books import books_of
from dispatcher.finding import found_in
from dispatcher.ledger import SIZE
from tests.dispatcher.outcomes import launched, sent
from tests.make import make_campaign, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


def names(campaign, words: str, after: int = 0) -> list[str]:
    return [row.name for row in found_in(campaign, books_of(campaign), words, after).rows]


def test_people_are_found_by_name_address_and_phone(workspace):
    make_recipient(workspace, first_name="Zoë", last_name="Kamau", email="zk@example.com", phone="+254722000111")
    make_recipient(workspace, first_name="Brian", last_name="Otieno")
    campaign = launched(make_campaign(workspace), *sent(2))

    for words in ("zoë", "KAM", "zk@ex", "+254722000111", "Zoë Ka"):
        assert names(campaign, words) == ["Zoë Kamau"], words
    assert names(campaign, "oë") == []


def test_only_the_people_of_this_campaign_are_found(workspace):
    make_recipient(workspace, first_name="Zoë", last_name="Old")
    campaign = launched(make_campaign(workspace), *sent(1))
    make_recipient(workspace, first_name="Zoë", last_name="New")

    assert names(campaign, "Zoë") == ["Zoë Old"]


def test_all_pages_together_are_everybody_who_matches(workspace):
    for n in range(SIZE + 7):
        make_recipient(workspace, first_name="Ann", last_name=f"N{n}")
        make_recipient(workspace, first_name="Bob", last_name=f"N{n}")
    campaign = launched(make_campaign(workspace))

    first = found_in(campaign, books_of(campaign), "ann")
    rest = names(campaign, "ann", first.next_after)

    assert len(first.rows) == SIZE
    assert len(rest) == 7
    assert all(name.startswith("Ann") for name in [*(row.name for row in first.rows), *rest])


def test_more_people_than_are_looked_at_is_said(workspace, monkeypatch):
    monkeypatch.setattr(finding, "MOST", 2)
    for n in range(3):
        make_recipient(workspace, first_name="Ann", last_name=f"N{n}")
    campaign = launched(make_campaign(workspace))

    assert found_in(campaign, books_of(campaign), "ann").is_cut
    assert not found_in(campaign, books_of(campaign), "ann n0").is_cut


def test_the_campaign_page_keeps_what_was_searched_for(workspace, client):
    make_recipient(workspace, first_name="Zoë", last_name="Kamau")
    make_recipient(workspace, first_name="Brian", last_name="Otieno")
    campaign = launched(make_campaign(workspace), *sent(2))
    client.force_login(make_member(workspace))

    page = client.get(reverse("campaign", args=[campaign.pk]), {"q": "zoë"}).content.decode()
    typed = client.get(
        reverse("campaign-people", args=[campaign.pk]),
        {"q": "zoë"},
        headers={"HX-Request": "true", "HX-Trigger": "people-search"},
    )

    people = page.partition('id="people"')[2].partition("</section>")[0]
    assert "Zoë Kamau" in people and "Brian" not in people
    assert 'value="zoë"' in people
    assert typed["HX-Replace-Url"] == reverse("campaign", args=[campaign.pk]) + "?q=zo%C3%AB"


def test_nobody_found_is_said(workspace, client):
    campaign = launched(make_campaign(workspace, people=1), *sent(1))
    client.force_login(make_member(workspace))

    page = client.get(reverse("campaign", args=[campaign.pk]), {"q": "nobody"}).content.decode()

    assert "begins with “nobody”" in page


def test_a_search_costs_the_same_however_many_it_finds(workspace):
    make_recipient(workspace, first_name="Ann")
    for n in range(20):
        make_recipient(workspace, first_name="Bob", last_name=f"N{n}")
    campaign = launched(make_campaign(workspace))

    def queries(words: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            names(campaign, words)
        return len(captured)

    queries("to have the workspace at hand")
    assert queries("ann") == queries("bob")
