"""No list brings anybody back: who opted out, left a group or was erased stays so, whatever a file says."""

import pytest

from people import imports, refuse
from people.channels import Channel
from people.columns import Mapping
from people.consent import How, leave_group, opt_out
from people.models import ConsentEvent, ImportPart, ImportRow, StagedRow, Suppression
from people.suppression import suppress
from tests.make import make_group, make_recipient
from tests.people.listing import bring_in, carry_on, verdicts

pytestmark = pytest.mark.django_db
ADDRESS, NUMBER = "canary@example.com", "+254712345678"


@pytest.mark.parametrize("row", ["Canary@Example.com,,Cy", ",0712 345 678,Cy", "Canary@example.com,+254 712345678,Cy"])
def test_somebody_who_was_erased_is_rejected_and_nothing_of_the_row_is_kept(workspace, row):
    type(workspace).objects.filter(pk=workspace.pk).update(region="KE")
    for address in (ADDRESS, NUMBER):
        suppress(workspace, address, reason=Suppression.Reason.ERASED, by=None)

    upload = bring_in(workspace, f"email,phone,first_name\nann@example.com,,Ann\n{row}\n")

    assert verdicts(upload) == [(2, "created", ""), (3, "rejected", refuse.ERASED)]
    assert list(workspace.recipients.values_list("email", flat=True)) == ["ann@example.com"]
    kept = ImportRow.objects.get(line=3)
    assert (kept.address, kept.cells, kept.recipient_id) == ("", None, None)


def test_somebody_erased_between_the_check_and_the_import_is_rejected_too(workspace):
    from_page = brought_and_checked(workspace, f"{ADDRESS}\nann@example.com\n")
    suppress(workspace, ADDRESS, reason=Suppression.Reason.ERASED, by=None)

    imports.start(from_page, by=None)
    upload = carry_on(from_page)

    assert (upload.created, upload.rejected) == (1, 1)
    assert not workspace.recipients.filter(email=ADDRESS).exists()
    assert not StagedRow.objects.exists() and not ImportPart.objects.exists()


def brought_and_checked(workspace, source):
    upload = imports.begin(workspace, name="x", by=None)
    imports.keep_list(upload, imports.as_bytes(source))
    upload = imports.complete(upload, by=None)
    imports.map_columns(upload, Mapping(), [], by=None)
    return carry_on(upload)


def test_a_suppressed_address_comes_in_and_stays_suppressed(workspace):
    suppress(workspace, ADDRESS, reason=Suppression.Reason.BOUNCED, by=None)
    make_recipient(workspace, email="old@example.com", phone="")
    suppress(workspace, NUMBER, reason=Suppression.Reason.COMPLAINED, by=None)

    upload = brought_and_checked(workspace, f"{ADDRESS}\nold@example.com, {NUMBER}\n")
    assert upload.forecast["problems"] == {"9": 2}
    imports.start(upload, by=None)
    carry_on(upload)

    seen = workspace.recipients.order_by("email").values_list("email_suppressed", "phone_suppressed")
    assert list(seen) == [(True, False), (False, True)]


def test_opt_outs_of_a_list_are_wishes_with_their_line_as_evidence(workspace):
    make_recipient(workspace, email="ann@example.com")

    upload = bring_in(workspace, "email,opted_out\nann@example.com,yes\nnew@example.com,yes\nbob@example.com,no\n")

    events = ConsentEvent.objects.filter(workspace=workspace).order_by("evidence__line")
    assert [(event.recipient.email, event.how, event.evidence) for event in events] == [
        ("ann@example.com", How.IMPORT, {"import": upload.pk, "line": 2}),
        ("new@example.com", How.IMPORT, {"import": upload.pk, "line": 3}),
    ]


def test_who_refuses_a_channel_goes_on_refusing_it(workspace):
    ann = make_recipient(workspace, email="ann@example.com")
    opt_out(ann, how=How.REPLY, by=None, channel=Channel.SMS)

    bring_in(workspace, "email,first_name,opted_out\nann@example.com,Anna,no\n")

    ann.refresh_from_db()
    assert (ann.first_name, ann.refused_channels) == ("Anna", [Channel.SMS])


def test_who_left_a_group_by_own_wish_is_not_put_into_it_again(workspace):
    group, other = make_group(workspace), make_group(workspace)
    ann = make_recipient(workspace, email="ann@example.com")
    group.recipients.add(ann)
    leave_group(ann, group, how=How.PREFERENCES, by=None)

    upload = bring_in(workspace, "ann@example.com\nbob@example.com", groups=[group, other])

    assert list(group.recipients.values_list("email", flat=True)) == ["bob@example.com"]
    assert ann in other.recipients.all()
    assert verdicts(upload)[0] == (1, "updated", "added to the group; not put into a group they had left")


def test_a_number_that_a_list_takes_from_somebody_who_refuses_messages_stays_closed(workspace):
    ann = make_recipient(workspace, email="ann@example.com", phone=NUMBER)
    opt_out(ann, how=How.REPLY, by=None, channel=Channel.SMS)

    bring_in(workspace, f"ann@example.com,+254711111111\nben@example.com,{NUMBER}\n")

    assert workspace.recipients.get(email="ben@example.com").phone_suppressed
    assert workspace.suppressions.get().reason == Suppression.Reason.OPTED_OUT
