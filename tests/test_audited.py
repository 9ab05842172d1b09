"""Every change leaves a row in the audit log: each button and form is pressed, and the log is read.

A new address that takes POST needs a line in `CHANGES`: its URL name and the verb it writes, and where the address or
the form needs more, `row=` (as in `tests/test_roles.py`, whose row it takes otherwise) and `typed=`, a function that is
given the scene and returns what is typed. What changes nothing that is kept is named in `NOTHING`, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import members
from accounts.models import ApiKey, AuditEntry, Role, User, Workspace
from accounts.reset_links import Tokens
from campaigns import library
from campaigns.models import Campaign, Recurrence, Template
from campaigns.whatsapp import archive_template
from dispatcher import choose, dismissals, operations, recurring, shelf
from dispatcher.books import books_of
from dispatcher.check import seal_of
from dispatcher.freeze import forecast
from dispatcher.models import Category
from people import carrying, imports
from people.bringing import begin_as_said
from people.channels import Channel
from people.columns import Mapping
from people.models import Import
from tests.accounts.test_two_factor import code_of, set_up
from tests.campaigns.pictures import a_picture
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import (
    make_campaign,
    make_group,
    make_member,
    make_recipient,
    make_series,
    make_whatsapp_template,
    make_workspace,
)
from tests.people.describing import make_segment
from tests.test_roles import (
    BODIES,
    OPERATIONS,
    PAGES,
    awaiting_the_winner,
    image,
    sent_as,
    suppression,
    template,
    translation,
    with_variants,
    wording,
)

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-password"
NUMBER = "request-1"
Status = Campaign.Status


@dataclass
class Scene:
    """A workspace, its owner, the owner's browser, and what the address names."""

    workspace: Workspace
    ann: User
    browser: Client
    arguments: list[Any] = field(default_factory=list)

    @property
    def campaign(self) -> Campaign:
        return Campaign.objects.get(pk=self.arguments[0])

    @cached_property
    def program(self) -> tuple[ApiKey, str]:
        """A program's key, and its secret."""
        return ApiKey.make(self.workspace, "Till", Role.ADMIN)


@dataclass(frozen=True)
class Change:
    """What is written when it is done: one row for each of these verbs. `by_nobody`: nobody can know who it was."""

    verbs: str
    row: Callable[[Scene], list[Any]] | None = None
    typed: Callable[[Scene], dict[str, Any]] = lambda scene: {}
    by_nobody: bool = False


def draft(scene: Scene) -> list[Any]:
    return [make_campaign(scene.workspace, people=1).pk]


def scheduled(scene: Scene) -> list[Any]:
    campaign = make_campaign(scene.workspace, people=1)
    operations.schedule(campaign, at=timezone.now() + timedelta(days=1), by=None)
    return [campaign.pk]


def held(scene: Scene) -> list[Any]:
    campaign = make_campaign(scene.workspace, people=1)
    return [operations.launch(campaign, by=None, undo_seconds=10).pk]


def sending(scene: Scene) -> list[Any]:
    return [launched(make_campaign(scene.workspace, people=3), *failed(), *unknown()).pk]


def paused(scene: Scene) -> list[Any]:
    pk = sending(scene)[0]
    operations.pause(Campaign.objects.get(pk=pk), by=None)
    return [pk]


def over(scene: Scene) -> list[Any]:
    campaign = launched(make_campaign(scene.workspace, people=2), *sent(), *failed())
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENT, finished_at=timezone.now())
    return [campaign.pk]


def archived(scene: Scene) -> list[Any]:
    pk = over(scene)[0]
    shelf.archive(Campaign.objects.get(pk=pk), by=None)
    return [pk]


def dismissed(scene: Scene) -> list[Any]:
    pk = over(scene)[0]
    dismissals.dismiss(Campaign.objects.get(pk=pk), by=None)
    return [pk]


def launch_refused(scene: Scene) -> list[Any]:
    campaign = scheduled(scene)[0]
    operations.unschedule(Campaign.objects.get(pk=campaign), by=None, reason="Could not start: nobody is chosen")
    return [campaign]


def series(scene: Scene) -> list[Any]:
    return [make_series(make_campaign(scene.workspace, people=1)).pk]


def something_written(scene: Scene) -> list[Any]:
    sending(scene)
    connection.check_constraints()  # as at a commit, where the database links the entries
    return []


def sent_in_parts(scene: Scene) -> list[Any]:
    upload = imports.begin(scene.workspace, name="list.csv", by=scene.ann)
    imports.keep_list(upload, imports.as_bytes("email\nann@example.com"))
    return [upload.pk]


def sent_by_the_program(scene: Scene) -> list[Any]:
    upload = begin_as_said(scene.workspace, name="list.csv", by=scene.program[0])
    imports.keep_list(upload, imports.as_bytes("email\nann@example.com"))
    return [upload.pk]


def brought(scene: Scene) -> list[Any]:
    pk = sent_in_parts(scene)[0]
    imports.complete(Import.objects.get(pk=pk), by=scene.ann)
    return [pk]


def checked_list(scene: Scene) -> list[Any]:
    pk = brought(scene)[0]
    imports.map_columns(Import.objects.get(pk=pk), Mapping(["email"], ["email"]), [], by=None)
    carrying.carry_out(pk)
    return [pk]


def imported(scene: Scene) -> list[Any]:
    pk = checked_list(scene)[0]
    imports.start(Import.objects.get(pk=pk), by=None)
    carrying.carry_out(pk)
    return [pk]


def on_email(scene: Scene) -> list[Any]:
    return ["email"]


def during_an_outage(scene: Scene) -> list[Any]:
    choose.begin_outage(scene.workspace, by=None)
    return []


def nothing_in_the_address(row: Callable[[Scene], list[Any]]) -> Callable[[Scene], list[Any]]:
    """The rows are there and the address names none of them."""

    def made(scene: Scene) -> list[Any]:
        row(scene)
        return []

    return made


def written(scene: Scene) -> dict[str, Any]:
    return {"name": "Spring", "channel": "email", "subject": "Hi", "body": "Dear {first_name}", "audience": "everyone"}


def checked(scene: Scene) -> dict[str, Any]:
    return {"checked": seal_of(scene.campaign, forecast(scene.campaign))}


def another_time(scene: Scene) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=3)
    seen = scene.campaign.scheduled_at
    assert seen
    return {"date": day.isoformat(), "time": "09:30", "zone": "UTC", "repeat": "", "seen": seen.isoformat()}


def another_rule(scene: Scene) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=3)
    typed = {"date": day.isoformat(), "time": "10:00", "zone": "UTC", "repeat": "daily", "every": 2, "ends": "never"}
    return typed | {"seen": recurring.standing(Recurrence.objects.get())}


def a_member(scene: Scene) -> list[Any]:
    return [scene.workspace.memberships.get(user=make_member(scene.workspace, Role.VIEWER)).pk]


def a_member_with_two_factor(scene: Scene) -> list[Any]:
    bob = make_member(scene.workspace, Role.VIEWER)
    set_up(bob)
    return [scene.workspace.memberships.get(user=bob).pk]


def an_invitation(scene: Scene) -> list[Any]:
    return [members.invite(scene.workspace, "new@example.com", Role.VIEWER, by=scene.ann)[0].pk]


def an_invitation_of_hers(scene: Scene) -> list[Any]:
    other = make_workspace("Other")
    return [members.invite(other, scene.ann.email, Role.VIEWER, by=make_member(other, Role.OWNER))[1]]


def two_factor_begun(scene: Scene) -> list[Any]:
    scene.browser.get(reverse("two-factor"))
    return []


def two_factor_on(scene: Scene) -> list[Any]:
    set_up(scene.ann, scene.browser)
    return []


def logged_out(scene: Scene) -> list[Any]:
    scene.browser.logout()
    return []


def halfway(scene: Scene) -> list[Any]:
    set_up(scene.ann)
    scene.browser.logout()
    scene.browser.post(reverse("login"), {"username": scene.ann.email, "password": PASSWORD})
    return []


def a_link(scene: Scene) -> list[Any]:
    """Where the link leads after Django has put its token into the session."""
    uid = urlsafe_base64_encode(force_bytes(scene.ann.pk))
    link = reverse("new-password", args=[uid, Tokens().make_token(scene.ann)])
    scene.browser.logout()
    scene.browser.get(link)
    return [uid, "set-password"]


def a_person(scene: Scene) -> list[Any]:
    return [make_recipient(scene.workspace, email="grace@example.com").pk]


def a_person_opted_out(scene: Scene) -> list[Any]:
    return [make_recipient(scene.workspace, opted_out=True).pk]


def whatsapp_text(scene: Scene) -> dict[str, Any]:
    return {"name": "spring", "language": "en", "category": 1, "header": "", "body": "Hi {{1}}!", "footer": "x"}


def a_whatsapp_template(scene: Scene) -> list[Any]:
    return [make_whatsapp_template(scene.workspace).pk]


def an_archived_whatsapp_template(scene: Scene) -> list[Any]:
    return [archive_template(make_whatsapp_template(scene.workspace), by=None).pk]


def typing(**typed: Any) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: typed


def as_shown(scene: Scene) -> dict[str, Any]:
    options = scene.browser.get(reverse("sender", args=scene.arguments)).context["options"]
    shown = {options.add_prefix(name): options[name].value() for name in options.fields}
    return {name: value for name, value in shown.items() if value is not None} | {"from_name": "Acme"}


def group_of_one(scene: Scene) -> list[Any]:
    return [make_group(scene.workspace, make_recipient(scene.workspace)).pk]


def group_and_person(scene: Scene) -> list[Any]:
    make_recipient(scene.workspace)
    return [make_group(scene.workspace).pk]


def all_of_them(scene: Scene) -> dict[str, Any]:
    return {"all": "1"}


def to_another(scene: Scene) -> dict[str, Any]:
    return {"all": "1", "to": make_group(scene.workspace).pk}


def another_group(scene: Scene) -> dict[str, Any]:
    return {"everybody": True, "to_group_id": make_group(scene.workspace).pk}


def a_move(scene: Scene) -> dict[str, Any]:
    person = make_recipient(scene.workspace)
    source, target = make_group(scene.workspace), make_group(scene.workspace, person)
    return {"into": target.pk, "out_of": source.pk, "joined": [person.pk], "left": [person.pk]}


def an_image(scene: Scene) -> list[Any]:
    return image(scene.workspace)


def a_template(scene: Scene) -> list[Any]:
    return template(scene.workspace)


def an_older_version(scene: Scene) -> list[Any]:
    pk = a_template(scene)[0]
    library.change_template(Template.objects.get(pk=pk), by=None, name="Welcome", body="Hello!")
    return [pk, 1]


def an_archived_template(scene: Scene) -> list[Any]:
    pk = a_template(scene)[0]
    library.archive_template(Template.objects.get(pk=pk), by=None)
    return [pk]


def a_file(scene: Scene) -> dict[str, Any]:
    return {"files": SimpleUploadedFile("banner.png", a_picture())}


def segment(scene: Scene) -> list[Any]:
    return [make_segment(scene.workspace, ("email", "known")).pk]


def an_address_on_the_list(scene: Scene) -> dict[str, Any]:
    suppression(scene.workspace)
    return {"address": "ann@example.com"}


def a_segment(scene: Scene) -> dict[str, Any]:
    return {"name": "Here", "b0r0-field": "location", "b0r0-comparison": "is", "b0r0-value": "Nairobi"}


OWN_PASSWORD = typing(password=PASSWORD)
NEW_PASSWORD = {"new_password1": "another-long-password", "new_password2": "another-long-password"}

CHANGES = {
    "campaign-new": Change("create", typed=written),
    "campaign-edit": Change("update", draft, written),
    "campaign-delete": Change("delete", draft),
    "send": Change("launch", draft, checked),
    "dry_run": Change("dry_run", draft),
    "send_test": Change("send_test", draft, typing(addresses="ann@example.com")),
    "pause": Change("pause", sending),
    "resume": Change("resume", paused),
    "undo": Change("undo_send", held),
    "cancel": Change("cancel", sending),
    "unschedule": Change("unschedule", scheduled),
    "schedule": Change("change_time", scheduled, another_time),
    "skip_next": Change("cancel skip_next repeat", series, typing(nth=1)),
    "end_series": Change("cancel end_series", series),
    "change_rule": Change("change_time change_rule", series, another_rule),
    "duplicate": Change("duplicate", sending),
    "variants": Change("set_up_variants", draft, typing(weight_a=50, weight_b=50, tested=100, hold_out=0)),
    "remove_variants": Change(
        "remove_variants", lambda scene: [with_variants(scene.workspace).pk], typing(variant="B")
    ),
    "wording": Change(
        "write_wording", lambda scene: wording(scene.workspace), typing(subject="Hi", body="Hi {first_name}")
    ),
    "wording-in": Change(
        "write_wording", lambda scene: translation(scene.workspace), typing(subject="Hi", body="Hi {first_name}")
    ),
    "wording-delete": Change("delete_wording", lambda scene: translation(scene.workspace)),
    "choose_winner": Change("choose_winner", lambda scene: awaiting_the_winner(scene.workspace)),
    "archive": Change("archive", over),
    "whatsapp-template-new": Change("create", typed=whatsapp_text),
    "whatsapp-template-edit": Change("update", a_whatsapp_template, typed=whatsapp_text),
    "whatsapp-template-status": Change("change_status", a_whatsapp_template, typed=typing(to=5, reason="complaints")),
    "whatsapp-template-duplicate": Change("duplicate", a_whatsapp_template),
    "whatsapp-template-archive": Change("archive", a_whatsapp_template),
    "whatsapp-template-unarchive": Change("unarchive", an_archived_whatsapp_template),
    "whatsapp-settings": Change("change_whatsapp_settings", typed=typing(needs_template="on")),
    "unarchive": Change("unarchive", archived),
    "change_priority": Change("change_priority", sending, typing(priority="urgent")),
    "retry_failed": Change("retry_failed", sending),
    "assume_delivered": Change("assume_delivered", sending),
    "send_again": Change("send_again", sending),
    "retry_dead": Change("retry_failed", nothing_in_the_address(over)),
    "dismiss": Change("dismiss", nothing_in_the_address(over)),
    "undismiss": Change("undismiss", dismissed),
    "dismiss_launch": Change("dismiss_launch", launch_refused),
    "template-new": Change("create", typed=written),
    "template-edit": Change("update", a_template, written),
    "template-restore": Change("restore_version", an_older_version),
    "template-duplicate": Change("duplicate", a_template),
    "template-archive": Change("archive", a_template),
    "template-unarchive": Change("unarchive", an_archived_template),
    "template-delete": Change("delete", a_template),
    "save-as-template": Change("create", draft, typing(name="Spring text")),
    "image-add": Change("create", typed=a_file),
    "image": Change("update", an_image, typing(name="Banner", alt="Two people running")),
    "image-delete": Change("delete", an_image),
    "person-new": Change("create", typed=typing(email="grace@example.com")),
    "person-edit": Change(
        "update", lambda scene: [make_recipient(scene.workspace).pk], typing(email="grace@example.com")
    ),
    "opt_out": Change("opt_out", a_person, typing(channel="sms")),
    "opt_in": Change("opt_in", a_person_opted_out, typing(reason="wrote to us")),
    "erase": Change("suppress suppress erase", a_person, typing(address="grace@example.com")),
    "import-new": Change("begin complete", typed=typing(text="grace@example.com")),
    "import-begin": Change("begin", typed=typing(name="list.csv", size=9)),
    "import-complete": Change("complete", sent_in_parts),
    "import-columns": Change("map_columns", brought, typing(column_0="email")),
    "import-start": Change("start", checked_list),
    "import-cancel": Change("cancel", brought),
    "import-undo": Change("undo", imported),
    "group-new": Change("create", typed=typing(name="Customers")),
    "group-edit": Change("update", lambda scene: [make_group(scene.workspace).pk], typing(name="Customers")),
    "group-delete": Change("delete", lambda scene: [make_group(scene.workspace).pk]),
    "group-put-in": Change("put_in", group_and_person, all_of_them),
    "group-move": Change("move", group_of_one, to_another),
    "group-copy": Change("put_in", group_of_one, to_another),
    "group-take-out": Change("take_out", group_of_one, all_of_them),
    "group-undo": Change("take_out put_in", typed=a_move),
    "segment-new": Change("create", typed=a_segment),
    "segment-edit": Change("update", segment, a_segment),
    "segment-duplicate": Change("duplicate", segment),
    "segment-delete": Change("delete", segment),
    "note-reply": Change("receive_reply", typed=typing(channel=Channel.SMS.value, number="+254712345678", text="Hi")),
    "before-sending": Change("change_before_sending", typed=typing(undo_seconds=30)),
    "consent-settings": Change("change_consent_settings", typed=typing(whatsapp_link="on")),
    "suppress": Change("suppress", typed=typing(address="grace@example.com")),
    "suppression-import": Change("import_suppressions", typed=typing(text="grace@example.com")),
    "release": Change("release", lambda scene: suppression(scene.workspace)),
    "login": Change(
        "log_in", logged_out, lambda scene: {"username": scene.ann.email, "password": PASSWORD}
    ),
    "login-code": Change("log_in", halfway, lambda scene: {"code": code_of(scene.ann)}),
    "logout": Change("log_out"),
    "forgot-password": Change(
        "ask_for_new_password", logged_out, lambda scene: {"email": scene.ann.email}, by_nobody=True
    ),
    "new-password": Change("reset_password", a_link, typing(**NEW_PASSWORD)),
    "join": Change("accept", an_invitation_of_hers),
    "account": Change("change_name", typed=typing(name="Ann")),
    "change-password": Change("change_password", typed=typing(old_password=PASSWORD, **NEW_PASSWORD)),
    "log-out-everywhere": Change("log_out_everywhere"),
    "two-factor": Change("turn_on_two_factor", two_factor_begun, lambda scene: {"code": code_of(scene.ann)}),
    "two-factor-off": Change("turn_off_two_factor", two_factor_on, OWN_PASSWORD),
    "recovery-codes": Change("new_recovery_codes", two_factor_on, OWN_PASSWORD),
    "workspace-new": Change("make", typed=typing(name="Second", time_zone="UTC")),
    "settings": Change(
        "change_settings", typed=typing(name="Acme", time_zone="Europe/Athens", retry_policy=1)
    ),
    "invite": Change("invite", typed=typing(email="new@example.com", role=Role.VIEWER.value)),
    "member": Change("change_role", a_member, typing(role=Role.EDITOR.value)),
    "member-remove": Change("remove", a_member),
    "reset-link": Change("make_reset_link", a_member),
    "member-two-factor-off": Change("turn_off_two_factor", a_member_with_two_factor),
    "resend": Change("resend", an_invitation),
    "revoke": Change("revoke", an_invitation),
    "sender": Change("choose_sender", on_email, as_shown),
    "personaliser": Change("choose_personaliser", lambda scene: ["opening"], typing(**{"option-tone": "plain"})),
    "test-sender": Change("send_test", on_email, typing(to="ann@example.com")),
    "begin-outage": Change("begin_outage"),
    "end-outage": Change("end_outage", during_an_outage),
    "admin-logout": Change("log_out"),
    "api-keys": Change("make", typed=typing(name="Shop", role=Role.VIEWER.value)),
    "revoke-key": Change("revoke", lambda scene: [ApiKey.make(scene.workspace, "Shop")[0].pk]),
    "audit-log-check": Change("check", something_written),
}  # fmt: skip

NOTHING = {
    "import-part": "the list is no change before it is complete",
    "campaign-preview": "draws what is typed and keeps nothing",
    "campaign-preview-mail": "draws what is typed and keeps nothing",
    "campaign-whatsapp": "draws what is typed and keeps nothing",
    "campaign-readers": "finds whose text may be shown and keeps nothing",
    "segment-draw": "draws the rows that are typed and keeps nothing",
    "segment-count": "counts whom the rows that are typed describe and keeps nothing",
    "switch-workspace": "the session alone knows in which workspace somebody works",
    "admin-login": "leads to the other login",
    "admin-password": "leads to the other page",
    "api": "its operations are below",
    "unsubscribe": "the person's own wish, an event of consent",
    "one-click": "the person's own wish, an event of consent",
}

NEXT_YEAR = f"{timezone.now().year + 1}-01-01T00:00:00Z"
A_SERIES = {"repeat": "daily", "starts": f"{timezone.localdate() + timedelta(days=2)}", "time": "09:00"}
# By method and path below /api: the verbs, and what is sent.
CALLS = {
    "POST campaigns": ("create", {"name": "Spring", "channel": "sms", "base_template": "Hi"}),
    "PATCH campaigns/{campaign_id}": ("update", {"name": "Autumn"}),
    "PATCH campaigns/{campaign_id}/wordings": ("write_wording", {"language": "el", "base_template": "Γεια"}),
    "DELETE campaigns/{campaign_id}/wordings/{language}": ("delete_wording", {}),
    "DELETE campaigns/{campaign_id}": ("delete", {}),
    "POST campaigns/{campaign_id}/send": ("launch", {"target": "all"}),
    "POST campaigns/{campaign_id}/enqueue": ("launch", {}),
    "POST campaigns/{campaign_id}/pause": ("pause", {}),
    "POST campaigns/{campaign_id}/resume": ("resume", {}),
    "POST campaigns/{campaign_id}/cancel": ("cancel", {}),
    "PUT campaigns/{campaign_id}/variants": ("set_up_variants", {"weights": [60, 40]}),
    "PATCH campaigns/{campaign_id}/variants": ("set_up_variants", {"hold_out": 10}),
    "DELETE campaigns/{campaign_id}/variants": ("remove_variants", {}),
    "POST campaigns/{campaign_id}/undo": ("undo_send", {}),
    "POST campaigns/{campaign_id}/archive": ("archive", {}),
    "POST campaigns/{campaign_id}/unarchive": ("unarchive", {}),
    "POST campaigns/{campaign_id}/change-priority": ("change_priority", {"priority": "urgent"}),
    "POST campaigns/{campaign_id}/save-as-template": ("create", {}),
    "POST campaigns/{campaign_id}/send-again": ("send_again", {}),
    "POST campaigns/{campaign_id}/assume-delivered": ("assume_delivered", {}),
    "POST campaigns/{campaign_id}/dry-run": ("dry_run", {}),
    "POST campaigns/{campaign_id}/test": ("send_test", {"addresses": ["ann@example.com"]}),
    "POST campaigns/{campaign_id}/dismiss-launch": ("dismiss_launch", {}),
    "POST campaigns/{campaign_id}/repeat": ("schedule repeat", A_SERIES),
    "PATCH series/{series_id}": ("change_time change_rule", {"time": "10:00"}),
    "POST series/{series_id}/skip": ("cancel skip_next repeat", {}),
    "POST series/{series_id}/end": ("cancel end_series", {}),
    "POST dead-letters/retry": ("retry_failed", {}),
    "POST dead-letters/dismiss": ("dismiss", {}),
    "POST dead-letters/{campaign_id}/undismiss": ("undismiss", {}),
    "POST campaigns/{campaign_id}/choose-winner": ("choose_winner", {"variant": "B"}),
    "POST campaigns/{campaign_id}/schedule": ("schedule", {"scheduled_at": NEXT_YEAR}),
    "POST campaigns/{campaign_id}/unschedule": ("unschedule", {}),
    "POST campaigns/{campaign_id}/retry-failed": ("retry_failed", {}),
    "POST campaigns/{campaign_id}/duplicate": ("duplicate", {}),
    "POST campaigns/{campaign_id}/personalized-preview": ("", {"customer_id": 999_999}),
    "POST campaigns/send": ("launch", {}),
    "POST customers": ("create", {"email": "grace@example.com"}),
    "PATCH customers/{customer_id}": ("update", {"first_name": "Grace"}),
    "POST recipients": ("create", {"email": "grace@example.com"}),
    "POST recipients/opt-out": ("create opt_out", {"email": "grace@example.com"}),
    "POST recipients/opt-in": ("create", {"email": "grace@example.com"}),
    "PATCH recipients/{recipient_id}": ("opt_out", {"opt_out": True}),
    "POST groups": ("create", {"name": "Customers"}),
    "PATCH groups/{group_id}": ("update", {"name": "Customers"}),
    "PATCH groups/{group_id}/recipients": ("put_in add_people", {"recipient_emails": ["grace@example.com"]}),
    "DELETE groups/{group_id}": ("delete", {}),
    "POST groups/{group_id}/put-in": ("put_in", {"everybody": True}),
    "POST groups/{group_id}/take-out": ("take_out", {"everybody": True}),
    "POST groups/{group_id}/move": ("move", another_group),
    "POST groups/{group_id}/copy": ("put_in", another_group),
    "POST templates": ("create", {"name": "Other", "base_template": "Welcome!"}),
    "PATCH templates/{template_id}": ("update", {"base_template": "Hello!"}),
    "DELETE templates/{template_id}": ("delete", {}),
    "POST imports": ("begin complete", BODIES["POST imports"]),
    "POST imports/begin": ("begin", {"size": 9}),
    "PUT imports/{import_id}/parts/{number}": ("", {}),  # the list is no change before it is complete
    "POST imports/{import_id}/complete": ("complete", {}),
    "POST imports/{import_id}/columns": ("map_columns", {"columns": {"email": "email"}}),
    "POST imports/{import_id}/start": ("start", {}),
    "POST imports/{import_id}/cancel": ("cancel", {}),
    "POST imports/{import_id}/undo": ("undo", {}),
    "POST segments": ("create", BODIES["POST segments"]),
    "POST segments/count": ("", BODIES["POST segments/count"]),
    "PATCH segments/{segment_id}": ("update", {"name": "Here"}),
    "POST segments/{segment_id}/duplicate": ("duplicate", {}),
    "DELETE segments/{segment_id}": ("delete", {}),
    "POST suppressions": ("suppress", BODIES["POST suppressions"]),
    "POST suppressions/import": ("import_suppressions", BODIES["POST suppressions/import"]),
    "POST suppressions/release": ("release", an_address_on_the_list),
    "DELETE suppressions/{suppression_id}": ("release", {}),
    "POST templates/{template_id}/duplicate": ("duplicate", {}),
    "POST templates/{template_id}/restore": ("restore_version", {"version": 1}),
    "POST whatsapp-templates": ("create", BODIES["POST whatsapp-templates"]),
    "PATCH whatsapp-templates/{whatsapp_template_id}": ("update", {"footer": "Acme"}),
    "POST whatsapp-templates/{whatsapp_template_id}/status": (
        "change_status",
        BODIES["POST whatsapp-templates/{whatsapp_template_id}/status"],
    ),
    "POST whatsapp-templates/{whatsapp_template_id}/duplicate": ("duplicate", {}),
    "POST images": ("create", BODIES["POST images"]),
    "PATCH images/{image_id}": ("update", {"alt": "Two people running"}),
    "DELETE images/{image_id}": ("delete", {}),
    "PATCH settings/before-sending": ("change_before_sending", {"undo_seconds": 30}),
    "PATCH settings/personalisers": ("choose_personaliser", {"name": "opening", "is_on": False}),
    "PATCH settings/whatsapp": ("change_whatsapp_settings", {"needs_template": True}),
    "PATCH settings/consent": ("change_consent_settings", {"whatsapp_link": True}),
    "POST replies": ("receive_reply", {"channel": "sms", "from": "+254712345678", "text": "Hi"}),
    "POST complaints": ("suppress", {"channel": "email", "address": "grace@example.com"}),
    "DELETE customers/{customer_id}": ("suppress suppress erase", {}),
}


STANDING = {
    **{"pause": sending, "retry-failed": sending, "resume": paused, "unschedule": scheduled},
    **{"send-again": sending, "assume-delivered": sending, "undo": held, "archive": over, "unarchive": archived},
    **{"dismiss-launch": launch_refused, "retry": over, "dismiss": over, "undismiss": dismissed},
    "variants": lambda scene: [with_variants(scene.workspace).pk],
    "choose-winner": lambda scene: awaiting_the_winner(scene.workspace),
    "{language}": lambda scene: translation(scene.workspace),
}


# What paths name, by the word that stands for it.
NAMED = {
    "customer_id": a_person,
    "recipient_id": a_person,
    "group_id": lambda scene: [*group_of_one(scene), make_recipient(scene.workspace)],
    "template_id": a_template,
    "series_id": series,
    "import_id": checked_list,
    "whatsapp_template_id": a_whatsapp_template,
    "image_id": an_image,
    "segment_id": segment,
    "suppression_id": lambda scene: suppression(scene.workspace),
}
# The same where an operation needs another one.
NAMED_FOR = {
    "POST templates/{template_id}/restore": {"template_id": an_older_version},
    "POST imports/{import_id}/complete": {"import_id": sent_by_the_program},
    "POST imports/{import_id}/undo": {"import_id": imported},
}


@pytest.fixture
def scene(settings) -> Scene:
    settings.TRUSTED_PROXY = True  # which numbers the requests
    workspace = make_workspace("Acme")
    ann = make_member(workspace, Role.OWNER, email="ann@example.com", password=PASSWORD)
    browser = Client(headers={"Sec-Fetch-Site": "same-origin", "X-Request-ID": NUMBER})
    browser.force_login(ann)
    return Scene(workspace, ann, browser)


def test_every_address_that_takes_a_post_has_a_line_here():
    assert sorted([*CHANGES, *NOTHING]) == sorted(name for name, page in PAGES.items() if page.post)


def test_every_writing_operation_of_the_api_has_a_line_here():
    assert sorted(CALLS) == sorted(name for name in OPERATIONS if not name.startswith("GET "))


def newest() -> int:
    return AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_leaves_one_row_that_names_who_from_where_and_by_which_request(name, scene):
    change = CHANGES[name]
    scene.arguments = change.row(scene) if change.row else []
    typed, before = change.typed(scene), newest()

    answer = scene.browser.post(reverse(name, args=scene.arguments), typed)

    rows = list(AuditEntry.objects.filter(pk__gt=before).order_by("pk"))
    assert [row.verb for row in rows] == change.verbs.split(), f"{answer.status_code} {answer.content.decode()[-999:]}"
    who = "" if change.by_nobody else str(User.objects.get(pk=scene.ann.pk))
    for row in rows:
        assert (row.actor, row.address, row.request_id) == (who, "127.0.0.1", NUMBER)


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_of_the_api_leaves_one_row_that_names_the_key(name, scene):
    verb, body = CALLS[name]
    method, path = name.split(" ")
    campaign = STANDING.get(path.rpartition("/")[2], draft)(scene)[0]
    named = NAMED | NAMED_FOR.get(name, {})
    rows = {word: row(scene)[0] for word, row in named.items() if f"{{{word}}}" in path}
    path = path.format(language="el", campaign_id=campaign, number=0, **rows)
    body = body(scene) if callable(body) else body
    body = {"id": campaign} if path == "campaigns/send" else body
    key, secret = scene.program
    before = newest()

    answer = Client().generic(
        method,
        f"/api/{path}",
        **sent_as(body),
        headers={"Authorization": f"Bearer {secret}", "X-Request-ID": NUMBER},
    )

    rows = list(AuditEntry.objects.filter(pk__gt=before).order_by("pk"))
    assert [row.verb for row in rows] == verb.split(), answer.content
    for row in rows[:1]:
        assert (row.address, row.request_id) == ("127.0.0.1", NUMBER)
        assert (row.actor_kind, row.actor_id, row.actor) == (AuditEntry.Kind.KEY, key.pk, str(key))


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_nothing_leaves_no_row(name, scene):
    page = PAGES[name]
    arguments = page.row(scene.workspace) if page.row else []
    before = newest()

    scene.browser.post(reverse(name, args=arguments), written(scene) | page.typed(scene.workspace))

    assert newest() == before


def test_what_was_saved_as_it_was_leaves_no_row(scene):
    campaign = make_campaign(scene.workspace, name="Spring", subject="Hi", body="Dear {first_name}")
    group = make_group(scene.workspace, name="Customers", description="")
    person = make_recipient(scene.workspace, first_name="", phone="", email="grace@example.com")

    scene.browser.post(reverse("campaign-edit", args=[campaign.pk]), written(scene))
    scene.browser.post(reverse("group-edit", args=[group.pk]), {"name": "Customers"})
    scene.browser.post(reverse("person-edit", args=[person.pk]), {"email": "grace@example.com"})

    assert not AuditEntry.objects.exists()


def test_a_refused_change_leaves_no_row(scene):
    campaign = make_campaign(scene.workspace)

    for name in ("pause", "resume", "retry_failed"):
        scene.browser.post(reverse(name, args=[campaign.pk]))
    scene.browser.post(reverse("campaign-new"), {"name": ""})

    assert not AuditEntry.objects.exists()


def test_retrying_one_cause_is_told_with_cause_and_number(scene):
    campaign = launched(make_campaign(scene.workspace, people=4), *failed(Category.TIMEOUT, 2), *failed())

    scene.browser.post(reverse("retry_failed", args=[campaign.pk]), {"category": "timeout"})

    changes = AuditEntry.objects.latest("pk").changes
    assert changes["messages"] == [None, 2]
    assert changes["category"] == [None, "timeout"]
    assert books_of(campaign).failed == 1


def test_an_import_is_two_rows_with_its_counts_however_many_people_it_brings(scene):
    source = "email,tier\n" + "".join(f"p{n}@example.com,gold\n" for n in range(50)) + "nobody\n"
    upload = imports.start_import(scene.workspace, name="list.csv", source=source, by=scene.ann)
    carrying.carry_out(upload.pk)

    start, attributes, finish = AuditEntry.objects.order_by("pk")
    assert (start.verb, start.actor, start.about) == ("start", str(scene.ann), f"import {upload.pk}")
    assert (attributes.verb, attributes.actor) == ("add_attributes", str(scene.ann))
    assert (finish.verb, finish.actor_kind) == ("finish", AuditEntry.Kind.MACHINE)
    assert finish.changes["created"] == [None, 50]
    assert finish.changes["rejected"] == [None, 1]


def test_a_pause_of_the_machine_is_told_with_its_reason(scene):
    campaign = launched(make_campaign(scene.workspace, people=1))

    operations.pause(campaign, by=None, reason="no answer from the provider")

    entry = AuditEntry.objects.latest("pk")
    assert entry.actor_kind == AuditEntry.Kind.MACHINE
    assert entry.changes["reason"] == [None, "no answer from the provider"]
