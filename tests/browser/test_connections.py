"""However many pages are looked at, the web process keeps few connections to the database."""

from urllib.request import Request, urlopen

from django.conf import settings
from django.db import connection
from django.urls import reverse

from accounts.models import Role
from tests.make import logged_in, make_workspace

OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def test_a_request_leaves_no_connection_behind(web):
    session = logged_in(make_workspace(), Role.OWNER).cookies[settings.SESSION_COOKIE_NAME].value
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
    for _ in range(40):
        with urlopen(Request(web + reverse("people"), headers=headers)) as answer:  # noqa: S310 - our own server
            assert "People" in answer.read().decode()

    with connection.cursor() as cursor:
        cursor.execute(OTHERS)
        assert cursor.fetchone()[0] <= 2
