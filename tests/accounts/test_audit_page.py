"""The page of the audit log: everything that was changed, found again, and the proof that nobody rewrote it."""

import csv
import re
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit_log
from accounts.api_keys import make_key
from accounts.audit_views import harmless
from accounts.models import AuditEntry, Role
from dispatcher import operations
from tests.make import make_campaign, make_group, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "audit-log"


@pytest.fixture
def acme():
    return make_workspace("Acme")


@pytest.fixture
def ann(acme, client):
    """The admin who looks at the page."""
    user = make_member(acme, Role.ADMIN, email="ann@example.com", name="Ann Mwende")
    client.force_login(user)
    return user


def look(client, **query) -> str:
    answer = client.get(reverse(PAGE), query)
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(client, **query) -> list[int]:
    return [line.number for line in client.get(reverse(PAGE), query).context["lines"]]


def test_an_empty_log_says_what_will_appear(client, ann):
    page = look(client)
    assert "Nothing is written here yet" in page
    assert "Nobody has checked the chain yet" in page


def test_entries_stand_newest_first_with_who_what_before_and_after(client, ann, acme):
    campaign = make_campaign(acme, name="Spring <launch>")
    audit_log.record(
        acme, "change_time", campaign, by=ann, before={"name": "Old", "body": "=x"}, after={"name": "New", "body": "=x"}
    )
    audit_log.record(acme, "pause", campaign, by=None)

    page = look(client)

    assert numbers(client) == [2, 1]
    assert "Spring &lt;launch&gt;" in page
    assert "Ann Mwende" in page
    assert "the machine" in page
    assert "changed the time of" in page
    assert "Old</del>" in page
    assert "New</ins>" in page
    assert "=x" not in page
    assert reverse("campaign", args=[campaign.pk]) in page


def test_what_is_gone_is_named_and_not_linked(client, ann, acme):
    group = make_group(acme, name="Customers")
    audit_log.record(acme, "create", group, by=ann)
    assert reverse("group-edit", args=[group.pk]) in look(client)
    pk = group.pk
    group.delete()

    page = look(client)

    assert "Customers" in page
    assert reverse("group-edit", args=[pk]) not in page


def test_the_log_of_another_workspace_is_not_shown_nor_linked(client, ann, acme):
    stranger = make_campaign(make_workspace("Other"), name="Secret plan")
    audit_log.record(stranger.workspace, "pause", stranger, by=None)
    audit_log.record(acme, "pause", stranger, by=None)

    page = look(client)

    assert len(numbers(client)) == 1
    assert reverse("campaign", args=[stranger.pk]) not in page


def test_every_filter_finds_what_it_names(client, ann, acme):
    spring, autumn = make_campaign(acme, name="Spring"), make_campaign(acme, name="Autumn")
    key, _ = make_key(acme, name="Till", role=Role.EDITOR, by=None)  # 1
    audit_log.record(acme, "pause", spring, by=ann)  # 2
    audit_log.record(acme, "resume", autumn, by=key, after={"reason": "Wrong Price"})  # 3

    assert numbers(client, actor=f"person-{ann.pk}") == [2]
    assert numbers(client, actor=f"key-{key.pk}") == [3]
    assert numbers(client, actor="machine") == [1]
    assert numbers(client, actor="nonsense") == []
    assert numbers(client, verb="pause") == [2]
    assert numbers(client, kind="apikey") == [1]
    assert numbers(client, kind="campaign", about=autumn.pk) == [3]
    assert numbers(client, q="wrong price") == [3]
    assert numbers(client, q="spring") == [2]
    assert numbers(client, verb="resume", actor=f"person-{ann.pk}") == []
    assert "Nothing found" in look(client, verb="resume", actor=f"person-{ann.pk}")


def test_days_are_those_of_the_workspace(client, ann, acme):
    acme.time_zone = "Pacific/Kiritimati"  # 14 hours ahead: its today is not that of UTC for most of the day
    acme.save()
    audit_log.record(acme, "pause", make_campaign(acme), by=ann)
    today = timezone.localdate(timezone=acme.zone)

    assert numbers(client, since=today, until=today) == [1]
    assert numbers(client, until=today - timedelta(days=1)) == []
    assert numbers(client, since=today + timedelta(days=1)) == []


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"}, {"before": "9" * 40}, {"about": "-1"}, {"about": "9" * 19}, {"since": "31.12.2026"},
        {"until": "9999-12-31"}, {"since": "0001-01-01"}, {"actor": "person-x"}, {"actor": "person-" + "9" * 30},
        {"q": "%_\\"}, {"q": "x" * 5000},
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_no_error(client, ann, acme, query):
    audit_log.record(acme, "pause", make_campaign(acme), by=ann)
    look(client, **query)


def test_older_entries_are_a_page_further(client, ann, acme):
    campaign = make_campaign(acme)
    for _ in range(120):
        audit_log.record(acme, "pause", campaign, by=ann)

    first = client.get(reverse(PAGE), {"verb": "pause"})
    second = client.get(reverse(PAGE), {"verb": "pause", "before": first.context["following"]})
    third = client.get(reverse(PAGE), {"verb": "pause", "before": second.context["following"]})

    shown = [line.number for page in (first, second, third) for line in page.context["lines"]]
    assert shown == list(range(120, 0, -1))
    assert third.context["following"] is None
    assert f"?verb=pause&amp;before={first.context['following']}" in first.content.decode()


def test_a_long_page_takes_no_more_queries_than_a_short_one(client, ann, acme):
    def fill():
        campaign, group, person = make_campaign(acme), make_group(acme), make_recipient(acme)
        for about in (campaign, group, person):
            audit_log.record(acme, "update", about, by=ann)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            look(client)
        return len(captured)

    fill()
    look(client)
    once = queries()
    for _ in range(10):
        fill()

    assert queries() == once


def test_a_person_is_known_by_number_and_no_value_of_hers_is_kept(client, ann, acme):
    client.post(
        reverse("person-new"), {"email": "grace@example.com", "first_name": "Grace", "attributes": "tier: gold"}
    )
    person = acme.recipients.get()
    client.post(reverse("person-edit", args=[person.pk]), {"email": "grace@example.com", "first_name": "Gracia"})

    kept = str(list(AuditEntry.objects.values()))

    assert "grace" not in kept.lower()
    assert "gracia" not in kept.lower()
    assert "gold" not in kept
    entry = AuditEntry.objects.latest("pk")
    assert entry.about == f"person {person.pk}"
    assert entry.changes["first_name"] == ["hidden", "hidden"]
    assert reverse("person", args=[person.pk]) in look(client)


def text_of(answer) -> str:
    async def all_of() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(all_of)().decode()


def test_the_file_holds_the_filtered_rows_and_no_formula(client, ann, acme):
    campaign = make_campaign(acme, name="=1+1")
    for _ in range(3):
        audit_log.record(acme, "pause", campaign, by=ann, before={"reason": "@SUM(A1)"}, after={"reason": "-2"})
    audit_log.record(acme, "resume", campaign, by=None)

    answer = client.get(reverse("audit-log-download"), {"verb": "pause"})

    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    head, *rows = csv.reader(text_of(answer).splitlines())
    assert head[:3] == ["number", "time (UTC)", "who"]
    assert [row[0] for row in rows] == ["3", "2", "1"]
    assert rows[0][6:10] == ["'=1+1", "reason", "'@SUM(A1)", "'-2"]


@pytest.mark.parametrize(
    "cell", ["=1", " =1", "\n=1", "\n", "\t", "\r1", "\u00a0+1", "＝1", "＋1", "－1", " ＠A", "-2", "@A"]
)
def test_a_cell_that_a_spreadsheet_might_carry_out_is_a_text(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "1=1", "a -b", " x", 5, -5, None])
def test_any_other_cell_is_left_alone(cell):
    assert harmless(cell) == cell


def test_what_concerns_the_accounts_of_members_is_shown_and_marked(client, ann, acme):
    bob, stranger = make_member(acme, name="Bob"), make_member(name="Eve Strange")
    audit_log.record(None, "log_in", bob, by=bob)
    audit_log.record(acme, "pause", make_campaign(acme), by=ann)
    audit_log.record(None, "log_in", stranger, by=stranger)
    audit_log.record(None, "turn_off_two_factor", bob, by=stranger)

    def verbs(**query) -> list[str]:
        return [line.entry.verb for line in client.get(reverse(PAGE), query).context["lines"]]

    assert verbs() == ["turn_off_two_factor", "pause", "log_in"]
    assert verbs(part="accounts") == ["turn_off_two_factor", "log_in"]
    assert verbs(part="workspace") == ["pause"]
    assert verbs(part="nonsense") == verbs()
    page = look(client)
    assert "Eve Strange" not in page
    assert "somebody outside" in page
    assert len(re.findall(r'<p class="muted">\s*account', page)) == 2
    assert verbs(q="Eve") == verbs(actor=f"person-{stranger.pk}") == []
    assert verbs(actor=f"person-{bob.pk}") == ["log_in"]
    file = text_of(client.get(reverse("audit-log-download")))
    assert "Eve" not in file
    assert "account," in file
    acme.memberships.filter(user=bob).delete()
    assert verbs() == ["pause"]


def test_accounts_and_workspace_are_paged_as_one_list(client, ann, acme):
    campaign = make_campaign(acme)
    for n in range(60):
        audit_log.record(*((acme, "pause", campaign) if n % 2 else (None, "log_in", ann)), by=ann)

    first = client.get(reverse(PAGE)).context
    rest = client.get(reverse(PAGE), {"before": first["following"]}).context

    shown = [line.entry.pk for line in (*first["lines"], *rest["lines"])]
    assert shown == list(AuditEntry.objects.order_by("-pk").values_list("pk", flat=True))
    assert rest["following"] is None


def test_a_long_file_comes_in_pieces_and_misses_nothing(client, ann, acme, monkeypatch):
    monkeypatch.setattr("accounts.audit_views.AT_ONCE", 7)
    campaign = make_campaign(acme)
    for _ in range(20):
        audit_log.record(acme, "pause", campaign, by=ann)

    rows = text_of(client.get(reverse("audit-log-download"))).splitlines()[1:]

    assert [int(row.split(",")[0]) for row in rows] == list(range(20, 0, -1))


def test_the_check_says_up_to_where_the_chain_holds(client, ann, acme):
    for _ in range(3):
        audit_log.record(acme, "pause", make_campaign(acme), by=ann)

    client.post(reverse("audit-log-check"))

    page = look(client)
    assert "Chain intact up to entry 3" in page
    assert "by Ann Mwende" in page
    assert AuditEntry.objects.latest("pk").verb == "check"


def test_the_check_finds_a_changed_entry_of_this_workspace_and_of_no_other(client, ann, acme):
    other = make_campaign(make_workspace("Other"))
    for workspace, campaign in ((acme, make_campaign(acme)), (other.workspace, other)):
        audit_log.record(workspace, "pause", campaign, by=ann)
        audit_log.record(workspace, "resume", campaign, by=ann)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE accounts_auditentry SET actor = 'nobody' WHERE verb = 'pause'")
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER USER")

    client.post(reverse("audit-log-check"))

    page = look(client)
    assert "1 fault found" in page
    assert "was changed" in page
    assert len(list(audit_log.broken_links())) == 2


def test_a_marketer_sees_neither_page_nor_link(client, acme):
    client.force_login(make_member(acme, Role.MARKETER))
    for name in (PAGE, "audit-log-download"):
        assert client.get(reverse(name)).status_code == 403
    assert client.post(reverse("audit-log-check")).status_code == 403


def test_what_the_clock_starts_is_written_as_the_machines(acme):
    campaign = make_campaign(acme, people=2)

    operations.launch(campaign, by=None)

    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_kind, entry.address) == ("launch", AuditEntry.Kind.MACHINE, "")
    assert entry.changes == {"status": ["draft", "sending"], "audience": [None, "everyone"]}
