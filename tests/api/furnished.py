"""A workspace in which every number of the examples in the OpenAPI document is there, as in the demo, and every 1."""

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

from accounts.models import Role, Workspace
from campaigns.models import Campaign, Image, ImageFile, Recurrence, Template, TemplateVersion, WhatsAppTemplate
from people.channels import Channel
from people.models import Group, Import, Recipient, Segment
from tests.api.calls import Program
from tests.campaigns.pictures import a_picture
from tests.make import (
    make_campaign,
    make_recipient,
    make_recipients,
    make_series,
    make_whatsapp_template,
    make_workspace,
)
from tests.people.describing import make_segment


def furnish() -> Program:
    """A program that may do everything there; the tables have to be empty before."""
    workspace = make_workspace("Acme Kenya", time_zone="Africa/Nairobi")
    alice = make_recipient(
        workspace,
        pk=3,
        email="customer3@example.com",
        phone="+254712345678",
        first_name="Alice",
        last_name="Johnson",
        location="Nairobi",
        preferred_product="Premium Package",
    )
    make_recipient(workspace, pk=1, first_name="Ann")
    count_on(Recipient)
    group = Group.objects.create(pk=1, workspace=workspace, name="Customers")
    group.recipients.set([alice, *make_recipients(workspace, 3)])
    text = "Hello {first_name}! Welcome to Acme Kenya."
    campaign = make_campaign(
        workspace, pk=2, name="Welcome Campaign", channel=Channel.SMS, subject="", body=text, everyone=False
    )
    campaign.groups.add(group)
    template = Template.objects.create(pk=1, workspace=workspace, name="Welcome", channel=Channel.SMS)
    TemplateVersion.objects.create(template=template, number=1, body=text)
    make_campaign(workspace, pk=1)
    furnish_with_others(workspace)
    count_on(Group, Campaign, Template, Recurrence, Segment, WhatsAppTemplate, Image, Import)
    for _ in range(2):
        make_series(make_campaign(workspace))
    return Program(workspace, Role.OWNER)


def furnish_with_others(workspace: Workspace) -> None:
    make_whatsapp_template(workspace, pk=1)
    make_segment(workspace, ("location", "is", "Nairobi"), name="Nairobi")
    Segment.objects.update(id=1)
    data = a_picture()
    about = {"format": Image.Format.PNG, "width": 60, "height": 40, "size": len(data), "digest": "0" * 64}
    image = Image.objects.create(pk=1, workspace=workspace, name="banner.png", **about)
    ImageFile.objects.create(image=image, data=data, small=data)
    Import.objects.create(pk=1, workspace=workspace, name="customers.csv", status=Import.Status.DONE)


def count_on(*models: type[Model]) -> None:
    """Let the numbers of new rows go on after those that were given by hand."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
