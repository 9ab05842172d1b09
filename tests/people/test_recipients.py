import pytest

from people.addresses import InvalidAddress
from people.attributes import MOST_NAMES
from people.models import AttributeName
from people.plain import NotPlain
from people.recipients import DuplicateRecipient, add_recipient, change_recipient
from tests.make import make_recipient, make_workspace

pytestmark = pytest.mark.django_db


def test_a_person_is_kept_with_addresses_in_their_normal_form():
    person = add_recipient(
        make_workspace(), by=None, email="ANN@example.com", phone="0049 30 1234567", first_name=" Ann "
    )

    assert (person.email, person.phone, person.first_name) == ("ann@example.com", "+49301234567", "Ann")


@pytest.mark.parametrize("address", [{"email": "ANN@example.com"}, {"phone": "+254 712 345 678"}])
def test_the_same_address_twice_in_a_workspace_is_refused(address):
    workspace = make_workspace()
    make_recipient(workspace, email="ann@example.com", phone="+254712345678")
    make_recipient(make_workspace(), email="bob@example.com", phone="+254712345679")

    with pytest.raises(DuplicateRecipient, match="already in"):
        add_recipient(workspace, by=None, **address)

    add_recipient(workspace, by=None, email="bob@example.com", phone="+254712345679")


def test_a_name_is_kept_in_one_form_however_its_letters_are_put_together():
    person = add_recipient(make_workspace(), by=None, email="ann@example.com", first_name="Jo\u0308rg")

    assert person.first_name == "J\u00f6rg"


def test_nobody_is_kept_without_an_address():
    with pytest.raises(InvalidAddress, match="is needed"):
        add_recipient(make_workspace(), by=None, first_name="Ann")


@pytest.mark.parametrize("field", ["first_name", "last_name", "location", "preferred_product"])
@pytest.mark.parametrize("character", ["\x00", "\x0b", "\r\n", "\x85", "\u2028", "\u2029", "\ud800"])
def test_a_control_character_is_refused_in_every_field(field, character):
    with pytest.raises(NotPlain, match="control character"):
        add_recipient(make_workspace(), by=None, email="ann@example.com", **{field: f"A{character}b"})


@pytest.mark.parametrize("value", ["gold", 3, 2.5, -1])
def test_an_attribute_is_a_short_text_or_a_number_and_its_name_is_remembered(value):
    workspace = make_workspace()

    person = add_recipient(workspace, by=None, email="ann@example.com", attributes={"tier": value})

    person.refresh_from_db()
    assert person.attributes == {"tier": value}
    assert workspace.attribute_names.get().name == "tier"


@pytest.mark.parametrize(
    "attributes",
    [
        {"Tier": "x"},
        {"": "x"},
        {"a" * 41: "x"},
        {"first_name": "x"},
        {"tier1": "x"},
        {"tier\n": "x"},
        {"tier": "a\x0bb"},
        {"tier": "x" * 201},
        {"tier": ["x"]},
        {"tier": {"a": 1}},
        {"tier": True},
        {"tier": float("nan")},
        {"tier": float("inf")},
        {"tier": 10**5000},
        {"tier": None},
        {f"a{'b' * n}": "x" for n in range(51)},
    ],
)
def test_any_other_attribute_is_refused_with_a_sentence(attributes):
    with pytest.raises(NotPlain):
        add_recipient(make_workspace(), by=None, email="ann@example.com", attributes=attributes)

    assert not AttributeName.objects.exists()


def test_a_workspace_has_room_for_so_many_attributes_and_no_more():
    workspace = make_workspace()
    for n in range(MOST_NAMES):
        AttributeName.objects.create(workspace=workspace, name="a" * (n % 40 + 1) + "b" * (n // 40))

    with pytest.raises(NotPlain, match="no room for tier"):
        add_recipient(workspace, by=None, email="ann@example.com", attributes={"tier": "gold"})

    assert not workspace.recipients.exists()


def test_a_change_of_one_field_leaves_what_others_wrote_meanwhile():
    person = make_recipient(make_workspace())
    type(person).objects.filter(pk=person.pk).update(opted_out=True)

    change_recipient(person, by=None, location="Nairobi")

    person.refresh_from_db()
    assert (person.location, person.opted_out) == ("Nairobi", True)
