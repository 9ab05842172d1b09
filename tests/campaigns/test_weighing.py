"""What a campaign weighs with each person's own words: exactly what the texts say one by one."""

import json

import pytest

from campaigns import weighing
from campaigns.models import Campaign, Wording
from campaigns.parts import parts_of
from campaigns.preview import preview_of
from campaigns.weighing import Weighed, weigh
from campaigns.wordings import write_wording
from people.channels import Channel
from people.models import ConsentSettings
from tests.make import make_campaign, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    workspace = make_workspace()
    ConsentSettings.objects.create(workspace=workspace, sms_link=False)
    return workspace


def sms(workspace, body: str) -> Campaign:
    return make_campaign(workspace, channel=Channel.SMS, subject="", body=body)


def named(workspace, *names: str) -> list[int]:
    return [make_recipient(workspace, first_name=name).pk for name in names]


def weighed(campaign: Campaign) -> Weighed:
    return weigh(campaign, campaign.audience())


def test_people_are_counted_by_the_parts_of_their_own_text(workspace):
    named(workspace, "Al", "Bo", "x" * 90, "Łukasz", "Jürgen")

    found = weighed(sms(workspace, "Hi {first_name}, " + "." * 100))

    assert found.people == 5 and found.by_parts == {1: 3, 2: 1 + 1} and found.parts == 7 and found.most == 2


def test_the_character_that_makes_texts_unicode_is_told_with_its_people_and_the_field(workspace):
    named(workspace, "Łukasz", "Michał", "Paweł Ł", "Иван", "Ann")
    make_recipient(workspace, first_name="Eve", last_name="Małek")

    found = weighed(sms(workspace, "Hi {first_name} {last_name}, " + "." * 100))

    assert found.unicode == 5
    assert found.forced["ł"] == {"first_name": 2, "last_name": 1}
    assert found.forced["Ł"] == {"first_name": 2}
    assert found.forced["в"] == {"first_name": 1}
    assert found.spared == 4  # one part of each text but that in Cyrillic, which nothing simpler can stand for


def test_a_text_that_is_unicode_by_itself_blames_nobodys_name(workspace):
    named(workspace, "Ann", "Bob")

    found = weighed(sms(workspace, "Hi {first_name} “there”"))

    assert found.unicode == 2 and found.forced == {}


def test_what_only_chooses_the_words_or_stands_in_those_of_others_is_not_blamed_for_unicode(workspace):
    workspace.attribute_names.create(name="language")
    campaign = sms(workspace, "Hi {last_name}")
    write_wording(campaign, by=None, language="el", body="Γεια σου {first_name}")
    make_recipient(workspace, first_name="Zoe", last_name="Łuk", attributes={"language": "Ελληνικά"})
    make_recipient(workspace, first_name="Zoé", last_name="Małek", attributes={"language": "English"})

    found = weighed(campaign)

    assert found.unicode == 2 and found.forced == {"ł": {"last_name": 1}}


def test_a_text_that_gets_too_long_and_one_that_says_nothing_are_told_with_whose_they_are(workspace):
    long = make_recipient(workspace, first_name="Ann", attributes={"note": "x" * 1_598}).pk
    empty, _ = named(workspace, "", "Bob")

    found = weighed(sms(workspace, "{first_name}{note}"))

    assert (found.too_long, found.too_long_of) == (1, [long])
    assert (found.empty, found.empty_of) == (1, [empty])
    assert found.people == 3 and sum(found.by_parts.values()) == 2


def test_the_longest_text_is_told_with_whose_it_is(workspace):
    _, alexandria, _ = named(workspace, "Ann", "Alexandria", "Bob")

    found = weighed(sms(workspace, "Hi {first_name}"))

    assert (found.longest, found.longest_of) == (13, alexandria)


def test_the_link_below_the_text_counts_and_is_as_long_as_the_one_that_is_sent(workspace):
    ConsentSettings.objects.update(sms_link=True)
    person = make_recipient(workspace)
    campaign = sms(workspace, "Hi")

    found = weighed(campaign)

    assert found.longest == len(preview_of(campaign, person, is_exact=True).body) > 40


def test_an_email_and_a_whatsapp_message_have_one_part_however_long(workspace):
    named(workspace, "Łukasz" * 16)

    for channel in (Channel.EMAIL, Channel.WHATSAPP):
        found = weighed(make_campaign(workspace, channel=channel, body="Hi {first_name}"))
        assert found.by_parts == {1: 1} and found.forced == {}


def test_every_text_is_weighed_as_it_is_previewed_whatever_the_size_of_a_chunk(workspace, monkeypatch):
    monkeypatch.setattr(weighing, "CHUNK", 7)
    names = ["", "Łukasz", "x" * 100, "€" * 60, "🙂" * 34, "{first_name}", "a\nb", "ß" * 100]
    people = [make_recipient(workspace, first_name=name, attributes={"tier": n}) for n, name in enumerate(names * 3)]
    campaign = sms(workspace, "Dear {first_name|friend}, you are {tier} {unsubscribe_link}")
    Wording.objects.create(campaign=campaign, language="pl", body="Cześć {first_name}", variant=1)
    for person in people[::2]:
        person.attributes["language"] = "pl"
        person.save(update_fields=["attributes"])

    found = weigh(campaign, campaign.audience().exclude(first_name="a\nb"))

    one_by_one = [parts_of(preview_of(campaign, person).body) for person in people if person.first_name != "a\nb"]
    assert found.people == len(one_by_one)
    assert found.by_parts == {parts: one_by_one.count(parts) for parts in sorted(set(one_by_one))}


def test_each_chunk_is_one_question_to_the_database(workspace, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(weighing, "CHUNK", 50)
    make_recipients(workspace, 120)
    campaign = sms(workspace, "Hi {first_name}")
    people = campaign.audience()

    with django_assert_num_queries(3 + 3):  # and the wordings, the variants, and whether the link is wanted
        assert weigh(campaign, people).people == 120


def test_what_was_weighed_is_kept_and_read_back_unchanged(workspace):
    named(workspace, "Łukasz", "x" * 100, "")
    found = weighed(sms(workspace, "Hi {first_name}"))

    assert Weighed.of_json(json.loads(json.dumps(found.as_json()))) == found
