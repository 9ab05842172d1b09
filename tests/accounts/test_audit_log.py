"""The audit log: appended only, linked row by row, and honest about who broke it."""

import threading

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit_log
from accounts.models import ApiKey, AuditEntry, AuditLink
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


def write(workspace, verb="pause", by=None, **values):
    audit_log.record(workspace, verb, make_campaign(workspace), by=by, **values)


def test_an_entry_names_who_did_what_and_only_the_fields_that_changed():
    workspace = make_workspace()
    ann = make_member(workspace, email="ann@example.com")

    write(workspace, "update", by=ann, before={"name": "Old", "body": "same"}, after={"name": "New", "body": "same"})

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.kind) == ("ann@example.com", "update", "campaign")
    assert entry.changes == {"name": ["Old", "New"]}


def test_programs_and_the_machine_are_told_apart_from_people():
    workspace = make_workspace()
    key, _ = ApiKey.make(workspace, "Shop")

    write(workspace, by=key)
    write(workspace, by=None)

    assert list(AuditEntry.objects.order_by("id").values_list("actor_kind", flat=True)) == [
        AuditEntry.Kind.KEY,
        AuditEntry.Kind.MACHINE,
    ]


@pytest.mark.parametrize(
    ("trusted", "sent", "is_kept"), [(True, "abc-1", True), (True, "<b>", False), (False, "abc-1", False)]
)
def test_every_request_has_a_number_which_only_a_trusted_proxy_may_choose(client, settings, trusted, sent, is_kept):
    settings.TRUSTED_PROXY = trusted
    client.force_login(make_member(make_workspace()))

    number = client.get("/", headers={"X-Request-ID": sent})["X-Request-ID"]

    assert (number == sent) == is_kept
    assert is_kept or len(number) == 32


LONG = "a" * 400


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{LONG}x{LONG}", f"{LONG}y{LONG}"),
        (f"{LONG}x", f"{LONG}xx"),
        (LONG[:300], LONG[:301]),
        ([1, f"{LONG}x"], [1, f"{LONG}y"]),
        ({"to": f"{LONG}x"}, {"to": f"{LONG}y"}),
        (", ".join(map(str, range(200))), ", ".join(map(str, range(199)))),
    ],
)
def test_of_long_texts_that_begin_alike_the_place_is_kept_where_they_differ(before, after):
    old, new = audit_log.differences({"text": before}, {"text": after})["text"]

    assert old != new
    assert len(old) < 400 > len(new)
    assert old[:300] != new[:300]


def test_two_rows_of_the_same_name_are_told_apart():
    one, other = make_workspace("Acme"), make_workspace("Acme")

    old, new = audit_log.differences({"workspace": one}, {"workspace": other})["workspace"]

    assert (f"({one.pk})" in old, f"({other.pk})" in new) == (True, True)


@pytest.mark.parametrize("table", ["accounts_auditentry", "accounts_auditlink"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}={}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_remove_what_was_written(table, statement):
    write(make_workspace())
    column = "verb" if table.endswith("entry") else "digest"

    with pytest.raises(DatabaseError, match="only ever appended"), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column, column))


def test_each_workspace_has_a_chain_of_its_own_without_gaps():
    one, other = make_workspace(), make_workspace()

    for workspace in (one, other, one, one, None):
        write(workspace) if workspace else audit_log.record(None, "log_in", make_member(one), by=None)

    numbers = AuditLink.objects.order_by("workspace", "number").values_list("workspace", "number")
    assert list(numbers) == [(0, 1), (one.pk, 1), (one.pk, 2), (one.pk, 3), (other.pk, 1)]
    assert list(audit_log.broken_links()) == []


def test_what_is_rolled_back_leaves_neither_entry_nor_gap():
    workspace = make_workspace()

    with pytest.raises(ValueError, match="no"), transaction.atomic():
        write(workspace)
        raise ValueError("no")
    write(workspace)

    assert AuditLink.objects.get().number == 1
    assert list(audit_log.broken_links()) == []


def test_entries_committed_at_the_same_time_stand_one_behind_the_other():
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    barrier = threading.Barrier(8)

    def many():
        for _ in range(5):
            with transaction.atomic():
                audit_log.record(workspace, "pause", campaign, by=None)
                barrier.wait(10)
        connection.close()

    threads = [threading.Thread(target=many) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert list(AuditLink.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 41))
    assert list(audit_log.broken_links()) == []


def test_the_audit_command_prints_the_digest_at_the_end_of_each_chain(capsys):
    workspace = make_workspace()
    write(workspace)
    write(workspace)
    audit_log.record(None, "log_in", make_member(workspace), by=None)

    call_command("audit")

    said = capsys.readouterr().out
    last = AuditLink.objects.get(workspace=workspace.pk, number=2)
    assert f"audit log of workspace {workspace.pk} up to entry 2: {last.digest}" in said
    assert "audit log of workspace 0 up to entry 1: " in said


def test_of_hidden_fields_the_log_tells_only_that_they_changed():
    workspace = make_workspace()

    write(
        workspace,
        before={"email": "a@b.c", "phone": ""},
        after={"email": "d@e.f", "phone": "+1"},
        hidden=["email", "phone"],
    )

    assert AuditEntry.objects.get().changes == {"email": ["hidden", "hidden"], "phone": [None, "hidden"]}


def test_what_changed_nothing_is_not_written():
    workspace = make_workspace()

    write(workspace, before={"name": "A", "note": None}, after={"name": "A", "note": ""})

    assert not AuditEntry.objects.exists()


def tamper(statement):
    with connection.cursor() as cursor:
        for table in ("accounts_auditentry", "accounts_auditlink"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in ("accounts_auditentry", "accounts_auditlink"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE accounts_auditentry SET actor = 'nobody' WHERE id = (SELECT max(id) FROM accounts_auditentry) - 1",
         "was changed"),
        ("DELETE FROM accounts_auditentry WHERE id = (SELECT max(id) FROM accounts_auditentry) - 1", "was removed"),
        ("DELETE FROM accounts_auditlink WHERE number = 2", "is not linked"),
        ("INSERT INTO accounts_auditentry (verb, kind, about, actor_kind, actor, address, request_id, changes)"
         " VALUES ('send', 'campaign', '', 0, '', '', '', '{}')", "is not linked"),
    ],
)  # fmt: skip
def test_the_auditor_finds_what_somebody_changed_behind_the_back_of_the_log(statement, said):
    workspace = make_workspace()
    for _ in range(3):
        write(workspace)

    tamper(statement)

    assert any(said in sentence for sentence in audit_log.broken_links())
