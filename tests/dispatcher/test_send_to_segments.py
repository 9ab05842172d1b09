"""A campaign to a segment reaches whoever fits when it is frozen, and nobody twice, whatever changes meanwhile."""

import time
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import Role
from campaigns.copying import duplicate
from campaigns.models import Campaign
from dispatcher import clock, freeze, operations
from dispatcher.check import seal_of
from dispatcher.freeze import forecast
from dispatcher.models import Message, SkipReason
from dispatcher.readiness import LaunchRefused
from people import consent
from people.imports import start_import
from people.models import Recipient
from people.segments import SegmentInUse, change_segment
from tests.api.calls import Program, error_of
from tests.dispatcher.sending import work_off
from tests.make import (
    logged_in,
    make_campaign,
    make_group,
    make_recipient,
    make_recipients,
    make_series,
    make_workspace,
)
from tests.people.describing import make_segment, rules_of

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace():
    return make_workspace()


def reached(campaign: Campaign) -> list[int | None]:
    return list(campaign.messages.order_by("recipient").values_list("recipient", flat=True))


def test_those_who_fit_get_it_once_and_those_who_fit_an_exclusion_do_not(workspace):
    ann, ben = (make_recipient(workspace, location=place, first_name="A") for place in ("Nairobi", "Thika"))
    cyd, dan = (make_recipient(workspace, location="Nairobi", first_name=name) for name in ("C", "D"))
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(make_segment(workspace, ("location", "is", "nairobi"), name="Nairobi"))
    campaign.segments.add(make_segment(workspace, ("first_name", "is", "a"), name="A"))
    campaign.excluded_segments.add(make_segment(workspace, ("first_name", "is", "c"), name="C"))
    campaign.picked.add(ann)

    assert campaign.audience_words == "A, Nairobi and 1 picked by hand, without C"
    assert forecast(campaign).reached == 3
    operations.launch(campaign, by=None)

    assert reached(campaign) == [ann.pk, ben.pk, dan.pk]
    assert cyd.pk not in reached(campaign)


def test_each_is_judged_once_when_the_chunk_is_frozen_that_comes_to_them(workspace, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 2)
    people = [make_recipient(workspace, location="Nairobi") for _ in range(6)]
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(make_segment(workspace, ("location", "is", "Nairobi")))
    campaign = operations.launch(campaign, by=None)
    assert (campaign.status, reached(campaign)) == (Status.PREPARING, [person.pk for person in people[:2]])

    Recipient.objects.filter(pk__in=[people[0].pk, people[3].pk]).update(location="Thika")
    late = make_recipient(workspace, location="Nairobi")
    for _ in range(4):
        clock.carry_on_preparing()

    campaign.refresh_from_db()
    assert campaign.status == Status.SENDING
    assert reached(campaign) == [people[n].pk for n in (0, 1, 2, 4, 5)] + [late.pk]


def test_a_segment_that_breaks_while_it_is_frozen_sends_nothing_and_gives_the_draft_back(workspace, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 2)
    group = make_group(workspace, *make_recipients(workspace, 3))
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(make_segment(workspace, ("group", "in", group.pk)))
    campaign = operations.launch(campaign, by=None)

    group.delete()  # not as a person would: delete_group refuses
    clock.carry_on_preparing()

    campaign.refresh_from_db()
    assert (campaign.status, Message.objects.count()) == (Status.DRAFT, 0)
    assert campaign.history.first().reason == (
        "The segment “Segment” cannot be used. It asks for a group that was deleted."
    )


def test_who_leaves_a_group_its_segment_asks_for_is_skipped_as_if_it_was_sent_to_the_group(workspace, provider):
    ann, ben, cyd = make_recipients(workspace, 3)
    group = make_group(workspace, ann, ben, cyd)
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(make_segment(workspace, ("group", "in", group.pk)))
    campaign.picked.add(ben)
    operations.launch(campaign, by=None)

    for person in (ann, ben):
        consent.leave_group(person, group, how=consent.How.PREFERENCES, by=None)
    work_off(campaign)

    assert campaign.messages.get(recipient=ann).skip_reason == SkipReason.OPTED_OUT
    assert {row.status for row in campaign.messages.exclude(recipient=ann)} == {Message.Status.SENT}


@pytest.mark.django_db(transaction=True)
def test_rules_changed_at_the_moment_of_a_launch_are_seen_by_it_or_refused(workspace, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 1)
    people = [make_recipient(workspace, location=place) for place in ("Nairobi", "Nairobi", "Thika", "Thika")]
    segment = make_segment(workspace, ("location", "is", "Nairobi"))
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(segment)
    is_launched, refusals = Event(), []

    def launch() -> None:
        with transaction.atomic():
            operations.launch(campaign, by=None)
            is_launched.set()
            time.sleep(0.3)  # the change comes before this is committed
        connection.close()

    sender = Thread(target=launch)
    sender.start()
    is_launched.wait(5)
    try:
        change_segment(segment, by=None, name="S", rules=rules_of(("location", "is", "Thika")))
    except SegmentInUse as refusal:
        refusals.append(str(refusal))
    sender.join()
    for _ in range(4):
        clock.carry_on_preparing()

    assert refusals == [f"The campaign “{campaign}” is being prepared for “Segment”."]
    assert reached(campaign) == [person.pk for person in people[:2]]


def test_nothing_is_sent_to_a_segment_while_a_list_comes_in(workspace):
    make_recipient(workspace)
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(make_segment(workspace, ("email", "known")))
    start_import(workspace, name="list.csv", source="ann@example.com\n", by=None)

    with pytest.raises(LaunchRefused, match="still being imported"):
        operations.launch(campaign, by=None)


def test_other_rules_ask_for_another_look(workspace):
    make_recipient(workspace)
    segment = make_segment(workspace, ("email", "known"))
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(segment)
    looked_at = seal_of(campaign, forecast(campaign))

    change_segment(segment, by=None, name="Segment", rules=rules_of(("phone", "known", None)))

    assert seal_of(campaign, forecast(campaign)) != looked_at


def test_a_copy_and_a_series_are_for_the_same_segments(workspace):
    make_recipient(workspace)
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(make_segment(workspace, ("email", "known"), name="Has email"))
    campaign.excluded_segments.add(make_segment(workspace, ("location", "is", "Thika"), name="Thika"))

    series = make_series(campaign)

    for other in (duplicate(campaign, by=None), series):
        assert [each.name for each in other.segments.all()] == ["Has email"]
        assert [each.name for each in other.excluded_segments.all()] == ["Thika"]


def test_the_page_chooses_segments_and_says_what_stands_in_the_way(workspace):
    group = make_group(workspace, make_recipient(workspace))
    segment = make_segment(workspace, ("group", "in", group.pk), name="Members of old")
    out = make_segment(workspace, ("location", "is", "Thika"), name="Thika")
    browser = logged_in(workspace, Role.MARKETER)
    typed = {"name": "Spring", "channel": "email", "subject": "Hi", "body": "Dear all", "audience": "some"}

    browser.post(reverse("campaign-new"), typed | {"segments": [segment.pk], "excluded_segments": [out.pk]})
    campaign = workspace.campaigns.get()
    edit = browser.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    check = browser.get(reverse("check", args=[campaign.pk])).content.decode()

    assert f'name="segments" value="{segment.pk}" checked' in edit
    assert f'name="excluded_segments" value="{out.pk}" checked' in edit
    assert "of 1 chosen: Members of old, without Thika" in check and "Send 1 email" in check
    group.delete()
    broken = browser.get(reverse("check", args=[campaign.pk])).content.decode()
    assert "The segment “Members of old” cannot be used. It asks for a group that was deleted." in broken


@pytest.mark.parametrize("field", ["segments", "excluded_segments"])
def test_a_segment_of_another_workspace_cannot_be_chosen(workspace, field):
    other = make_segment(make_workspace(), ("email", "known"))
    typed = {"name": "Spring", "channel": "email", "subject": "Hi", "body": "Dear all", "audience": "some"}

    answer = logged_in(workspace, Role.EDITOR).post(reverse("campaign-new"), typed | {field: [other.pk]})

    assert answer.status_code == 422 and "1 of the segments chosen cannot be found" in answer.content.decode()


def test_programs_send_to_segments_and_leave_segments_out(workspace):
    program = Program(workspace)
    ann, ben = (make_recipient(workspace, location=place) for place in ("Nairobi", "Thika"))
    here = make_segment(workspace, ("location", "is", "Nairobi"), name="Here")

    def sent_to(**whom) -> list[int | None]:
        campaign = make_campaign(workspace, everyone=False)
        assert program.post(f"/api/campaigns/{campaign.pk}/send", whom).status_code == 200
        return reached(campaign)

    assert sent_to(segment_ids=[here.pk]) == [ann.pk]
    assert sent_to(target="all", exclude_segment_ids=[here.pk]) == [ben.pk]
    written = {"name": "Spring", "channel": "sms", "message": "Hi", "segment_ids": [here.pk]}
    made = program.post("/api/campaigns", written).json()
    assert Campaign.objects.get(pk=made["id"]).segments.get() == here


def test_a_segment_programs_name_that_is_not_there_is_told(workspace):
    program, campaign = Program(workspace), make_campaign(workspace, everyone=False, people=1)
    foreign = make_segment(make_workspace(), ("email", "known"))

    for whom in ({"segment_ids": [foreign.pk]}, {"target": "all", "exclude_segment_ids": [foreign.pk]}):
        answer = program.post(f"/api/campaigns/{campaign.pk}/send", whom)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "SEGMENT_NOT_FOUND")
    two = program.post(f"/api/campaigns/{campaign.pk}/send", {"segment_ids": [1], "target": "all"})
    assert two.status_code == 400
