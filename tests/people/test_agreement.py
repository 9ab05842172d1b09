"""What is kept on people agrees with what it follows from, or the auditor says so."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from people import consent, suppression
from people.agreement import disagreements
from people.channels import Channel
from people.consent import How
from people.models import Recipient, Suppression
from tests.make import make_group, make_recipient

pytestmark = pytest.mark.django_db
TOLD = {"how": How.PREFERENCES, "by": None}


def grumbles() -> list[str]:
    return list(disagreements())


def test_every_order_of_wishes_agrees_with_its_events(workspace):
    wishes = [(consent.opt_out, Channel.EMAIL), (consent.opt_in, Channel.SMS), (consent.opt_out, None)]
    wishes += [(consent.opt_in, Channel.EMAIL), (consent.opt_in, None), (consent.opt_out, Channel.WHATSAPP)]
    for n in range(36):
        person = make_recipient(workspace)
        for verb, channel in (wishes[n % 6], wishes[n // 6], wishes[(n + 2) % 6]):
            verb(person, channel=channel, **TOLD)

    assert grumbles() == []


def test_who_left_a_group_that_was_deleted_still_gets_everything_else(workspace):
    person = make_recipient(workspace)
    group = make_group(workspace, person)
    consent.leave_group(person, group, **TOLD)

    group.delete()

    assert grumbles() == []


@pytest.mark.parametrize(
    "lie", [{"opted_out": True}, {"refused_channels": [2]}, {"email_suppressed": True}, {"phone_suppressed": True}]
)
def test_a_person_who_is_kept_otherwise_is_found(workspace, lie):
    person = make_recipient(workspace)

    Recipient.objects.filter(pk=person.pk).update(**lie)

    assert [line for line in grumbles() if line.startswith(f"person {person.pk}: ")]
    with pytest.raises(SystemExit):
        call_command("audit")


def test_a_wish_that_is_forgotten_is_found(workspace):
    person = make_recipient(workspace)
    consent.opt_out(person, channel=Channel.SMS, **TOLD)
    suppression.suppress(workspace, person.email, reason=Suppression.Reason.BOUNCED, by=None)
    assert grumbles() == []

    Recipient.objects.update(refused_channels=[], email_suppressed=False)

    assert len(grumbles()) == 2


def test_another_key_than_the_list_was_made_with_is_told_by_a_check(settings, workspace):
    assert run_checks(databases=["default"]) == []
    suppression.suppress(workspace, "grace@example.com", reason=Suppression.Reason.ERASED, by=None)
    assert run_checks(databases=["default"]) == []

    settings.SUPPRESSION_KEY = "another"

    assert ["SUPPRESSION_KEY is not the one" in error.msg for error in run_checks(databases=["default"])] == [True]


def test_the_check_of_the_key_does_without_a_table_before_the_first_migration(settings, workspace):
    settings.SUPPRESSION_KEY = "another"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE people_suppressionkey")

    assert run_checks(databases=["default"]) == []
