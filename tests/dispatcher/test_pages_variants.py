"""The pages of variants: they are set up, written, removed, compared and chosen from, each by whoever may."""

import pytest
from django.urls import reverse

from accounts.models import Role
from campaigns import copying
from campaigns.models import Split
from campaigns.wordings import words_of
from dispatcher import operations, recurring
from dispatcher.models import Message
from dispatcher.readiness import LaunchRefused
from tests.dispatcher.outcomes import failed, sent, settle
from tests.make import logged_in, make_campaign, make_series, make_workspace
from tests.test_roles import with_variants

pytestmark = pytest.mark.django_db
TYPED = {"weight_a": "60", "weight_b": "40", "tested": "20", "hold_out": "5", "chosen": "rule",
         "measure": "bounced", "after_hours": "6", "at_least": "2"}  # fmt: skip


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def ann(workspace):
    return logged_in(workspace, Role.MARKETER)


def text(answer) -> str:
    return answer.content.decode()


def test_variants_are_set_up_as_typed_and_b_begins_with_the_words_of_a(ann, workspace):
    campaign = make_campaign(workspace, people=1)

    answer = ann.post(reverse("variants", args=[campaign.pk]), TYPED)

    split = Split.of(campaign)
    assert answer.status_code == 302
    assert (split.weights, split.tested, split.hold_out) == ([60, 40], 20, 5)
    assert (split.measure, split.after_hours, split.at_least) == ("bounced", 6, 2)
    assert words_of(campaign, 2).source == campaign.source


def test_who_saved_the_variants_goes_on_to_the_first_one_without_words_of_its_own(ann, workspace):
    campaign = make_campaign(workspace, people=1)
    page, editor = reverse("variants", args=[campaign.pk]), reverse("wording", args=[campaign.pk, 2])

    answer = ann.post(page, TYPED, follow=True)
    assert answer.redirect_chain[0][0] == editor and "B still says the same as A" in text(answer)
    ann.post(editor, {"subject": "Hey", "body": "Hey"})

    assert ann.post(page, TYPED).url == reverse("campaign", args=[campaign.pk])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"weight_b": "30"}, "The percents add up to 90; they have to add up to 100."),
        ({"weight_b": "x"}, "Each variant needs at least 1 percent"),
        ({"tested": "0"}, "Between 1 and 100 percent"),
        ({"hold_out": "51"}, "Hold out between 0 and 50 percent."),
        ({"after_hours": "0"}, "Wait between 1 hour and two weeks"),
        ({"at_least": "-1"}, "Between 0 and 50 points."),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason_and_changes_nothing(ann, workspace, typed, sentence):
    campaign = make_campaign(workspace, people=1)

    answer = ann.post(reverse("variants", args=[campaign.pk]), TYPED | typed)

    assert answer.status_code == 422 and sentence in text(answer)
    assert Split.of(campaign) is None


@pytest.mark.parametrize("typed", [{"tested": "abc"}, {"tested": ""}, {"hold_out": "99"}, {"after_hours": "x"}])
def test_a_variant_is_not_added_while_a_number_makes_no_sense_and_all_stays_as_typed(ann, workspace, typed):
    campaign = make_campaign(workspace, people=1)

    answer = ann.post(reverse("variants", args=[campaign.pk]), TYPED | typed | {"then": "add"})

    assert answer.status_code == 422 and 'aria-invalid="true"' in text(answer)
    assert Split.of(campaign) is None


def test_a_variant_is_added_whatever_the_weights_were(ann, workspace):
    campaign = make_campaign(workspace, people=1)

    ann.post(reverse("variants", args=[campaign.pk]), TYPED | {"weight_b": "x", "then": "add"})

    assert Split.of(campaign).weights == [34, 33, 33]


def test_a_variant_is_added_and_the_last_one_taken_away_after_a_question(ann, workspace):
    campaign = with_variants(workspace)
    ann.post(reverse("variants", args=[campaign.pk]), TYPED | {"then": "add"})
    assert Split.of(campaign).weights == [34, 33, 33]

    asked = ann.get(reverse("remove_variants", args=[campaign.pk]))
    assert "Remove variant C" in text(asked) and Split.of(campaign).letters == ["A", "B", "C"]
    for last in ("C", "C", "B"):  # pressed twice, it takes away one
        ann.post(reverse("remove_variants", args=[campaign.pk]), {"variant": last})

    assert Split.of(campaign) is None and not campaign.wordings.exists()


def test_b_is_written_on_a_page_of_its_own(ann, workspace):
    campaign = with_variants(workspace)
    page = reverse("wording", args=[campaign.pk, 2])
    assert "Hi, you" in text(ann.get(page))

    refused = ann.post(page, {"subject": "Hey", "body": "Hey {nobody_has_this}"})
    ann.post(page, {"subject": "Hey", "body": "Hey {first_name}"})

    assert refused.status_code == 422 and "Hey {nobody_has_this}" in text(refused)
    assert words_of(campaign, 2).source[:2] == ("Hey", "Hey {first_name}")
    assert ann.get(reverse("wording", args=[campaign.pk, 1])).url == reverse("campaign-edit", args=[campaign.pk])
    assert ann.get(reverse("wording", args=[campaign.pk, 3])).status_code == 404


def test_an_email_may_have_a_variant_in_another_format(ann, workspace):
    campaign = with_variants(workspace)
    page = reverse("wording", args=[campaign.pk, 2])

    ann.post(page, {"subject": "Hey", "format": "markdown", "preheader": "News", "body": "Hey **{first_name}**"})

    wording = words_of(campaign, 2)
    assert "<strong>{first_name}</strong>" in wording.html and wording.preheader == "News"
    assert "Hey **{first_name}**" in text(ann.get(page))


def test_of_a_mail_the_words_are_listed_and_the_mail_itself_is_shown_before_it_goes_to_the_rest(ann, workspace):
    campaign = with_variants(workspace)
    written = {"subject": "Hey", "format": "html", "body": "<p><b>Hey</b> {first_name|you}</p>"}
    ann.post(reverse("wording", args=[campaign.pk, 2]), written)
    listed = text(ann.get(reverse("variants", args=[campaign.pk])))
    operations.launch(campaign, by=None)
    settle(campaign, sent(campaign.messages.exclude(variant=0).count()))
    asked = text(ann.get(reverse("choose_winner", args=[campaign.pk, 2])))

    assert "Hey {first_name|you}" in listed and "&lt;b&gt;" not in listed + asked
    frame = f"{reverse('campaign-mail', args=[campaign.pk])}?variant=2"
    assert f'src="{frame}"' in asked and "<b>Hey</b> Alice" in text(ann.get(frame))
    for other in ("1", "3", "x"):
        assert "Hey" not in text(ann.get(frame[:-1] + other))


def test_variants_that_say_the_same_or_nothing_are_not_sent(workspace):
    campaign = with_variants(workspace)
    campaign.wordings.update(subject=campaign.subject, body=campaign.body)
    with pytest.raises(LaunchRefused, match="B says the same as A"):
        operations.launch(campaign, by=None)
    campaign.wordings.update(body="")
    with pytest.raises(LaunchRefused, match="B is empty"):
        operations.launch(campaign, by=None)


def test_what_is_launched_keeps_its_variants(ann, workspace):
    campaign = operations.launch(with_variants(workspace), by=None)

    for name, arguments in (("variants", []), ("remove_variants", []), ("wording", [2])):
        assert ann.post(reverse(name, args=[campaign.pk, *arguments]), TYPED).status_code == 409
    assert Split.of(campaign).weights == [50, 50]


def test_the_page_of_the_campaign_compares_them_and_offers_the_choice_to_whoever_may_send(ann, workspace):
    campaign = operations.launch(with_variants(workspace), by=None)
    tested = campaign.messages.exclude(variant=0).count()
    settle(campaign, [*sent(tested - 1), *failed()])
    page = reverse("campaign", args=[campaign.pk])
    choice = reverse("choose_winner", args=[campaign.pk, 2])

    shown = text(ann.get(page))
    assert "Too few to tell" in shown and choice in shown
    assert choice not in text(logged_in(workspace, Role.VIEWER).get(page))

    asked = text(ann.get(choice))
    assert f"Send B to the other {20 - tested}?" in asked and "Hi, you" in asked
    ann.post(choice)
    assert Split.of(campaign).winner == 2
    assert "already chosen" in text(ann.post(choice, follow=True))
    assert choice not in text(ann.get(page))


def test_a_copy_and_the_next_of_a_series_have_the_same_variants(workspace):
    campaign = with_variants(workspace)
    copy = copying.duplicate(campaign, by=None)
    following = recurring.skip_next(make_series(campaign), by=None)

    for other in (copy, following):
        assert Split.of(other).weights == [50, 50] and Split.of(other).winner is None
        assert words_of(other, 2).source == words_of(campaign, 2).source


def test_another_workspace_sees_nothing_of_it(workspace):
    campaign = operations.launch(with_variants(workspace), by=None)
    eve = logged_in(make_workspace(), Role.OWNER)

    for name, arguments in (("variants", []), ("remove_variants", []), ("wording", [2]), ("choose_winner", [2])):
        assert eve.post(reverse(name, args=[campaign.pk, *arguments])).status_code == 404
    assert Message.objects.filter(campaign=campaign, variant=2).exists() and Split.of(campaign).winner is None
