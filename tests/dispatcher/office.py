"""One more row of every model that the admin shows."""

import uuid
from datetime import date, time, timedelta

from django.db import connection
from django.utils import timezone

from accounts import audit_log
from accounts.api_keys import make_key
from accounts.models import ApiKey, Invitation, KeptAnswer, Role
from campaigns.images import add_image
from campaigns.library import add_template
from campaigns.models import (
    ChosenPersonaliser,
    Linking,
    PartPrice,
    Recurrence,
    Split,
    TemplateStatus,
    WhatsAppSettings,
    WhatsAppTemplate,
    Wording,
)
from dispatcher.models import (
    Attempt,
    Bookmark,
    Category,
    ChosenSender,
    Dismissal,
    DryRun,
    Erasure,
    Generation,
    Heartbeat,
    LinkCount,
    LinkHit,
    Message,
    MessageFile,
    Pace,
    Settlement,
    Total,
    Trial,
)
from people import consent
from people.models import AttributeName, ConsentSettings, Import, ImportPart, ImportRow, ListLook, Reply, Suppression
from people.rows import Entry
from people.staging import stage
from people.suppression import suppress
from simulator.models import Call, Outage
from tests.campaigns.pictures import a_picture
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_group, make_member
from tests.people.describing import make_segment


def add_rows() -> None:
    campaign = launched(make_campaign(people=3), *sent(), *failed())
    workspace = campaign.workspace
    ann = make_member(workspace, Role.OWNER)
    key, _ = make_key(workspace, name="till", role=Role.VIEWER, by=ann)
    ApiKey.objects.filter(pk=key.pk).update(digest=f"digest-of-it{key.pk}")
    KeptAnswer.objects.create(workspace=workspace, by=key, key=f"k{key.pk}", asked="x", status=200, at=timezone.now())
    add_rows_of_people(workspace, ann)
    Wording.objects.create(campaign=campaign, language="el", subject="Γεια", body="Γεια")
    message = Message.objects.filter(campaign=campaign).latest("pk")
    Attempt.objects.create(message=message, key=message.key, outcome=1, category=Category.TIMEOUT)
    Settlement.objects.create(campaign=campaign, settled=1)
    DryRun.objects.create(campaign=campaign, words="x", by=ann)
    Trial.objects.create(workspace=workspace, campaign=campaign, by=ann, channel=1, address="ann@example.com")
    Dismissal.objects.create(campaign=campaign, category=Category.TIMEOUT, by=ann)
    Erasure.objects.create(workspace=workspace, person=campaign.pk)
    MessageFile.objects.create(campaign=campaign, name=f"2026-11/campaign-{campaign.pk}.zip")
    Split.objects.create(campaign=campaign, weights=[50, 50])
    Linking.objects.create(campaign=campaign, addresses=["a@example.com"], total=1)
    Generation.objects.create(campaign=campaign, personaliser="opening")
    ChosenPersonaliser.objects.create(workspace=workspace, personaliser="opening")
    LinkHit.objects.create(campaign=campaign, kind=LinkHit.Kind.OPENED, times=1)
    LinkCount.objects.create(campaign=campaign, kind=LinkHit.Kind.OPENED, people=1, times=1)
    Bookmark.objects.create(name=f"bookmark {campaign.pk}", last=7)
    Total.objects.create(name="lapses", channel=1, sender=f"sender {campaign.pk}", n=1)
    Heartbeat.objects.create(name=f"clock {campaign.pk}")
    PartPrice.objects.create(workspace=workspace, channel=2, amount="0.8", currency="KES")
    Pace.objects.create(workspace=workspace, channel=1, sender="simulated", tokens=5)
    ChosenSender.objects.create(workspace=workspace, channel=1, sender="smtp", options={"password": "s3cret"})
    Call.objects.create(key=uuid.uuid4(), honours_key=True, accepted=True, channel="email", address="a@b.c", text="x")
    Outage.objects.create(workspace=workspace, until=timezone.now())
    add_template(workspace, by=ann, name=f"Template {campaign.pk}", channel=1, body="Welcome!")
    add_image(workspace, by=ann, name="banner.png", data=a_picture())
    today = date.today()
    Recurrence.objects.create(
        workspace=workspace, unit=2, starts=today, made_on=today, time=time(9), zone="UTC", name="News", channel=1,
        priority=2, body="x",
    )  # fmt: skip
    template = WhatsAppTemplate.objects.create(workspace=workspace, name="offer", language="en", body="Hi {{1}}!")
    TemplateStatus.write(template, None, WhatsAppTemplate.Status.DRAFT, by=ann, reason="")
    WhatsAppSettings.objects.create(workspace=workspace)
    audit_log.record(workspace, "pause", campaign, by=ann)
    connection.check_constraints()  # as at a commit, where the database links the entries


def add_rows_of_people(workspace, ann) -> None:
    person = workspace.recipients.latest("pk")
    make_segment(workspace, ("email", "known"))
    consent.leave_group(person, make_group(workspace), how=consent.How.PREFERENCES, by=None)
    suppress(workspace, "gone@example.com", reason=Suppression.Reason.BOUNCED, by=ann)
    ConsentSettings.objects.create(workspace=workspace)
    ListLook.objects.create(workspace=workspace)
    Reply.objects.create(workspace=workspace, recipient=person, channel=2, number="+254712345678", text="STOP")
    AttributeName.objects.create(workspace=workspace, name="tier")
    upload = Import.objects.create(workspace=workspace, name="list.csv", by=ann)
    ImportRow.objects.create(upload=upload, number=1, line=1, verdict=4, address="a@example.com")
    ImportPart.objects.create(upload=upload, number=0, data=b"a@example.com")
    stage(upload, [Entry(number=1, line=1, cells=["a@example.com"], email="a@example.com")])
    Invitation.objects.create(
        workspace=workspace, email="new@example.com", digest=f"digest-of-it{workspace.pk}",
        expires_at=timezone.now() + timedelta(days=7),
    )  # fmt: skip
