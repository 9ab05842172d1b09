"""Duplicate: a draft with the same text and people, and nothing of what became of the other."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Role
from campaigns.copying import duplicate
from campaigns.models import Campaign
from dispatcher.books import books_of
from dispatcher.models import Category
from people.channels import Channel
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import (
    make_campaign,
    make_group,
    make_member,
    make_recipient,
    make_recipients,
    make_series,
    make_workspace,
)

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace():
    return make_workspace()


def test_a_copy_says_the_same_to_the_same_people(workspace):
    people = make_recipients(workspace, 5)
    first, second = make_group(workspace, *people[:2]), make_group(workspace, people[4])
    campaign = make_campaign(workspace, channel=Channel.SMS, subject="", priority=1, everyone=False, name="Spring")
    campaign.groups.set([first])
    campaign.picked.set(people[2:4])
    campaign.excluded_groups.set([second])
    campaign.excluded.set(people[:1])

    copy = duplicate(campaign, by=None)

    assert copy.name == "Copy of Spring" and copy.pk != campaign.pk
    for field in ("channel", "subject", "body", "priority", "everyone", "workspace_id"):
        assert getattr(copy, field) == getattr(campaign, field)
    assert set(copy.audience()) == set(campaign.audience()) == set(people[1:4])


def test_nothing_of_what_became_of_it_is_copied(workspace):
    over = launched(make_campaign(workspace, people=3), *sent(2), *failed())

    copy = duplicate(over, by=None)

    copy.refresh_from_db()
    assert (copy.status, copy.launched_at, copy.scheduled_at, copy.archived_at) == (Status.DRAFT, None, None, None)
    assert books_of(copy).total == 0 and copy.history.count() == 1


def test_a_copy_of_an_occurrence_stands_alone(workspace):
    copy = duplicate(make_series(make_campaign(workspace, people=1)).occurrences.get(), by=None)

    assert (copy.series, copy.nth, copy.scheduled_day, copy.scheduled_zone) == (None, None, None, "")


def test_a_long_name_is_cut_and_not_refused(workspace):
    assert len(duplicate(make_campaign(workspace, name="x" * 200), by=None).name) == 200


def test_the_audience_is_copied_without_looking_at_each_person(workspace, django_assert_max_num_queries):
    campaign = make_campaign(workspace, everyone=False)
    campaign.picked.set(make_recipients(workspace, 300))

    with django_assert_max_num_queries(20):
        copy = duplicate(campaign, by=None)

    assert copy.picked.count() == 300


def test_an_editor_duplicates_and_is_led_to_the_copy(client, workspace):
    editor = make_member(workspace, Role.EDITOR)
    client.force_login(editor)
    over = launched(make_campaign(workspace, people=1, name="Spring"), *sent())

    answer = client.post(reverse("duplicate", args=[over.pk]), follow=True)

    copy = Campaign.objects.get(name="Copy of Spring")
    assert answer.redirect_chain == [(reverse("campaign-edit", args=[copy.pk]), 303)]
    assert "is a draft of its own" in answer.content.decode()
    assert copy.created_by == editor
    entry = AuditEntry.objects.get(verb="duplicate")
    assert (entry.about_id, entry.changes["copy of"]) == (copy.pk, [None, over.pk])


def test_a_text_that_could_not_be_filled_in_is_mended_in_a_copy(client, workspace):
    client.force_login(make_member(workspace, Role.EDITOR))
    over = launched(make_campaign(workspace, people=2), *sent(), *failed(Category.TEMPLATE_ERROR))

    html = client.get(reverse("campaign", args=[over.pk])).content.decode()

    assert 'id="mend"' in html and reverse("duplicate", args=[over.pk]) in html


def test_a_viewer_sees_no_button_and_is_refused(client, workspace):
    client.force_login(make_member(workspace, Role.VIEWER))
    campaign = make_campaign(workspace, everyone=False)
    campaign.picked.set([make_recipient(workspace)])

    assert reverse("duplicate", args=[campaign.pk]) not in client.get(campaign_page(campaign)).content.decode()
    assert client.post(reverse("duplicate", args=[campaign.pk])).status_code == 403
    assert Campaign.objects.count() == 1


def campaign_page(campaign: Campaign) -> str:
    return reverse("campaign", args=[campaign.pk])
