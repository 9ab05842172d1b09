"""Two-factor login: set up, asked for at every door, recoverable, and never half open."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import logins, two_factor
from accounts.models import AuditEntry, Role, User
from tests.dispatcher.watching import socket, watch
from tests.make import make_member, make_workspace

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"
TYPED = {"name": "Spring", "channel": "email", "subject": "Hello", "body": "Dear all", "audience": "some"}
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def acme():
    return make_workspace("Acme")


@pytest.fixture
def ann(acme):
    return make_member(acme, Role.OWNER, email="ann@example.com", name="Ann", password=PASSWORD)


def code_of(user: User) -> str:
    """What the app shows; as time stands still in a test, the code before is forgotten first."""
    device = TOTPDevice.objects.filter(user=user).latest("pk")
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1, throttling_failure_count=0)
    return f"{totp(device.bin_key):06}"


def wrong(user: User) -> str:
    return f"{(int(code_of(user)) + 1) % 1_000_000:06}"


def set_up(user: User, browser: Client | None = None) -> list[str]:
    browser = browser or Client()
    browser.force_login(user)
    browser.get(reverse("two-factor"))
    answer = browser.post(reverse("two-factor"), {"code": code_of(user)})
    user.refresh_from_db()  # a session begun with the row as it was before would be over
    return answer.context["codes"]


def give_password(browser: Client, **more):
    return browser.post(reverse("login"), {"username": "ann@example.com", "password": PASSWORD} | more)


def give_code(browser: Client, code: str):
    return browser.post(reverse("login-code"), {"code": code})


def is_in(browser: Client) -> bool:
    return browser.get(reverse("campaigns")).status_code == 200


def test_it_is_set_up_by_a_picture_or_a_key_and_a_code_that_proves_it(ann, client):
    client.force_login(ann)

    page = client.get(reverse("two-factor")).content.decode()
    answer = client.post(reverse("two-factor"), {"code": code_of(ann)})

    device = TOTPDevice.objects.get()
    assert 'src="data:image/svg+xml' in page
    assert two_factor.key_of(device) in page
    assert device.confirmed
    codes = answer.context["codes"]
    assert len(set(codes)) == 10
    assert all(code in answer.content.decode() for code in codes)
    assert is_in(client)
    assert codes[0] not in client.get(reverse("account")).content.decode()


def test_the_key_stays_the_same_until_it_is_confirmed_and_a_wrong_code_confirms_nothing(ann, client):
    client.force_login(ann)
    first = client.get(reverse("two-factor")).context["key"]

    answer = client.post(reverse("two-factor"), {"code": wrong(ann)})

    assert answer.status_code == 422
    assert answer.context["key"] == first
    assert "That code is not right" in answer.content.decode()
    assert not TOTPDevice.objects.get().confirmed
    assert is_in(Client()) is False
    give_password(again := Client())
    assert is_in(again)


def test_no_door_opens_before_the_second_step(ann, acme):
    set_up(ann)
    User.objects.filter(pk=ann.pk).update(is_staff=True, is_superuser=True)
    browser = Client()

    answer = give_password(browser)

    assert answer.headers["Location"] == reverse("login-code")
    for address in ("/", "/people/", "/account/", "/settings/", "/admin/", reverse("two-factor-off")):
        landed = browser.get(address, follow=True)
        assert landed.request["PATH_INFO"] == reverse("login"), address
    assert browser.post(reverse("two-factor-off"), {"password": PASSWORD}).status_code == 302
    assert TOTPDevice.objects.filter(confirmed=True).exists()

    give_code(browser, code_of(ann))
    assert is_in(browser)
    assert browser.get("/admin/").status_code == 200


def test_a_session_that_never_saw_the_second_step_is_nobodys(ann):
    set_up(ann)
    browser = Client()
    browser.force_login(ann)

    assert not is_in(browser)


@pytest.mark.django_db(transaction=True)
def test_no_socket_opens_before_the_second_step(ann, client):
    set_up(ann)
    give_password(client)
    halfway = client.cookies["sessionid"].value
    skipped = Client()
    skipped.force_login(ann)

    async def opens(cookie: str) -> bool:
        one = socket("/ws/campaigns/", cookie=cookie)
        connected, _ = await one.connect(timeout=5)
        if connected:
            await one.disconnect()
        return connected

    assert not watch(opens(halfway))
    assert not watch(opens(skipped.cookies["sessionid"].value))
    give_code(client, code_of(ann))
    assert watch(opens(client.cookies["sessionid"].value))


def test_the_admin_has_no_login_of_its_own(client, ann):
    answer = client.get("/admin/", follow=True)
    assert answer.request["PATH_INFO"] == reverse("login")
    assert client.get("/admin/login/?next=/admin/").headers["Location"] == f"{reverse('login')}?next=/admin/"

    client.force_login(ann)
    assert "Only staff may enter the admin" in client.get("/admin/", follow=True).content.decode()


def test_a_wrong_code_is_said_and_the_next_one_has_to_wait(ann, client):
    set_up(ann)
    give_password(client)
    bad = wrong(ann)

    first, second = give_code(client, bad), give_code(client, bad)

    assert "That code is not right" in first.content.decode()
    assert "Too many wrong codes. Try again in" in second.content.decode()
    assert not is_in(client)


def test_wrong_codes_leave_a_trace_that_names_no_code_and_stop_where_one_has_to_wait(ann, client):
    set_up(ann)
    give_password(client)
    bad = wrong(ann)
    for _ in range(3):
        give_code(client, bad)
    give_code(client, "wrong-recov")

    rows = AuditEntry.objects.filter(verb="wrong_code")
    assert [(row.about_id, row.actor, row.workspace_id) for row in rows] == [(ann.pk, "", None)] * 2
    assert bad not in str(list(rows.values()))


def test_a_key_that_was_shown_is_over_when_the_password_changes_or_everybody_is_logged_out(ann, acme, client):
    client.force_login(ann)

    def key():
        return client.get(reverse("two-factor")).context["key"]

    seen = [key()]
    client.post(reverse("log-out-everywhere"))
    seen.append(key())
    typed = {"old_password": PASSWORD, "new_password1": "another-long-password"}
    client.post(reverse("change-password"), typed | {"new_password2": "another-long-password"})
    seen.append(key())
    ann.refresh_from_db()
    logins.reset_password(ann, PASSWORD)
    client.force_login(ann)
    seen.append(key())

    assert len(set(seen)) == 4


def test_a_key_that_was_shown_is_over_after_a_quarter_of_an_hour(ann, client):
    client.force_login(ann)
    first = client.get(reverse("two-factor")).context["key"]
    TOTPDevice.objects.update(created_at=timezone.now() - timedelta(minutes=14))
    assert client.get(reverse("two-factor")).context["key"] == first
    code = code_of(ann)
    TOTPDevice.objects.update(created_at=timezone.now() - timedelta(minutes=16))

    answer = client.post(reverse("two-factor"), {"code": code})

    assert "This key is over" in answer.content.decode()
    assert answer.context["key"] != first
    assert TOTPDevice.objects.count() == 1 and not TOTPDevice.objects.get().confirmed


def test_a_code_opens_once(ann):
    set_up(ann)
    one, other = Client(), Client()
    code = code_of(ann)
    for browser in (one, other):
        give_password(browser)
        give_code(browser, code)

    assert is_in(one)
    assert not is_in(other)


@pytest.mark.parametrize("shape", [str, str.upper, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_a_recovery_code_opens_once(ann, shape):
    codes = set_up(ann)
    one, other = Client(), Client()
    for browser in (one, other):
        give_password(browser)
        give_code(browser, shape(codes[3]))

    assert is_in(one)
    assert not is_in(other)
    assert "Recovery codes left: 9" in one.get(reverse("account")).content.decode()


def test_recovery_codes_are_kept_as_digests_and_nothing_secret_is_in_the_audit_log(ann):
    codes = set_up(ann)

    kept = set(StaticToken.objects.values_list("token", flat=True))
    log = str(list(AuditEntry.objects.values()))
    device = TOTPDevice.objects.get()
    assert not {code.replace("-", "") for code in codes} & kept
    assert device.key not in log and codes[0] not in log
    assert "turn_on_two_factor" in log


def test_new_recovery_codes_replace_the_old_ones_and_take_the_password(ann, client):
    old = set_up(ann, client)

    assert client.post(reverse("recovery-codes"), {"password": "wrong"}).status_code == 422
    new = client.post(reverse("recovery-codes"), {"password": PASSWORD}).context["codes"]

    give_password(browser := Client())
    give_code(browser, old[0])
    assert not is_in(browser)
    StaticDevice.objects.update(throttling_failure_count=0)
    give_code(browser, new[0])
    assert is_in(browser)


def test_turning_it_off_takes_the_password_and_forgets_everything(ann, client):
    set_up(ann, client)

    assert client.post(reverse("two-factor-off"), {"password": "wrong"}).status_code == 422
    client.post(reverse("two-factor-off"), {"password": PASSWORD})

    assert not TOTPDevice.objects.exists() and not StaticDevice.objects.exists()
    assert is_in(client)
    give_password(other := Client())
    assert is_in(other)


def test_turning_it_on_or_off_ends_the_other_sessions(ann, client):
    other = Client()
    other.force_login(ann)
    set_up(ann, client)
    assert not is_in(other)
    assert is_in(client)

    give_password(other)
    give_code(other, code_of(ann))
    assert is_in(other)
    client.post(reverse("two-factor-off"), {"password": PASSWORD})
    assert is_in(client) and not is_in(other)


def test_the_second_step_ends_with_a_changed_password_and_after_ten_minutes(ann):
    set_up(ann)
    slow, robbed = Client(), Client()
    for browser in (slow, robbed):
        give_password(browser)
    session = slow.session
    session["halfway"] |= {"until": 0}
    session.save()

    answer = slow.post(reverse("login-code"), {"code": code_of(ann)}, follow=True)
    assert "more than ten minutes" in answer.content.decode()
    ann.set_password("another-long-password")
    ann.save()
    give_code(robbed, code_of(ann))

    assert not is_in(slow) and not is_in(robbed)


def test_the_second_step_leads_on_to_the_page_asked_for_and_never_to_another_site(ann, client):
    set_up(ann)

    give_password(client, next=reverse("people"))
    assert give_code(client, code_of(ann)).headers["Location"] == reverse("people")

    give_password(other := Client(), next="https://evil.example/")
    assert give_code(other, code_of(ann)).headers["Location"] == reverse("campaigns")


def test_an_admin_turns_it_off_for_a_member_who_lost_everything(ann, acme, client):
    max_ = make_member(acme, email="max@example.com")
    set_up(max_)
    client.force_login(ann)

    client.post(reverse("member-two-factor-off", args=[max_.memberships.get().pk]))

    assert not TOTPDevice.objects.filter(user=max_).exists()
    row = AuditEntry.objects.get(verb="turn_off_two_factor")
    assert (row.actor, row.workspace_id) == ("Ann", acme.pk)


def test_turning_off_what_is_off_ends_no_session_and_writes_nothing(ann, acme, client):
    max_ = make_member(acme, email="max@example.com")
    theirs = Client()
    theirs.force_login(max_)
    client.force_login(ann)

    client.post(reverse("member-two-factor-off", args=[max_.memberships.get().pk]))

    assert is_in(theirs)
    assert not AuditEntry.objects.filter(verb="turn_off_two_factor").exists()


def test_a_command_turns_it_off_for_the_only_owner_who_lost_everything(ann, capsys):
    set_up(ann)

    call_command("two_factor_off", "ANN@example.com")

    give_password(browser := Client())
    assert is_in(browser)
    for email in ("ann@example.com", "nobody@example.com"):
        with pytest.raises(CommandError):
            call_command("two_factor_off", email)


def test_turning_it_off_warns_who_works_where_it_is_demanded(ann, acme, client):
    set_up(ann, client)
    warning = "Acme demands it"
    assert warning not in client.get(reverse("two-factor-off")).content.decode()
    acme.requires_two_factor = True
    acme.save()

    assert warning in client.get(reverse("two-factor-off")).content.decode()


def test_a_workspace_that_asks_for_it_leads_members_to_the_set_up(acme, client):
    max_ = make_member(acme, email="max@example.com")
    acme.requires_two_factor = True
    acme.save()
    client.force_login(max_)

    for address in ("/", "/people/", "/campaigns/new/"):
        answer = client.get(address, follow=True)
        assert answer.request["PATH_INFO"] == reverse("two-factor"), address
    fragment = client.get(reverse("campaigns-live"), headers={"HX-Request": "true"})
    assert fragment.headers["HX-Redirect"] == reverse("two-factor")
    client.post(reverse("two-factor"), {"code": code_of(max_)})

    assert is_in(client)


def test_text_posted_to_a_workspace_that_just_began_to_ask_for_it_is_kept(acme, client):
    max_ = make_member(acme, Role.EDITOR, email="max@example.com")
    acme.requires_two_factor = True
    acme.save()
    client.force_login(max_)

    answer = client.post(reverse("campaign-new"), TYPED, headers=HERE)

    html = answer.content.decode()
    assert answer.status_code == 403
    assert "Save it now" in html and "Dear all" in html
    assert not acme.campaigns.exists()


def test_text_posted_before_the_second_step_is_kept_and_saved_after_it(ann, acme, client):
    set_up(ann)
    give_password(client)

    kept = client.post(reverse("campaign-new"), TYPED, headers=HERE)
    give_code(client, code_of(ann))
    client.post(reverse("campaign-new"), TYPED, headers=HERE)

    assert kept.status_code == 401
    assert "Save it now" in kept.content.decode()
    assert acme.campaigns.get().name == "Spring"


def test_an_api_key_needs_no_second_step_and_a_halfway_session_is_none(ann, client):
    set_up(ann)
    give_password(client)

    assert client.get("/api/campaigns").status_code == 401
