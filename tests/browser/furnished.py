"""A workspace in which everything happened once, and the way past all its pages."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import PIL.Image
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from accounts.api_keys import make_key, revoke_key
from accounts.members import invite
from accounts.models import Role, User, Workspace
from campaigns.authoring import create_campaign
from campaigns.before_sending import change_price
from campaigns.footer import links_of
from campaigns.images import add_image, change_image
from campaigns.library import add_template, archive_template, change_template
from campaigns.mail.example import MJML
from campaigns.models import Campaign, Format, Image, Template, WhatsAppTemplate
from campaigns.price import Price
from campaigns.variants import set_up_variants
from campaigns.whatsapp import add_template as add_whatsapp_template
from campaigns.whatsapp import change_status
from campaigns.wordings import write_wording
from dispatcher import dry_runs, engine, file_place, operations, recurring, senders, shelf, store
from dispatcher.demo_templates import TEMPLATES
from dispatcher.erase import erase
from dispatcher.models import Category, Trial
from dispatcher.senders.parcel import Refused, Unsure
from people import carrying, consent, imports
from people.channels import Channel
from people.columns import Mapping
from people.links import Purpose
from people.models import Import, Recipient, Suppression
from people.replies import receive_reply
from people.segment_rules import Block, Rule, Rules
from people.segments import add_segment
from people.suppression import suppress
from tests.browser.conftest import log_in
from tests.campaigns.pictures import a_picture, encoded
from tests.dispatcher.filing import ended_long_ago
from tests.dispatcher.outcomes import failed, launched, sent
from tests.dispatcher.scripted import Script
from tests.make import make_group, make_member, make_recipient, make_series, make_workspace
from tests.people.describing import make_segment

LIST = """email;first_name;phone;city
zoe@example.com;Zoë;+254722111222;Thika
zoe@example.com;Zoë;+254722111222;Thika
not an address;Nobody;;
ünal@example.com;Ünal;0712 345 678;
"""
MORE = """grace.njeri@example.com;Grace;+254733444555;Nakuru
ann@;Ann;;
bob@example.com;Bob"by;;Mombasa
carol@example.com;Carol;0722 000 111;Eldoret
"""
EMPTY = (
    "campaigns",
    "templates",
    "whatsapp-templates",
    "images",
    "people",
    "groups",
    "segments",
    "replies",
    "imports",
    "attention",
    "dead-letters",
    "queue",
)
NAMES = "Alice Johnson,Brian Otieno,Carol Wanjiru,David Mwangi,Esther Achieng,Felix Kamau,Grace Njeri,Ian Mutua"


@pytest.fixture
def site(web, monkeypatch, tmp_path) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server, and the pages of the furnished workspace by name."""
    monkeypatch.setattr(settings, "ARCHIVE_DIR", tmp_path)
    yield web, furnish(monkeypatch)


def walk(page: Page, address: str, pages: dict[str, str], look_at: Callable[[str, str], None]) -> None:
    """Past every page: before the login, as an owner, and as a viewer of a workspace that is still empty."""
    for name in ("login", "forgot-password", "forgot-password-sent"):
        look_at(name, reverse(name))
    log_in(page, address)
    for name, path in pages.items():
        look_at(name, path)
    page.context.clear_cookies()
    log_in(page, address, "vic@example.com")
    for name in EMPTY:
        look_at(f"empty-{name}", pages[name])
    look_at("forbidden", pages["settings"])


def give_variants(campaign: Campaign) -> None:
    """Two subjects, of which the rest gets the better one."""
    rule = {"measure": "accepted", "after_hours": 6, "at_least": 2}
    set_up_variants(campaign, by=None, weights=[50, 50], tested=60, hold_out=5, **rule)
    write_wording(
        campaign, by=None, variant=2, subject="20 % off {preferred_product|everything_we_have}", body=campaign.body
    )


def link_to(campaign: Campaign, person: Recipient) -> str:
    """The path of the person's link to unsubscribe."""
    links = links_of(campaign, Channel(campaign.channel))
    return links.to(Purpose.PAGE, person.pk).removeprefix(links.base)


def brought_list(workspace: Workspace, *, by: User, source: str = LIST + MORE) -> Import:
    upload = imports.begin(workspace, name="customers of the shop in Westlands.csv", by=by)
    imports.keep_list(upload, imports.as_bytes(source))
    return imports.complete(upload, by=by)


def furnish_templates(workspace: Workspace, *, by: User) -> Template:
    """Those of the demo, one in the archive, and one with a history, which is returned."""
    for template in TEMPLATES:
        add_template(workspace, by=by, **template)
    archive_template(add_template(workspace, by=by, name="Old", channel=Channel.SMS, body="Bye"), by=by)
    fields = {"name": "What we say when somebody has not bought anything for a long time", "channel": Channel.EMAIL}
    text = "Hi {first_name|there},\n\nwe miss you.\nCome in, and get 10 % off.\n\nAcme Kenya"
    missed = add_template(workspace, by=by, **fields, subject="We miss you", body=text)
    text = text.replace("10 %", "15 %").replace("we miss you.", "it has been a while, and there is much to see.")
    return change_template(missed, by=by, name=fields["name"], subject="It has been a while", body=text)


def furnish_images(workspace: Workspace, *, by: User) -> Image:
    """Pictures of all shapes; returns a wide one that is described."""
    glass = PIL.Image.new("RGBA", (400, 400), (23, 116, 74, 120))
    add_image(workspace, by=by, name="logo with glass.png", data=encoded(glass, "PNG"))
    for name, size, colour in (
        ("a-photo-with-a-very-long-name-as-telephones-give-them-20261130_0341.jpg", (900, 1600), "sienna"),
        ("white.png", (600, 300), "white"),
        ("dot.png", (1, 1), "black"),
    ):
        add_image(workspace, by=by, name=name, data=a_picture(size=size, colour=colour))
    banner = add_image(workspace, by=by, name="banner.png", data=a_picture(size=(1200, 300), colour="teal"))
    change_image(banner, by=by, name="Banner of spring", alt="Two people running along a river in spring")
    return banner


def furnish(monkeypatch) -> dict[str, str]:
    """People, groups, and a campaign in each kind of state; returns the pages to look at by name."""
    provider = Script(honours_keys=False)
    monkeypatch.setitem(senders.SENDERS, "scripted", provider)
    monkeypatch.setattr(settings, "SENDERS", dict.fromkeys(("email", "sms", "whatsapp"), "scripted"))
    workspace = make_workspace("Acme Kenya", time_zone="Africa/Nairobi")
    ann = make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann Mwende")
    people = [
        make_recipient(
            workspace, first_name=first, last_name=last, location="Nairobi", preferred_product="Running Shoes"
        )
        for first, last in (name.split() for name in NAMES.split(",") * 5)
    ]
    customers = make_group(workspace, *people, name="Customers", description="Who bought something")
    make_group(
        workspace,
        *people,
        name="Weekly",
        is_public=True,
        public_name="Weekly news",
        public_description="What is new in the shops, every Monday",
    )
    make_group(workspace, name="Customers who bought something expensive a long time ago")
    make_recipient(workspace, first_name="Opted", last_name="Out", opted_out=True).groups.add(customers)
    provider.answers[people[2].email] = provider.answers[people[9].email] = [
        Refused("550 no such mailbox", category="bounced")
    ]
    provider.answers[people[3].email] = [Unsure("no answer in 10 s", category="timeout")]

    def write(name: str, **fields) -> Campaign:
        content = {"subject": "{first_name|there}, spring is here", "groups": [customers.pk]} | fields
        content.setdefault("body", "Hi {first_name}, {preferred_product} are on sale in {location}.")
        return create_campaign(workspace, by=ann, name=name, may_be_unfinished=True, **content)

    over, paused = write("Spring launch"), write("Loyalty points, for all who have been with us for years")
    draft = write("Welcome series, May", channel=Channel.SMS, excluded=[people[0].pk], picked=[people[1].pk])
    write("Weekend offer", channel=Channel.WHATSAPP, scheduled_at=timezone.now() + timedelta(days=2))
    said = {"name": "spring_offer", "language": "en", "category": 1, "header": "Spring at Acme", "provider_id": "12345"}
    offer = add_whatsapp_template(
        workspace, by=ann, **said, body="Hi {{1}}, our {{2}} are 20% off.", footer="Reply STOP"
    )
    for status in (WhatsAppTemplate.Status.SUBMITTED, WhatsAppTemplate.Status.APPROVED):
        change_status(offer, to=status, by=ann)
    by_template = write(
        "By a template", channel=Channel.WHATSAPP, whatsapp_template=offer, whatsapp_values={"1": "you"}
    )
    dry_runs.carry_out(dry_runs.dry_run(over, by=ann).pk)
    operations.launch(over, by=ann)
    engine.work(seconds=3)
    draft.picked.add(make_recipient(workspace, first_name="Ünal 🎉", last_name="Yılmaz", location=""))
    tried = {"workspace": workspace, "campaign": draft, "by": ann, "channel": Channel.SMS, "at": timezone.now()}
    refused = "The provider refused the test: 550 no such number. Check the address, and in whose name you write."
    accepted = "The test to +254712345678 was accepted."
    Trial.objects.create(address="+254712345678", outcome=1, sentence=accepted, **tried)
    Trial.objects.create(address="+254733444555", outcome=2, sentence=refused, **tried)
    Trial.objects.create(address="+254722000111", **tried)
    dry_runs.carry_out(dry_runs.dry_run(draft, by=ann).pk)
    operations.launch(paused, by=ann)
    operations.pause(paused, by=ann, reason="wrong price?")
    newsletter = write("Newsletter", format=Format.MJML, body=MJML.replace('"https://"', '"https://acme.co.ke/sale"'))
    clumsy = write("Pasted from elsewhere", format=Format.HTML, body="<p onclick=x>Hi\n<form>{first_name}</form>")
    mailed = launched(write("Welcome", format=Format.MARKDOWN, body="# Hi {first_name}\n\nWe **open** soon."), *sent(1))
    sending = launched(write("Summer sale"), *sent(17), *failed(Category.PROVIDER_DOWN, 4))
    spoken = write("News in two languages", groups=[])
    make_recipient(workspace, first_name="Ζωή", attributes={"language": "Ελληνικά"})
    spoken.picked.add(make_recipient(workspace, first_name="Dora", attributes={"language": "de"}), people[0])
    write_wording(spoken, by=ann, language="ar", subject="أخبار", body="مرحبا {first_name}، هذه أخبارنا.")
    broken = write("Written in a hurry", groups=[])
    planned, tested = write("Two subjects, being written"), write("Two subjects, compared")
    give_variants(planned)
    give_variants(tested)
    launched(tested, *sent(9), *failed(Category.BOUNCED, 1), *sent(8), *failed(Category.BOUNCED, 2))
    weekly = make_series(write("Weekly news", priority=Campaign.Priority.LOW), by=ann, count=10)
    recurring.skip_next(weekly, by=ann)
    ended = make_series(write("Ended series"), by=ann)
    recurring.end_series(ended, by=ann)
    old = launched(write("Last year's sale"), *sent(40), *failed(Category.TEMPLATE_ERROR))
    Campaign.objects.filter(pk=old.pk).update(status=Campaign.Status.SENT, finished_at=timezone.now())
    shelf.archive(old, by=ann)
    outcomes = [*sent(38), *failed(Category.BOUNCED), *failed(Category.TIMEOUT)]
    stored = ended_long_ago(launched(write("Opening of the shop")), outcomes)
    with file_place.held():
        store.store(Campaign.objects.get(pk=stored.pk), by=ann)
    Client().get(link_to(over, people[2]), headers={"User-Agent": "Slackbot-LinkExpanding 1.0"})
    Client().post(link_to(over, people[1]), {"wish": "stop"})
    for text in ("Stop!", "When do you open on Saturday, and is there parking near the shop in Westlands?", "msaada"):
        receive_reply(workspace, Channel.SMS, people[4].phone, text, by=None)
    suppress(workspace, "gone@example.com", reason=Suppression.Reason.ERASED, by=ann)
    suppress(
        workspace,
        "a.very.long.address.of.somebody@subdomain.example.com",
        reason=Suppression.Reason.ADDED,
        by=ann,
        note="asked us by letter in May",
    )
    erased = workspace.suppressions.get(address="")
    change_price(workspace, Channel.SMS, Price(Decimal("0.8"), "KES"))
    Workspace.objects.filter(pk=workspace.pk).update(typed_above=20)
    for name in ("Kofi", "Lena", "Moses"):
        make_recipient(workspace, first_name=name, phone="").groups.add(customers)
    make_recipient(workspace, first_name="Paweł", last_name="Nowak").groups.add(customers)
    held = operations.launch(write("Sent a moment ago"), by=ann, undo_seconds=3600)
    preparing = write("A very large audience")
    Campaign.objects.filter(pk=preparing.pk).update(status=Campaign.Status.PREPARING, launched_at=timezone.now())
    upload = imports.start_import(workspace, name="customers.csv", source=LIST, groups=[customers], by=ann)
    carrying.carry_out(upload.pk)
    reply = {"how": consent.How.REPLY, "by": None, "evidence": {"text": "STOP please"}}
    consent.opt_out(people[0], channel=Channel.SMS, **reply)
    consent.opt_in(people[0], channel=Channel.SMS, how=consent.How.COLLEAGUE, by=ann, reason="wrote to us on 3 May")
    consent.opt_out(people[0], channel=Channel.WHATSAPP, **reply)
    erase(make_recipient(workspace), by=ann)
    brought, checked = (brought_list(workspace, by=ann) for _ in range(2))
    on_one_line = brought_list(workspace, by=ann, source=", ".join(f"p{n}@example.com" for n in range(600)))
    looking = brought_list(workspace, by=ann, source="PK\x03\x04 as every workbook begins")
    mapping = Mapping(checked.columns, checked.titles)
    imports.map_columns(checked, mapping, [customers], new_group="Shop in Westlands", by=ann)
    carrying.carry_out(checked.pk)
    undone = imports.start_import(workspace, name="twice.csv", source="zoe@example.com,Zoe\n", by=ann)
    carrying.carry_out(undone.pk)
    imports.undo(undone, by=ann)
    carrying.carry_out(undone.pk)
    make_segment(workspace, ("email", "is", people[0].email), name="Readers of test mails")
    mary = make_member(workspace, Role.MARKETER, email="mary.wambui@example.com", name="Mary Wambui")
    member = workspace.memberships.get(user=mary)
    _, token = invite(workspace, "a-colleague-with-a-long-address@example.com", Role.EDITOR, by=ann)
    key, _ = make_key(workspace, name="Shop of Nairobi West", role=Role.MARKETER, by=ann)
    make_key(workspace, name="Till", role=Role.EDITOR, by=ann, expires_at=timezone.now() + timedelta(days=9))
    revoke_key(make_key(workspace, name="Old till", role=Role.VIEWER, by=ann)[0], by=ann)
    rules = (
        Block("all", (Rule("location", "is", "Nairobi"), Rule("campaign", "not_got", over.pk))),
        Block("any", (Rule("group", "in", customers.pk), Rule("created_at", "within", 30), Rule("email", "known"))),
    )
    lapsed = add_segment(workspace, by=ann, name="Nairobi, without spring", rules=Rules("all", rules))
    gone = make_group(workspace, name="Gone")
    broken_segment = make_segment(workspace, ("group", "in", gone.pk), name="In a group that is gone")
    gone.delete()
    missed = furnish_templates(workspace, by=ann)
    welcome = workspace.templates.get(name="Welcome mail")
    banner = furnish_images(workspace, by=ann)
    sent_with_picture = launched(write("With a picture"), *sent(2))
    Campaign.objects.filter(pk=sent_with_picture.pk).update(body=f"Look: {banner.address}")
    nobody = make_workspace("Nothing here yet")
    make_member(nobody, Role.VIEWER, email="vic@example.com", name="Vic")
    return {
        "campaigns": reverse("campaigns"),
        "campaigns-filtered": f"{reverse('campaigns')}?channel=email&q=s",
        "campaigns-none": f"{reverse('campaigns')}?status=failed&q=winter",
        "campaigns-archived": f"{reverse('campaigns')}?show=archived",
        "campaign-archived": reverse("campaign", args=[old.pk]),
        "campaign-stored": reverse("campaign", args=[stored.pk]),
        "message-stored": reverse("message", args=[stored.pk, 1]),
        "dead-letters-stored": reverse("dead-letters-of", args=[stored.pk]),
        "campaign-next": reverse("campaign", args=[weekly.occurrences.get(nth=2).pk]),
        "campaign-next-edit": reverse("campaign-edit", args=[weekly.occurrences.get(nth=2).pk]),
        "change-time": reverse("schedule", args=[weekly.occurrences.get(nth=2).pk]),
        "all-series": reverse("all-series"),
        "series": reverse("series", args=[weekly.pk]),
        "series-ended": reverse("series", args=[ended.pk]),
        "series-skip": reverse("skip_next", args=[weekly.pk]),
        "series-end": reverse("end_series", args=[weekly.pk]),
        "series-rule": reverse("change_rule", args=[weekly.pk]),
        "variants": reverse("variants", args=[planned.pk]),
        "variants-none": reverse("variants", args=[draft.pk]),
        "variants-remove": reverse("remove_variants", args=[planned.pk]),
        "wording": reverse("wording", args=[planned.pk, 2]),
        "campaign-variants-planned": reverse("campaign", args=[planned.pk]),
        "campaign-variants": reverse("campaign", args=[tested.pk]),
        "choose-winner": reverse("choose_winner", args=[tested.pk, 2]),
        "change-priority": reverse("change_priority", args=[sending.pk]),
        "delete-over": reverse("campaign-delete", args=[old.pk]),
        "campaign-sent": reverse("campaign", args=[over.pk]),
        "campaign-sending": reverse("campaign", args=[sending.pk]),
        "campaign-held": reverse("campaign", args=[held.pk]),
        "campaign-preparing": reverse("campaign", args=[preparing.pk]),
        "campaign-paused": reverse("campaign", args=[paused.pk]),
        "campaign-draft": reverse("campaign", args=[draft.pk]),
        "message": reverse("message", args=[over.pk, 1]),
        "message-mail": reverse("message", args=[mailed.pk, 1]),
        "check-mail": reverse("check", args=[newsletter.pk]),
        "campaign-edit-mail": reverse("campaign-edit", args=[newsletter.pk]),
        "campaign-edit-clumsy": reverse("campaign-edit", args=[clumsy.pk]),
        "confirm": reverse("confirm", args=[paused.pk, "cancel"]),
        "check": reverse("check", args=[draft.pk]),
        "check-left-out": f"{reverse('check', args=[draft.pk])}?left_out=no_address#left-out-people",
        "check-hardest": f"{reverse('check', args=[draft.pk])}?by=unusual&q=a#text",
        "send-test": reverse("send_test", args=[draft.pk]),
        "send-test-mail": reverse("send_test", args=[newsletter.pk]),
        "send-test-refused": reverse("send_test", args=[broken.pk]),
        "dry-run": reverse("dry_run", args=[draft.pk]),
        "dry-run-none": reverse("dry_run", args=[broken.pk]),
        "dry-run-compared": reverse("dry_run", args=[over.pk]),
        "check-schedule": f"{reverse('check', args=[draft.pk])}#schedule",
        "check-refused": reverse("check", args=[broken.pk]),
        "campaign-new": reverse("campaign-new"),
        "campaign-edit": reverse("campaign-edit", args=[draft.pk]),
        "campaign-delete": reverse("campaign-delete", args=[draft.pk]),
        "not-editable": reverse("campaign-edit", args=[over.pk]),
        "people": reverse("people"),
        "people-filtered": f"{reverse('people')}?wish=out&channel=sms&q=a",
        "person": reverse("person", args=[people[0].pk]),
        "person-edit": reverse("person-edit", args=[people[0].pk]),
        "person-erase": reverse("erase", args=[people[0].pk]),
        "erasures": reverse("erasures"),
        "templates": reverse("templates"),
        "templates-archived": f"{reverse('templates')}?show=archived",
        "templates-none": f"{reverse('templates')}?q=winter",
        "template": reverse("template", args=[welcome.pk]),
        "template-compared": reverse("template", args=[missed.pk]) + "?compare=1",
        "template-new": reverse("template-new"),
        "template-edit": reverse("template-edit", args=[welcome.pk]),
        "template-delete": reverse("template-delete", args=[missed.pk]),
        "template-saved": reverse("save-as-template", args=[over.pk]),
        "template-used": reverse("campaign-new") + f"?template={missed.pk}",
        "whatsapp-templates": reverse("whatsapp-templates"),
        "whatsapp-template": reverse("whatsapp-template", args=[offer.pk]),
        "whatsapp-template-edit": reverse("whatsapp-template-edit", args=[offer.pk]),
        "campaign-edit-whatsapp": reverse("campaign-edit", args=[by_template.pk]),
        "check-whatsapp": reverse("check", args=[by_template.pk]),
        "images": reverse("images"),
        "images-none": f"{reverse('images')}?q=winter",
        "image": reverse("image", args=[banner.pk]),
        "image-delete": reverse("image-delete", args=[workspace.images.first().pk]),
        "image-kept": reverse("image-delete", args=[banner.pk]),
        "groups": reverse("groups"),
        "group": reverse("group-edit", args=[customers.pk]),
        "group-people": reverse("group-people", args=[customers.pk]),
        "group-outside": reverse("group-people", args=[customers.pk]) + "?who=outside",
        "group-board": reverse("group-board"),
        "segments": reverse("segments"),
        "segment-new": reverse("segment-new"),
        "segment": reverse("segment-edit", args=[lapsed.pk]),
        "segment-delete": reverse("segment-delete", args=[broken_segment.pk]),
        "campaign-to-segment": reverse("campaign-new") + f"?segment={lapsed.pk}",
        "imports": reverse("imports"),
        "import-new": reverse("import-new"),
        "import": reverse("import", args=[upload.pk]),
        "import-columns": reverse("import-columns", args=[brought.pk]),
        "import-columns-on-one-line": reverse("import-columns", args=[on_one_line.pk]),
        "import-looking": reverse("import-columns", args=[looking.pk]),
        "import-check": reverse("import", args=[checked.pk]),
        "import-cancel": reverse("import-cancel", args=[checked.pk]),
        "import-undo": reverse("import-undo", args=[upload.pk]),
        "import-undone": reverse("import", args=[undone.pk]),
        "account": reverse("account"),
        "change-password": reverse("change-password"),
        "two-factor": reverse("two-factor"),
        "workspace-new": reverse("workspace-new"),
        "settings": reverse("settings"),
        "audit-log": reverse("audit-log"),
        "audit-log-accounts": reverse("audit-log") + "?part=accounts",
        "api-keys": reverse("api-keys"),
        "revoke-key": reverse("revoke-key", args=[key.pk]),
        "audit-log-filtered": reverse("audit-log") + "?kind=campaign&verb=launch",
        "senders": reverse("senders"),
        "languages": reverse("languages", args=[spoken.pk, 1]),
        "language": reverse("wording-in", args=[spoken.pk, 1, "ar"]),
        "language-new": reverse("wording-in", args=[spoken.pk, 1, "de"]),
        "language-delete": reverse("wording-delete", args=[spoken.pk, 1, "ar"]),
        "personalisers": reverse("personalisers"),
        "personaliser": reverse("personaliser", args=["recommendations"]),
        "sender-smtp": reverse("sender", args=["email"]) + "?sender=smtp",
        "sender-simulated": reverse("sender", args=["sms"]) + "?sender=simulated",
        "members": reverse("members"),
        "member": reverse("member", args=[member.pk]),
        "member-remove": reverse("member-remove", args=[member.pk]),
        "join": reverse("join", args=[token]),
        "attention": reverse("attention"),
        "dead-letters": reverse("dead-letters"),
        "dead-letters-of": reverse("dead-letters-of", args=[over.pk]),
        "dead-letters-dismiss": reverse("dismiss"),
        "queue": reverse("queue"),
        "replies": reverse("replies"),
        "before-sending": reverse("before-sending"),
        "consent-settings": reverse("consent-settings"),
        "suppression": reverse("suppression"),
        "suppression-none": f"{reverse('suppression')}?q=nobody@example.com",
        "suppression-import": reverse("suppression-import"),
        "release": reverse("release", args=[erased.pk]),
        "unsubscribe": link_to(over, people[0]),
        "unsubscribed": link_to(over, people[1]),
        "unsubscribe-unknown": "/u/nothing",
        "not-found": "/nowhere/",
    }
