"""WhatsApp templates: what may be written, what the provider decided, and the campaigns that say what they say."""

import pytest
from django.urls import reverse

from accounts.models import Role
from campaigns.authoring import create_campaign, update_campaign
from campaigns.copying import duplicate
from campaigns.faults import InvalidContent
from campaigns.models import Campaign, IllegalStatus, WhatsAppTemplate
from campaigns.preview import preview_of
from campaigns.templated import Unfit, misfits
from campaigns.whatsapp import add_template, change_status, change_template, duplicate_template
from people.channels import Channel
from people.models import ConsentSettings
from tests.make import logged_in, make_recipient, make_whatsapp_template, make_workspace

pytestmark = pytest.mark.django_db
Status = WhatsAppTemplate.Status
TEXT = {"name": "offer", "language": "en", "category": 1, "header": "", "footer": "", "provider_id": ""}


@pytest.fixture
def workspace():
    return make_workspace()


def written_by(template: WhatsAppTemplate, **values: str) -> Campaign:
    values = {name.removeprefix("n"): value for name, value in values.items()}
    return create_campaign(
        template.workspace,
        by=None,
        name="Sale",
        body="",
        channel=Channel.WHATSAPP,
        everyone=True,
        whatsapp_template=template,
        whatsapp_values=values,
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"body": "Hi {{1}} and {{3}}!"}, "leave none out"),
        ({"body": "Hi {{1}} and {{name}}!"}, "not some of each"),
        ({"body": "{{1}}, hello!"}, "may not begin or end"),
        ({"body": "Hello {{name}}"}, "may not begin or end"),
        ({"body": "Hi {first_name}!"}, "no other { or }"),
        ({"body": "Hi {{Name}}!"}, "no other { or }"),
        ({"body": "Hi     there"}, "More than four spaces"),
        ({"body": "Hi\n\n\n\nthere"}, "two empty lines"),
        ({"body": "Hi\tthere"}, "Remove the tab"),
        ({"body": "x" * 1_025}, "1,025 characters; 1,024 is the most"),
        ({"body": " "}, "Write the text"),
        ({"name": "Spring offer"}, "small letters, digits and _"),
        ({"name": ""}, "Give it the name"),
        ({"language": "English"}, "such as en, sw or pt_BR"),
        ({"header": "x" * 61}, "61 characters; 60 is the most"),
        ({"footer": "For {{1}}"}, "the same for everybody"),
    ],
)
def test_what_the_provider_would_reject_is_not_saved(workspace, fields, sentence):
    with pytest.raises(InvalidContent, match=sentence.replace("{", "\\{")):
        add_template(workspace, by=None, **(TEXT | {"body": "Hi {{1}}, all is well."} | fields))

    assert not workspace.whatsapp_templates.exists()


def test_a_name_is_there_once_in_each_language(workspace):
    add_template(workspace, by=None, **TEXT, body="Hi!")
    add_template(workspace, by=None, **(TEXT | {"language": "sw"}), body="Habari!")

    with pytest.raises(InvalidContent, match="already"):
        add_template(workspace, by=None, **TEXT, body="Hello!")


def test_another_text_has_to_be_approved_anew_and_another_number_has_not(workspace):
    template = make_whatsapp_template(workspace)
    same = {field: getattr(template, field) for field in ("name", "language", "category", "header", "body", "footer")}

    kept = change_template(template, by=None, **same, provider_id="123")
    assert kept.status == Status.APPROVED
    changed = change_template(template, by=None, **(same | {"body": "Hi {{1}}, bye."}), provider_id="123")

    assert changed.status == Status.DRAFT
    assert "another text" in changed.history.first().reason


def test_a_rejection_needs_its_reason_and_stands_in_the_history(workspace):
    template = make_whatsapp_template(workspace, status=Status.SUBMITTED)

    with pytest.raises(InvalidContent, match="Say why it is rejected"):
        change_status(template, to=Status.REJECTED, by=None)
    change_status(template, to=Status.REJECTED, by=None, reason="sounds like spam")

    line = template.history.get()
    assert (line.from_status, line.to_status, line.reason) == (Status.SUBMITTED, Status.REJECTED, "sounds like spam")


def test_of_two_who_decide_at_once_the_second_is_told(workspace):
    template = make_whatsapp_template(workspace, status=Status.DRAFT)
    change_status(template, to=Status.APPROVED, by=None)

    with pytest.raises(IllegalStatus, match="is approved and cannot become submitted"):
        change_status(template, to=Status.SUBMITTED, by=None)


def test_a_copy_is_a_draft_under_a_name_of_its_own(workspace):
    template = make_whatsapp_template(workspace, name="offer", provider_id="123")

    copies = [duplicate_template(template, by=None) for _ in range(2)]

    assert [(copy.name, copy.status, copy.provider_id) for copy in copies] == [
        ("offer_2", Status.DRAFT, ""),
        ("offer_3", Status.DRAFT, ""),
    ]


def test_a_campaign_says_what_its_template_says_with_what_was_chosen_for_each_variable(workspace):
    template = make_whatsapp_template(workspace, header="News", body="Hi {{1}}, get {{2}} now.", footer="Acme")
    campaign = written_by(template, n1="{first_name|there}", n2="20% off")
    person = make_recipient(workspace, first_name="Ann")
    ConsentSettings.objects.create(workspace=workspace, whatsapp_link=True)

    assert preview_of(campaign, person).body == "News\n\nHi Ann, get 20% off now.\n\nAcme"


def test_a_copy_of_a_campaign_says_it_by_the_same_template_and_another_channel_by_none(workspace):
    campaign = written_by(make_whatsapp_template(workspace), n1="{first_name}")

    copy = duplicate(campaign, by=None)
    by_sms = update_campaign(campaign, by=None, channel=Channel.SMS)

    assert (copy.whatsapp_template, copy.whatsapp_values) == (campaign.whatsapp_template, {"1": "{first_name}"})
    assert (by_sms.whatsapp_template, by_sms.whatsapp_values) == (None, {})
    assert by_sms.body == "Hi {first_name}, spring is here."


def test_a_value_of_a_variable_that_nobody_has_is_refused(workspace):
    with pytest.raises(InvalidContent, match="Nobody here has"):
        written_by(make_whatsapp_template(workspace), n1="{frist_name}")


def test_what_the_provider_would_refuse_of_somebodys_own_words_is_counted_by_reason(workspace):
    template = make_whatsapp_template(workspace, body="Hi {{1}}, see {{2}} now.")
    campaign = written_by(template, n1="{first_name}", n2="{location|us}")
    names = ["Ann", "", " ", "A\nB", "A\tB", "A     B", "x" * 1_020]

    found = misfits(campaign, [(n, {"first_name": name, "location": ""}) for n, name in enumerate(names)])

    assert found.refused == 6
    assert found.by_reason == {
        ("1", Unfit.EMPTY): 2,
        ("1", Unfit.BREAK): 2,
        ("1", Unfit.SPACES): 1,
        ("", Unfit.LONG): 1,
    }
    assert found.whose["1", Unfit.EMPTY] == [1, 2]
    assert "the message to 6 people (nothing to put in {{1}}: 2;" in found.sentence


def test_a_campaign_is_written_on_its_page_by_a_template(workspace):
    browser, template = logged_in(workspace, Role.MARKETER), make_whatsapp_template(workspace)
    make_whatsapp_template(workspace, name="not_yet", status=Status.SUBMITTED)
    typed = {"name": "Sale", "channel": "whatsapp", "audience": "everyone", "whatsapp_template": template.pk}

    part = browser.post(reverse("campaign-whatsapp"), typed).content.decode()
    assert 'name="value-1"' in part and "not_yet" not in part
    shown = browser.post(reverse("campaign-new"), typed | {"then": "template"}).content.decode()
    assert 'name="value-1"' in shown and not Campaign.objects.exists()
    browser.post(reverse("campaign-new"), typed | {"value-1": "{first_name|there}"})

    campaign = Campaign.objects.get()
    assert campaign.body == "Hi {first_name|there}, spring is here."
    page = browser.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    assert 'value="{first_name|there}"' in page


def test_the_template_of_another_workspace_is_found_nowhere(workspace):
    browser, theirs = logged_in(workspace, Role.OWNER), make_whatsapp_template(make_workspace())
    typed = {"name": "Sale", "channel": "whatsapp", "audience": "some", "body": "Hi", "whatsapp_template": theirs.pk}

    browser.post(reverse("campaign-new"), typed)

    assert Campaign.objects.get().whatsapp_template is None
    assert browser.get(reverse("whatsapp-template", args=[theirs.pk])).status_code == 404
    assert theirs.name not in browser.get(reverse("whatsapp-templates")).content.decode()


def test_an_editor_writes_drafts_and_leaves_what_is_approved_as_it_is(workspace):
    browser, template = logged_in(workspace, Role.EDITOR), make_whatsapp_template(workspace, name="offer")
    typed = TEXT | {"body": "Hi {{1}}, bye."}

    answer = browser.post(reverse("whatsapp-template-edit", args=[template.pk]), typed)

    assert answer.status_code == 422 and "Duplicate it instead" in answer.content.decode()
    template.refresh_from_db()
    assert template.status == Status.APPROVED and template.body != typed["body"]


def test_the_pages_tell_what_is_wrong_and_keep_what_was_typed(workspace):
    browser = logged_in(workspace, Role.MARKETER)

    answer = browser.post(reverse("whatsapp-template-new"), TEXT | {"body": "{{1}} hi"})
    assert answer.status_code == 422
    assert "may not begin or end" in answer.content.decode() and "{{1}} hi" in answer.content.decode()

    template = make_whatsapp_template(workspace)
    answer = browser.post(reverse("whatsapp-template-status", args=[template.pk]), {"to": 5, "reason": ""})
    assert answer.status_code == 422 and "Say why it is paused" in answer.content.decode()
