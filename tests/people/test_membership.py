"""Many people are put into groups and taken out together, as far as they wish it, and it can be taken back."""

import time
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry, Role
from people import consent, membership, membership_views, selecting
from people.membership import move, put_in, take_out, undo
from people.models import Group, Recipient
from people.patience import TookTooLong
from people.selecting import Members
from tests.make import logged_in, make_group, make_recipient, make_recipients, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(workspace) -> list[Recipient]:
    return make_recipients(workspace, 5)


def these(*people: Recipient):
    return Recipient.objects.filter(pk__in=[person.pk for person in people])


def members(group: Group) -> set[Recipient]:
    return set(group.recipients.all())


def leave(person: Recipient, group: Group) -> None:
    consent.leave_group(person, group, how=consent.How.PREFERENCES, by=None)


def test_people_are_put_in_once_and_those_who_left_by_own_wish_are_left_out_and_counted(workspace, people):
    group = make_group(workspace, people[0], people[1], name="Members")
    leave(people[1], group)

    done = put_in(these(*people), group, by=None)

    assert members(group) == {people[0], *people[2:]}
    assert done.words == (
        "3 people were put into “Members”. 1 was in it already. "
        "1 person has left “Members” by their own wish and cannot be put into it again."
    )


def test_who_left_the_target_by_own_wish_stays_where_a_move_would_have_taken_them_from(workspace, people):
    source, target = make_group(workspace, *people[:3], name="A"), make_group(workspace, people[2], name="B")
    leave(people[0], target)

    done = move(these(*people[:3]), source, target, by=None)

    assert (members(source), members(target)) == ({people[0]}, {people[1], people[2]})
    assert (done.chosen, done.refused, done.joined, done.left) == (3, 1, 1, 2)


def test_who_was_taken_out_by_a_colleague_may_come_back(workspace, people):
    group = make_group(workspace, *people)

    take_out(these(*people[:2]), group, by=None)
    put_in(these(people[0]), group, by=None)

    assert members(group) == {people[0], *people[2:]}


def test_a_move_by_a_filter_that_asks_for_the_target_moves_all_it_found(workspace, people):
    source, target = make_group(workspace, *people), make_group(workspace)
    outside = workspace.recipients.filter(groups=source).exclude(groups=target)

    assert move(outside, source, target, by=None).left == 5
    assert (members(source), members(target)) == (set(), set(people))


def test_however_many_there_are_it_is_one_statement(workspace, people):
    source, target = make_group(workspace, *people), make_group(workspace)

    with CaptureQueriesContext(connection) as captured:
        move(workspace.recipients.filter(groups=source), source, target, by=None)

    writing = [query for query in captured if "INSERT INTO people_recipient_groups" in query["sql"]]
    assert len(writing) == 1


def test_many_are_changed_without_a_loop_over_a_group_the_statistics_do_not_know_yet(workspace, people, monkeypatch):
    monkeypatch.setattr(membership, "MANY", 3)
    group = make_group(workspace, *people)

    with CaptureQueriesContext(connection) as captured:
        take_out(these(*people), group, by=None)
        put_in(these(*people[:2]), group, by=None)

    looping = [query["sql"] for query in captured if "nestloop" in query["sql"] or "chosen" in query["sql"]]
    assert [sql[:31] for sql in looping if sql.startswith("SET")] == [
        "SET LOCAL enable_nestloop = off",
        "SET LOCAL enable_nestloop = DEF",
    ]
    assert looping[0].endswith("off") and looping[2].endswith("DEFAULT") and len(looping) == 4


@pytest.mark.django_db(transaction=True)
def test_who_leaves_at_the_moment_others_put_them_in_is_out(workspace):
    person, group = make_recipient(workspace), make_group(workspace)
    is_put_in = Event()

    def put() -> None:
        with transaction.atomic():
            put_in(these(person), group, by=None)
            is_put_in.set()
            time.sleep(0.3)  # the wish comes before this is committed
        connection.close()

    colleague = Thread(target=put)
    colleague.start()
    is_put_in.wait(5)
    leave(person, group)
    colleague.join()

    assert members(group) == set()


def test_a_change_is_taken_back_exactly(workspace, people):
    source, target = make_group(workspace, *people[:3]), make_group(workspace, people[2])
    done = move(these(*people[:3]), source, target, by=None)
    leave(people[0], source)

    undo(workspace, by=None, into=target, out_of=source, joined=done.joined_ids, left=done.left_ids)

    assert (members(source), members(target)) == ({people[1], people[2]}, {people[2]})


def test_what_concerns_too_many_is_not_offered_to_be_undone(workspace, people, monkeypatch):
    monkeypatch.setattr(membership, "MOST_UNDONE", 2)

    assert put_in(these(*people[:2]), make_group(workspace), by=None).can_be_undone
    assert not put_in(these(*people), make_group(workspace), by=None).can_be_undone


def test_each_change_is_told_in_the_audit_log_with_its_numbers(workspace, people):
    source, target = make_group(workspace, *people, name="A"), make_group(workspace, name="B")
    leave(people[0], target)

    move(these(*people), source, target, by=None)
    move(these(*people), source, target, by=None)  # nobody is left to move

    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.about) == ("move", "B")
    assert {name: new for name, (_, new) in entry.changes.items()} == {
        "people": 4,
        "out of": "A",
        "left out by own wish": 1,
    }


# --- the page of a group ---


def test_a_group_lists_its_people_and_those_who_are_not_in_it(client, workspace, people):
    group = make_group(workspace, *people[:2])
    page = reverse("group-people", args=[group.pk])

    def listed(**query) -> set[Recipient]:
        return set(client.get(page, query).context["page"].people)

    assert listed() == set(people[:2])
    assert listed(who="outside") == set(people[2:])
    assert listed(q=people[0].email[:-1]) == {people[0]}
    segment = make_segment(workspace, ("email", "is", people[3].email))
    assert listed(who="outside", segment=segment.pk) == {people[3]}


@pytest.mark.parametrize("who", ["", "outside"])
def test_a_segment_that_is_deleted_meanwhile_never_means_everybody(client, workspace, people, who):
    group, other = make_group(workspace, *people[:3], name="A"), make_group(workspace, name="B")
    segment = make_segment(workspace, ("email", "is", people[0].email))
    gone = {"segment": segment.pk, "who": who}
    segment.delete()

    assert client.get(reverse("group-people", args=[group.pk]), gone).status_code == 404
    for verb in ("put-in", "move", "take-out"):
        typed = gone | {"all": "1", "sure": "1", "to": other.pk if verb == "move" else ""}
        assert client.post(reverse(f"group-{verb}", args=[group.pk]), typed).status_code == 404
    assert (members(group), members(other)) == (set(people[:3]), set())


def test_of_people_no_index_knows_a_page_looks_at_some_and_the_next_goes_on(client, workspace, monkeypatch):
    monkeypatch.setattr(selecting, "LOOKED_AT", 10)
    everybody = make_recipients(workspace, 35)
    group = make_group(workspace, *everybody[5:])
    segment = make_segment(workspace, ("email", "is", everybody[7].email))
    page = reverse("group-people", args=[group.pk])

    for query, wanted in (({"segment": segment.pk}, {everybody[7]}), ({"who": "outside"}, set(everybody[:5]))):
        answer = client.get(page, query)
        assert answer.context["page"].people == []
        assert "Nobody among the people looked at" in answer.content.decode()
        found, turned = set(), 0
        while older := answer.context["page"].older:
            answer, turned = client.get(page, query | {"before": older}), turned + 1
            found |= set(answer.context["page"].people)
        assert found == wanted and turned >= 2


def test_a_page_that_nobody_would_wait_for_says_so(client, workspace, people, monkeypatch):
    def never(*_, **__):
        raise TookTooLong

    monkeypatch.setattr(Members, "page", never)

    answer = client.get(reverse("group-people", args=[make_group(workspace).pk]))

    assert answer.status_code == 200
    assert "takes longer than anybody waits" in answer.content.decode()


def test_a_long_group_is_turned_over_and_comes_back(client, workspace):
    group = make_group(workspace, *make_recipients(workspace, 120))
    page, seen = reverse("group-people", args=[group.pk]), []

    query: dict = {}
    while True:
        shown = client.get(page, query).context["page"]
        seen += [person.pk for person in shown.people]
        if not shown.older:
            break
        query = {"before": shown.older}

    assert len(seen) == len(set(seen)) == 120
    assert len(client.get(page, {"after": seen[-1]}).context["page"].people) == 50


def test_those_ticked_are_moved_and_the_undo_button_brings_them_back(client, workspace, people):
    source, target = make_group(workspace, *people, name="A"), make_group(workspace, name="B")
    typed = {"people": [people[0].pk, people[1].pk], "to": target.pk}

    html = client.post(reverse("group-move", args=[source.pk]), typed, follow=True).content.decode()

    assert "2 people were moved from “A” to “B”. “B” had 0, and has 2 now." in html
    assert members(target) == set(people[:2])
    sent = undo_in(html)
    client.post(reverse("group-undo"), sent)
    assert (members(source), members(target)) == (set(people), set())


def undo_in(html: str) -> dict[str, list[str]]:
    """What the Undo button on the page would send."""
    form = html[html.index('class="why undo') :].split("</form>")[0]
    fields = [piece.split('"')[0::2] for piece in form.split('name="')[1:]]
    sent: dict[str, list[str]] = {}
    for name, value in ((words[0], words[1]) for words in fields if len(words) > 1):
        sent.setdefault(name, []).append(value)
    return sent


def test_all_that_match_are_taken_out_wherever_they_are_in_the_list(client, workspace):
    anns = [make_recipient(workspace, first_name="Ann") for _ in range(60)]
    ben = make_recipient(workspace, first_name="Ben")
    group = make_group(workspace, *anns, ben)

    client.post(reverse("group-take-out", args=[group.pk]), {"all": "1", "q": "ann"})

    assert members(group) == {ben}


def test_all_who_fit_a_segment_are_put_in(client, workspace):
    here = [make_recipient(workspace, location="Nairobi") for _ in range(3)]
    make_recipient(workspace, location="Thika")
    group, segment = make_group(workspace), make_segment(workspace, ("location", "is", "Nairobi"))

    client.post(reverse("group-put-in", args=[group.pk]), {"all": "1", "segment": segment.pk})

    assert members(group) == set(here)


def test_more_than_a_thousand_are_changed_only_after_a_question(client, workspace, people, monkeypatch):
    monkeypatch.setattr(membership_views, "SURE_ABOVE", 4)
    group = make_group(workspace, *people, name="Members")
    address = reverse("group-take-out", args=[group.pk])

    asked = client.post(address, {"all": "1"}).content.decode()
    assert "Take 5 people out of “Members”?" in asked and members(group) == set(people)

    client.post(address, {"all": "1", "sure": "1"})
    assert members(group) == set()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Nobody is marked"),
        ({"people": ["x", "-1", "9" * 30]}, "Nobody is marked"),
        ({"all": "1"}, "Choose the group to move them to"),
    ],
)
def test_what_is_missing_is_said(client, workspace, people, typed, sentence):
    group = make_group(workspace, *people)

    answer = client.post(reverse("group-move", args=[group.pk]), typed, follow=True)

    assert sentence in answer.content.decode() and members(group) == set(people)


def test_people_and_groups_of_another_workspace_are_out_of_reach(client, workspace, people):
    other = make_workspace()
    foreign, strange = make_recipient(other), make_group(other)
    group = make_group(workspace, *people)

    client.post(reverse("group-put-in", args=[group.pk]), {"people": [foreign.pk]})
    client.post(reverse("group-undo"), {"into": group.pk, "out_of": group.pk, "left": [foreign.pk]})
    moved = client.post(reverse("group-move", args=[group.pk]), {"all": "1", "to": strange.pk})
    undone = client.post(reverse("group-undo"), {"into": strange.pk, "joined": [people[0].pk]})

    assert members(group) == set(people) and members(strange) == set()
    assert (moved.status_code, undone.status_code) == (404, 404)


def test_the_board_shows_the_groups_chosen_side_by_side(client, workspace, people):
    groups = [make_group(workspace, people[n], name=f"G{n}") for n in range(5)]
    board = reverse("group-board")

    assert [column.group for column in client.get(board).context["board"].columns] == groups[:3]
    shown = client.get(board, {"show": [groups[4].pk, groups[1].pk, 10**18, "x"]}).context["board"].columns
    assert [(column.group, column.people) for column in shown] == [(groups[1], [people[1]]), (groups[4], [people[4]])]


def test_a_drop_answers_with_the_board_and_the_way_back(client, workspace, people):
    source, target = make_group(workspace, *people, name="A"), make_group(workspace, name="B")
    leave(people[1], target)
    typed = {"people": [people[0].pk, people[1].pk], "to": target.pk, "board": "1", "show": [source.pk, target.pk]}

    answer = client.post(reverse("group-move", args=[source.pk]), typed, headers={"HX-Request": "true"})
    html = answer.content.decode()

    assert html.lstrip().startswith('<div id="board"') and 'id="undo"' in html
    assert "1 person was moved from “A” to “B”." in html and "by their own wish" in html
    nobody = client.post(reverse("group-move", args=[source.pk]), {"board": "1"}, headers={"HX-Request": "true"})
    assert nobody.status_code == 422 and "Nobody is marked" in nobody.content.decode()


def test_viewers_look_and_change_nothing(workspace, people):
    group = make_group(workspace, *people)
    viewer = logged_in(workspace, Role.VIEWER)

    for page in (reverse("group-people", args=[group.pk]), reverse("group-board")):
        html = viewer.get(page).content.decode()
        assert str(people[0]) in html and "Take out" not in html and "draggable" not in html
