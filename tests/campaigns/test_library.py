"""The template library: texts are kept in versions, none of which is lost, and begin campaigns."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Role
from campaigns import library
from campaigns.comparing import compared
from campaigns.faults import InvalidContent
from campaigns.images import delete_image, uses_of
from campaigns.library import ChangedMeanwhile, DuplicateTemplate
from campaigns.models import Campaign, Format, Template, TemplateVersion
from dispatcher.demo_templates import TEMPLATES
from people.channels import Channel
from tests.campaigns.test_images import make_image
from tests.make import logged_in, make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db


def make_template(workspace=None, **fields) -> Template:
    fields = {"name": "Welcome", "channel": Channel.EMAIL, "subject": "Hi {first_name}", "body": "Welcome!"} | fields
    return library.add_template(workspace or make_workspace(), by=None, **fields)


def change(template: Template, **fields) -> Template:
    now = template.current
    words = {"name": template.name, "format": now.format, "subject": now.subject, "body": now.body} | fields
    return library.change_template(template, by=None, **words)


def typed(**fields) -> dict:
    content = {"name": "Welcome", "channel": "email", "format": "text", "subject": "Hi", "body": "Welcome!"}
    return content | {"audience": "everyone"} | fields


def said(template: Template) -> list[tuple[int, str]]:
    return [(version.number, version.body) for version in template.versions.order_by("number")]


# --- versions ---


def test_each_change_is_a_version_and_what_was_written_stays_as_it_was():
    template = make_template(body="one")

    change(template, body="two")
    template = change(template, body="three", format=Format.MARKDOWN)

    assert said(template) == [(1, "one"), (2, "two"), (3, "three")]
    assert template.version == 3
    assert ">three</p>" in template.current.html and template.versions.get(number=1).html == ""


def test_saving_the_same_text_makes_no_version_and_renaming_is_none():
    template = make_template(body="one")

    change(template)
    template = change(template, name="Hello")

    assert said(template) == [(1, "one")]
    assert (template.name, AuditEntry.objects.count()) == ("Hello", 2)


def test_an_older_version_comes_back_as_a_new_one():
    template = make_template(body="one")
    change(template, body="two")

    library.restore_version(template, 1, by=None)
    library.restore_version(template, 1, by=None)

    assert said(template) == [(1, "one"), (2, "two"), (3, "one")]


def test_a_version_somebody_saved_meanwhile_is_not_followed_unseen():
    template = make_template(body="one")
    change(template, body="Ann's")

    with pytest.raises(ChangedMeanwhile):
        change(template, body="Ben's", over=1)
    change(template, body="Ann's", over=1)

    assert said(template) == [(1, "one"), (2, "Ann's")]


def test_two_versions_are_seen_side_by_side_with_the_lines_that_differ():
    older = TemplateVersion(subject="Hi", preheader="", body="one\ntwo\ntwo", format=Format.TEXT)
    newer = TemplateVersion(subject="Hi", preheader="", body="one\ntwo\nthree", format=Format.HTML)

    parts = {part.label: part for part in compared(older, newer)}

    assert [line.differs for line in parts["Text"].older] == [False, False, True]
    assert [line.text for line in parts["Text"].newer if line.differs] == ["three"]
    assert not parts["Subject"].differs and parts["Written as"].differs
    assert "Preheader" not in parts


# --- what may be written ---


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"body": " "}, "body"),
        ({"body": "a\x00b"}, "body"),
        ({"body": "Dear {nobody_has_this}"}, "body"),
        ({"subject": "a\nb"}, "subject"),
        ({"preheader": "a\x00"}, "preheader"),
        ({"channel": Channel.SMS, "body": "x" * 1601}, "body"),
    ],
)
def test_what_no_campaign_could_say_is_refused_by_field(fields, field):
    with pytest.raises(InvalidContent) as refusal:
        make_template(**fields)

    assert [*refusal.value.errors] == [field]
    assert not Template.objects.exists()


def test_a_text_message_has_no_subject_and_no_format():
    now = make_template(channel=Channel.SMS, format=Format.HTML, subject="Hi", preheader="Look").current

    assert (now.format, now.subject, now.preheader, now.html) == (Format.TEXT, "", "", "")


def test_names_are_unique_in_a_workspace_whatever_their_case():
    workspace = make_workspace()
    first, second = make_template(workspace, name="Welcome"), make_template(workspace, name="Other")

    with pytest.raises(DuplicateTemplate):
        make_template(workspace, name="WELCOME")
    with pytest.raises(DuplicateTemplate):
        change(second, name="welcome")
    change(first, name="welcome")
    make_template(name="Welcome")

    assert {template.name for template in workspace.templates.all()} == {"welcome", "Other"}


def test_the_templates_of_the_demo_are_whole():
    workspace = make_workspace()

    for template in TEMPLATES:
        made = library.add_template(workspace, by=None, **template)
        assert made.current.format == Format.TEXT or made.current.html
        assert library.write_out(made.current) == ()


# --- the pages ---


def test_a_template_is_written_and_changed_by_an_editor():
    workspace = make_workspace()
    browser = logged_in(workspace, Role.EDITOR)

    browser.post(reverse("template-new"), typed(format="markdown", body="# Hello"))
    template = workspace.templates.get()
    page = browser.get(reverse("template-edit", args=[template.pk])).content.decode()
    browser.post(reverse("template-edit", args=[template.pk]), typed(channel="sms", body="# Bye", version=1))

    template.refresh_from_db()
    assert '<input type="hidden" name="version" value="1">' in page
    assert (template.channel, said(template)) == (Channel.EMAIL, [(1, "# Hello"), (2, "# Bye")])


def test_a_form_that_is_refused_comes_back_with_all_that_was_typed():
    workspace = make_workspace()
    make_template(workspace)

    answer = logged_in(workspace, Role.EDITOR).post(
        reverse("template-new"), typed(name="welcome", subject="My words", body="My text")
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is a template called “welcome” already." in page
    assert "My words" in page and "My text" in page


def test_whoever_was_slower_sees_what_the_other_saved_and_may_save_after_it():
    template = make_template(body="one")
    browser = logged_in(template.workspace, Role.EDITOR)
    change(template, body="Ann's")

    first = browser.post(reverse("template-edit", args=[template.pk]), typed(body="Ben's", version=1))
    assert first.status_code == 409
    assert "Ann&#x27;s" in first.content.decode() and "Ben&#x27;s" in first.content.decode()

    browser.post(reverse("template-edit", args=[template.pk]), typed(body="Ben's", version=first.context["version"]))
    assert said(template) == [(1, "one"), (2, "Ann's"), (3, "Ben's")]


def test_the_list_finds_templates_by_name_by_what_they_say_now_and_by_channel():
    workspace = make_workspace()
    spring = make_template(workspace, name="Spring", body="Tulips are here")
    change(spring, body="Roses are here")
    make_template(workspace, name="Autumn", channel=Channel.SMS, body="Leaves")
    make_template(name="Elsewhere")
    browser = logged_in(workspace, Role.VIEWER)

    def listed(**asked) -> list[str]:
        return [template.name for template, _ in browser.get(reverse("templates"), asked).context["templates"]]

    assert listed() == ["Autumn", "Spring"]
    assert listed(q="rose") == listed(q="SPRI") == ["Spring"]
    assert listed(q="tulips") == listed(q="Elsewhere") == []
    assert listed(channel="sms") == ["Autumn"]


def test_the_list_takes_as_many_queries_for_many_as_for_one(django_assert_max_num_queries):
    workspace = make_workspace()
    for n in range(12):
        make_template(workspace, name=f"Template {n}")

    with django_assert_max_num_queries(2):
        assert len(library.found(workspace, archived=False, most=200)) == 12


def test_a_template_is_compared_restored_copied_archived_and_deleted_from_its_page():
    template = make_template(body="one")
    change(template, body="two")
    browser = logged_in(template.workspace, Role.EDITOR)
    press = lambda verb, *more: browser.post(reverse(f"template-{verb}", args=[template.pk, *more]))  # noqa: E731

    page = browser.get(reverse("template", args=[template.pk]), {"compare": 1}).content.decode()
    assert "<mark>one</mark>" in page and "<mark>two</mark>" in page and "Restore version 1" in page

    press("restore", 1)
    assert said(template)[-1] == (3, "one")
    press("duplicate")
    press("duplicate")
    assert {each.name for each in Template.objects.all()} == {"Welcome", "Copy of Welcome", "Copy of Welcome 2"}
    press("archive")
    assert "Welcome</a>" in browser.get(reverse("templates"), {"show": "archived"}).content.decode()
    assert template.pk not in [each.pk for each, _ in browser.get(reverse("templates")).context["templates"]]
    press("unarchive")
    assert template.pk in [each.pk for each, _ in browser.get(reverse("templates")).context["templates"]]
    press("delete")
    assert not Template.objects.filter(pk=template.pk).exists()


@pytest.mark.parametrize("number", [7, 99_999_999_999])
def test_a_version_that_is_not_there_is_not_found(number):
    template = make_template()
    browser = logged_in(template.workspace, Role.EDITOR)

    assert browser.get(reverse("template", args=[template.pk]), {"compare": number}).status_code == 404
    assert browser.post(reverse("template-restore", args=[template.pk, number])).status_code == 404


# --- between campaigns and the library ---


def test_a_campaign_begins_as_a_template_and_remembers_which_version():
    workspace = make_workspace()
    template = make_template(workspace, format=Format.MARKDOWN, preheader="Look", body="# Hello")
    browser = logged_in(workspace, Role.EDITOR)

    page = browser.get(reverse("campaign-new"), {"template": template.pk})
    change(template, body="# Later")
    form = page.context["form"]
    content = {name: form[name].value() for name in ("name", "channel", "format", "subject", "preheader", "body")}
    browser.post(
        reverse("campaign-new"), content | {"audience": "everyone", "template_version": page.context["began_as"].pk}
    )

    campaign = Campaign.objects.get()
    assert (campaign.subject, campaign.format, campaign.preheader) == ("Hi {first_name}", Format.MARKDOWN, "Look")
    assert (campaign.body, ">Hello</h1>" in campaign.html) == ("# Hello", True)
    assert (campaign.template, campaign.template_version) == (template, 1)
    edited = browser.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    assert "It began as version 1 of the template" in edited


def test_nobody_begins_with_a_template_of_another_workspace():
    foreign = make_template(body="Their secret")
    browser = logged_in(make_workspace(), Role.EDITOR)

    page = browser.get(reverse("campaign-new"), {"template": foreign.pk})
    browser.post(reverse("campaign-new"), typed(template_version=foreign.current.pk))

    assert "Their secret" not in page.content.decode()
    assert Campaign.objects.get().template is None


def test_a_campaign_is_saved_as_a_template_without_its_people():
    campaign = make_campaign(name="Spring", body="# Hello", format=Format.MARKDOWN, people=1)
    make_template(campaign.workspace, name="spring")
    browser = logged_in(campaign.workspace, Role.EDITOR)
    address = reverse("save-as-template", args=[campaign.pk])

    assert 'value="Spring 2"' in browser.get(address).content.decode()
    assert browser.post(address, {"name": "SPRING"}).status_code == 422
    browser.post(address, {"name": "Spring text"})

    now = campaign.workspace.templates.get(name="Spring text").current
    assert (now.subject, now.body, now.format) == ("Hello {first_name}", "# Hello", Format.MARKDOWN)
    assert ">Hello</h1>" in now.html


def test_a_campaign_outlives_the_template_it_began_as():
    workspace = make_workspace()
    template = make_template(workspace)
    campaign = library.create_from(
        template.current, workspace, by=make_member(workspace), name="Spring", subject="Hi", body="Welcome!"
    )

    library.delete_template(template, by=None)

    campaign.refresh_from_db()
    assert (campaign.template, campaign.body) == (None, "Welcome!")


def test_whoever_deletes_a_picture_is_told_which_templates_lose_it():
    image = make_image()
    template = make_template(image.workspace, body=f"Look: {image.address}")
    browser = logged_in(image.workspace, Role.EDITOR)

    assert "Welcome" in browser.get(reverse("image-delete", args=[image.pk])).content.decode()
    assert uses_of(image).losing == {f"template {template.pk}"}
    delete_image(image, by=None, seen=[f"template {template.pk}"])
