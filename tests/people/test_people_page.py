from urllib.parse import quote

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.html import escape

from accounts.models import Role
from people import listing, search
from people.channels import Channel
from people.models import Recipient
from tests.make import make_group, make_member, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db


def page(client, **query) -> str:
    response = client.get(reverse("people"), query)
    assert response.status_code == 200
    return response.content.decode()


def fields_of(person: Recipient | None = None, **typed) -> dict:
    """What a browser sends for the person form."""
    names = ("email", "phone", "first_name", "last_name", "location", "preferred_product")
    shown = {name: getattr(person, name) for name in names} if person else {}
    if person and person.opted_out:
        shown |= {"opted_out": "on", "initial-opted_out": "True"}
    return shown | typed


def test_an_empty_workspace_says_what_to_do_next(client):
    assert reverse("import-new") in page(client)


def turned(client, way: str, query: dict) -> list[list[int]]:
    """The people of each page, turned over this way until there is none."""
    pages = []
    while True:
        page = client.get(reverse("people"), query).context["page"]
        pages.append([person.pk for person in page.people])
        if not (edge := getattr(page, {"before": "older", "after": "newer"}[way])):
            return pages
        query = {name: value for name, value in query.items() if name not in ("before", "after")} | {way: edge}


@pytest.mark.parametrize("query", [{}, {"group": 0}, {"q": "first"}, {"channel": "email"}, {"wish": "out"}])
def test_people_are_listed_newest_first_and_each_on_exactly_one_page_both_ways(client, workspace, query, monkeypatch):
    monkeypatch.setattr(listing, "LOOKED_AT", 60)
    people = make_recipients(workspace, 120)
    if "group" in query:
        query = {"group": make_group(workspace, *people).pk}
    if "wish" in query:
        workspace.recipients.update(opted_out=True)
    newest_first = [person.pk for person in reversed(people)]

    down = turned(client, "before", query)
    up = turned(client, "after", query | {"after": people[0].pk})

    assert [pk for page in down for pk in page] == newest_first
    assert up[-1] == down[0]  # the first page is always a whole one
    assert [pk for page in reversed(up[:-1]) for pk in page] == newest_first[19:-1]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"wish": "out"}, "opted_out_page"),
        ({"wish": "some"}, "refused_channels_page"),
        ({"wish": "suppressed"}, "suppressed_page"),
        ({"group": 0}, "members_page"),
    ],
)
def test_each_list_is_read_from_an_index_of_its_own(workspace, query, index):
    if "group" in query:
        query = {"group": str(make_group(workspace, make_recipient(workspace)).pk)}
    people = listing.Asked.of(query, workspace).everybody(workspace).order_by("-pk")[:50]

    with connection.cursor() as cursor:  # of so few people PostgreSQL would simply read all
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        plan = people.explain()

    assert index in plan


def test_turning_back_from_below_the_oldest_leads_to_them(client, workspace):
    oldest, *_ = make_recipients(workspace, 60)

    page = client.get(reverse("people"), {"before": oldest.pk}).context["page"]

    assert not page.people
    assert client.get(reverse("people"), {"after": page.newer}).context["page"].people[-1] == oldest


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"wish": "out"}, {"Out"}),
        ({"wish": "some"}, {"Some"}),
        ({"wish": "suppressed"}, {"Bounced"}),
        ({"channel": "email"}, {"Ann"}),
        ({"channel": "sms"}, {"Ann", "Bounced", "Some"}),
        ({"channel": "sms", "q": "so"}, {"Some"}),
        ({"channel": "fax", "wish": "x"}, {"Ann", "Bounced", "Out", "Some"}),
    ],
)
def test_a_list_can_be_kept_to_a_wish_and_to_those_who_are_reached_on_a_channel(client, workspace, query, names):
    make_recipient(workspace, first_name="Ann")
    make_recipient(workspace, first_name="Out", opted_out=True)
    make_recipient(workspace, first_name="Some", refused_channels=[Channel.EMAIL])
    make_recipient(workspace, first_name="Bounced", email_suppressed=True)

    response = client.get(reverse("people"), query)

    assert {person.first_name for person in response.context["page"].people} == names


@pytest.mark.parametrize(
    "query", [{"before": "x"}, {"before": "9" * 20}, {"before": "-1"}, {"before": "²"}, {"q": "%_\\"}, {"q": "x" * 500}]
)
def test_nonsense_in_the_address_is_no_fault_of_ours(client, query):
    page(client, **query)


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "1.5", "²", "9223372036854775808", "9" * 5000])
def test_what_cannot_be_the_number_of_a_row_is_no_number(text):
    assert search.number_in(text) is None
    assert search.number_in("9223372036854775807") == 9223372036854775807


@pytest.mark.parametrize("group", ["x", "9" * 20, "-1", "9223372036854775808"])
def test_a_group_that_cannot_be_is_not_found(client, group):
    assert client.get(reverse("people"), {"group": group}).status_code == 404


@pytest.mark.parametrize("words", ["ann@ex", "ANN", "Le", "ann le", "+254 712-345", "254712345", "00254712"])
def test_people_are_found_by_the_beginning_of_name_email_or_phone(client, workspace, words):
    make_recipient(workspace, email="ann@example.com", phone="+254712345678", first_name="Ann", last_name="Lee")
    make_recipient(workspace, email="bob@example.com", phone="+491234567890", first_name="Bob", last_name="Wu")

    response = client.get(reverse("people"), {"q": words})

    assert [person.email for person in response.context["page"].people] == ["ann@example.com"]


def test_a_search_can_be_kept_to_one_group(client, workspace):
    ann = make_recipient(workspace, first_name="Ann")
    make_recipient(workspace, first_name="Ann")
    group = make_group(workspace, ann)

    response = client.get(reverse("people"), {"q": "ann", "group": group.pk})

    assert response.context["page"].people == [ann]


def test_a_search_reads_no_more_people_than_it_shows(workspace, django_assert_num_queries):
    make_recipients(workspace, 200)

    with django_assert_num_queries(2):
        found = search.search(workspace, "first")

    assert len(found) == search.PAGE + 1


def test_the_people_of_a_group_can_be_listed(client, workspace):
    ann, _ = make_recipients(workspace, 2)

    response = client.get(reverse("people"), {"group": make_group(workspace, ann).pk})

    assert response.context["page"].people == [ann]


def test_a_person_can_be_added_with_everything(client, workspace):
    group = make_group(workspace)

    response = client.post(
        reverse("person-new"),
        {
            "email": "Ann@Example.com",
            "phone": "+254 712 345 678",
            "first_name": "Ann",
            "attributes": "loyalty_tier: gold\r\ncolour: red",
            "groups": [group.pk],
        },
    )

    person = workspace.recipients.get()
    assert response.status_code == 302
    assert (person.email, person.phone, person.first_name) == ("ann@example.com", "+254712345678", "Ann")
    assert person.attributes == {"loyalty_tier": "gold", "colour": "red"}
    assert list(person.groups.all()) == [group]
    assert workspace.attribute_names.count() == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "An email address or a phone number is needed."),
        ({"email": "ann"}, "is not an email address"),
        ({"phone": "0712345678"}, "has no country code"),
        ({"email": "a@example.com", "first_name": "A\x0bnn"}, "control character"),
        ({"email": "a@example.com", "first_name": "A\nnn"}, "line break"),
        ({"email": "a@example.com", "location": "x" * 101}, "longer than 100"),
        ({"email": "a@example.com", "attributes": "gold"}, "has no colon"),
        ({"email": "a@example.com", "attributes": "Tier: gold"}, "cannot be the name of an attribute"),
        ({"email": "a@example.com", "attributes": "email: gold"}, "cannot be the name of an attribute"),
        ({"email": "a@example.com", "groups": ["9" * 20]}, "is not one of the available choices"),
    ],
)
def test_a_form_that_is_wrong_comes_back_with_a_sentence_and_all_that_was_typed(client, workspace, typed, sentence):
    response = client.post(reverse("person-new"), {"last_name": "Kept <b>", **typed})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "Kept &lt;b&gt;" in response.content.decode()
    assert not workspace.recipients.exists()


def test_an_address_somebody_has_already_is_refused(client, workspace):
    make_recipient(workspace, email="ann@example.com")

    response = client.post(reverse("person-new"), {"email": "ANN@example.com"})

    assert response.status_code == 422
    assert "already in" in response.content.decode()
    assert workspace.recipients.count() == 1


def test_a_person_can_be_changed(client, workspace):
    person = make_recipient(workspace, attributes={"visits": 3, "tier": "gold"})

    client.post(
        reverse("person-edit", args=[person.pk]),
        fields_of(person, first_name="Anna", opted_out="on", attributes="visits: 3\ntier: silver"),
    )

    person.refresh_from_db()
    assert (person.first_name, person.opted_out) == ("Anna", True)
    assert person.attributes == {"visits": 3, "tier": "silver"}


def test_a_person_can_be_opted_in_again_by_hand(client, workspace):
    person = make_recipient(workspace, opted_out=True)
    typed = fields_of(person)
    del typed["opted_out"]

    client.post(reverse("person-edit", args=[person.pk]), typed)

    person.refresh_from_db()
    assert not person.opted_out


def test_saving_a_page_that_was_opened_before_an_opt_out_does_not_undo_it(client, workspace):
    person = make_recipient(workspace)
    typed = fields_of(person, **{"initial-opted_out": "False"})
    Recipient.objects.filter(pk=person.pk).update(opted_out=True)

    client.post(reverse("person-edit", args=[person.pk]), typed)

    person.refresh_from_db()
    assert person.opted_out


def test_the_form_shows_a_name_as_text_and_not_as_markup(client, workspace):
    person = make_recipient(workspace, first_name="<script>alert(1)</script>")

    response = client.get(reverse("person-edit", args=[person.pk]))

    assert "<script>alert" not in response.content.decode()
    assert "<script>alert" not in page(client)


def test_somebody_of_another_workspace_is_not_found_and_not_changed(client):
    other = make_recipient(make_workspace())
    address = reverse("person-edit", args=[other.pk])

    answers = [client.get(address), client.post(address, fields_of(other, first_name="Mine"))]

    other.refresh_from_db()
    assert [answer.status_code for answer in answers] == [404, 404]
    assert other.first_name != "Mine"
    assert other.phone not in page(client)


def test_a_group_of_another_workspace_cannot_be_joined(client, workspace):
    foreign = make_group(make_workspace())

    response = client.post(reverse("person-new"), {"email": "ann@example.com", "groups": [foreign.pk]})

    assert response.status_code == 422
    assert not foreign.recipients.exists()


def test_a_viewer_sees_people_and_cannot_change_them(client, workspace):
    person = make_recipient(workspace)
    client.force_login(make_member(workspace, Role.VIEWER))

    assert person.phone in page(client)
    for name, arguments in {"person-new": [], "person-edit": [person.pk], "group-new": [], "import-new": []}.items():
        assert client.get(reverse(name, args=arguments)).status_code == 403
        assert client.post(reverse(name, args=arguments)).status_code == 403
        assert reverse(name, args=arguments) not in page(client)


def test_people_are_for_those_who_are_logged_in(client):
    client.logout()

    for name in ("people", "person-new", "groups", "import-new", "imports"):
        assert client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("words", ["abdi.1", "abdi1", "+254 abdi 712", "ann-7"])
def test_digits_within_a_word_are_no_telephone_number(client, workspace, words):
    make_recipient(workspace, email="bob@example.com", phone="+12547120000", first_name="Bob", last_name="Wu")
    abdi = make_recipient(workspace, email="abdi.1@example.com", phone="+254799999999")

    found = client.get(reverse("people"), {"q": words}).context["page"].people

    assert found == ([abdi] if words == "abdi.1" else [])


def test_of_very_many_who_begin_so_some_are_shown_and_the_page_says_so(client, workspace, monkeypatch):
    monkeypatch.setattr(listing, "MATCHES", 10)
    make_recipients(workspace, 30)

    assert "not all were looked at" in page(client, q="first")


def test_the_heading_counts_those_found(client, workspace):
    make_recipient(workspace, first_name="Zoe")
    make_recipients(workspace, 3)

    assert "1 person found for “zoe”" in page(client, q="zoe")
    assert "4 people<" in page(client)


def test_whoever_opens_a_person_from_a_list_finds_the_way_back_to_it(client, workspace):
    zoe = make_recipient(workspace, first_name="Zoe")
    group = make_group(workspace, zoe)
    here = f"{reverse('people')}?q=zo&group={group.pk}"

    link = f"{reverse('person', args=[zoe.pk])}?next={quote(here, safe='')}"
    shown = client.get(link).content.decode()

    assert link in page(client, q="zo", group=group.pk)
    assert f'href="{escape(here)}"' in shown
    assert f"{reverse('person-edit', args=[zoe.pk])}?next={quote(link, safe='')}" in shown


@pytest.mark.parametrize("here", ["/campaigns/7/messages/3/", "/people/?q=zo", "/people/4/?next=%2Fpeople%2F"])
def test_saving_a_person_leads_back_to_where_one_came_from(client, workspace, here):
    zoe = make_recipient(workspace)

    answer = client.post(
        f"{reverse('person-edit', args=[zoe.pk])}?next={quote(here, safe='')}", fields_of(zoe, first_name="Zora")
    )

    assert answer.headers["Location"] == here


@pytest.mark.parametrize(
    "evil", ["//evil.example", "https://evil.example/?a=b", "/" * 5_000, "javascript:alert(1)", ""]
)
def test_saving_a_person_leads_nowhere_else(client, workspace, evil):
    ann = make_recipient(workspace)

    answer = client.post(f"{reverse('person-edit', args=[ann.pk])}?next={quote(evil, safe='')}", fields_of(ann))

    assert answer.headers["Location"] == reverse("person", args=[ann.pk])


@pytest.mark.parametrize(("name", "field"), [("city", "{location}"), ("product", "{preferred_product}")])
def test_another_name_of_a_field_is_refused_as_an_attribute_with_what_to_do_instead(client, workspace, name, field):
    answer = client.post(reverse("person-new"), fields_of(email="a@example.com", attributes=f"{name}: Nairobi"))

    assert answer.status_code == 422
    assert f"write {field} in a message" in answer.content.decode()
    assert not workspace.recipients.exists()
