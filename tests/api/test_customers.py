import pytest

from people.models import Recipient
from tests.api.calls import Program, error_of
from tests.make import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def test_a_customer_is_added_with_addresses_in_one_way_of_writing(program):
    answer = program.post(
        "/api/customers",
        {"phone": "+254 712 345678", "email": "Alice@Example.com", "first_name": "Alice", "attributes": {"size": 38}},
    )

    assert answer.status_code == 201
    customer = answer.json()
    assert (customer["phone"], customer["email"]) == ("+254712345678", "alice@example.com")
    assert customer["attributes"] == {"size": 38}
    assert customer["created_at"].endswith("Z")
    assert Recipient.objects.get(pk=customer["id"]).workspace == program.workspace


def test_every_bad_field_is_named(program):
    answer = program.post("/api/customers", {"phone": "12", "email": "nobody", "first_name": "x" * 101})

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert set(error_of(answer)["details"]) == {"phone", "email", "first_name"}
    assert not Recipient.objects.exists()


def test_a_customer_needs_an_address(program):
    answer = program.post("/api/customers", {"first_name": "Alice", "phone": None})

    assert answer.status_code == 400
    assert "email address or a phone number" in error_of(answer)["message"]


def test_an_address_that_is_taken_is_a_duplicate(program):
    program.post("/api/customers", {"phone": "+254712345678"})

    answer = program.post("/api/customers", {"phone": "+254 712 345 678"})

    assert answer.status_code == 409
    assert error_of(answer)["code"] == "DUPLICATE"


def test_another_workspace_may_have_the_same_person(program):
    program.post("/api/customers", {"phone": "+254712345678"})

    assert Program(make_workspace()).post("/api/customers", {"phone": "+254712345678"}).status_code == 201


@pytest.mark.parametrize("field", ["id", "workspace", "workspace_id", "opted_out", "created_at", "groups"])
def test_what_the_house_decides_cannot_be_written(program, field):
    answer = program.post("/api/customers", {"phone": "+254712345678", field: 1})

    assert answer.status_code == 400
    assert error_of(answer)["details"] == {field: ["There is no such field."]}
    assert not Recipient.objects.exists()
