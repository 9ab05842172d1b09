"""Makes the rows a test starts from; each function fills in what the test does not care about."""

from datetime import time, timedelta
from itertools import count

from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Role, User, Workspace
from campaigns.models import Campaign, Recurrence, WhatsAppTemplate
from campaigns.rules import Rule, Unit, first_of
from dispatcher import recurring
from people import consent
from people.channels import Channel
from people.models import Group, Recipient

number = count(1)


def make_workspace(name: str = "", **fields) -> Workspace:
    """With nothing to wait for after Send, unless the test is about that."""
    return Workspace.objects.create(**{"name": name or f"Workspace {next(number)}", "undo_seconds": 0} | fields)


def make_user(email: str = "", **fields) -> User:
    return User.objects.create_user(email or f"user{next(number)}@example.com", **fields)


def make_member(workspace: Workspace | None = None, role: Role = Role.MARKETER, **fields) -> User:
    """A user who works in the workspace."""
    user = make_user(**fields)
    Membership.objects.create(workspace=workspace or make_workspace(), user=user, role=role)
    return user


def logged_in(workspace: Workspace, role: Role) -> Client:
    """The browser of a new member with this role."""
    client = Client()
    client.force_login(make_member(workspace, role))
    return client


def make_recipient(workspace: Workspace, **fields) -> Recipient:
    n = next(number)
    fields = {"email": f"person{n}@example.com", "phone": f"+2547{n:08}", "first_name": f"First{n}"} | fields
    opted_out = fields.pop("opted_out", False)
    person = Recipient.objects.create(workspace=workspace, **fields)
    if opted_out:
        consent.opt_out(person, how=consent.How.PREFERENCES, by=None)
    return person


def make_recipients(workspace: Workspace, how_many: int) -> list[Recipient]:
    people = (
        Recipient(workspace=workspace, email=f"person{n}@example.com", phone=f"+2547{n:08}", first_name=f"First{n}")
        for n in (next(number) for _ in range(how_many))
    )
    return Recipient.objects.bulk_create(people)


def make_group(workspace: Workspace, *people: Recipient, **fields) -> Group:
    group = Group.objects.create(workspace=workspace, **({"name": f"Group {next(number)}"} | fields))
    group.recipients.set(people)
    return group


def make_campaign(workspace: Workspace | None = None, *, people: int = 0, **fields) -> Campaign:
    """A draft to everyone in its workspace, which gets this many people first."""
    workspace = workspace or make_workspace()
    make_recipients(workspace, people)
    fields = {
        "name": f"Campaign {next(number)}",
        "channel": Channel.EMAIL,
        "subject": "Hello {first_name}",
        "body": "Dear {first_name|friend}",
        "everyone": True,
    } | fields
    return Campaign.objects.create(workspace=workspace, **fields)


def make_series(campaign: Campaign | None = None, *, by: User | None = None, **fields) -> Recurrence:
    """A series whose first occurrence, a campaign scheduled by now, is this draft: every Monday at 09:00 in Athens."""
    campaign = campaign or make_campaign(people=1)
    starts = fields.pop("starts", timezone.now().date() + timedelta(days=1))
    rule = fields.pop("rule", None) or Rule(Unit.WEEKLY, starts, weekdays=(0,))
    clock, zone = fields.pop("clock", time(9)), fields.pop("zone", "Europe/Athens")
    first = first_of(rule, clock, zone, timezone.now())
    series = recurring.repeat(campaign, rule, first, by=by, **fields).series
    assert series
    return series


def make_whatsapp_template(workspace: Workspace, **fields) -> WhatsAppTemplate:
    """An approved one with one variable."""
    fields = {
        "name": f"template_{next(number)}",
        "language": "en",
        "body": "Hi {{1}}, spring is here.",
        "status": WhatsAppTemplate.Status.APPROVED,
    } | fields
    return WhatsAppTemplate.objects.create(workspace=workspace, **fields)
