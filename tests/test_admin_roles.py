"""Who may open which address of the admin: all of them, tried as each kind of person."""

import re

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver
from django_rq.models import Dashboard

from accounts.models import Role, User
from tests.make import make_campaign, make_member, make_recipient, make_user, make_workspace

pytestmark = pytest.mark.django_db
METHODS = ("get", "post")
REFUSED = (302, 403, 404, 405)
# What plain staff see: that they may do nothing, the words of the scripts, and the way out.
EMPTY = ("", "jsi18n/", "password_change/", "password_change/done/", "login/", "logout/")
VALUES = {"app_label": "accounts", "url": "nothing/", "object_id": "1", "id": "1", "queue_index": "0", "job_id": "none"}


def routes(patterns: list, before: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        route = before + written(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            found += routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            found.append(route)
    return sorted(set(found))


def written(pattern: str) -> str:
    """With a value in each place that wants one."""
    pattern = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).strip("^$").replace("\\Z", "")
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda place: VALUES.get(place[1], "1"), pattern)


ROUTES = routes(admin.site.urls[0])


@pytest.fixture
def root() -> User:
    return make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def rows() -> None:
    """Something to be seen, with the number 1 or near it."""
    make_recipient(make_campaign(make_workspace("Acme"), people=1).workspace)


def ask(user: User | None, method: str, route: str) -> int:
    browser = Client()
    if user:
        browser.force_login(user)
    return getattr(browser, method)(f"/admin/{route}").status_code


def test_the_admin_has_addresses():
    assert {"", "accounts/user/", "accounts/user/1/change/", "django_rq/dashboard/", "accounts/"} <= {*ROUTES}
    assert len(ROUTES) > 100


@pytest.mark.parametrize("route", ROUTES)
def test_an_address_of_the_admin_opens_to_superusers_and_to_staff_who_may(route, root, rows):
    staff, owner = make_user(is_staff=True), make_member(role=Role.OWNER)

    for method in METHODS:
        assert ask(staff, method, route) in ((200, *REFUSED) if route in EMPTY else REFUSED)
        assert ask(owner, method, route) in REFUSED
        assert ask(None, method, route) in REFUSED
        assert ask(root, method, route) in (200, *REFUSED)


def test_a_row_without_a_table_of_its_own_is_refused(root):
    queues = ContentType.objects.get_for_model(Dashboard)

    assert ask(root, "get", f"r/{queues.pk}/1/") == 403
