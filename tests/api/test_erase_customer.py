"""DELETE /customers/{id}: erases for good."""

import pytest

from accounts.models import ApiKey, Role
from people.models import Import, Recipient
from tests.make import make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


def erase(client, workspace, number, role=Role.ADMIN):
    secret = ApiKey.make(workspace, "CRM", role)[1]
    return client.delete(f"/api/customers/{number}", headers={"Authorization": f"Bearer {secret}"})


def test_a_customer_is_erased_and_cannot_be_added_again(client, workspace):
    person = make_recipient(workspace, email="grace@example.com")

    assert erase(client, workspace, person.pk).status_code == 204
    assert erase(client, workspace, person.pk).json()["error"]["code"] == "CUSTOMER_NOT_FOUND"

    secret = ApiKey.make(workspace, "Till", Role.EDITOR)[1]
    answer = client.post(
        "/api/customers",
        {"email": "GRACE@example.com"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 400 and "asked to be erased" in answer.json()["error"]["message"]


@pytest.mark.parametrize("number", [0, 10**30])
def test_a_number_nobody_has_is_not_found(client, workspace, number):
    assert erase(client, workspace, number).status_code == 404


def test_while_a_list_is_imported_it_is_refused(client, workspace):
    person = make_recipient(workspace)
    Import.objects.create(workspace=workspace, name="customers.csv", status=Import.Status.RUNNING)

    answer = erase(client, workspace, person.pk)

    assert answer.status_code == 409 and "customers.csv" in answer.json()["error"]["message"]
    assert Recipient.objects.filter(pk=person.pk).exists()
