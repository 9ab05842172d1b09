"""A segment finds exactly the people its rules describe, and says so when it cannot."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry
from campaigns.models import Campaign
from dispatcher import operations, recurring
from dispatcher.models import Category, Message
from dispatcher.readiness import LaunchRefused
from people import consent
from people.attributes import keep_names
from people.channels import Channel
from people.groups import GroupInUse, delete_group
from people.models import AttributeName, Recipient
from people.segment_builder import Builder
from people.segment_fields import Asking, fields_of
from people.segment_rules import Block, Rule, Rules, rules_in
from people.segments import (
    BrokenSegment,
    DuplicateSegment,
    InvalidRules,
    SegmentInUse,
    add_segment,
    change_segment,
    delete_segment,
    duplicate_segment,
    faults_of,
    refuse_broken,
    sentence_of,
)
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import make_campaign, make_group, make_recipient, make_recipients, make_series, make_workspace
from tests.people.describing import fitting, make_segment, rules_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
NAIROBI = ZoneInfo("Africa/Nairobi")
WORDS = ["Nairobi", "nairobi west", "Thika", "100%", "1_0", "\\", "'; --", "Ünal", "gold", "12", "-3.5", "7e3", ""]
TYPED = st.one_of(st.sampled_from([word for word in WORDS if word]), st.text("aN%_\\'12", min_size=1, max_size=3))
TEXTS = st.tuples(st.sampled_from(["is", "is_not", "contains", "lacks", "begins"]), TYPED.filter(str.strip))
KNOWN = st.tuples(st.sampled_from(["known", "unknown"]), st.none())
NUMBERS = st.tuples(st.sampled_from(["above", "at_least", "below", "at_most"]), st.sampled_from([-3.5, 0, 12, 100]))
DAYS = st.tuples(st.sampled_from(["within", "not_within"]), st.integers(1, 40))
DATES = st.tuples(st.sampled_from(["before", "since"]), st.sampled_from(["2026-03-28", "2026-03-29", "2026-01-01"]))
CONSENT = st.tuples(
    st.sampled_from(["takes", "refuses", "reached", "unreached"]), st.sampled_from(["email", "sms", "whatsapp"])
)
IN_GROUP = st.tuples(st.sampled_from(["in", "not_in"]), st.sampled_from([0, 1]))
ASKED = st.one_of(
    st.tuples(st.sampled_from(["first_name", "location", "email", "phone"]), st.one_of(TEXTS, KNOWN)),
    st.tuples(st.just("attribute:tier"), st.one_of(TEXTS, KNOWN, NUMBERS)),
    st.tuples(st.just("created_at"), st.one_of(DAYS, DATES)),
    st.tuples(st.just("consent"), CONSENT),
    st.tuples(st.just("group"), IN_GROUP),
)
RULE = ASKED.map(lambda asked: Rule(asked[0], asked[1][0], asked[1][1]))
MATCH = st.sampled_from(["all", "any"])
BLOCK = st.builds(Block, MATCH, st.lists(RULE, min_size=1, max_size=3).map(tuple))
RULES = st.builds(Rules, MATCH, st.lists(BLOCK, min_size=1, max_size=3).map(tuple))


@pytest.fixture
def workspace():
    return make_workspace(time_zone="Africa/Nairobi")


@pytest.fixture
def crowd(workspace) -> list[Recipient]:
    """People who differ in everything that can be asked, in two groups."""
    keep_names(workspace, ["tier"], by=None)
    for n, word in enumerate(WORDS):
        person = make_recipient(
            workspace,
            first_name=word,
            location=WORDS[-n],
            email=f"p{n}@example.com" if n % 3 else "",
            phone="" if n % 4 == 1 and n % 3 else f"+2547{n:08}",
            attributes={} if not word else {"tier": n * 4 - 7.5 if n % 5 == 2 else word},
            opted_out=n % 7 == 3,
            refused_channels=[Channel.SMS] if n % 4 == 2 else [],
            email_suppressed=n % 5 == 4,
        )
        hours = [0, 14, 15, 16, 39, 40, 24 * 30, 24 * 88][n % 8]
        Recipient.objects.filter(pk=person.pk).update(created_at=NOW - timedelta(hours=hours))
    people = list(workspace.recipients.order_by("pk"))
    make_group(workspace, *people[::2])
    make_group(workspace, *people[::3])
    return people


def fits(rules: Rules, person: Recipient, groups: list[set[int]]) -> bool:
    """The same in plain Python, one person at a time."""
    joins = {"all": all, "any": any}
    return joins[rules.match](joins[b.match]([holds(rule, person, groups) for rule in b.rules]) for b in rules.blocks)


def holds(rule: Rule, person: Recipient, groups: list[set[int]]) -> bool:
    if rule.field == "group":
        return (person.pk in groups[rule.value]) == (rule.comparison == "in")
    if rule.field == "consent":
        return takes(rule, person)
    if rule.field == "created_at":
        return dated(rule, person.created_at)
    text = str(person.attributes.get("tier", "")) if rule.field.startswith("attr") else getattr(person, rule.field)
    return compares(rule.comparison, text, rule.value)


def takes(rule: Rule, person: Recipient) -> bool:
    channel = Channel[rule.value.upper()]
    refused = person.opted_out or channel in person.refused_channels
    if rule.comparison in ("takes", "refuses"):
        return refused == (rule.comparison == "refuses")
    reached = not refused and bool(getattr(person, channel.address_field))
    reached = reached and not getattr(person, channel.suppressed_field)
    return reached == (rule.comparison == "reached")


def dated(rule: Rule, moment: datetime) -> bool:
    if rule.comparison in ("within", "not_within"):
        return (moment >= NOW - timedelta(days=rule.value)) == (rule.comparison == "within")
    day = datetime.fromisoformat(rule.value).date()
    return (moment >= datetime.combine(day, time(), NAIROBI)) == (rule.comparison == "since")


def compares(word: str, text: str, value) -> bool:
    mine, given = text.lower(), str(value).lower()
    if word in ("above", "at_least", "below", "at_most"):
        number = float(text) if re.fullmatch(r"-?[0-9]+([.][0-9]+)?", text) else None
        wanted = {"above": "> ", "at_least": ">=", "below": "< ", "at_most": "<="}[word]
        return number is not None and eval(f"{number} {wanted} {value}")  # noqa: S307
    return {
        "is": mine == given,
        "is_not": mine != given,
        "contains": given in mine,
        "lacks": given not in mine,
        "begins": mine.startswith(given),
        "known": text != "",
        "unknown": text == "",
    }[word]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES)
def test_the_database_finds_whom_plain_python_finds(workspace, crowd, rules):
    known = list(workspace.groups.order_by("pk"))
    groups = [set(group.recipients.values_list("pk", flat=True)) for group in known]
    meant = Rules(rules.match, tuple(Block(b.match, tuple(in_group(r, known) for r in b.rules)) for b in rules.blocks))
    asking, fields = Asking(workspace, NOW), fields_of(workspace)

    assert meant.faults(asking, fields) == []
    found = set(workspace.recipients.filter(meant.matching(asking, fields)).values_list("pk", flat=True))

    assert found == {person.pk for person in crowd if fits(rules, person, groups)}


def in_group(rule: Rule, groups: list) -> Rule:
    return Rule(rule.field, rule.comparison, groups[rule.value].pk) if rule.field == "group" else rule


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES)
def test_rules_come_back_from_json_and_from_the_form_as_they_were_with_the_same_sentence(workspace, rules):
    keep_names(workspace, ["tier"], by=None)
    groups = [make_group(workspace), make_group(workspace)]
    rules = Rules(rules.match, tuple(Block(b.match, tuple(in_group(r, groups) for r in b.rules)) for b in rules.blocks))
    asking, fields = Asking(workspace, NOW), fields_of(workspace)

    kept = rules_in(add_segment(workspace, by=None, name="S", rules=rules).rules)
    workspace.segments.all().delete()
    shown = Builder.of(asking, fields, rules)
    typed = {"match": shown.match} | {f"{part.name}-match": part.match for part in shown.parts}
    for row in (row for part in shown.parts for row in part.rows):
        typed |= {f"{row.name}-{part}": getattr(row, part) for part in ("field", "comparison", "value")}

    back = Builder.typed(asking, fields, typed).rules()
    assert kept == rules
    assert back.sentence(asking, fields) == kept.sentence(asking, fields) == rules.sentence(asking, fields)
    assert [[r.value for r in b.rules] for b in back.blocks] == [[trimmed(r) for r in b.rules] for b in rules.blocks]


def trimmed(rule: Rule):
    return rule.value.strip() if isinstance(rule.value, str) else rule.value


def test_its_sentence_reads_as_somebody_would_say_it(workspace):
    keep_names(workspace, ["loyalty_tier"], by=None)
    spring = make_campaign(workspace, name="Spring sale")
    members = make_group(workspace, name="Members")
    blocks = (
        Block("all", (Rule("location", "is", "Nairobi"), Rule("attribute:loyalty_tier", "is", "gold"))),
        Block("any", (Rule("group", "in", members.pk), Rule("email", "known"), Rule("sent", "not_within", 7))),
        Block("all", (Rule("campaign", "not_got", spring.pk),)),
    )
    segment = add_segment(workspace, by=None, name="Gold", rules=Rules("all", blocks))

    assert sentence_of(segment) == (
        "People (whose location is “Nairobi” and whose loyalty_tier is “gold”) and (who are in “Members” or "
        "who have an email address or who were sent nothing in the last 7 days) and who did not get “Spring sale”"
    )


def test_who_got_a_campaign_and_who_did_not_are_told_by_the_ledger(workspace):
    campaign = launched(make_campaign(workspace, people=5), *sent(2), *failed(Category.BOUNCED), *unknown())
    numbers = {m.number: m.recipient for m in campaign.messages.select_related("recipient")}
    Message.objects.filter(campaign=campaign, number=2).update(delivery=Message.Delivery.BOUNCED)
    newcomer = make_recipient(workspace)

    def those(word: str) -> set[Recipient]:
        return fitting(make_segment(workspace, ("campaign", word, campaign.pk), name=word))

    assert those("got") == {numbers[1], numbers[4]}  # never heard of again may have arrived
    assert those("failed") == {numbers[2], numbers[3]}
    assert those("not_got") == {numbers[2], numbers[3], numbers[5], newcomer}


def test_who_was_sent_something_lately_is_told_by_the_ledger(workspace):
    campaign = launched(make_campaign(workspace, people=3), *sent(2))
    first, second, third = (m.recipient for m in campaign.messages.order_by("number").select_related("recipient"))
    for number, days in ((1, 8), (2, 6)):
        Message.objects.filter(campaign=campaign, number=number).update(sent_at=timezone.now() - timedelta(days=days))

    assert fitting(make_segment(workspace, ("sent", "within", 7), name="Lately")) == {second}
    assert fitting(make_segment(workspace, ("sent", "not_within", 7), name="Not lately")) == {first, third}


@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", "%", "_", "%s", "{0}", "\\", "x'); DROP TABLE people_recipient; --", "“”", "$$", "%(a)s"]
)
def test_an_attack_is_a_value_like_any_other(workspace, value):
    keep_names(workspace, ["tier"], by=None)
    ann = make_recipient(workspace, location=value, attributes={"tier": value})
    make_recipients(workspace, 2)

    for word in ("is", "contains", "begins"):
        rules = [("location", word, value), ("attribute:tier", word, value)]
        segment = make_segment(workspace, *rules, name=f"S {word}")
        assert fitting(segment) == {ann}
        launch = make_campaign(workspace, everyone=False)
        launch.segments.add(segment)
        assert operations.launch(launch, by=None).messages.get().recipient == ann


@pytest.mark.parametrize("name", ["tier') = '' OR 1=1 --", "tier__gt", "workspace", "Tier", "", "opted_out", "0"])
def test_a_name_nobody_has_is_no_attribute(workspace, name):
    keep_names(workspace, ["tier"], by=None)

    with pytest.raises(InvalidRules, match="nobody here has"):
        make_segment(workspace, (f"attribute:{name}", "is", "gold"))
    with pytest.raises(InvalidRules):
        make_segment(workspace, (name, "is", "gold"))


@pytest.mark.parametrize(
    "rule",
    [
        ("location", "is", ""),
        ("location", "is", "a\nb"),
        ("location", "is", "x" * 201),
        ("location", "__gt", "a"),
        ("attribute:tier", "above", "ten"),
        ("attribute:tier", "above", "nan"),
        ("attribute:tier", "above", "1e400"),
        ("created_at", "before", "yesterday"),
        ("created_at", "within", 0),
        ("created_at", "within", 10**6),
        ("consent", "takes", "pigeon"),
        ("group", "in", 10**30),
        ("group", "in", "x"),
        ("campaign", "got", 1),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(workspace, rule):
    keep_names(workspace, ["tier"], by=None)

    with pytest.raises(InvalidRules) as refusal:
        make_segment(workspace, rule)

    assert str(refusal.value).endswith(".")
    assert not workspace.segments.exists()


@pytest.mark.parametrize("rules", [Rules(), Rules("all", (Block(),)), rules_of(*[("email", "known", None)] * 31)])
def test_no_rows_and_too_many_rows_are_refused(workspace, rules):
    with pytest.raises(InvalidRules):
        add_segment(workspace, by=None, name="S", rules=rules)


def test_rows_of_another_workspace_cannot_be_asked_for(workspace):
    other = make_workspace()

    for rule in [("group", "in", make_group(other).pk), ("campaign", "got", make_campaign(other).pk)]:
        with pytest.raises(InvalidRules, match="was deleted"):
            make_segment(workspace, rule)


def test_a_segment_says_what_is_not_there_any_more_and_nothing_is_sent_to_it(workspace):
    group, spring = make_group(workspace, name="Members"), make_campaign(workspace, name="Spring", people=2)
    keep_names(workspace, ["tier"], by=None)
    segment = make_segment(
        workspace, ("group", "not_in", group.pk), ("campaign", "not_got", spring.pk), ("attribute:tier", "is_not", "x")
    )
    campaign = make_campaign(workspace, everyone=False)
    campaign.segments.add(segment)
    assert campaign.audience().count() == 2

    group.delete()
    spring.delete()
    AttributeName.objects.all().delete()

    assert faults_of(segment) == [
        "It asks for a group that was deleted.",
        "It asks for a campaign that was deleted.",
        "It asks for “tier”, which nobody here has any more.",
    ]
    with pytest.raises(BrokenSegment, match="“Segment” cannot be used"):
        refuse_broken([segment])
    assert campaign.audience().count() == 0
    with pytest.raises(LaunchRefused, match="cannot be used") as refusal:
        operations.launch(campaign, by=None)
    assert refusal.value.code == "SEGMENT_BROKEN"


def test_leaving_out_a_segment_that_cannot_be_asked_leaves_everybody_out(workspace):
    group = make_group(workspace)
    campaign = make_campaign(workspace, people=2)
    campaign.excluded_segments.add(make_segment(workspace, ("group", "in", group.pk)))
    assert campaign.audience().count() == 2

    group.delete()

    assert campaign.audience().count() == 0


def test_a_campaign_whose_messages_are_in_a_file_cannot_be_asked_for(workspace):
    spring = launched(make_campaign(workspace, people=1, name="Spring"), *sent())
    segment = make_segment(workspace, ("campaign", "not_got", spring.pk), ("sent", "not_within", 30))
    over = {"status": Campaign.Status.SENT, "finished_at": timezone.now(), "stored_at": timezone.now()}
    Campaign.objects.filter(pk=spring.pk).update(**over)

    assert faults_of(segment) == [
        "The messages of “Spring” were moved to a file; they have to be brought back first.",
        "Messages of the last 30 days were moved to a file; ask about fewer days.",
    ]


def test_a_group_that_a_waiting_campaign_asks_for_through_a_segment_is_not_deleted(workspace):
    group = make_group(workspace, name="Members")
    campaign = make_campaign(workspace, name="Spring")
    campaign.segments.add(make_segment(workspace, ("group", "in", group.pk)))

    with pytest.raises(GroupInUse, match="“Spring” is for “Segment”, which asks who is in “Members”"):
        delete_group(group, by=None)


@pytest.mark.parametrize("use", ["segments", "excluded_segments"])
def test_a_segment_a_campaign_still_needs_is_not_deleted(workspace, use):
    segment = make_segment(workspace, ("email", "known", None))
    campaign = make_campaign(workspace, name="Spring")
    getattr(campaign, use).add(segment)

    with pytest.raises(SegmentInUse, match="“Spring” still uses"):
        delete_segment(segment, by=None)

    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.SENT)
    delete_segment(segment, by=None)
    assert not workspace.segments.exists()


@pytest.mark.parametrize("use", ["", "excluded_"])
def test_what_a_series_chooses_by_is_not_deleted_before_its_end(workspace, use):
    """Its next campaign, which is yet to be made, would go to those left out, or to nobody."""
    group = make_group(workspace, name="Staff")
    segment = make_segment(workspace, ("email", "known", None))
    campaign = make_campaign(workspace, name="News")
    getattr(campaign, f"{use}groups").add(group)
    getattr(campaign, f"{use}segments").add(segment)
    series = make_series(campaign)
    workspace.campaigns.update(status=Campaign.Status.SENT)

    with pytest.raises(GroupInUse, match="The series “News” still uses “Staff”"):
        delete_group(group, by=None)
    with pytest.raises(SegmentInUse, match="The series “News” still uses “Segment”"):
        delete_segment(segment, by=None)

    recurring.close(series)
    delete_group(group, by=None)
    delete_segment(segment, by=None)


def test_while_a_campaign_is_being_prepared_its_segment_stays_as_it_is(workspace):
    segment = make_segment(workspace, ("email", "known", None))
    campaign = make_campaign(workspace, name="Spring", status=Campaign.Status.PREPARING)
    campaign.segments.add(segment)

    with pytest.raises(SegmentInUse, match="“Spring” is being prepared"):
        change_segment(segment, by=None, name="Segment", rules=rules_of(("phone", "known", None)))

    change_segment(segment, by=None, name="Renamed", rules=rules_of(("email", "known", None)))
    assert workspace.segments.get().name == "Renamed"


def test_a_name_is_taken_once_and_a_copy_gets_a_free_one(workspace):
    segment = make_segment(workspace, ("email", "known", None), name="Gold")

    with pytest.raises(DuplicateSegment):
        make_segment(workspace, ("email", "known", None), name="GOLD")
    copies = [duplicate_segment(segment, by=None) for _ in range(2)]

    assert [copy.name for copy in copies] == ["Copy of Gold", "Copy 2 of Gold"]
    assert all(copy.rules == segment.rules for copy in copies)


def test_wishes_are_asked_as_they_are_now(workspace):
    ann, ben = make_recipients(workspace, 2)
    segment = make_segment(workspace, ("consent", "takes", "sms"))

    consent.opt_out(ann, channel=Channel.SMS, how=consent.How.REPLY, by=None)

    assert fitting(segment) == {ben}


def test_the_log_tells_that_a_rule_has_another_address_and_not_which(workspace):
    segment = make_segment(workspace, ("email", "is", "ann@example.com"))

    change_segment(segment, by=None, name=segment.name, rules=rules_of(("email", "is", "bob@example.com")))

    entry = AuditEntry.objects.get(verb="update", kind="segment")
    assert entry.changes == {
        "people": ["People whose email address is “***”", "People whose email address is “***”, another address"]
    }
