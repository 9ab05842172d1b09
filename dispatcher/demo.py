"""A workspace to try everything in: the people and campaigns of the source documents, and a larger list."""

import secrets
from itertools import cycle, islice, product

from django.db import transaction

from accounts import audit_log
from accounts.api_keys import make_key
from accounts.models import Membership, Role, User, Workspace
from campaigns.library import add_template
from campaigns.models import Campaign, StatusChange
from dispatcher.demo_templates import TEMPLATES
from people import consent
from people.channels import Channel
from people.models import ConsentEvent, Group, Recipient
from people.segment_rules import ALL, Block, Rule, Rules
from people.segments import add_segment

EMAIL = "ann@example.com"
WORKSPACE = "Acme Kenya"
MANY = 5000

# Customer 3 is the one the documents speak of; some have no location or product, so that fallbacks show.
CUSTOMERS = [
    ("Grace", "Wanjiku", "Mombasa", "Running Shoes"),
    ("Brian", "Otieno", "Kisumu", ""),
    ("Alice", "Johnson", "Nairobi", "Premium Package"),
    ("Carol", "Mutua", "", "Coffee Maker"),
    ("David", "Mwangi", "Nairobi", "Laptop"),
    ("Esther", "Achieng", "Nakuru", ""),
    ("Felix", "Kamau", "Eldoret", "Headphones"),
    ("Halima", "Hassan", "Mombasa", "Tea Set"),
    ("Ian", "", "", ""),
    ("Joyce", "Njeri", "Thika", "Backpack"),
]
FIRST_NAMES = [
    "Amina", "Ben", "Chege", "Diana", "Edwin", "Faith", "George", "Hawa", "Isaac", "Jane", "Kevin",
    "Lucy", "Moses", "Nadia", "Omar", "Purity",
]  # fmt: skip
LAST_NAMES = [
    "Abdi", "Barasa", "Chebet", "Odhiambo", "Gitau", "Kiptoo", "Maina", "Ndungu", "Okoth", "Waweru",
    "Zawadi", "Juma",
]  # fmt: skip
NAIROBI = Rules(ALL, (Block(ALL, (Rule("location", "is", "Nairobi"), Rule("consent", "reached", Channel.SMS.word))),))
PLACES = ["Nairobi", "Mombasa", "Kisumu", "Nakuru", ""]
PRODUCTS = ["Running Shoes", "Laptop", "Tea Set", "", "Backpack", "Headphones", "Coffee Maker"]


@transaction.atomic
def build() -> tuple[str, str] | None:
    """Make the demo once; returns the password and the API key, which cannot be had again, or None if it exists."""
    if User.objects.filter(email=EMAIL).exists():
        return None
    password = secrets.token_urlsafe(12)
    ann = User.objects.create_superuser(EMAIL, password, name="Ann Mwende")
    # Who tries things out, by hand or by a script, sends more in a minute than a shop does.
    workspace = Workspace.objects.create(name=WORKSPACE, time_zone="Africa/Nairobi", region="KE", sends_per_minute=60)
    Membership.objects.create(workspace=workspace, user=ann, role=Role.OWNER)
    customers, everybody_else = _people(workspace)
    add_segment(workspace, by=None, name="In Nairobi, reached by SMS", rules=NAIROBI)
    _campaigns(workspace, ann, customers, everybody_else)
    for template in TEMPLATES:
        add_template(workspace, by=ann, **template)
    _, key = make_key(workspace, name="demo", role=Role.ADMIN, by=None)
    made = {"owner": ann, "people": workspace.recipients.count(), "campaigns": workspace.campaigns.count()}
    audit_log.record(workspace, "create", workspace, by=None, after=made)
    return password, key


def _people(workspace: Workspace) -> tuple[Group, Group]:
    customers = Group.objects.create(workspace=workspace, name="Customers", description="Ten people by name.")
    many = Group.objects.create(
        workspace=workspace,
        name="Newsletter",
        description=f"{MANY:,} made-up people.",
        is_public=True,
        public_description="What is new in our shops.",
    )
    ten = Recipient.objects.bulk_create(
        Recipient(
            workspace=workspace,
            email=f"customer{n}@example.com",
            phone="+254712345678" if n == 3 else f"+2547220001{n:02}",
            first_name=first,
            last_name=last,
            location=place,
            preferred_product=wish,
        )
        for n, (first, last, place, wish) in enumerate(CUSTOMERS, 1)
    )
    names = islice(cycle(product(LAST_NAMES, FIRST_NAMES)), MANY)
    crowd = Recipient.objects.bulk_create(
        (
            Recipient(
                workspace=workspace,
                email=f"{first}.{last}.{n}@example.com".lower(),
                phone=f"+25470{n:07}",
                first_name=first,
                last_name=last,
                location=PLACES[n % len(PLACES)],
                preferred_product=PRODUCTS[n % len(PRODUCTS)],
                opted_out=n % 160 == 0,
            )
            for n, (last, first) in enumerate(names, 1)
        ),
        batch_size=1000,
    )
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            workspace=workspace, recipient=person, wish=consent.Wish.OUT, how=consent.How.IMPORT, reason="demo"
        )
        for person in crowd
        if person.opted_out
    )
    customers.recipients.set(ten)
    many.recipients.set(crowd)
    return customers, many


def _campaigns(workspace: Workspace, ann: User, customers: Group, many: Group) -> None:
    drafts = [
        (
            "Demo Campaign - Customer Feedback Request", Channel.EMAIL, customers, 
            "How are we doing, {first_name|friend}?",
            "Hello {first_name|friend},\n\nhow do you like your {preferred_product|order}?"
            " Two lines would help us.\n\nAcme Kenya",
        ),
        ("Welcome Campaign", Channel.SMS, customers, "", "Hello {first_name}! Welcome to Acme Kenya."),
        (
            "Product Promotion", Channel.WHATSAPP, customers, "",
            "Hi {first_name}, {preferred_product|a surprise} is on sale in {location|your town} this week.",
        ),
        (
            "Spring launch", Channel.EMAIL, many, "{first_name|there}, spring is here",
            "Hi {first_name|there},\n\n{preferred_product|something you will like} is 20 % off in {location|all shops}"
            " until Sunday.\n\nAcme Kenya",
        ),
        (
            "Weekend offer", Channel.SMS, many, "",
            "Hi {first_name|there}, {preferred_product|everything} is 20% off this weekend.",
        ),
        (
            "Loyalty points", Channel.WHATSAPP, many, "",
            "Hi {first_name|there}, your points are waiting in {location|our shop}.",
        ),
    ]  # fmt: skip
    for name, channel, group, subject, body in drafts:
        campaign = Campaign.objects.create(
            workspace=workspace, name=name, channel=channel, subject=subject, body=body, created_by=ann
        )
        campaign.groups.add(group)
        StatusChange.objects.create(campaign=campaign, to_status=Campaign.Status.DRAFT, by=ann, reason="demo")
