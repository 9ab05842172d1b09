"""The admin: every row of the house can be looked at there, and what it changes obeys the rules of the pages."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group as StaffGroup
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.api_keys import make_key
from accounts.back_office import ReadOnly
from accounts.models import ApiKey, AuditEntry, AuditLink, Invitation, Membership, Role
from campaigns.models import Campaign, StatusChange
from dispatcher import operations
from dispatcher.models import Attempt, Batch, Category, ChosenSender, Heartbeat, Message, MessageFile, Settlement
from people.models import Import, ImportRow
from simulator.models import Call
from tests.dispatcher.office import add_rows
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_member, make_user

pytestmark = pytest.mark.django_db
OURS = ("accounts", "people", "campaigns", "simulator", "dispatcher")
MODELS = [model for app in OURS for model in apps.get_app_config(app).get_models()]
ENGINE = [Batch, Message, Attempt, MessageFile, Settlement, StatusChange, AuditEntry, AuditLink, Call, Heartbeat]
ENGINE += [Import, ImportRow]
Status = Campaign.Status


@pytest.fixture
def boss(client):
    """A superuser who is logged in."""
    user = make_user(email="root@example.com", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def address(model, page: str, *arguments) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def ids(values) -> str:
    return values._meta.label if isinstance(values, type) else str(values)


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_every_model_is_in_the_admin(model):
    assert model in admin.site._registry


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_every_list_and_every_row_opens_and_can_be_searched(client, boss, model):
    add_rows()
    row = model._default_manager.first()
    assert row is not None, f"give {model._meta.label} a row in tests.dispatcher.office.py"

    listed = client.get(address(model, "changelist"))
    searched = client.get(address(model, "changelist"), {"q": "7"})
    opened = client.get(address(model, "change", row.pk))

    assert (listed.status_code, searched.status_code, opened.status_code) == (200, 200, 200)
    assert listed.context["cl"].result_list.count()


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_a_list_of_more_rows_takes_no_more_queries(client, boss, model):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(address(model, "changelist"))
        return len(captured)

    add_rows()
    queries()
    once = queries()
    add_rows()
    add_rows()

    assert queries() <= once


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_nobody_waits_for_the_count_of_a_million_rows(model):
    page = admin.site._registry[model]
    assert not page.show_full_result_count
    assert page.paginator.LIMIT == 10_000
    assert not page.date_hierarchy


@pytest.mark.parametrize("model", ENGINE, ids=ids)
def test_what_the_house_writes_itself_can_only_be_looked_at(client, boss, model):
    add_rows()
    row = model._default_manager.first()

    assert isinstance(admin.site._registry[model], ReadOnly)
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", row.pk), {}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert b'name="_save"' not in client.get(address(model, "change", row.pk)).content


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_nothing_is_deleted_here(client, boss, model):
    add_rows()
    row = model._default_manager.first()

    answer = client.post(address(model, "delete", row.pk), {"post": "yes"})

    assert answer.status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


def test_staff_see_what_they_were_permitted_and_nothing_else(client):
    add_rows()
    staff = make_user(is_staff=True)
    client.force_login(staff)

    assert {client.get(address(model, "changelist")).status_code for model in MODELS} == {403}
    assert b"Failures" not in client.get(reverse("admin:index")).content

    staff.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    assert client.get(address(Campaign, "changelist")).status_code == 200
    page = client.get(reverse("admin:index")).content
    assert b"Failures" in page
    assert b'value="retry_failed"' not in page
    act(client, "pause", Campaign.objects.filter(status=Status.SENDING).first())
    assert not AuditEntry.objects.filter(actor=str(staff)).exists()


def test_nobody_is_let_into_the_admin_who_is_no_staff(client):
    client.force_login(make_member(role=Role.OWNER))
    assert client.get(reverse("admin:index")).status_code in (302, 403)


def act(client, action: str, *rows):
    model = type(rows[0])
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(address(model, "changelist"), chosen, follow=True)


def test_the_actions_are_the_verbs_of_the_pages(client, boss):
    campaign = launched(make_campaign(people=3), *sent(), *failed())
    draft = make_campaign()

    answer = act(client, "pause", campaign, draft)

    campaign.refresh_from_db()
    assert campaign.status == Status.PAUSED
    said = answer.content.decode()
    assert "Pause: done for 1." in said
    assert "is draft and cannot become paused" in said
    entry = AuditEntry.objects.get(verb="pause")
    assert (entry.actor, entry.about_id, entry.workspace_id) == (str(boss), campaign.pk, campaign.workspace_id)
    assert entry.request_id

    act(client, "resume", campaign)
    act(client, "retry_failed", campaign)
    act(client, "cancel", campaign)
    entries = AuditEntry.objects.filter(about_id=campaign.pk, actor=str(boss)).order_by("id")
    assert list(entries.values_list("verb", flat=True)) == ["pause", "resume", "retry_failed", "cancel"]


def test_a_scheduled_campaign_is_pulled_back(client, boss):
    campaign = make_campaign(people=1)
    operations.schedule(campaign, at=campaign.created_at.replace(year=campaign.created_at.year + 1), by=None)

    act(client, "unschedule", campaign)

    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


def save(client, row, **typed):
    inlines = {"history": 0} if isinstance(row, Campaign) else {"memberships": 0}
    forms = {f"{name}-{part}_FORMS": n for name, n in inlines.items() for part in ("TOTAL", "INITIAL")}
    return client.post(address(type(row), "change", row.pk), typed | forms, follow=True)


def test_of_a_launched_campaign_only_the_priority_can_be_changed(client, boss):
    campaign = launched(make_campaign(people=3, name="Spring"))

    save(client, campaign, name="Autumn", priority=Campaign.Priority.URGENT, status=Status.SENT, body="x")

    campaign.refresh_from_db()
    assert (campaign.name, campaign.priority, campaign.status) == ("Spring", Campaign.Priority.URGENT, Status.SENDING)
    assert AuditEntry.objects.filter(verb="change_priority", actor=str(boss)).count() == 1


def test_a_change_in_the_admin_is_written_into_the_audit_log(client, boss):
    campaign = make_campaign(name="Spring")
    save(client, campaign, name="Autumn", priority=campaign.priority)
    entry = AuditEntry.objects.get(verb="update", kind="campaign")
    assert entry.changes == {"name": ["Spring", "Autumn"]}
    assert (entry.actor, entry.workspace_id) == (str(boss), campaign.workspace_id)

    workspace = campaign.workspace
    save(client, workspace, name=workspace.name, time_zone="Europe/Athens", retry_policy=2)
    entry = AuditEntry.objects.get(verb="update", kind="workspace")
    assert entry.changes == {"time_zone": ["UTC", "Europe/Athens"], "retry_policy": ["standard", "patient"]}
    assert entry.workspace_id == workspace.pk


def test_what_was_saved_unchanged_leaves_no_entry(client, boss):
    workspace = make_campaign().workspace

    save(client, workspace, name=workspace.name, time_zone=workspace.time_zone, retry_policy=workspace.retry_policy)

    assert not AuditEntry.objects.exists()


def test_a_member_added_in_the_admin_is_written_with_the_workspace(client, boss):
    ann, workspace = make_user(email="ann@example.com"), make_campaign().workspace
    row = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0}
    row |= {"memberships-0-user": ann.pk, "memberships-0-workspace": workspace.pk, "memberships-0-role": Role.EDITOR}
    typed = {"name": workspace.name, "time_zone": workspace.time_zone, "retry_policy": workspace.retry_policy}

    client.post(address(type(workspace), "change", workspace.pk), typed | row)

    assert Membership.objects.get(user=ann).role == Role.EDITOR
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.kind, entry.workspace_id) == ("create", "membership", workspace.pk)
    assert entry.changes["role"] == [None, "editor"]


def member_typed(membership, role: Role) -> dict:
    row = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1, "memberships-0-id": membership.pk}
    return row | {"memberships-0-user": membership.user_id, "memberships-0-role": role.value}


def test_a_role_changed_in_the_admin_is_written_as_it_was_and_is_and_the_last_owner_stays(client, boss):
    workspace = make_campaign().workspace
    ann = workspace.memberships.get(user=make_member(workspace, Role.OWNER))
    typed = {"name": workspace.name, "time_zone": workspace.time_zone, "retry_policy": workspace.retry_policy}
    page = address(type(workspace), "change", workspace.pk)

    refused = client.post(page, typed | member_typed(ann, Role.VIEWER))
    make_member(workspace, Role.OWNER)
    client.post(page, typed | member_typed(ann, Role.VIEWER))

    assert "keeps at least one owner" in refused.content.decode()
    assert Membership.objects.get(pk=ann.pk).role == Role.VIEWER
    assert AuditEntry.objects.get().changes == {"role": ["owner", "viewer"]}


def test_a_password_set_in_the_admin_is_told_of_and_not_shown(client, boss):
    ann = make_user()
    typed = {"usable_password": "true"} | dict.fromkeys(("password1", "password2"), "another-long-password")

    client.post(reverse("admin:auth_user_password_change", args=[ann.pk]), typed)

    ann.refresh_from_db()
    assert ann.check_password("another-long-password")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.about_id, entry.changes) == ("change_password", ann.pk, {})


def test_staff_who_may_change_users_cannot_raise_themselves(client, boss):
    staff = make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    client.force_login(staff)

    save(client, staff, email=staff.email, name="Me", is_active="on", is_staff="on", is_superuser="on")
    above = save(client, boss, email=boss.email, name="You", is_active="on")

    staff.refresh_from_db()
    assert (staff.name, staff.is_superuser) == ("Me", False)
    assert above.status_code == 403


def test_a_group_of_staff_changed_in_the_admin_is_audited(client, boss):
    client.post(reverse("admin:auth_group_add"), {"name": "Support"})
    group = StaffGroup.objects.get()

    answer = client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})

    assert answer.status_code == 302
    assert list(AuditEntry.objects.order_by("id").values_list("verb", "about")) == [
        ("create", "Support"),
        ("delete", "Support"),
    ]


def test_a_key_is_revoked_once(client, boss):
    key, secret = make_key(make_campaign().workspace, name="till", role=Role.VIEWER, by=None)

    act(client, "revoke", key)
    answer = act(client, "revoke", key)

    assert ApiKey.of(secret) is None
    assert "Revoked before: 1." in answer.content.decode()
    assert AuditEntry.objects.filter(verb="revoke", actor=str(boss)).count() == 1


def test_the_first_page_shows_what_failed_lately_and_retries_it(client, boss):
    campaign = launched(make_campaign(people=10, name="Spring"), *sent(6), *failed(Category.TIMEOUT, 4))
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENT)
    fine = launched(make_campaign(people=2), *sent(2))
    old = launched(make_campaign(people=2, name="Long ago"), *failed(Category.BOUNCED, 2))
    Campaign.objects.filter(pk=old.pk).update(launched_at="2020-01-01T00:00Z")

    page = client.get(reverse("admin:index")).content.decode()

    assert "Spring" in page
    assert "Long ago" not in page
    assert fine.name not in page
    assert "40.0 %" in page  # of Spring
    assert "33.3 %" in page  # over all: 4 of 12
    assert "No answer in time" in page
    assert "Mailbox does not exist" not in page
    act(client, "retry_failed", campaign)
    assert Message.objects.filter(campaign=campaign, status=Message.Status.PENDING).count() == 4


@pytest.mark.parametrize("people", [0, 2])
def test_the_first_page_says_when_nothing_failed(client, boss, people):
    if people:
        launched(make_campaign(people=people), *sent(people))

    page = client.get(reverse("admin:index")).content.decode()

    assert ("Nothing failed: 2 messages of 1 campaign sent." if people else "No campaign was launched") in page


def test_the_first_page_takes_as_many_queries_for_many_campaigns(client, boss):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:index"))
        return len(captured)

    launched(make_campaign(people=2), *failed())
    queries()
    once = queries()
    for _ in range(3):
        launched(make_campaign(people=2), *failed())

    assert queries() == once


def test_no_secret_stands_in_the_admin(client, boss):
    add_rows()
    for model, secret in {Invitation: "digest-of-it", ApiKey: "digest-of-it", ChosenSender: "s3cret"}.items():
        page = client.get(address(model, "change", model.objects.first().pk)).content.decode()
        assert secret not in page
