"""Staff of the admin do what they were given and can give themselves nothing more."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, AuditEntry, AuditLink, Membership, Role, User, Workspace
from tests.accounts.test_two_factor import set_up
from tests.make import make_member, make_user, make_workspace

pytestmark = pytest.mark.django_db
EMPTY = {f"memberships-{part}_FORMS": 0 for part in ("TOTAL", "INITIAL")}
PASSWORDS = dict.fromkeys(("password1", "password2"), "another-long-password")


def staff(*codenames: str, **fields) -> User:
    user = make_user(is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def office_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def root() -> User:
    return make_user("root@example.com", is_staff=True, is_superuser=True)


def test_staff_who_may_change_users_change_no_other_staff():
    mighty, office = (
        staff(email="mighty@example.com", password="a-long-enough-password"),
        office_of(staff("change_user")),
    )
    typed = EMPTY | {"email": "mine@example.com", "name": "", "is_active": "on"}

    change = office.post(reverse("admin:accounts_user_change", args=[mighty.pk]), typed)
    password = office.post(reverse("admin:auth_user_password_change", args=[mighty.pk]), PASSWORDS)

    mighty.refresh_from_db()
    assert (change.status_code, password.status_code) == (403, 403)
    assert mighty.email == "mighty@example.com"
    assert mighty.check_password("a-long-enough-password")


def test_staff_who_may_change_users_change_those_who_are_no_staff_and_give_no_rights():
    member, office = make_member(), office_of(staff("change_user"))
    typed = EMPTY | {"email": "new@example.com", "name": "", "is_active": "on", "is_staff": "on", "is_superuser": "on"}

    office.post(reverse("admin:accounts_user_change", args=[member.pk]), typed)

    member.refresh_from_db()
    assert (member.email, member.is_staff, member.is_superuser) == ("new@example.com", False, False)


def test_a_superuser_changes_staff(root):
    mighty = staff(email="mighty@example.com")

    answer = office_of(root).post(reverse("admin:auth_user_password_change", args=[mighty.pk]), PASSWORDS)

    assert answer.status_code == 302
    assert User.objects.get(pk=mighty.pk).check_password("another-long-password")
    assert AuditEntry.objects.filter(verb="change_password", about_id=mighty.pk).count() == 1


def test_only_superusers_change_groups(root):
    mine = Group.objects.create(name="mine")
    everything = {"name": "mine", "permissions": [p.pk for p in Permission.objects.all()]}
    address = reverse("admin:auth_group_change", args=[mine.pk])

    assert office_of(staff("change_group", "view_group", "add_group")).post(address, everything).status_code == 403
    assert mine.permissions.count() == 0
    assert office_of(root).post(address, everything).status_code == 302
    assert mine.permissions.count() > 0


def joining(user: User, workspace: Workspace) -> dict:
    typed = {"email": user.email, "name": "", "is_active": "on", "memberships-TOTAL_FORMS": 1}
    row = {"user": user.pk, "workspace": workspace.pk, "role": Role.OWNER.value}
    return typed | {"memberships-INITIAL_FORMS": 0} | {f"memberships-0-{name}": value for name, value in row.items()}


def test_nobody_but_a_superuser_makes_members(root):
    workspace = make_workspace("Acme")
    eve = staff("change_user", "add_membership", "change_membership", "change_workspace")
    page = reverse("admin:accounts_user_change", args=[eve.pk])

    office_of(eve).post(page, joining(eve, workspace))
    assert not Membership.objects.exists()

    office_of(root).post(page, joining(eve, workspace) | {"is_staff": "on"})
    assert Membership.objects.get().workspace == workspace


def test_staff_may_not_raise_the_role_of_a_key():
    key, _ = ApiKey.make(make_workspace(), "Shop", Role.VIEWER)
    typed = {"name": "Till", "role": Role.OWNER.value}

    office_of(staff("change_apikey")).post(reverse("admin:accounts_apikey_change", args=[key.pk]), typed)

    key.refresh_from_db()
    assert (key.name, key.role) == ("Till", Role.VIEWER)


def test_only_a_superuser_lets_a_workspace_send_more(root):
    acme = make_workspace("Acme")
    page = reverse("admin:accounts_workspace_change", args=[acme.pk])
    typed = EMPTY | {"name": "Acme", "time_zone": "UTC", "retry_policy": 1, "sends_per_minute": 50, "open_messages": 0}

    def limits() -> tuple:
        acme.refresh_from_db()
        return acme.sends_per_minute, acme.open_messages

    assert office_of(staff("change_workspace")).post(page, typed).status_code == 302
    assert limits() == (None, None)
    assert office_of(root).post(page, typed).status_code == 302
    assert limits() == (50, 0)
    assert AuditEntry.objects.latest("pk").changes == {"sends_per_minute": [None, 50], "open_messages": [None, 0]}


def test_when_any_workspace_demands_two_factors_so_does_the_admin(root):
    office = office_of(root)
    assert office.get("/admin/").status_code == 200
    Workspace.objects.create(name="Careful", requires_two_factor=True)

    answer = office.get("/admin/accounts/user/", follow=True)

    assert [address for address, _ in answer.redirect_chain][-1] == reverse("two-factor")
    assert "so the admin does too" in answer.content.decode()
    secured = Client()
    set_up(root, secured)
    assert secured.get("/admin/accounts/user/").status_code == 200


def test_the_password_and_the_way_out_of_the_admin_are_those_of_everybody(root):
    office = office_of(root)

    answer = office.get("/admin/password_change/")
    office.post("/admin/logout/")

    assert answer.headers["Location"] == reverse("change-password")
    assert AuditEntry.objects.get().verb == "log_out"
    assert office.get("/admin/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_rows_of_several_chains_are_always_written_in_the_same_order(root):
    workspace, ann = make_workspace("Acme"), make_user("ann@example.com")
    typed = joining(ann, workspace) | {"name": "Ann"}

    office_of(root).post(reverse("admin:accounts_user_change", args=[ann.pk]), typed)

    chains = AuditEntry.objects.order_by("pk").values_list("workspace_id", "verb", "kind")
    assert list(chains) == [(None, "update", "user"), (workspace.pk, "create", "membership")]
    membership = Membership.objects.get()
    make_member(workspace, Role.OWNER)
    office_of(root).post(reverse("admin:accounts_user_change", args=[ann.pk]), joining_no_more(ann, membership))

    deleted = AuditEntry.objects.get(verb="delete")
    assert (deleted.kind, deleted.about_id, deleted.workspace_id) == ("membership", membership.pk, workspace.pk)
    assert deleted.changes["role"] == ["owner", None]
    last = AuditEntry.objects.order_by("-pk").values_list("workspace_id", flat=True)[:2]
    assert list(last) == [workspace.pk, None]
    connection.check_constraints()
    assert AuditLink.objects.count() == AuditEntry.objects.count()


def joining_no_more(user: User, membership: Membership) -> dict:
    rows = joining(user, membership.workspace) | {"memberships-INITIAL_FORMS": 1, "name": "Ann Mwende"}
    return rows | {"memberships-0-id": membership.pk, "memberships-0-DELETE": "on"}
