"""One's own account: name, password, forgotten password, and the sessions elsewhere."""

import asyncio
import re
import time

import pytest
from axes.models import AccessAttempt
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Role, User
from accounts.reset_links import Tokens
from dispatcher.consumers import Watcher
from tests.accounts.test_two_factor import set_up
from tests.dispatcher.watching import change, socket, watch
from tests.make import make_member, make_user, make_workspace

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"
NEW = "another-long-password"


@pytest.fixture
def ann():
    return make_member(make_workspace("Acme"), Role.VIEWER, email="ann@example.com", name="Ann", password=PASSWORD)


def browser_of(user) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(reverse("account")).status_code == 200


def the_mail(mailoutbox):
    """The mail leaves in a thread of its own."""
    ends = time.monotonic() + 5
    while not mailoutbox and time.monotonic() < ends:
        time.sleep(0.01)
    return mailoutbox[0]


def without_token(answer) -> str:
    return re.sub(r'"X-CSRFToken": "\w+"', "", answer.content.decode())


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def test_a_name_is_changed_and_none_is_refused_with_a_sentence(ann):
    browser = browser_of(ann)

    browser.post(reverse("account"), {"name": "Ann Mwende"})
    answer = browser.post(reverse("account"), {"name": " "})

    ann.refresh_from_db()
    assert ann.name == "Ann Mwende"
    assert answer.status_code == 422 and "Type your name" in answer.content.decode()


def test_the_account_opens_to_a_user_without_any_workspace():
    browser = browser_of(make_user("new@example.com"))

    for name in ("account", "change-password", "two-factor"):
        assert browser.get(reverse(name)).status_code == 200, name


def test_a_changed_password_ends_the_sessions_elsewhere_and_not_this_one(ann):
    here, elsewhere = browser_of(ann), browser_of(ann)
    typed = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}

    here.post(reverse("change-password"), typed)

    assert is_in(here)
    assert not is_in(elsewhere)
    ann.refresh_from_db()
    assert ann.check_password(NEW)
    assert verbs() == ["change_password"]


@pytest.mark.parametrize(
    "changes", [{"old_password": "wrong"}, {"new_password2": "different"}, {"new_password1": "short"}]
)
def test_a_password_is_not_changed_by_mistake(ann, changes):
    typed = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW} | changes

    answer = browser_of(ann).post(reverse("change-password"), typed)

    assert 'class="error"' in answer.content.decode()
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_logging_out_everywhere_else_leaves_this_session(ann):
    here, elsewhere = browser_of(ann), browser_of(ann)

    here.post(reverse("log-out-everywhere"))

    assert is_in(here)
    assert not is_in(elsewhere)
    assert verbs() == ["log_out_everywhere"]


@pytest.mark.django_db(transaction=True)
def test_a_live_page_elsewhere_is_closed_too(ann, monkeypatch):
    monkeypatch.setattr(Watcher, "check_every", 0.2)
    here, elsewhere = browser_of(ann), browser_of(ann)
    mine = socket("/ws/campaigns/", cookie=elsewhere.cookies["sessionid"].value)

    async def scene() -> int:
        await mine.connect()
        await change(here.post, reverse("log-out-everywhere"))
        async with asyncio.timeout(5):
            while (output := await mine.receive_output(timeout=5))["type"] != "websocket.close":
                pass
        return output["code"]

    assert watch(scene()) == 4403


def test_login_and_logout_are_in_the_audit_log(ann, client):
    client.post(reverse("login"), {"username": ann.email, "password": PASSWORD})
    client.post(reverse("logout"))

    assert verbs() == ["log_in", "log_out"]
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_a_forgotten_password_is_replaced_by_way_of_a_mailed_link_that_works_once(ann, client, mailoutbox):
    client.post(reverse("forgot-password"), {"email": "ANN@example.com"})
    link = re.search(r"http://testserver(\S+)", the_mail(mailoutbox).body)[1]

    page = client.get(link, follow=True)
    answer = client.post(page.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})

    assert answer.headers["Location"] == reverse("login")
    ann.refresh_from_db()
    assert ann.check_password(NEW)
    assert "This link is over" in Client().get(link, follow=True).content.decode()
    assert verbs() == ["ask_for_new_password", "reset_password"]


def test_an_unknown_address_gets_the_same_answer_and_no_mail(ann, client, mailoutbox):
    known = client.post(reverse("forgot-password"), {"email": "ann@example.com"}, follow=True)
    the_mail(mailoutbox)
    unknown = client.post(reverse("forgot-password"), {"email": "ben@example.com"}, follow=True)
    time.sleep(0.2)

    assert without_token(known) == without_token(unknown)
    assert len(mailoutbox) == 1


def test_a_mailbox_is_not_flooded(ann, client, mailoutbox):
    for _ in range(3):
        client.post(reverse("forgot-password"), {"email": "ann@example.com"})
    the_mail(mailoutbox)
    time.sleep(0.2)

    assert len(mailoutbox) == 1


def test_a_link_for_a_new_password_is_over_after_logging_out_everywhere(ann):
    token = Tokens().make_token(ann)
    assert Tokens().check_token(ann, token)

    ann.end_sessions()

    assert not Tokens().check_token(ann, token)


@pytest.mark.parametrize("name", ["change-password", "two-factor-off", "recovery-codes"])
def test_a_password_cannot_be_guessed_without_limit_inside_a_session(ann, client, name):
    client.force_login(ann)
    if name != "change-password":
        set_up(ann, client)

    def guess(password):
        typed = {"password": password, "old_password": password, "new_password1": NEW, "new_password2": NEW}
        return client.post(reverse(name), typed)

    answers = [guess(f"wrong-{n}") for n in range(5)]
    with_the_right_one = guess(PASSWORD)

    assert "That is not your password." in answers[0].content.decode()
    assert [answer.status_code for answer in answers[1:]][-1] == with_the_right_one.status_code == 429
    html = with_the_right_one.content.decode()
    assert "Try again in 15 minutes" in html and reverse("account") in html
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    assert verbs()[-6:] == ["wrong_password"] * 5 + ["lock_out"]
    assert NEW not in str(list(AccessAttempt.objects.values())) and "wrong-" not in str(AccessAttempt.objects.values())


def test_the_row_of_a_logout_is_written_or_the_session_goes_on(ann, client):
    client.force_login(ann)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry ADD CONSTRAINT full_up CHECK (verb <> 'log_out') NOT VALID")

    with pytest.raises(IntegrityError):
        client.post(reverse("logout"))

    assert is_in(client)


def test_where_mail_is_not_set_up_the_login_says_whom_to_ask(client, settings):
    assert reverse("forgot-password") in client.get(reverse("login")).content.decode()

    settings.CAN_MAIL = False

    html = client.get(reverse("login")).content.decode()
    assert "Ask an owner or admin" in html and reverse("forgot-password") not in html
    assert client.get(reverse("forgot-password")).status_code == 404


def test_a_new_password_does_not_skip_the_second_step_or_log_in(ann, client, mailoutbox):
    client.post(reverse("forgot-password"), {"email": "ann@example.com"})
    link = re.search(r"http://testserver(\S+)", the_mail(mailoutbox).body)[1]
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})

    assert not is_in(client)


def test_a_closed_account_opens_no_more(ann, client):
    browser = browser_of(ann)
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert not is_in(browser)
    client.post(reverse("login"), {"username": ann.email, "password": PASSWORD})
    assert not is_in(client)
