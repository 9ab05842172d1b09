"""Who may open which address: every page, button, socket and API operation, tried in every role.

A new address needs a line in `PAGES`: its URL name, the least role that may GET it, the least role that may POST to
it (left out where the method is refused to everybody), and, when the address names a row, `row=`: a function that
makes the row in the workspace it is given and returns the arguments of the address. For example

    "sender-edit": Page(get="admin", post="admin", row=sender),

The roles are those of `accounts.models.Role`; "anybody" needs no login, "user" a login but no workspace. What is
posted is empty unless `typed=`, a function like `row`, says otherwise: the tests look only at who is let in, and roll
back what was done.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts import members
from accounts.models import ApiKey, Membership, Role, Workspace
from campaigns.images import add_image
from campaigns.library import add_template
from campaigns.models import Campaign
from campaigns.variants import set_up_variants
from campaigns.wordings import write_wording
from dispatcher.api.front_door import api
from dispatcher.operations import launch
from dispatcher.urls import sockets
from people import imports
from people.channels import Channel
from people.imports import start_import
from people.links import Meant, Purpose, keys, token_of
from people.models import Suppression
from people.suppression import suppress
from tests.campaigns.pictures import a_picture
from tests.dispatcher.outcomes import failed, launched, unknown
from tests.dispatcher.watching import socket, watch
from tests.make import (
    make_campaign,
    make_group,
    make_member,
    make_recipient,
    make_series,
    make_user,
    make_whatsapp_template,
    make_workspace,
)
from tests.people.describing import make_segment

Arguments = list[Any]
NEXT_YEAR = f"{timezone.now().year + 1}-01-01T00:00:00Z"
STOP = {"wish": "stop"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass(frozen=True)
class Page:
    get: str = ""
    post: str = ""
    row: Callable[[Workspace], Arguments] | None = None
    typed: Callable[[Workspace], dict[str, Any]] = lambda workspace: {}


def draft(workspace: Workspace) -> Arguments:
    return [make_campaign(workspace, people=1).pk]


def held(workspace: Workspace) -> Arguments:
    """Sent from its page a moment ago, so that it can be undone."""
    return [launch(make_campaign(workspace, people=1), by=None, undo_seconds=10).pk]


def whatsapp_template(workspace: Workspace) -> Arguments:
    return [make_whatsapp_template(workspace).pk]


def sending(workspace: Workspace) -> Arguments:
    return [launched(make_campaign(workspace, people=3), *failed(), *unknown()).pk]


def with_variants(workspace: Workspace) -> Campaign:
    campaign = make_campaign(workspace, people=20, body="Hello, you")
    set_up_variants(campaign, by=None, weights=[50, 50], tested=50)
    write_wording(campaign, by=None, variant=2, subject="Hi", body="Hi, you")
    return campaign


def wording(workspace: Workspace) -> Arguments:
    return [with_variants(workspace).pk, 2]


def translation(workspace: Workspace) -> Arguments:
    campaign = make_campaign(workspace, people=1)
    write_wording(campaign, by=None, language="el", subject="Γεια", body="Γεια")
    return [campaign.pk, 1, "el"]


def languages(workspace: Workspace) -> Arguments:
    return translation(workspace)[:2]


def awaiting_the_winner(workspace: Workspace) -> Arguments:
    return [launched(with_variants(workspace)).pk, 2]


def waiting(workspace: Workspace) -> Arguments:
    return [make_series(make_campaign(workspace, people=1)).occurrences.get().pk]


def series(workspace: Workspace) -> Arguments:
    return [make_series(make_campaign(workspace, people=1)).pk]


def message(workspace: Workspace) -> Arguments:
    return [*sending(workspace), 1]


def question(workspace: Workspace) -> Arguments:
    return [*sending(workspace), "cancel"]


def person(workspace: Workspace) -> Arguments:
    return [make_recipient(workspace).pk]


def image(workspace: Workspace) -> Arguments:
    return [add_image(workspace, by=None, name="banner.png", data=a_picture()).pk]


def template(workspace: Workspace) -> Arguments:
    return [add_template(workspace, by=None, name="Welcome", channel=Channel.EMAIL, body="Welcome!").pk]


def version(workspace: Workspace) -> Arguments:
    return [*template(workspace), 1]


def image_address(workspace: Workspace) -> Arguments:
    return [workspace.images.get(pk=image(workspace)[0]).path.rpartition("/")[2]]


def small_image_address(workspace: Workspace) -> Arguments:
    return [workspace.images.get(pk=image(workspace)[0]).small_path.rpartition("/")[2]]


def group(workspace: Workspace) -> Arguments:
    return [make_group(workspace).pk]


def segment(workspace: Workspace) -> Arguments:
    return [make_segment(workspace, ("email", "known")).pk]


def member(workspace: Workspace) -> Arguments:
    return [workspace.memberships.get(user=make_member(workspace, Role.VIEWER)).pk]


def invitation(workspace: Workspace) -> Arguments:
    owner = make_member(workspace, Role.OWNER)
    return [members.invite(workspace, "new@example.com", Role.VIEWER, by=owner)[0].pk]


def invitation_link(workspace: Workspace) -> Arguments:
    owner = make_member(workspace, Role.OWNER)
    return [members.invite(workspace, "new@example.com", Role.VIEWER, by=owner)[1]]


def key(workspace: Workspace) -> Arguments:
    return [ApiKey.make(workspace, "Shop", Role.VIEWER)[0].pk]


def upload(workspace: Workspace) -> Arguments:
    by = make_member(workspace)
    return [start_import(workspace, name="a.csv", source="email\na@example.com", by=by).pk]


def begun(workspace: Workspace) -> Arguments:
    return [imports.begin(workspace, name="a.csv", by=None).pk]


def brought(workspace: Workspace) -> Arguments:
    begun = imports.begin(workspace, name="a.csv", by=None)
    imports.keep_list(begun, imports.as_bytes("email\na@example.com"))
    return [imports.complete(begun, by=None).pk]


def link(purpose: Purpose) -> Callable[[Workspace], Arguments]:
    def made(workspace: Workspace) -> Arguments:
        person, campaign = make_recipient(workspace), make_campaign(workspace, launched_at=timezone.now())
        return [token_of(purpose, Meant(Channel.EMAIL, person.pk, campaign.pk), keys()[0])]

    return made


def suppression(workspace: Workspace) -> Arguments:
    suppress(workspace, "ann@example.com", reason=Suppression.Reason.ADDED, by=None)
    return [workspace.suppressions.get().pk]


def personaliser(workspace: Workspace) -> Arguments:
    return ["opening"]


def channel(workspace: Workspace) -> Arguments:
    """A word that every workspace knows: no row of anybody."""
    return ["email"]


PAGES = {
    # campaigns: viewers look, editors write, marketers send
    "campaigns": Page(get="viewer"),
    "campaigns-live": Page(get="viewer"),
    "campaign": Page(get="viewer", row=sending),
    "campaign-live": Page(get="viewer", row=sending),
    "campaign-people": Page(get="viewer", row=sending),
    "message": Page(get="viewer", row=message),
    "check": Page(get="viewer", row=draft),
    "dry_run": Page(get="viewer", post="editor", row=draft),
    "dry-run-live": Page(get="viewer", row=draft),
    "send_test": Page(get="editor", post="editor", row=draft),
    "reading": Page(get="viewer", row=draft),
    "campaign-new": Page(get="editor", post="editor"),
    "campaign-edit": Page(get="editor", post="editor", row=draft),
    "campaign-delete": Page(get="editor", post="editor", row=draft),
    "campaign-preview": Page(post="editor"),
    "campaign-preview-mail": Page(post="editor"),
    "campaign-mail": Page(get="viewer", row=draft),
    "message-mail": Page(get="viewer", row=message),
    "campaign-readers": Page(post="editor"),
    "campaign-pick": Page(get="editor"),
    "campaign-whatsapp": Page(post="editor"),
    "whatsapp-templates": Page(get="viewer"),
    "whatsapp-template": Page(get="viewer", row=whatsapp_template),
    "whatsapp-template-new": Page(get="editor", post="editor"),
    "whatsapp-template-edit": Page(get="editor", post="editor", row=whatsapp_template),
    "whatsapp-template-status": Page(post="marketer", row=whatsapp_template),
    "whatsapp-template-duplicate": Page(post="editor", row=whatsapp_template),
    "whatsapp-template-archive": Page(post="editor", row=whatsapp_template),
    "whatsapp-template-unarchive": Page(post="editor", row=whatsapp_template),
    "whatsapp-settings": Page(post="admin"),
    "send": Page(post="marketer", row=draft),
    "undo": Page(post="marketer", row=held),
    "confirm": Page(get="marketer", row=question),
    "pause": Page(post="marketer", row=sending),
    "resume": Page(post="marketer", row=sending),
    "cancel": Page(post="marketer", row=sending),
    "unschedule": Page(post="marketer", row=draft),
    "schedule": Page(get="marketer", post="marketer", row=waiting),
    "when": Page(get="marketer"),
    "all-series": Page(get="viewer"),
    "series": Page(get="viewer", row=series),
    "skip_next": Page(get="marketer", post="marketer", row=series, typed=lambda workspace: {"nth": 1}),
    "end_series": Page(get="marketer", post="marketer", row=series),
    "change_rule": Page(get="marketer", post="marketer", row=series),
    "variants": Page(get="editor", post="editor", row=draft),
    "remove_variants": Page(get="editor", post="editor", row=draft),
    "wording": Page(get="editor", post="editor", row=wording),
    "wording-in": Page(get="editor", post="editor", row=translation),
    "wording-delete": Page(get="editor", post="editor", row=translation),
    "languages": Page(get="viewer", row=languages),
    "language-add": Page(get="editor", row=languages),
    "choose_winner": Page(get="marketer", post="marketer", row=awaiting_the_winner),
    "duplicate": Page(post="editor", row=sending),
    "archive": Page(post="marketer", row=sending),
    "unarchive": Page(post="marketer", row=sending),
    "change_priority": Page(get="marketer", post="marketer", row=sending),
    "retry_failed": Page(post="marketer", row=sending),
    "assume_delivered": Page(post="marketer", row=sending),
    "send_again": Page(post="marketer", row=sending),
    "templates": Page(get="viewer"),
    "template": Page(get="viewer", row=template),
    "template-mail": Page(get="viewer", row=template),
    "template-new": Page(get="editor", post="editor"),
    "template-edit": Page(get="editor", post="editor", row=template),
    "template-restore": Page(post="editor", row=version),
    "template-duplicate": Page(post="editor", row=template),
    "template-archive": Page(post="editor", row=template),
    "template-unarchive": Page(post="editor", row=template),
    "template-delete": Page(get="editor", post="editor", row=template),
    "save-as-template": Page(get="editor", post="editor", row=draft),
    "images": Page(get="viewer"),
    "image-choose": Page(get="editor"),
    "image-add": Page(post="editor"),
    "image": Page(get="editor", post="editor", row=image),
    "image-delete": Page(get="editor", post="editor", row=image),
    # people
    "people": Page(get="viewer"),
    "person-new": Page(get="editor", post="editor"),
    "person": Page(get="viewer", row=person),
    "person-messages": Page(get="viewer", row=person),
    "person-edit": Page(get="editor", post="editor", row=person),
    "opt_out": Page(post="editor", row=person),
    "opt_in": Page(post="editor", row=person),
    "export": Page(get="marketer"),
    "export-person": Page(get="marketer", row=person),
    "erase": Page(get="admin", post="admin", row=person),
    "erasures": Page(get="admin"),
    "import-new": Page(get="editor", post="editor"),
    "imports": Page(get="viewer"),
    "import": Page(get="viewer", row=upload),
    "import-progress": Page(get="viewer", row=upload),
    "import-rejected": Page(get="viewer", row=upload),
    "import-partly": Page(get="viewer", row=upload),
    "import-begin": Page(post="editor"),
    "import-part": Page(post="editor", row=begun),
    "import-complete": Page(post="editor", row=begun),
    "import-columns": Page(get="editor", post="editor", row=brought),
    "import-start": Page(post="editor", row=brought),
    "import-cancel": Page(get="editor", post="editor", row=upload),
    "import-undo": Page(get="editor", post="editor", row=upload),
    "groups": Page(get="viewer"),
    "group-new": Page(get="editor", post="editor"),
    "group-edit": Page(get="editor", post="editor", row=group),
    "group-delete": Page(get="editor", post="editor", row=group),
    "group-people": Page(get="viewer", row=group),
    "group-board": Page(get="viewer"),
    "group-put-in": Page(post="editor", row=group),
    "group-move": Page(post="editor", row=group),
    "group-copy": Page(post="editor", row=group),
    "group-take-out": Page(post="editor", row=group),
    "group-undo": Page(post="editor"),
    "segments": Page(get="viewer"),
    "segment-new": Page(get="editor", post="editor"),
    "segment-edit": Page(get="editor", post="editor", row=segment),
    "segment-duplicate": Page(post="editor", row=segment),
    "segment-delete": Page(get="editor", post="editor", row=segment),
    "segment-draw": Page(post="editor"),
    "segment-count": Page(post="editor"),
    "replies": Page(get="viewer"),
    "note-reply": Page(post="marketer"),
    "consent-settings": Page(get="admin", post="admin"),
    "before-sending": Page(get="admin", post="admin"),
    "suppression": Page(get="admin"),
    "suppress": Page(post="admin"),
    "suppression-import": Page(get="admin", post="admin"),
    "suppression-download": Page(get="admin"),
    "release": Page(get="admin", post="admin", row=suppression),
    # the way in and out
    "login": Page(get="anybody", post="anybody"),
    "login-code": Page(get="anybody", post="anybody"),
    "logout": Page(post="anybody"),
    "admin-login": Page(get="anybody", post="anybody"),
    "admin-logout": Page(post="anybody"),
    "admin-password": Page(get="user", post="user"),
    "admin-elsewhere": Page(row=lambda workspace: ["1/1/"]),
    "forgot-password": Page(get="anybody", post="anybody"),
    "forgot-password-sent": Page(get="anybody"),
    "new-password": Page(get="anybody", post="anybody", row=lambda workspace: ["MQ", "token"]),
    "join": Page(get="anybody", post="anybody", row=invitation_link),
    # the own account, of whoever is logged in
    "account": Page(get="user", post="user"),
    "change-password": Page(get="user", post="user"),
    "log-out-everywhere": Page(post="user"),
    "two-factor": Page(get="user", post="user"),
    "two-factor-off": Page(get="user", post="user"),
    "recovery-codes": Page(get="user", post="user"),
    "workspace-new": Page(get="admin", post="admin"),
    "switch-workspace": Page(post="viewer", typed=lambda workspace: {"workspace": workspace.pk}),
    # who works here
    "settings": Page(get="admin", post="admin"),
    "api-keys": Page(get="admin", post="admin"),
    "revoke-key": Page(get="admin", post="admin", row=key),
    "audit-log": Page(get="admin"),
    "audit-log-check": Page(post="admin"),
    "audit-log-download": Page(get="admin"),
    "members": Page(get="admin"),
    "invite": Page(post="admin"),
    "member": Page(get="admin", post="admin", row=member),
    "member-remove": Page(get="admin", post="admin", row=member),
    "reset-link": Page(post="admin", row=member),
    "member-two-factor-off": Page(post="admin", row=member),
    "resend": Page(post="admin", row=invitation),
    "revoke": Page(post="admin", row=invitation),
    # by whom messages go out
    "senders": Page(get="admin"),
    "sender": Page(get="admin", post="admin", row=channel),
    "personalisers": Page(get="admin"),
    "personaliser": Page(get="admin", post="admin", row=personaliser),
    "test-sender": Page(post="admin", row=channel),
    "outage": Page(get="admin"),
    "begin-outage": Page(post="admin"),
    "end-outage": Page(post="admin"),
    # keeping the work going: all look, marketers act
    "attention": Page(get="viewer"),
    "attention-live": Page(get="viewer"),
    "attention-count": Page(get="viewer"),
    "dismiss_launch": Page(post="marketer", row=draft),
    "dead-letters": Page(get="viewer"),
    "dead-letters-of": Page(get="viewer", row=sending),
    "retry_dead": Page(post="marketer"),
    "dismiss": Page(get="marketer", post="marketer"),
    "undismiss": Page(post="marketer", row=sending),
    "queue": Page(get="viewer"),
    "queue-live": Page(get="viewer"),
    # programs: the API asks for its own key, below
    "api": Page(get="anybody", post="anybody", row=lambda workspace: ["/campaigns"]),
    "health": Page(get="anybody"),
    "metrics": Page(get="anybody"),  # of bin/dev; elsewhere whoever has METRICS_TOKEN
    # whoever was written to: the link says who they are, and pictures are for everybody
    "image-file": Page(get="anybody", row=image_address),
    "image-small": Page(get="anybody", row=small_image_address),
    "unsubscribe": Page(get="anybody", post="anybody", row=link(Purpose.PAGE), typed=lambda workspace: STOP),
    "one-click": Page(get="anybody", post="anybody", row=link(Purpose.ONE_CLICK), typed=lambda workspace: ONE_CLICK),
}

SOCKETS = {
    "ws/campaigns/": Page(get="viewer"),
    "ws/campaigns/<int:pk>/": Page(get="viewer", row=sending),
}

# By method and path below /api; keys have roles, too.
OPERATIONS = {
    "POST campaigns": "editor",
    "GET campaigns": "viewer",
    "GET campaigns/{campaign_id}": "viewer",
    "GET campaigns/{campaign_id}/variants": "viewer",
    "PUT campaigns/{campaign_id}/variants": "editor",
    "PATCH campaigns/{campaign_id}/variants": "editor",
    "DELETE campaigns/{campaign_id}/variants": "editor",
    "GET campaigns/{campaign_id}/wordings": "viewer",
    "PATCH campaigns/{campaign_id}/wordings": "editor",
    "DELETE campaigns/{campaign_id}/wordings/{language}": "editor",
    "PATCH campaigns/{campaign_id}": "editor",
    "DELETE campaigns/{campaign_id}": "editor",
    "GET campaigns/{campaign_id}/preview": "viewer",
    "POST campaigns/{campaign_id}/send": "marketer",
    "POST campaigns/send": "marketer",
    "POST campaigns/{campaign_id}/enqueue": "marketer",
    "POST campaigns/{campaign_id}/pause": "marketer",
    "POST campaigns/{campaign_id}/resume": "marketer",
    "POST campaigns/{campaign_id}/cancel": "marketer",
    "POST campaigns/{campaign_id}/choose-winner": "marketer",
    "POST campaigns/{campaign_id}/schedule": "marketer",
    "POST campaigns/{campaign_id}/unschedule": "marketer",
    "POST campaigns/{campaign_id}/retry-failed": "marketer",
    "POST campaigns/{campaign_id}/send-again": "marketer",
    "POST campaigns/{campaign_id}/assume-delivered": "marketer",
    "POST campaigns/{campaign_id}/undo": "marketer",
    "POST campaigns/{campaign_id}/archive": "marketer",
    "POST campaigns/{campaign_id}/unarchive": "marketer",
    "POST campaigns/{campaign_id}/change-priority": "marketer",
    "POST campaigns/{campaign_id}/save-as-template": "editor",
    "POST campaigns/{campaign_id}/repeat": "marketer",
    "POST campaigns/{campaign_id}/dismiss-launch": "marketer",
    "POST campaigns/{campaign_id}/dry-run": "editor",
    "GET campaigns/{campaign_id}/dry-run": "viewer",
    "GET campaigns/{campaign_id}/check": "viewer",
    "GET campaigns/{campaign_id}/audience": "viewer",
    "GET campaigns/{campaign_id}/left-out": "viewer",
    "GET campaigns/{campaign_id}/reading": "viewer",
    "POST campaigns/{campaign_id}/test": "editor",
    "GET campaigns/{campaign_id}/messages/{number}": "viewer",
    "GET series": "viewer",
    "GET series/{series_id}": "viewer",
    "GET series/{series_id}/campaigns": "viewer",
    "PATCH series/{series_id}": "marketer",
    "POST series/{series_id}/skip": "marketer",
    "POST series/{series_id}/end": "marketer",
    "GET attention": "viewer",
    "GET dead-letters": "viewer",
    "GET dead-letters/{campaign_id}": "viewer",
    "POST dead-letters/retry": "marketer",
    "POST dead-letters/dismiss": "marketer",
    "POST dead-letters/{campaign_id}/undismiss": "marketer",
    "POST campaigns/{campaign_id}/duplicate": "editor",
    "POST campaigns/{campaign_id}/personalized-preview": "viewer",
    "GET campaigns/{campaign_id}/progress": "viewer",
    "GET campaigns/{campaign_id}/messages": "viewer",
    "GET campaigns/{campaign_id}/failed-recipients": "viewer",
    "GET campaigns/{campaign_id}/history": "viewer",
    "GET queue/stats": "viewer",
    "GET stats": "viewer",
    "POST customers": "editor",
    "GET customers": "viewer",
    "GET customers/{customer_id}": "viewer",
    "PATCH customers/{customer_id}": "editor",
    "GET customers/export": "marketer",
    "GET customers/{customer_id}/consent": "viewer",
    "GET customers/{customer_id}/messages": "viewer",
    "GET customers/{customer_id}/export": "marketer",
    "POST recipients": "editor",
    "GET recipients": "viewer",
    "GET recipients/active": "viewer",
    "POST recipients/opt-out": "editor",
    "POST recipients/opt-in": "editor",
    "GET recipients/{recipient_id}": "viewer",
    "PATCH recipients/{recipient_id}": "editor",
    "POST groups": "editor",
    "GET groups": "viewer",
    "GET groups/{group_id}": "viewer",
    "PATCH groups/{group_id}": "editor",
    "DELETE groups/{group_id}": "editor",
    "GET groups/{group_id}/recipients": "viewer",
    "PATCH groups/{group_id}/recipients": "editor",
    "POST groups/{group_id}/put-in": "editor",
    "POST groups/{group_id}/take-out": "editor",
    "POST groups/{group_id}/move": "editor",
    "POST groups/{group_id}/copy": "editor",
    "POST imports": "editor",
    "POST imports/begin": "editor",
    "PUT imports/{import_id}/parts/{number}": "editor",
    "POST imports/{import_id}/complete": "editor",
    "POST imports/{import_id}/columns": "editor",
    "POST imports/{import_id}/start": "editor",
    "POST imports/{import_id}/cancel": "editor",
    "POST imports/{import_id}/undo": "editor",
    "GET imports": "viewer",
    "GET imports/{import_id}": "viewer",
    "GET imports/{import_id}/problems": "viewer",
    "GET imports/{import_id}/rows": "viewer",
    "GET imports/{import_id}/rejected": "viewer",
    "POST segments": "editor",
    "GET segments": "viewer",
    "GET segments/fields": "viewer",
    "POST segments/count": "editor",
    "GET segments/{segment_id}": "viewer",
    "GET segments/{segment_id}/count": "viewer",
    "PATCH segments/{segment_id}": "editor",
    "POST segments/{segment_id}/duplicate": "editor",
    "DELETE segments/{segment_id}": "editor",
    "POST suppressions": "admin",
    "GET suppressions": "admin",
    "GET suppressions/export": "admin",
    "POST suppressions/import": "admin",
    "POST suppressions/release": "admin",
    "DELETE suppressions/{suppression_id}": "admin",
    "POST templates": "editor",
    "GET templates": "viewer",
    "GET templates/{template_id}": "viewer",
    "GET templates/{template_id}/versions": "viewer",
    "PATCH templates/{template_id}": "editor",
    "DELETE templates/{template_id}": "editor",
    "POST templates/{template_id}/duplicate": "editor",
    "POST templates/{template_id}/restore": "editor",
    "POST whatsapp-templates": "editor",
    "GET whatsapp-templates": "viewer",
    "GET whatsapp-templates/{whatsapp_template_id}": "viewer",
    "PATCH whatsapp-templates/{whatsapp_template_id}": "editor",
    "POST whatsapp-templates/{whatsapp_template_id}/status": "marketer",
    "POST whatsapp-templates/{whatsapp_template_id}/duplicate": "editor",
    "GET whatsapp-templates/{whatsapp_template_id}/history": "viewer",
    "POST images": "editor",
    "GET images": "viewer",
    "GET images/{image_id}": "viewer",
    "GET images/{image_id}/uses": "viewer",
    "PATCH images/{image_id}": "editor",
    "DELETE images/{image_id}": "editor",
    "GET settings/before-sending": "admin",
    "PATCH settings/before-sending": "admin",
    "GET settings/personalisers": "admin",
    "PATCH settings/personalisers": "admin",
    "GET settings/whatsapp": "viewer",
    "PATCH settings/whatsapp": "admin",
    "GET settings/consent": "admin",
    "PATCH settings/consent": "admin",
    "GET settings/senders": "admin",
    "GET replies": "viewer",
    "POST replies": "marketer",
    "POST complaints": "marketer",
    "DELETE customers/{customer_id}": "admin",
}

KNOWN = {"blocks": [{"rules": [{"field": "email", "comparison": "known"}]}]}
# What an operation is sent, if it wants more than nothing at all.
BODIES = {
    "POST campaigns": {"name": "Spring", "channel": "sms", "base_template": "Hi"},
    "PATCH campaigns/{campaign_id}": {"name": "Autumn"},
    "PATCH campaigns/{campaign_id}/wordings": {"language": "el", "base_template": "Γεια"},
    "POST campaigns/{campaign_id}/send": {"target": "all"},
    "PUT campaigns/{campaign_id}/variants": {"weights": [50, 50]},
    "PATCH campaigns/{campaign_id}/variants": {"hold_out": 10},
    "POST campaigns/{campaign_id}/choose-winner": {"variant": "B"},
    "POST campaigns/{campaign_id}/change-priority": {"priority": "urgent"},
    "POST campaigns/{campaign_id}/repeat": {"repeat": "daily", "starts": "2026-12-24", "time": "09:00"},
    "POST campaigns/{campaign_id}/test": {"addresses": ["ann@example.com"]},
    "PATCH series/{series_id}": {"time": "10:00"},
    "POST campaigns/send": {"id": 999_999},
    "POST campaigns/{campaign_id}/schedule": {"scheduled_at": NEXT_YEAR},
    "POST campaigns/{campaign_id}/personalized-preview": {"customer_id": 999_999},
    "POST customers": {"email": "grace@example.com"},
    "PATCH customers/{customer_id}": {"first_name": "Grace"},
    "POST recipients": {"email": "grace@example.com"},
    "POST recipients/opt-out": {"email": "grace@example.com"},
    "POST recipients/opt-in": {"email": "grace@example.com"},
    "PATCH recipients/{recipient_id}": {"name": "Grace"},
    "POST groups": {"name": "Customers"},
    "PATCH groups/{group_id}": {"name": "Customers"},
    "PATCH groups/{group_id}/recipients": {"recipient_emails": ["grace@example.com"]},
    "POST groups/{group_id}/put-in": {"everybody": True},
    "POST groups/{group_id}/take-out": {"everybody": True},
    "POST groups/{group_id}/move": {"everybody": True, "to_group_id": 999_999},
    "POST groups/{group_id}/copy": {"everybody": True, "to_group_id": 999_999},
    "POST imports": (encode_multipart(BOUNDARY, {"file": ContentFile("ann@example.com", "a.csv")}), MULTIPART_CONTENT),
    "POST imports/begin": {"size": 15},
    "PUT imports/{import_id}/parts/{number}": (b"ann@example.com", "application/octet-stream"),
    "POST segments": {"name": "Here", "rules": KNOWN},
    "POST segments/count": {"rules": KNOWN},
    "PATCH segments/{segment_id}": {"name": "Here"},
    "POST suppressions": {"address": "grace@example.com"},
    "POST suppressions/import": {"lines": ["grace@example.com"]},
    "POST suppressions/release": {"address": "grace@example.com"},
    "POST templates": {"name": "Welcome", "base_template": "Welcome!"},
    "PATCH templates/{template_id}": {"base_template": "Hello!"},
    "POST templates/{template_id}/restore": {"version": 1},
    "POST whatsapp-templates": {"name": "spring", "base_template": "Hi {{1}}!"},
    "PATCH whatsapp-templates/{whatsapp_template_id}": {"provider_id": "4711"},
    "POST whatsapp-templates/{whatsapp_template_id}/status": {"status": "paused", "reason": "complaints"},
    "POST images": (encode_multipart(BOUNDARY, {"file": ContentFile(a_picture(), "banner.png")}), MULTIPART_CONTENT),
    "PATCH images/{image_id}": {"alt": "Two people running"},
    "PATCH settings/before-sending": {"undo_seconds": 30},
    "PATCH settings/personalisers": {"name": "opening", "is_on": True},
    "PATCH settings/whatsapp": {"needs_template": True},
    "PATCH settings/consent": {"whatsapp_link": True},
    "POST replies": {"channel": "sms", "from": "+254712345678", "text": "Hi"},
    "POST complaints": {"channel": "email", "address": "grace@example.com"},
}

LEAD_TO_LOGIN = ("login-code", "admin-login", "logout", "admin-logout")
VERBS = ("send", "undo", "pause", "resume", "cancel", "unschedule", "retry_failed", "assume_delivered", "send_again")
RANKS = {"anybody": -1, "user": 0} | {role.label: role.value for role in Role}
WHO = {"anonymous": -1, "nobody": 0} | {role.label: role.value for role in Role}
METHODS = ("get", "post")
DONE = (200, 201, 202, 204)


def addresses(resolver: URLResolver) -> list[str]:
    """The name of every address, without those of the admin and other namespaces; a name used twice stands twice."""
    found: list[str] = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            found.append(pattern.name or str(pattern.pattern))
        elif not pattern.namespace:
            found += addresses(pattern)
    return found


def test_every_address_has_a_name_of_its_own_and_a_line_in_the_table():
    assert sorted(addresses(get_resolver())) == sorted(PAGES)


def test_every_socket_has_a_line_in_the_table():
    assert sorted(str(pattern.pattern) for pattern in sockets if str(pattern.pattern)) == sorted(SOCKETS)


def operations() -> set[str]:
    """Method and path of each operation of the API, documentation aside."""
    return {
        f"{method} {path.lstrip('/')}"
        for _, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }


@pytest.fixture
def acme(db) -> Workspace:
    return make_workspace("Acme")


def browser_of(who: str, workspace: Workspace) -> Client:
    browser = Client(headers={"Sec-Fetch-Site": "same-origin"})
    if who == "stranger":
        browser.force_login(make_member(role=Role.OWNER))
    elif who == "nobody":
        browser.force_login(make_user())
    elif who != "anonymous":
        browser.force_login(make_member(workspace, Role[who.upper()]))
    return browser


def ask(browser: Client, method: str, name: str, arguments: Arguments, typed: dict[str, Any]) -> HttpResponse:
    """The answer; whatever it changed is undone."""
    with transaction.atomic():
        answer = getattr(browser, method)(reverse(name, args=arguments), typed)
        transaction.set_rollback(True)
    return answer


def is_led_to_login(answer: HttpResponse) -> bool:
    leads = answer.headers.get("Location", "").split("?")[0] == reverse(settings.LOGIN_URL)
    return answer.status_code == 401 or (answer.status_code == 302 and leads)


def is_let_in(answer: HttpResponse) -> bool:
    return answer.status_code not in (401, 403, 404, 405) and not answer.status_code >= 500


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PAGES)
def test_an_address_opens_to_the_roles_that_may_and_to_nobody_else(name, method, acme):
    page = PAGES[name]
    least = getattr(page, method)
    arguments = page.row(acme) if page.row else []

    for who, rank in WHO.items():
        answer = ask(browser_of(who, acme), method, name, arguments, page.typed(acme))
        about = f"{who} {method} {name}: {answer.status_code}"
        if not least:
            assert answer.status_code in (401, 403, 405) or is_led_to_login(answer), about
        elif name == "api":
            assert answer.status_code == 401, about  # no key, and a session counts for nothing
        elif rank < RANKS[least]:
            assert is_led_to_login(answer) if who == "anonymous" else answer.status_code == 403, about
        elif least == "anybody":
            assert answer.status_code in (200, 302, 422), about
            assert name in LEAD_TO_LOGIN or not is_led_to_login(answer), about
        else:
            assert is_let_in(answer) and not is_led_to_login(answer), about


@pytest.mark.parametrize(
    "name", [name for name in PAGES if PAGES[name].row not in (None, channel, personaliser) and name != "api"]
)
def test_rows_of_another_workspace_are_not_there_for_its_owner(name, acme):
    page = PAGES[name]
    arguments = page.row(acme)
    browser = browser_of("stranger", acme)

    for method in METHODS:
        if getattr(page, method) not in ("", "anybody"):
            assert ask(browser, method, name, arguments, page.typed(acme)).status_code == 404, method


def test_an_editor_writes_and_only_a_marketer_presses_the_buttons_of_sending(acme):
    for verb in VERBS:
        assert (PAGES[verb].get, PAGES[verb].post) == ("", "marketer")
    for form in ("campaign-new", "campaign-edit"):
        assert PAGES[form].post == "editor"


def test_a_removed_member_is_shut_out_at_the_next_press(acme):
    browser = browser_of("marketer", acme)
    Membership.objects.filter(workspace=acme).delete()

    for name in ("campaigns", "people", "groups"):
        assert browser.get(reverse(name)).status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_opens_to_the_roles_that_may_and_to_nobody_else(name):
    workspace = make_workspace("Acme")
    page = SOCKETS[name]
    arguments = page.row(workspace) if page.row else []
    path = "/" + name.replace("<int:pk>", str(arguments[0] if arguments else ""))
    cookies = {who: cookie_of(browser_of(who, workspace)) for who in [*WHO, "stranger"]}

    async def opens(cookie: str) -> bool:
        one = socket(path, cookie=cookie)
        connected, _ = await one.connect(timeout=5)
        if connected:
            await one.disconnect()
        return connected

    async def scene() -> dict[str, bool]:
        return {who: await opens(cookie) for who, cookie in cookies.items()}

    for who, opened in watch(scene()).items():
        may = not arguments if who == "stranger" else WHO[who] >= RANKS[page.get]
        assert opened == may, who


def cookie_of(browser: Client) -> str:
    morsel = browser.cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""


def test_every_operation_of_the_api_has_a_line_in_the_table():
    assert sorted(operations()) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_of_the_api_is_done_for_the_keys_that_may_and_for_no_other(name, acme, client):
    rows = rows_named(acme)

    for role in Role:
        answer = call(client, name, ApiKey.make(acme, role.label, role)[1], rows)
        about = f"{role.label}: {answer.status_code} {getattr(answer, 'content', b'').decode()}"
        if role >= RANKS[OPERATIONS[name]]:
            assert answer.status_code in (*DONE, 404, 409, 422), about
        else:
            assert answer.status_code == 403, about


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "{" in name])
def test_rows_of_another_workspace_are_not_there_for_its_keys(name, acme, client):
    _, secret = ApiKey.make(make_workspace("Other"), "Till", Role.OWNER)

    assert call(client, name, secret, rows_named(acme)).status_code == 404


def rows_named(workspace: Workspace) -> dict[str, int | str]:
    """What paths name, by the word that stands for it."""
    person = make_recipient(workspace).pk
    return {
        "campaign_id": make_campaign(workspace, people=1).pk,
        "language": "el",
        "customer_id": person,
        "recipient_id": person,
        "group_id": make_group(workspace).pk,
        "series_id": series(workspace)[0],
        "number": 1,
        "template_id": template(workspace)[0],
        "import_id": upload(workspace)[0],
        "whatsapp_template_id": make_whatsapp_template(workspace).pk,
        "image_id": image(workspace)[0],
        "segment_id": segment(workspace)[0],
        "suppression_id": suppression(workspace)[0],
    }


def sent_as(body: dict[str, Any] | tuple[bytes, str]) -> dict[str, Any]:
    """As JSON, unless it says how."""
    data, kind = body if isinstance(body, tuple) else (json.dumps(body), "application/json")
    return {"data": data, "content_type": kind}


def call(client: Client, name: str, secret: str, rows: dict[str, int | str]) -> HttpResponse:
    """The answer; whatever it changed is undone."""
    method, path = name.split(" ")
    with transaction.atomic():
        answer = client.generic(
            method,
            f"/api/{path.format(**rows)}",
            **sent_as(BODIES.get(name, {})),
            headers={"Authorization": f"Bearer {secret}"},
        )
        transaction.set_rollback(True)
    return answer
