"""Segments are built row by row on a page, with or without scripts, and keep what was typed."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Role
from people import patience, segment_sample
from tests.make import logged_in, make_campaign, make_group, make_recipient, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db


def typed(*rows: tuple, name: str = "Gold", **more) -> dict[str, str]:
    """One block as the form sends it."""
    parts = ("field", "comparison", "value")
    sent = {f"b0r{n}-{part}": value for n, row in enumerate(rows) for part, value in zip(parts, row, strict=True)}
    return {"name": name, "match": "all", "b0-match": "all"} | sent | more


def drawn(html: str) -> list[str]:
    return re.findall(r'id="(b\d+r\d+)-field"', html)


def test_a_segment_is_built_changed_copied_and_deleted(client, workspace):
    client.post(reverse("segment-new"), typed(("location", "is", " Nairobi ")))
    segment = workspace.segments.get()
    client.post(reverse("segment-edit", args=[segment.pk]), typed(("location", "begins", "Nai"), name="Near"))
    segment.refresh_from_db()
    assert (segment.name, segment.rules["blocks"][0]["rules"][0]["comparison"]) == ("Near", "begins")

    client.post(reverse("segment-duplicate", args=[segment.pk]))
    client.post(reverse("segment-delete", args=[segment.pk]))

    assert [each.name for each in workspace.segments.all()] == ["Copy of Near"]


def test_segments_are_listed_with_their_sentence_and_what_is_wrong(client, workspace):
    assert reverse("segment-new") in client.get(reverse("segments")).content.decode()
    group = make_group(workspace)
    make_segment(workspace, ("location", "is", "<b>"), name="Here")
    make_segment(workspace, ("group", "in", group.pk), name="Broken")
    group.delete()

    html = client.get(reverse("segments")).content.decode()

    assert "People whose location is “&lt;b&gt;”" in html
    assert "It asks for a group that was deleted. Nothing can be sent to it" in html


def test_what_is_wrong_is_marked_at_its_row_and_all_is_kept(client, workspace):
    rows = [("created_at", "within", "soon"), ("location", "is", "Nai<robi")]

    answer = client.post(reverse("segment-new"), typed(*rows, name=""))
    html = answer.content.decode()

    assert answer.status_code == 422 and not workspace.segments.exists()
    assert "Type a number of days, 1 to 3,650." in html and 'value="soon"' in html and "Nai&lt;robi" in html


def test_a_name_that_is_taken_is_refused_and_kept(client, workspace):
    make_segment(workspace, ("email", "known"), name="Gold")

    html = client.post(reverse("segment-new"), typed(("location", "is", "Thika"), name="GOLD")).content.decode()

    assert "There is a segment called “GOLD” already." in html and 'value="GOLD"' in html


def test_rows_and_blocks_come_and_go_without_scripts(client, workspace):
    page, row = reverse("segment-new"), ("location", "is", "Nairobi")

    assert drawn(client.post(page, typed(row, do="add-row:0")).content.decode()) == ["b0r0", "b0r1"]
    assert drawn(client.post(page, typed(row, do="add-block")).content.decode()) == ["b0r0", "b1r0"]
    assert drawn(client.post(page, typed(row, row, do="remove-row:0:1")).content.decode()) == ["b0r0"]
    assert drawn(client.post(page, typed(row, do="remove-row:0:0")).content.decode()) == ["b0r0"]
    assert drawn(client.post(page, typed(row, do="remove-block:7")).content.decode()) == ["b0r0"]
    assert not workspace.segments.exists()


def test_another_field_brings_its_own_comparisons_and_choices(client, workspace):
    make_group(workspace, name="Members")

    html = client.post(reverse("segment-draw"), typed(("group", "is", "Nairobi"))).content.decode()

    assert "is not in" in html and "Members" in html and "begins with" not in html


def test_whom_the_rows_describe_is_told_while_they_are_typed(client, workspace):
    ann = make_recipient(workspace, location="Nairobi", first_name="Ann")
    make_recipient(workspace, location="Thika")

    html = client.post(reverse("segment-count"), typed(("location", "is", "nairobi"))).content.decode()
    half = client.post(reverse("segment-count"), typed(("location", "is", ""))).content.decode()

    assert ">1</span> person fits now" in html and "People whose location is “nairobi”." in html and str(ann) in html
    assert "Type what to compare with." in half


@pytest.mark.django_db(transaction=True)
def test_a_count_that_takes_too_long_is_given_up_and_said(client, workspace, monkeypatch):
    monkeypatch.setattr(segment_sample, "number_of", slow)
    monkeypatch.setattr(patience, "SECONDS", 0.05)

    html = client.post(reverse("segment-count"), typed(("location", "is", "Nairobi"))).content.decode()

    assert "Too many to count at once" in html


def slow(people) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    return ""


def test_the_link_to_write_to_a_segment_chooses_it(client, workspace):
    segment = make_segment(workspace, ("email", "known"))

    html = client.get(reverse("campaign-new"), {"segment": segment.pk}).content.decode()

    assert f'name="segments" value="{segment.pk}" checked' in html


def test_a_segment_in_use_is_not_deleted_and_the_page_says_by_which_campaign(client, workspace):
    segment = make_segment(workspace, ("email", "known"))
    make_campaign(workspace, name="Spring").segments.add(segment)

    answer = client.post(reverse("segment-delete", args=[segment.pk]))

    assert answer.status_code == 409 and "“Spring” still uses “Segment”" in answer.content.decode()


def test_viewers_read_and_others_see_nothing(workspace):
    segment = make_segment(workspace, ("email", "known"))

    html = logged_in(workspace, Role.VIEWER).get(reverse("segments")).content.decode()

    assert "Segment" in html and reverse("segment-edit", args=[segment.pk]) not in html
    stranger = logged_in(make_workspace(), Role.OWNER)
    assert stranger.get(reverse("segment-edit", args=[segment.pk])).status_code == 404
