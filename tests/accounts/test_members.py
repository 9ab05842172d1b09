"""Members: who may invite, raise, lower and remove whom, and what those see who may not."""

import re
import threading
import time
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import members
from accounts.members import InvitationOver, NotPossible
from accounts.models import AuditEntry, Invitation, Membership, Role, User
from accounts.reset_links import Tokens
from tests.make import make_member, make_user, make_workspace

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"


@pytest.fixture
def acme():
    return make_workspace("Acme")


@pytest.fixture
def owner(acme):
    return make_member(acme, Role.OWNER, email="olga@example.com", name="Olga")


@pytest.fixture
def admin(acme, owner):
    return make_member(acme, Role.ADMIN, email="adam@example.com", name="Adam")


def membership(user, workspace) -> Membership:
    return Membership.objects.get(user=user, workspace=workspace)


def browser_of(user) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def invite(browser, email="new@example.com", role=Role.EDITOR):
    return browser.post(reverse("invite"), {"email": email, "role": role.value})


def link_in(answer) -> str:
    """The link that was mailed, or else is shown."""
    text = mail.outbox[-1].body if mail.outbox else answer.content.decode()
    return re.findall(r"http://testserver(/[^\s\"]+)", text)[-1]


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def test_a_new_person_opens_the_link_chooses_a_password_and_is_in(admin, acme, client):
    link = link_in(invite(browser_of(admin)))

    page = client.get(link).content.decode()
    answer = client.post(link, {"name": "Nina", "password": PASSWORD})

    assert "Adam invites new@example.com to work there as editor" in page
    assert answer.headers["Location"] == reverse("campaigns")
    nina = User.objects.get(email="new@example.com")
    assert membership(nina, acme).role == Role.EDITOR
    assert client.get(reverse("campaigns")).status_code == 200
    assert verbs() == ["invite", "accept", "log_in"]
    assert not any(link.split("/")[-2] in str(entry.changes) for entry in AuditEntry.objects.all())


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "Nina", "password": "short"}, "too short"),
        ({"name": "Nina", "password": "password"}, "too common"),
        ({"name": "Nina", "password": "new@example.com"}, "too similar"),
        ({"name": "", "password": PASSWORD}, "Type your name"),
        ({"name": "Nina", "password": ""}, "Choose a password"),
    ],
)
def test_a_weak_password_or_no_name_is_told_in_a_sentence(admin, client, typed, sentence):
    link = link_in(invite(browser_of(admin)))

    answer = client.post(link, typed)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_known_user_logs_in_and_accepts(admin, acme, client):
    known = make_user("new@example.com", password=PASSWORD)
    link = link_in(invite(browser_of(admin), email="NEW@example.com"))

    assert f"{reverse('login')}?next={link}" in client.get(link).content.decode()
    assert client.post(link, {"name": "x", "password": "y"}).status_code == 200  # nobody joins without the login
    answer = client.post(reverse("login"), {"username": known.email, "password": PASSWORD, "next": link})
    client.post(answer.headers["Location"])

    assert membership(known, acme).role == Role.EDITOR
    assert client.session["workspace"] == acme.pk


def test_a_link_is_of_no_use_to_somebody_else(admin, acme):
    link = link_in(invite(browser_of(admin)))
    other = make_member()
    browser = browser_of(other)

    assert "Log out first" in browser.get(link).content.decode()
    browser.post(link)

    assert not acme.memberships.filter(user=other).exists()
    with pytest.raises(NotPossible, match="This invitation is for"):
        members.accept(Invitation.objects.get(), other)


@pytest.mark.parametrize("how", ["used", "revoked", "resent", "expired", "made up"])
def test_a_link_that_is_over_says_so(admin, acme, client, how):
    browser = browser_of(admin)
    link = link_in(invite(browser))
    invitation = Invitation.objects.get()
    if how == "used":
        Client().post(link, {"name": "Nina", "password": PASSWORD})
    elif how == "revoked":
        browser.post(reverse("revoke", args=[invitation.pk]))
    elif how == "resent":
        assert client.get(link_in(browser.post(reverse("resend", args=[invitation.pk])))).status_code == 200
    elif how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        link = reverse("join", args=["x" * 43])
    before = acme.memberships.count()

    answer = client.get(link)
    posted = client.post(link, {"name": "Nora", "password": PASSWORD})

    assert (answer.status_code, posted.status_code) == (410, 410)
    assert "This invitation is over" in answer.content.decode()
    assert acme.memberships.count() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_one_link_at_once_one_joins(admin, acme):
    invitation, token = members.invite(acme, "new@example.com", Role.VIEWER, by=admin)
    user = make_user("new@example.com")
    barrier = threading.Barrier(2)
    outcomes = []

    def join():
        found = members.invitation_of(token)
        barrier.wait(10)
        try:
            members.accept(found, user)
            outcomes.append("in")
        except InvitationOver:
            outcomes.append("over")
        finally:
            connection.close()

    threads = [threading.Thread(target=join) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(outcomes) == ["in", "over"]


def test_an_invitation_is_valid_for_seven_days_and_kept_as_a_digest(admin, acme):
    invitation, token = members.invite(acme, "new@example.com", Role.VIEWER, by=admin)

    assert timedelta(days=6, hours=23) < invitation.expires_at - timezone.now() <= timedelta(days=7)
    assert token not in str(Invitation.objects.values())


def test_the_invitation_is_mailed_where_mail_is_set_up(admin, mailoutbox):
    answer = invite(browser_of(admin))

    assert mailoutbox[0].to == ["new@example.com"]
    assert "was mailed to them" in answer.content.decode()
    link = re.search(r"/join/\S+", mailoutbox[0].body)[0]
    again = browser_of(admin).post(reverse("resend", args=[Invitation.objects.get().pk])).content.decode()
    newer = re.search(r"/join/\S+", mailoutbox[1].body)[0]
    for page in (answer.content.decode(), again):
        assert "/join/" not in page and link not in page and newer not in page


def test_without_mail_or_with_a_mail_server_that_is_down_the_link_is_passed_on_by_hand(admin, settings, mailoutbox):
    browser = browser_of(admin)
    settings.CAN_MAIL = False
    page = invite(browser).content.decode()
    assert "Mail is not set up here" in page and "http://testserver/join/" in page
    assert "Who opens it first can make the account for new@example.com" in page
    assert mailoutbox == []

    settings.CAN_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = invite(browser, "other@example.com")

    assert "could not be mailed" in answer.content.decode()
    assert "http://testserver/join/" in answer.content.decode()


def test_whoever_is_in_or_invited_is_not_invited_again(admin, owner):
    browser = browser_of(admin)

    assert "is a member already" in invite(browser, "OLGA@example.com").content.decode()
    invite(browser)
    assert "is invited already" in invite(browser, "New@Example.com").content.decode()
    assert "Type an email address" in invite(browser, "nobody").content.decode()
    assert Invitation.objects.count() == 1


def test_only_an_owner_makes_owners(admin, owner, acme):
    marketer = membership(make_member(acme), acme)

    assert "owner" not in str(browser_of(admin).get(reverse("members")).context["form"]["role"])
    assert invite(browser_of(admin), role=Role.OWNER).status_code == 422
    with pytest.raises(PermissionDenied):
        members.invite(acme, "x@example.com", Role.OWNER, by=admin)
    assert browser_of(admin).post(reverse("member", args=[marketer.pk]), {"role": 5}).status_code == 403
    browser_of(owner).post(reverse("member", args=[marketer.pk]), {"role": 5})

    marketer.refresh_from_db()
    assert marketer.role == Role.OWNER


def test_nobody_raises_himself(admin, acme):
    answer = browser_of(admin).post(reverse("member", args=[membership(admin, acme).pk]), {"role": 5})

    assert answer.status_code == 403
    assert membership(admin, acme).role == Role.ADMIN


def test_only_an_owner_demotes_or_removes_an_owner(admin, owner, acme):
    theirs = membership(owner, acme)
    make_member(acme, Role.OWNER)
    browser = browser_of(admin)

    assert browser.post(reverse("member", args=[theirs.pk]), {"role": 1}).status_code == 403
    assert browser.post(reverse("member-remove", args=[theirs.pk])).status_code == 403
    assert "Save role" not in browser.get(reverse("member", args=[theirs.pk])).content.decode()
    assert membership(owner, acme).role == Role.OWNER


def test_the_last_owner_stays(owner, acme):
    theirs = membership(owner, acme)
    browser = browser_of(owner)

    for name, typed in (("member", {"role": 4}), ("member-remove", {})):
        answer = browser.post(reverse(name, args=[theirs.pk]), typed, follow=True)
        assert "is the last owner" in answer.content.decode()

    assert membership(owner, acme).role == Role.OWNER


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_step_down_at_once_leave_one(acme, owner):
    other = make_member(acme, Role.OWNER)
    barrier = threading.Barrier(2)
    refused = []

    def step_down(user):
        mine = membership(user, acme)
        barrier.wait(10)
        try:
            members.change_role(mine, Role.ADMIN, by=user)
        except NotPossible:
            refused.append(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=step_down, args=[user]) for user in (owner, other)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert len(refused) == 1
    assert acme.memberships.filter(role=Role.OWNER).count() == 1


def test_who_was_demoted_a_moment_ago_cannot_use_the_page_still_open(admin, owner, acme):
    viewer = membership(make_member(acme, Role.VIEWER), acme)
    Membership.objects.filter(user=admin).update(role=Role.EDITOR)

    with pytest.raises(PermissionDenied):
        members.change_role(viewer, Role.ADMIN, by=admin)
    with pytest.raises(PermissionDenied):
        members.remove(viewer, by=admin)


def test_removing_asks_first_and_shuts_the_door_at_once(admin, acme):
    marketer = make_member(acme, name="Max")
    theirs, address = browser_of(marketer), reverse("member-remove", args=[membership(marketer, acme).pk])

    assert "Remove Max from Acme?" in browser_of(admin).get(address).content.decode()
    assert acme.memberships.filter(user=marketer).exists()
    browser_of(admin).post(address)

    assert theirs.get(reverse("campaigns")).status_code == 403
    assert AuditEntry.objects.get(verb="remove").changes == {"role": ["marketer", None]}


def test_the_list_tells_role_last_login_and_second_factor(admin, owner, acme):
    html = browser_of(admin).get(reverse("members")).content.decode()

    assert "olga@example.com" in html and "Owner" in html and "never" in html
    assert ">Look</a>" in html  # an admin may not change the owner


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.MARKETER])
def test_a_role_that_may_not_manage_is_shown_no_way_there(acme, role):
    html = browser_of(make_member(acme, role)).get(reverse("people")).content.decode()

    assert reverse("settings") not in html
    assert reverse("account") in html


def test_an_admin_makes_a_link_by_which_a_member_sets_a_new_password(admin, acme, client):
    max_ = make_member(acme, email="max@example.com", password="forgotten-password")
    answer = browser_of(admin).post(reverse("reset-link", args=[membership(max_, acme).pk]))

    page = client.get(link_in(answer), follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": PASSWORD, "new_password2": PASSWORD})

    max_.refresh_from_db()
    assert max_.check_password(PASSWORD)
    assert client.get(link_in(answer), follow=True).context["validlink"] is False
    made, used = AuditEntry.objects.order_by("id")
    assert [made.verb, used.verb] == ["make_reset_link", "reset_password"]
    assert made.workspace_id == used.workspace_id == acme.pk
    assert (used.actor, used.changes) == ("", {"link_made_by": [None, "Adam"]})  # whoever had the link
    assert "for one hour" in answer.content.decode()


def test_a_mailed_link_is_used_by_its_user(acme, client):
    max_ = make_member(acme, email="max@example.com")
    uid = urlsafe_base64_encode(force_bytes(max_.pk))

    page = client.get(reverse("new-password", args=[uid, Tokens().make_token(max_)]), follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": PASSWORD, "new_password2": PASSWORD})

    assert AuditEntry.objects.get().actor == str(max_)


@pytest.fixture
def reset_link(admin, acme):
    """Made by the admin, for a marketer."""
    max_ = make_member(acme, email="max@example.com", password="forgotten-password")
    page = browser_of(admin).post(reverse("reset-link", args=[membership(max_, acme).pk])).content.decode()
    return re.search(r"http://testserver(/password/new/[^\"]+)", page)[1]


def opens(link) -> bool:
    return Client().get(link, follow=True).context["validlink"]


def test_a_link_made_by_an_admin_works_for_an_hour(reset_link, monkeypatch):
    def after(minutes):
        monkeypatch.setattr(Tokens, "_now", lambda self: datetime.now() + timedelta(minutes=minutes))
        return opens(reset_link)

    assert after(59)
    assert not after(61)


@pytest.mark.parametrize("how", ["removed", "demoted", "closed", "outranked", "stripped"])
def test_a_link_made_by_an_admin_is_over_when_the_admin_could_not_make_it_any_more(reset_link, admin, owner, acme, how):
    assert opens(reset_link)
    if how == "removed":
        members.remove(membership(admin, acme), by=owner)
    elif how == "demoted":
        members.change_role(membership(admin, acme), Role.MARKETER, by=owner)
    elif how == "closed":
        User.objects.filter(pk=admin.pk).update(is_active=False)
    elif how == "outranked":
        Membership.objects.filter(user__email="max@example.com").update(role=Role.OWNER)
    else:
        reset_link = re.sub(r"\.\d+/$", "/", reset_link)  # nor does it become one that was mailed

    assert not opens(reset_link)


def test_who_was_removed_does_not_come_back_by_an_invitation_of_his_own(admin, owner, acme):
    invitation, token = members.invite(acme, "adam2@example.com", Role.ADMIN, by=admin)
    others, _ = members.invite(acme, "else@example.com", Role.ADMIN, by=owner)

    members.remove(membership(admin, acme), by=owner)

    with pytest.raises(InvitationOver):
        members.accept_as_new(invitation, name="Adam", password=PASSWORD)
    invitation.refresh_from_db()
    others.refresh_from_db()
    assert invitation.revoked_at and not others.revoked_at
    assert verbs() == ["invite", "invite", "remove", "revoke"]


def test_who_was_demoted_keeps_only_the_invitations_he_could_still_make(owner, acme):
    second = make_member(acme, Role.OWNER)
    high, _ = members.invite(acme, "high@example.com", Role.OWNER, by=second)
    low, _ = members.invite(acme, "low@example.com", Role.ADMIN, by=second)

    members.change_role(membership(second, acme), Role.ADMIN, by=owner)

    assert not Invitation.objects.get(pk=high.pk).is_open and Invitation.objects.get(pk=low.pk).is_open
    members.change_role(membership(second, acme), Role.MARKETER, by=owner)
    assert not Invitation.objects.get(pk=low.pk).is_open


@pytest.mark.parametrize("change", [{"role": Role.EDITOR}, {"role": Role.ADMIN}, None])
def test_an_invitation_opens_nothing_when_its_maker_may_not_make_it_any_more(owner, acme, client, change):
    """However that came about: the back office takes no invitation back."""
    second = make_member(acme, Role.OWNER)
    invitation, token = members.invite(acme, "new@example.com", Role.OWNER, by=second)
    if change:
        Membership.objects.filter(user=second).update(**change)
    else:
        User.objects.filter(pk=second.pk).update(is_active=False)

    answer = client.get(reverse("join", args=[token]))

    assert answer.status_code == 410 and "may not invite anybody to this any more" in answer.content.decode()
    with pytest.raises(InvitationOver):
        members.accept(invitation, make_user("new@example.com"))
    token = members.resend(invitation, by=owner)  # who makes a new link stands in for it
    assert client.get(reverse("join", args=[token])).status_code == 200


def test_a_workspace_of_ones_own_puts_nobody_out_of_reach_of_help(admin, acme):
    marketer = make_member(acme)
    own = make_workspace("Own")
    Membership.objects.create(workspace=own, user=marketer, role=Role.OWNER)
    assert members.may_rescue(admin, marketer)

    make_member(own)
    assert not members.may_rescue(admin, marketer)


@pytest.mark.django_db(transaction=True)
def test_who_joins_two_workspaces_at_once_is_told_to_log_in_by_the_second(admin, acme):
    invitation, token = members.invite(acme, "new@example.com", Role.VIEWER, by=admin)
    outcomes = []

    def join():
        try:
            members.accept_as_new(invitation, name="Nina", password=PASSWORD)
            outcomes.append("in")
        except Exception as refusal:
            outcomes.append(type(refusal))
        finally:
            connection.close()

    thread = threading.Thread(target=join)
    with transaction.atomic():
        make_user("new@example.com")  # by way of the other workspace, not committed yet
        thread.start()
        await_waiting()
    thread.join()

    assert outcomes == [NotPossible]


def await_waiting() -> None:
    """Until another connection waits for what this transaction holds."""
    ends = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < ends:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_nobody_is_rescued_by_who_stands_lower_anywhere(admin, owner, acme):
    elsewhere = make_workspace("Elsewhere")
    double = make_member(acme, Role.VIEWER)
    Membership.objects.create(workspace=elsewhere, user=double, role=Role.VIEWER)
    make_member(elsewhere)
    staff = make_member(acme, Role.VIEWER, is_staff=True)
    viewer = make_member(acme, Role.VIEWER)

    for user in (owner, admin, double, staff):
        for name in ("reset-link", "member-two-factor-off"):
            answer = browser_of(admin).post(reverse(name, args=[membership(user, acme).pk]))
            assert answer.status_code == 403, (user, name)
        page = browser_of(admin).get(reverse("member", args=[membership(user, acme).pk]))
        assert "Make link" not in page.content.decode()
    assert members.may_rescue(admin, viewer)
    assert members.may_rescue(owner, admin)
