"""Undoing an import: what it did goes away, what somebody did since stays, and the page says which."""

import pytest
from django.urls import reverse

from people import consent, imports, undo
from people.consent import How, opt_out
from people.models import ConsentEvent, Import, Suppression
from people.recipients import change_recipient
from people.suppression import suppress
from tests.make import make_campaign, make_group, make_recipient
from tests.people.listing import bring_in, carry_on, reason_of
from tests.people.suppressed import is_suppressed
from tests.people.test_import_page import _read

pytestmark = pytest.mark.django_db


def undone(upload: Import) -> Import:
    imports.undo(upload, by=None)
    return carry_on(upload)


def books(upload: Import) -> tuple[int, int, int]:
    return upload.removed, upload.restored, upload.kept


@pytest.mark.parametrize("size", [1, 2, 2000])
def test_an_import_that_is_undone_leaves_everybody_as_they_were(workspace, monkeypatch, size):
    monkeypatch.setattr(undo, "RANGE", size)
    group = make_group(workspace)
    ann = make_recipient(workspace, email="ann@example.com", phone="", first_name="Ann", attributes={"tier": "gold"})
    before = list(workspace.recipients.values("email", "phone", "first_name", "attributes"))
    source = (
        "email,phone,first_name,tier,colour\nann@example.com,+254712345678,Anna,silver,red\n"
        "new@example.com,,New,,\nnew@example.com,,Newer,,blue\nann@example.com,,Annie,,\nbad,,,,\n"
    )

    upload = undone(bring_in(workspace, source, groups=[group]))

    assert upload.get_status_display() == "undone"
    assert list(workspace.recipients.values("email", "phone", "first_name", "attributes")) == before
    assert list(group.recipients.all()) == []
    assert ann in workspace.recipients.all()
    assert books(upload) == (1, 2, 0)


def test_who_was_changed_written_to_or_grouped_since_stays_and_is_named(client, workspace):
    upload = bring_in(workspace, "email\n" + "".join(f"p{n}@example.com\n" for n in range(6)))
    changed, grouped, picked, out, gone, left = workspace.recipients.order_by("email")
    change_recipient(changed, by=None, first_name="Ann")
    make_group(workspace, grouped)
    make_campaign(workspace).picked.add(picked)
    opt_out(out, how=How.REPLY, by=None)
    gone.delete()

    upload = undone(upload)

    assert set(workspace.recipients.all()) == {changed, grouped, picked, out}
    assert left not in workspace.recipients.all()
    assert books(upload) == (1, 0, 4)
    page = client.get(reverse("import", args=[upload.pk]), {"verdict": "kept"}).content.decode()
    assert page.count("not undone: changed, used or opted out since") == 4


def test_of_a_row_that_is_kept_is_still_told_what_was_left_out_of_it(client, workspace):
    upload = bring_in(workspace, "email,phone\nann@example.com,0712345678\nbob@example.com,\n")
    left_out = reason_of(upload, 2)
    for person in workspace.recipients.all():
        make_campaign(workspace).picked.add(person)

    upload = undone(upload)

    assert "country code" in left_out
    page = client.get(reverse("import", args=[upload.pk]), {"verdict": "kept"}).content.decode()
    assert f"{left_out}<br>not undone: changed, used or opted out since</td>" in page
    assert ">not undone: changed, used or opted out since</td>" in page
    assert left_out in _read(client.get(reverse("import-partly", args=[upload.pk])))


def test_a_field_somebody_changed_since_stays_and_the_others_go_back(workspace):
    ann = make_recipient(workspace, email="ann@example.com", first_name="Ann", location="Nairobi")
    upload = bring_in(workspace, "email,first_name,city\nann@example.com,Anna,Thika\n")
    ann.refresh_from_db()
    change_recipient(ann, by=None, location="Mombasa")

    upload = undone(upload)

    ann.refresh_from_db()
    assert (ann.first_name, ann.location) == ("Ann", "Mombasa")
    assert books(upload) == (0, 0, 1)


def test_an_opt_out_a_list_brought_is_never_undone(workspace):
    ann = make_recipient(workspace, email="ann@example.com", first_name="Ann")
    upload = bring_in(workspace, "email,first_name,opted_out\nann@example.com,Anna,yes\nnew@example.com,New,yes\n")

    upload = undone(upload)

    ann.refresh_from_db()
    assert (ann.first_name, ann.opted_out) == ("Ann", True)
    assert workspace.recipients.get(email="new@example.com").opted_out
    assert ConsentEvent.objects.filter(how=How.IMPORT).count() == 2
    assert books(upload) == (0, 0, 2)


def test_a_phone_number_that_moved_on_is_not_taken_back(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345671")
    upload = bring_in(workspace, "email,phone\nann@example.com,+254712345672\n")
    bob = make_recipient(workspace, email="bob@example.com", phone="+254712345671")

    upload = undone(upload)

    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (ann.phone, bob.phone) == ("+254712345672", "+254712345671")
    assert books(upload) == (0, 0, 1)


def test_undoing_is_asked_first_and_done_once(client, workspace):
    upload = bring_in(workspace, "ann@example.com")
    address = reverse("import-undo", args=[upload.pk])

    asked = client.get(address).content.decode()
    client.post(address)
    client.post(address)
    upload = carry_on(upload)

    assert "What cannot be undone, and stays" in asked
    assert (upload.get_status_display(), workspace.recipients.count()) == ("undone", 0)
    with pytest.raises(imports.NotPossible):
        imports.undo(upload, by=None)


def test_what_a_cancelled_import_did_can_be_undone(workspace):
    upload = bring_in(workspace, "ann@example.com")
    Import.objects.filter(pk=upload.pk).update(status=Import.Status.CANCELLED)

    assert undone(upload).removed == 1
    assert not workspace.recipients.exists()


def test_an_address_that_comes_back_is_looked_up_in_the_suppression_list(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345671")
    upload = bring_in(workspace, "ann@example.com,+254712345672\n")
    suppress(workspace, "+254712345671", reason=Suppression.Reason.ADDED, by=None)

    undone(upload)

    ann.refresh_from_db()
    assert (ann.phone, ann.phone_suppressed) == ("+254712345671", True)


def test_an_address_whose_owner_was_erased_since_does_not_come_back(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345671")
    upload = bring_in(workspace, "ann@example.com,+254712345672\n")
    suppress(workspace, "+254712345671", reason=Suppression.Reason.ERASED, by=None)

    upload = undone(upload)

    ann.refresh_from_db()
    assert (ann.phone, books(upload)) == ("+254712345672", (0, 0, 1))


def test_a_number_that_went_to_a_new_person_goes_back_to_its_owner(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345671")
    source = "ann@example.com,+254712345672\nbob@example.com,+254712345671\n"

    upload = undone(bring_in(workspace, source))

    assert list(workspace.recipients.values_list("pk", "phone")) == [(ann.pk, "+254712345671")]
    assert books(upload) == (1, 1, 0)


def test_numbers_that_were_passed_on_go_back(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345671")
    bob = make_recipient(workspace, email="bob@example.com", phone="+254712345672")
    upload = bring_in(workspace, "ann@example.com,+254712345673\nbob@example.com,+254712345671\n")
    ann.refresh_from_db(), bob.refresh_from_db()
    assert (ann.phone, bob.phone) == ("+254712345673", "+254712345671")

    upload = undone(upload)

    ann.refresh_from_db(), bob.refresh_from_db()
    assert (ann.phone, bob.phone, books(upload)) == ("+254712345671", "+254712345672", (0, 2, 0))


def test_an_address_that_would_leave_nobody_to_reach_stays(workspace):
    ann = make_recipient(workspace, email="", phone="+254712345671", first_name="Ann")
    upload = bring_in(workspace, "email,phone,first_name\nann@example.com,+254712345671,Anna\n")
    ann.refresh_from_db()
    change_recipient(ann, by=None, phone="")

    upload = undone(upload)

    ann.refresh_from_db()
    assert (ann.email, ann.first_name, books(upload)) == ("ann@example.com", "Ann", (0, 0, 1))


def test_a_number_that_is_taken_back_from_somebody_who_refused_messages_there_is_suppressed(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345671")
    upload = bring_in(workspace, "ann@example.com,+254712345672\n")
    opt_out(ann, how=How.REPLY, by=None)

    undone(upload)

    assert is_suppressed(workspace, "+254712345672")


def test_who_left_a_group_of_the_list_and_came_back_stays_in_it(workspace):
    ann, ben = make_recipient(workspace, email="ann@example.com"), make_recipient(workspace, email="ben@example.com")
    group = make_group(workspace)
    upload = bring_in(workspace, "ann@example.com\nben@example.com\n", groups=[group])
    consent.leave_group(ann, group, how=How.PREFERENCES, by=None)
    consent.rejoin_group(ann, group, how=How.PREFERENCES, by=None)

    upload = undone(upload)

    assert list(group.recipients.all()) == [ann]
    assert (ben in group.recipients.all(), books(upload)) == (False, (0, 1, 1))


def test_an_undoing_that_failed_goes_on_where_it_was_and_its_books_stay_true(workspace, monkeypatch):
    monkeypatch.setattr(undo, "RANGE", 1)
    make_recipient(workspace, email="ann@example.com", first_name="Ann")
    upload = bring_in(workspace, "email,first_name\nben@example.com,Ben\nann@example.com,Anna\n")
    remove = undo._remove

    def fail_at_the_first_row(upload, after):
        if after == 0:
            raise RuntimeError
        return remove(upload, after)

    monkeypatch.setattr(undo, "_remove", fail_at_the_first_row)
    upload = undone(upload)
    assert (upload.get_status_display(), books(upload)) == ("failed", (0, 1, 0))
    assert upload.error == "Something unexpected stopped the undoing at row 1; undo it again to go on from there."
    monkeypatch.setattr(undo, "_remove", remove)

    upload = undone(upload)

    assert (upload.get_status_display(), upload.error, books(upload)) == ("undone", "", (1, 1, 0))


def test_undoing_asks_the_database_no_more_of_many_rows_than_of_few(workspace, django_assert_max_num_queries):
    group = make_group(workspace)
    for n in range(60):
        make_recipient(workspace, email=f"p{n}@example.com", phone="", attributes={"tier": "gold"})
    before = list(workspace.recipients.order_by("pk").values("email", "phone", "first_name", "attributes"))
    lines = [f"p{n}@example.com,+2547123456{n:02},New,silver\n" for n in range(60)]
    upload = bring_in(workspace, "email,phone,first_name,tier\n" + "".join(lines), groups=[group])

    with django_assert_max_num_queries(45):
        upload = undone(upload)

    assert books(upload) == (0, 60, 0)
    assert list(workspace.recipients.order_by("pk").values("email", "phone", "first_name", "attributes")) == before
    assert not group.recipients.exists()
