"""What a person wishes holds from then on, for every hand-over, and how it came to be known is kept."""

import pytest

from people import consent
from people.channels import Channel
from people.consent import How, Wish
from people.forms import PersonForm
from people.models import ConsentEvent, LeftGroup, Recipient
from people.recipients import change_recipient
from tests.make import make_group, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


def events(person: Recipient) -> list[tuple]:
    return list(person.consent_events.order_by("pk").values_list("wish", "channel", "how", "reason"))


def test_who_wants_nothing_on_one_channel_is_reached_on_the_others():
    person = make_recipient(make_workspace())

    assert consent.opt_out(person, channel=Channel.SMS, how=How.REPLY, by=None, reason="STOP")

    reached = {channel: Recipient.objects.filter(consent.reached_on(channel)).exists() for channel in Channel}
    assert reached == {Channel.EMAIL: True, Channel.SMS: False, Channel.WHATSAPP: True}
    assert events(person) == [(Wish.OUT, Channel.SMS, How.REPLY, "STOP")]


def test_saying_it_twice_is_noted_once():
    person = make_recipient(make_workspace())

    assert consent.opt_out(person, how=How.ONE_CLICK, by=None)
    assert not consent.opt_out(person, how=How.ONE_CLICK, by=None)
    assert not consent.opt_out(person, channel=Channel.EMAIL, how=How.ONE_CLICK, by=None)

    assert len(events(person)) == 1


def test_who_wanted_nothing_and_comes_back_on_one_channel_still_refuses_the_others():
    person = make_recipient(make_workspace())
    consent.opt_out(person, how=How.PREFERENCES, by=None)

    assert consent.opt_in(person, channel=Channel.EMAIL, how=How.PREFERENCES, by=None)

    person.refresh_from_db()
    assert (person.opted_out, person.refused_channels) == (False, [Channel.SMS, Channel.WHATSAPP])
    assert consent.opt_in(person, how=How.PREFERENCES, by=None)
    person.refresh_from_db()
    assert person.refused_channels == []


def test_who_left_a_group_comes_back_by_their_own_wish():
    person = make_recipient(make_workspace())
    group = make_group(person.workspace, person)

    assert consent.leave_group(person, group, how=How.PREFERENCES, by=None)
    assert not consent.leave_group(person, group, how=How.PREFERENCES, by=None)
    assert (person.groups.count(), LeftGroup.objects.count()) == (0, 1)

    assert consent.rejoin_group(person, group, how=How.PREFERENCES, by=None)
    assert (person.groups.count(), LeftGroup.objects.count(), ConsentEvent.objects.count()) == (1, 0, 2)


def test_what_a_colleague_notes_names_them():
    workspace = make_workspace()
    ann, person = make_member(workspace), make_recipient(workspace)

    consent.opt_out(person, how=How.COLLEAGUE, by=ann, reason="called us")

    assert person.consent_events.get().by == ann


def test_a_colleague_does_not_put_somebody_into_a_group_they_left():
    person = make_recipient(make_workspace())
    left, other = make_group(person.workspace, person), make_group(person.workspace)
    consent.leave_group(person, left, how=How.PREFERENCES, by=None)

    change_recipient(person, by=None, groups=[left.pk, other.pk])

    assert list(person.groups.all()) == [other]
    assert left.pk not in dict(PersonForm(person.workspace, None, person).fields["groups"].choices)
