import pytest
from django.urls import reverse

from tests.make import make_user, make_workspace
from tests.people.listing import bring_in

pytestmark = pytest.mark.django_db


def test_the_admin_shows_what_imports_wrote_and_lets_nobody_change_it(client):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    upload = bring_in(make_workspace(), "email,tier\nann@example.com,gold\n")
    rows = {"recipient": upload.workspace.recipients.get(), "import": upload, "importrow": upload.verdicts.get()}

    for model, row in rows.items():
        listed = client.get(reverse(f"admin:people_{model}_changelist"))
        shown = client.get(reverse(f"admin:people_{model}_change", args=[row.pk]))
        added = client.get(reverse(f"admin:people_{model}_add"))
        assert (listed.status_code, shown.status_code, added.status_code) == (200, 200, 403)
        assert 'name="_save"' not in shown.content.decode()
    for model in ("group", "attributename"):
        assert client.get(reverse(f"admin:people_{model}_changelist")).status_code == 200
