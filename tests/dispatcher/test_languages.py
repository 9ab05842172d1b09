"""Words in several languages: written on their own pages, sent to those who speak them, copied and deleted."""

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import AuditEntry, Role
from campaigns import copying
from campaigns.faults import InvalidContent
from campaigns.gaps import gaps
from campaigns.models import Campaign
from campaigns.splitting import HELD_OUT, WAITS, lot_of
from campaigns.spoken import spoken_in
from campaigns.variants import set_up_variants
from campaigns.wordings import write_wording
from dispatcher import operations, recurring
from dispatcher.models import Message
from dispatcher.readiness import LaunchRefused
from people.channels import Channel
from people.models import AttributeName, Recipient
from tests.api.calls import Program
from tests.dispatcher.sending import send
from tests.make import logged_in, make_campaign, make_recipient, make_series, make_workspace

pytestmark = pytest.mark.django_db
GREEK = {"subject": "Γεια σου {first_name}", "body": "Αγαπητή {first_name|φίλη}"}


@pytest.fixture
def workspace():
    workspace = make_workspace()
    AttributeName.objects.create(workspace=workspace, name="language")
    return workspace


@pytest.fixture
def ann(workspace):
    return logged_in(workspace, Role.MARKETER)


def translated(workspace, **fields) -> Campaign:
    campaign = make_campaign(workspace, **fields)
    write_wording(campaign, by=None, language="el", **GREEK)
    return campaign


def page(name: str, campaign: Campaign, *more: object) -> str:
    return reverse(name, args=[campaign.pk, *(more or [1])])


def test_each_person_gets_his_or_her_own_language_and_the_message_page_shows_it_for_ever(provider, workspace, ann):
    said = {
        "zoe@example.com": "Ελληνικά",
        "yiannis@example.com": "el-CY",
        "dora@example.com": "de",
        "bob@example.com": "",
    }
    for email, language in said.items():
        make_recipient(workspace, email=email, first_name="Zoe", attributes={"language": language} if language else {})
    campaign = translated(workspace, subject="Hello {first_name}", body="Dear {first_name}")

    books = send(campaign)

    subjects = {parcel.to: parcel.subject for parcel in provider.calls}
    assert subjects == {
        "zoe@example.com": "Γεια σου Zoe",
        "yiannis@example.com": "Γεια σου Zoe",
        "dora@example.com": "Hello Zoe",
        "bob@example.com": "Hello Zoe",
    }
    assert books.sent == 4
    message = Message.objects.get(address="zoe@example.com")
    assert "Αγαπητή Zoe" in ann.get(reverse("message", args=[campaign.pk, message.number])).content.decode()


def test_a_language_is_added_from_those_that_are_spoken_written_edited_and_deleted(ann, workspace):
    make_recipient(workspace, attributes={"language": "Greek"})
    campaign = make_campaign(workspace, channel=Channel.SMS, subject="", body="Hi {first_name}")
    there = page("wording-in", campaign, 1, "el")

    assert "Greek: 1 person" in ann.get(page("languages", campaign)).content.decode()
    added = ann.get(page("language-add", campaign), {"language": "el"})
    assert added.url == there
    assert "Hi {first_name}" in ann.get(there).content.decode()  # to be translated
    saved = ann.post(there, {"body": "Γεια {first_name}"})

    assert saved.url == page("languages", campaign)
    assert campaign.wordings.get(language="el").body == "Γεια {first_name}"
    assert "1 person reads" in ann.get(page("languages", campaign)).content.decode()
    assert "Greek" in ann.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    assert (
        "1 reads Greek, 0 the words for any language" in ann.get(reverse("check", args=[campaign.pk])).content.decode()
    )
    assert "Γεια" in ann.get(page("wording-delete", campaign, 1, "el")).content.decode()
    ann.post(page("wording-delete", campaign, 1, "el"))
    assert not campaign.wordings.exists()
    assert [entry.verb for entry in AuditEntry.objects.order_by("pk")] == ["write_wording", "delete_wording"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"body": ""}, "Write the message."),
        ({"body": "Hi {nickname}"}, "Nobody here has {nickname}."),
        ({"subject": "", "body": "Hi"}, "An email needs a subject."),
    ],
)
def test_a_translation_is_checked_as_the_text_itself(ann, workspace, typed, sentence):
    campaign = translated(workspace)

    answer = ann.post(page("wording-in", campaign, 1, "el"), GREEK | typed)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert campaign.wordings.get().body == GREEK["body"]


def test_what_somebody_else_saved_meanwhile_is_not_written_over_unseen(ann, workspace):
    campaign = translated(workspace)
    there = page("wording-in", campaign, 1, "el")
    seen = ann.get(there).context["version"]
    write_wording(campaign, by=None, language="el", subject="Γεια", body="another")

    refused = ann.post(there, GREEK | {"version": seen})

    assert "saved another version" in refused.content.decode()
    assert campaign.wordings.get().body == "another"
    assert ann.post(there, GREEK | {"version": refused.context["version"]}).status_code == 302


@pytest.mark.parametrize("language", ["xx", "EL", "greek", "el_gr"])
def test_a_language_has_one_address_and_none_that_does_not_exist(ann, workspace, language):
    assert ann.get(page("wording-in", make_campaign(workspace), 1, language)).status_code == 404


def test_what_was_launched_is_said_and_stays_said(provider, ann, workspace):
    make_recipient(workspace)
    campaign = operations.launch(translated(workspace), by=None)

    assert ann.post(page("wording-in", campaign, 1, "el"), GREEK).status_code == 409
    assert ann.post(page("wording-delete", campaign, 1, "el")).status_code == 409
    assert "Edit" not in ann.get(page("languages", campaign)).content.decode().partition("<main")[2]


def test_a_translation_that_cannot_be_sent_any_more_is_said_before_the_launch(provider, workspace):
    make_recipient(workspace)
    campaign = translated(workspace)
    campaign.wordings.update(subject=" ")

    with pytest.raises(LaunchRefused, match="The email in Greek has no subject."):
        operations.launch(campaign, by=None)


def test_a_copy_and_the_next_of_a_series_speak_the_same_languages(provider, workspace):
    make_recipient(workspace)
    campaign = translated(workspace)

    copy = copying.duplicate(campaign, by=None)
    series = make_series(campaign)
    following = recurring.make_following(series, by=None)

    for other in (copy, following):
        assert other.wordings.get().body == GREEK["body"]


def test_there_is_no_language_without_words(workspace):
    with pytest.raises(InvalidContent):
        write_wording(make_campaign(workspace), by=None, language="el", subject="", body="")


def test_programs_read_write_and_delete_the_words_in_a_language(workspace):
    campaign = make_campaign(workspace, subject="Hello", body="Dear {first_name}")
    program = Program(workspace)
    there = f"/api/campaigns/{campaign.pk}/wordings"

    written = program.patch(there, {"language": "Greek", "base_template": "Αγαπητή {first_name}"})
    refused = program.patch(there, {"language": "Klingon", "base_template": "nuqneH"})
    empty = program.patch(there, {"language": "el", "base_template": ""})
    listed = program.get(there).json()["data"]
    gone, again = program.delete(f"{there}/el"), program.delete(f"{there}/el")

    assert (written.status_code, written.json()["language"], written.json()["subject"]) == (200, "el", "Hello")
    assert (refused.status_code, empty.status_code) == (400, 400)
    assert "There is no such language" in refused.content.decode()
    assert [(one["variant"], one["language"], one["base_template"]) for one in listed] == [
        ("A", "", "Dear {first_name}"),
        ("A", "el", "Αγαπητή {first_name}"),
    ]
    assert (gone.status_code, again.status_code) == (204, 404)


def speaking(workspace, how_many: int, language: str = "") -> list[Recipient]:
    said = {"attributes": {"language": language}} if language else {}
    return [make_recipient(workspace, **said) for _ in range(how_many)]


def shown(answer) -> str:
    """What is read on this page, with single spaces."""
    return " ".join(strip_tags(answer.content.decode().partition("<main")[2]).split())


def test_a_variant_that_lacks_a_translation_of_another_one_says_how_many_read_its_main_words(ann, workspace):
    greeks = speaking(workspace, 20, "el")
    campaign = translated(workspace)
    split = set_up_variants(campaign, by=None, weights=[50, 50])
    of_b = sum(split.variant_of(person.pk) == 2 for person in greeks)
    assert 0 < of_b < 20

    said = f"B has no Greek: {of_b} {'person reads' if of_b == 1 else 'people read'} its main words."

    for name, arguments in (("check", []), ("variants", []), ("languages", [2])):
        answer = ann.get(reverse(name, args=[campaign.pk, *arguments]))
        assert said in shown(answer) and page("wording-in", campaign, 2, "el") in answer.content.decode()
    assert f"{20 - of_b} read Greek, {of_b} the words for any language" in shown(
        ann.get(reverse("check", args=[campaign.pk]))
    ).replace(f"(with {of_b} of other languages) ", "")
    assert "has no Greek" not in shown(ann.get(page("languages", campaign, 1)))

    write_wording(campaign, by=None, variant=2, language="el", **GREEK)
    assert "has no Greek" not in shown(ann.get(reverse("check", args=[campaign.pk])))


def test_who_is_held_out_reads_nothing_in_any_language(ann, workspace):
    people = speaking(workspace, 15, "el") + speaking(workspace, 15)
    campaign = translated(workspace, subject="Hi {last_name}")
    workspace.recipients.update(last_name="")
    split = set_up_variants(campaign, by=None, weights=[50, 50], hold_out=50)
    lots = {person.pk: lot_of(split.shares, campaign.pk, person.pk) for person in people}
    reached = sum(lot != HELD_OUT for lot in lots.values())
    assert 0 < reached < 30

    spoken = spoken_in(campaign)

    assert sum(tongue.people for tongue in spoken.written) + spoken.of_default == reached
    assert f"{reached} people get this email" in shown(ann.get(reverse("check", args=[campaign.pk])))
    assert [gap.people for gap in gaps(campaign)] == [reached]


def test_who_waits_for_the_winner_is_said_to_wait(ann, workspace):
    campaign = make_campaign(workspace)
    people = speaking(workspace, 12)
    split = set_up_variants(campaign, by=None, weights=[50, 50], tested=50)
    of = {lot_of(split.shares, campaign.pk, person.pk): person for person in people}
    assert {WAITS, 1} <= of.keys()

    waiting = shown(ann.get(reverse("check", args=[campaign.pk]), {"person": of[WAITS].pk}))
    getting = shown(ann.get(reverse("check", args=[campaign.pk]), {"person": of[1].pk}))

    assert f"{of[WAITS]} waits for the winner; as A says it" in waiting and f"As {of[WAITS]} gets it" not in waiting
    assert f"As {of[1]} gets it: variant A" in getting
