import pytest
from django.core.cache import cache

from accounts import paging
from people.models import Recipient
from tests.api.calls import Program, error_of
from tests.make import make_group, make_recipient, make_recipients, make_workspace

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


def test_a_customer_is_looked_at_and_changed_in_what_is_given_alone(program):
    person = make_recipient(program.workspace, first_name="Alice", location="Nairobi", attributes={"size": 38})
    path = f"/api/customers/{person.pk}"

    answer = program.patch(path, {"location": None, "preferred_product": "Shoes", "attributes": {"tier": "gold"}})

    assert answer.status_code == 200
    customer = program.get(path).json()
    assert customer == answer.json()
    assert (customer["first_name"], customer["location"], customer["preferred_product"]) == ("Alice", "", "Shoes")
    assert customer["attributes"] == {"tier": "gold"}


@pytest.mark.parametrize("body", [{}, {"phone": "12"}, {"email": None, "phone": None}, {"opted_out": True}])
def test_a_change_that_cannot_be_is_refused_with_a_sentence(program, body):
    person = make_recipient(program.workspace)

    answer = program.patch(f"/api/customers/{person.pk}", body)

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "VALIDATION_ERROR"


def test_whoever_has_no_address_is_refused_by_the_names_of_both(program):
    details = error_of(program.post("/api/customers", {"first_name": "Ann"}))["details"]

    assert details == dict.fromkeys(("email", "phone"), ["An email address or a phone number is needed."])


def test_an_address_of_somebody_else_is_not_taken(program):
    ann, bob = make_recipients(program.workspace, 2)

    answer = program.patch(f"/api/customers/{ann.pk}", {"email": bob.email})

    assert (answer.status_code, error_of(answer)["code"]) == (409, "DUPLICATE")


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("customers/999999", "CUSTOMER_NOT_FOUND", "Customer with ID 999999 not found"),
        ("recipients/999999", "RECIPIENT_NOT_FOUND", "Recipient with ID 999999 not found"),
        ("groups/999999", "GROUP_NOT_FOUND", "Group with ID 999999 not found"),
        ("groups/999999/recipients", "GROUP_NOT_FOUND", "Group with ID 999999 not found"),
    ],
)
def test_a_number_nobody_has_is_not_found(program, path, code, sentence):
    answer = program.get(f"/api/{path}")

    assert answer.status_code == 404
    assert error_of(answer) == {"code": code, "message": sentence, "details": {}}


def test_pages_go_from_the_newest_to_the_oldest_with_totals(program):
    people = make_recipients(program.workspace, 12)

    answer = program.get("/api/customers", page=2, page_size=5).json()

    assert [row["id"] for row in answer["data"]] == [person.pk for person in people[6:1:-1]]
    assert answer["pagination"] == {"page": 2, "page_size": 5, "total_count": 12, "total_pages": 3}


def test_a_cursor_meets_everybody_once_while_others_are_added(program):
    people = make_recipients(program.workspace, 5)
    met, cursor = [], ""

    while cursor is not None:
        answer = program.get("/api/customers", cursor=cursor, page_size=2).json()
        met += [row["id"] for row in answer["data"]]
        cursor = answer["pagination"].pop("next_cursor")
        assert answer["pagination"] == {"page_size": 2}
        make_recipient(program.workspace)

    assert met == [person.pk for person in reversed(people)]
    assert program.get("/api/customers", cursor="last").status_code == 400


def test_a_long_list_is_counted_once_in_a_while(program, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED", 2)
    cache.clear()
    make_recipients(program.workspace, 3)

    counts = []
    for _ in range(2):
        counts.append(program.get("/api/customers").json()["pagination"]["total_count"])
        make_recipient(program.workspace)
    cache.clear()
    counts.append(program.get("/api/customers").json()["pagination"]["total_count"])

    assert counts == [3, 3, 5]


@pytest.mark.parametrize("path", ["customers", "recipients?include_opted_out=true", "groups/{}/recipients"])
def test_a_page_takes_as_many_queries_for_many_as_for_one(program, path, django_assert_max_num_queries):
    group = make_group(program.workspace, make_recipient(program.workspace))
    path = f"/api/{path.format(group.pk)}"
    program.get(path)  # notes the use of the key

    group.recipients.add(*make_recipients(program.workspace, 30))
    Recipient.objects.filter(pk__gt=group.recipients.first().pk + 20).update(refused_channels=[2])

    with django_assert_max_num_queries(6):
        assert len(program.get(path).json()["data"]) == 20
