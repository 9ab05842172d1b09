"""Who guesses passwords is locked out for a while, and nobody else is."""

import threading
from datetime import timedelta
from importlib import import_module

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.lockout import address_of
from accounts.models import AuditEntry, Role, User
from tests.make import make_member, make_workspace

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"
WRONG = "wrong"


@pytest.fixture
def ann():
    return make_member(make_workspace("Acme"), Role.OWNER, email="ann@example.com", password=PASSWORD)


def try_in(password=WRONG, email="ann@example.com", address="198.51.100.7", **more):
    typed = {"username": email, "password": password}
    return Client().post(reverse("login"), typed, REMOTE_ADDR=address, **more)


def lock_out(address="198.51.100.7"):
    return [try_in(address=address) for _ in range(5)][-1]


def later(minutes: float) -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=minutes))


def test_after_five_wrong_passwords_even_the_right_one_does_not_open(ann):
    answers = [try_in() for _ in range(4)]
    fifth = try_in()

    assert {answer.status_code for answer in answers} == {200}
    assert fifth.status_code == 429
    assert 14 * 60 < int(fifth.headers["Retry-After"]) <= 15 * 60
    html = fifth.content.decode()
    assert "Too many tries" in html and "Try again in 15 minutes" in html and "<style" not in html
    assert try_in(PASSWORD).status_code == 429


def test_the_page_of_the_login_itself_still_opens(ann):
    lock_out()

    assert Client().get(reverse("login"), REMOTE_ADDR="198.51.100.7").status_code == 200


def test_after_a_quarter_of_an_hour_the_right_password_opens_again(ann):
    lock_out()
    later(14)
    assert try_in(PASSWORD).status_code == 429

    later(15.1)

    assert try_in(PASSWORD).status_code == 302


def test_trying_while_locked_out_does_not_make_it_longer(ann):
    lock_out()
    later(10)

    answer = try_in()

    assert int(answer.headers["Retry-After"]) <= 5 * 60


def test_an_attacker_elsewhere_never_locks_the_user_out(ann):
    for address in ("198.51.100.7", "198.51.100.8", "2001:db8::1"):
        lock_out(address)

    assert try_in(PASSWORD, address="203.0.113.5").status_code == 302


def test_another_user_at_the_same_address_still_gets_in(ann):
    make_member(email="ben@example.com", password=PASSWORD)
    lock_out()

    assert try_in(PASSWORD, email="ben@example.com").status_code == 302


def test_an_address_that_tries_many_users_is_locked_out_as_a_whole(ann):
    for n in range(50):
        last = try_in(email=f"user{n}@example.com")

    assert last.status_code == 429
    assert try_in(PASSWORD).status_code == 429
    assert try_in(PASSWORD, address="203.0.113.5").status_code == 302


def test_other_browsers_and_other_ways_of_writing_count_as_the_same(ann):
    for n, email in enumerate(("ann@example.com", "ANN@example.com", " Ann@Example.com ", "ann@EXAMPLE.com") * 2):
        answer = try_in(email=email, HTTP_USER_AGENT=f"Browser {n}")

    assert answer.status_code == 429


@pytest.mark.parametrize("email", ["l\u0131sa@example.com", "li\u017fa@example.com"])
def test_an_address_in_other_letters_is_another_address(email):
    make_member(make_workspace(), email="lisa@example.com", password=PASSWORD)

    assert try_in(PASSWORD, email=email).status_code == 200
    assert AuditEntry.objects.get().verb == "log_in_failed"


def test_the_sign_for_kelvin_is_a_k_and_counted_as_one():
    make_member(make_workspace(), email="kim@example.com", password=PASSWORD)
    for _ in range(3):
        try_in(email="kim@example.com")

    for _ in range(2):
        answer = try_in(email="\u212aim@example.com")

    assert answer.status_code == 429


@pytest.mark.parametrize("email", ["Ann@example.com", "ann@EXAMPLE.com"])
def test_the_database_keeps_addresses_in_lower_case_only(ann, email):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=ann.pk).update(email=email)


def test_addresses_kept_in_capitals_before_that_are_put_into_lower_case(ann):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user DROP CONSTRAINT user_email_in_lower_case")
    User.objects.filter(pk=ann.pk).update(email="Ann@Example.com")

    import_module("accounts.migrations.0004_emails_in_lower_case").lower(apps, None)

    ann.refresh_from_db()
    assert ann.email == "ann@example.com"


def test_an_address_typed_in_capitals_in_the_back_office_is_kept_in_lower_case(ann, client):
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    typed = {"email": "New@Example.com", "name": "New", "usable_password": "true"}
    lines = {f"memberships-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}

    client.post(reverse("admin:accounts_user_add"), typed | lines | {"password1": PASSWORD, "password2": PASSWORD})

    assert User.objects.filter(email="new@example.com").exists()


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_do_not_pass_the_limit_together(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # slow, as in life
    make_member(make_workspace(), email="ann@example.com", password=PASSWORD)
    passwords = [f"wrong-{n}" for n in range(11)]
    barrier = threading.Barrier(len(passwords))
    answers = []

    def guess(password):
        barrier.wait(10)
        try:
            answers.append(try_in(password).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=[password]) for password in passwords]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert AccessAttempt.objects.get().failures_since_start == 5
    assert sorted(answers) == [200] * 4 + [429] * 7
    assert try_in(PASSWORD).status_code == 429


def test_the_token_of_an_invitation_does_not_stay_in_the_table_of_tries(ann):
    for address in (f"{reverse('login')}?next=/join/secret-token/", reverse("login")):
        typed = {"username": ann.email, "password": WRONG, "next": "/join/secret-token/"}
        Client().post(address, typed, REMOTE_ADDR="198.51.100.7")

    attempt = AccessAttempt.objects.get()
    assert attempt.failures_since_start == 2
    assert "secret-token" not in str(AccessAttempt.objects.values())


def test_a_success_resets_the_count_of_that_user_and_of_nobody_else(ann):
    make_member(email="ben@example.com", password=PASSWORD)
    for _ in range(4):
        try_in()
        try_in(email="ben@example.com")

    try_in(PASSWORD, email="ben@example.com")

    assert try_in(email="ben@example.com").status_code == 200
    assert try_in().status_code == 429  # ann's fifth


def test_known_and_unknown_addresses_get_the_same_answers(ann):
    known = [try_in().status_code for _ in range(6)]
    unknown = [try_in(email="nobody@example.com").status_code for _ in range(6)]

    assert known == unknown


@pytest.mark.parametrize(
    ("sent", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", None),
        ("unix:", None),
    ],
)
def test_of_an_ipv6_address_the_network_counts(rf, sent, counted):
    request = rf.get("/", REMOTE_ADDR=sent)

    assert address_of(request) == counted


def test_a_forged_header_changes_no_address(rf):
    request = rf.get("/", REMOTE_ADDR="203.0.113.5", HTTP_X_FORWARDED_FOR="10.0.0.1")

    assert address_of(request) == "203.0.113.5"


def test_failures_and_the_lock_are_in_the_audit_log_without_the_password_and_do_not_flood_it(ann):
    for _ in range(9):
        try_in("my-secret-guess")
    try_in("my-secret-guess", email="nobody@example.com")

    entries = AuditEntry.objects.order_by("id")
    assert [entry.verb for entry in entries] == ["log_in_failed"] * 5 + ["lock_out", "log_in_failed"]
    assert {entry.workspace_id for entry in entries} == {None}
    assert (entries[0].about_id, entries[0].address) == (ann.pk, "198.51.100.7")
    assert entries[6].about_id is None and entries[6].about == "nobody@example.com"
    assert "my-secret-guess" not in str(list(entries.values()))
    assert "my-secret-guess" not in str(list(AccessAttempt.objects.values()))


def test_the_tables_of_tries_can_be_looked_at_and_not_changed(ann):
    lock_out()
    attempt = AccessAttempt.objects.get()
    office = Client()
    office.force_login(User.objects.create_superuser("root@example.com", PASSWORD))

    assert office.get(reverse("admin:axes_accessattempt_changelist")).status_code == 200
    page = office.get(reverse("admin:axes_accessattempt_change", args=[attempt.pk]))
    assert page.status_code == 200 and "ann@example.com" in page.content.decode()
    for name in ("change", "delete"):
        assert office.post(reverse(f"admin:axes_accessattempt_{name}", args=[attempt.pk]), {}).status_code == 403
    assert office.get(reverse("admin:axes_accessattempt_add")).status_code == 403


def test_the_locked_out_page_tells_nothing_of_a_user(ann):
    answer = lock_out()

    assert "ann@example.com" not in answer.content.decode()
    assert "Log out" not in answer.content.decode()
