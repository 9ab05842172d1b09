"""The check page and the editor show the text as anybody of the audience gets it."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from tests.make import make_campaign, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
TYPED = {"name": "Spring", "channel": "email", "subject": "Hi", "body": "Dear {first_name}", "audience": "everyone"}


@pytest.fixture
def workspace(client):
    cache.clear()
    workspace = make_workspace()
    client.force_login(make_member(workspace, name="Ann"))
    return workspace


def page(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_check_page_says_which_of_how_many_is_shown(client, workspace):
    for name in ("Alice", "Brian", "Carol"):
        make_recipient(workspace, first_name=name)
    make_recipient(workspace, first_name="Olga", opted_out=True)
    campaign = make_campaign(workspace, body="Dear {first_name}")

    html = page(client.get(reverse("check", args=[campaign.pk])))

    assert "As Alice gets it" in html
    assert "1 of 3" in html


def test_the_longest_words_are_one_click_away(client, workspace):
    make_recipient(workspace, first_name="Al")
    make_recipient(workspace, first_name="Bartholomew")
    campaign = make_campaign(workspace, body="Dear {first_name}")

    html = page(client.get(reverse("reading", args=[campaign.pk]), {"by": "longest"}))

    assert "Dear Bartholomew" in html
    assert "1 of 2" in html


def test_a_text_that_asks_nothing_of_people_offers_no_hardest_ones(client, workspace):
    make_recipient(workspace)
    campaign = make_campaign(workspace, subject="Hello", body="The same for all")

    html = page(client.get(reverse("reading", args=[campaign.pk]), {"by": "longest"}))

    assert "<select" not in html
    assert "The same for all" in html


def test_the_search_names_who_does_not_get_it_and_why(client, workspace):
    grace = make_recipient(workspace, first_name="Grace", last_name="Njeri")
    make_recipient(workspace, first_name="Grace", last_name="Otieno", opted_out=True)
    make_recipient(make_workspace(), first_name="Grace", last_name="Secret")

    html = page(client.get(reverse("reading", args=[make_campaign(workspace).pk]), {"q": "grace"}))

    assert f"?person={grace.pk}#text" in html
    assert "Grace Otieno" in html and "does not get it: opted out" in html
    assert "Secret" not in html


def test_the_text_of_another_workspace_is_not_found(client, workspace):
    assert client.get(reverse("reading", args=[make_campaign(people=1).pk])).status_code == 404


def test_while_a_text_is_written_it_stays_that_of_the_person_who_was_chosen(client, workspace):
    make_recipient(workspace, first_name="Alice")
    brian = make_recipient(workspace, first_name="Brian")

    html = page(client.post(reverse("campaign-preview"), TYPED | {"person": brian.pk, "at": 2}))

    assert "Dear Brian" in html
    assert f'name="person" value="{brian.pk}"' in html
    assert "2 of 2" in html


def test_who_was_not_chosen_gives_way_when_the_audience_changes(client, workspace):
    make_recipient(workspace, first_name="Alice")
    brian = make_recipient(workspace, first_name="Brian")

    html = page(client.post(reverse("campaign-preview"), TYPED | {"audience": "some", "picked": brian.pk}))

    assert "Dear Brian" in html
    assert 'name="person"' not in html


def test_the_editor_finds_readers_of_the_audience_typed_so_far(client, workspace):
    grace = make_recipient(workspace, first_name="Grace", last_name="Njeri")
    make_recipient(workspace, first_name="Grace", last_name="Otieno")

    typed = TYPED | {"audience": "some", "picked": grace.pk, "reader": "grace"}
    html = page(client.post(reverse("campaign-readers"), typed))

    assert "Grace Njeri" in html
    assert "Grace Otieno" not in html
