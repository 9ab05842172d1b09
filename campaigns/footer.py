"""The link by which people stop what they get: where the author placed it, else in a line below the text."""

from django.conf import settings

from accounts.models import Workspace
from campaigns.models import Campaign
from campaigns.rendering import Rendered, renderer_of, with_line
from people.channels import Channel
from people.links import STAND_IN, Links, Purpose, key_called, keys, name_of
from people.models import UNSUBSCRIBE_LINK, ConsentSettings

LINES = {
    Channel.EMAIL: f"\n\nTo stop these emails: {{{UNSUBSCRIBE_LINK}}}\n",
    Channel.SMS: f"\nStop: {{{UNSUBSCRIBE_LINK}}}",
    Channel.WHATSAPP: f"\nStop: {{{UNSUBSCRIBE_LINK}}}",
}


def footer_of(workspace: Workspace, channel: Channel, *, is_templated: bool = False) -> str:
    """The line that is added below each text whose author placed no link, empty where none is wanted.

    Every email has the link; the other channels, where each letter costs, as the workspace has chosen. Below a
    WhatsApp template nothing can be added: it is sent as the provider approved it.
    """
    if is_templated:
        return ""
    wanted = channel == Channel.EMAIL or ConsentSettings.of(workspace).adds_link_to(channel)
    return LINES[channel] if wanted else ""


def footer_for(campaign: Campaign) -> str:
    """The line a launch now would add."""
    is_templated = campaign.whatsapp_template_id is not None
    return footer_of(campaign.workspace, Channel(campaign.channel), is_templated=is_templated)


def frozen(campaign: Campaign) -> dict[str, str]:
    """What is kept of the links at the launch, so that the text that was sent can be told for ever."""
    return {"footer": footer_for(campaign), "link_base": settings.PUBLIC_URL, "link_key": name_of(keys()[0])}


def has_link(campaign: Campaign) -> bool:
    """Whether what is sent holds the link to unsubscribe."""
    return renderer_of(campaign).has_link


def said_by(campaign: Campaign) -> str:
    """Its text as it is filled in for each person, with the line below it where it got one."""
    return with_line(campaign.source.text, campaign.footer)


def links_of(campaign: Campaign | None, channel: Channel) -> Links:
    """Of its messages; before the launch as they would be, and of a campaign nobody saved yet as long as they get."""
    if campaign and campaign.link_base:
        return Links(campaign.link_base, key_called(campaign.link_key), channel, campaign.pk)
    return Links(settings.PUBLIC_URL, keys()[0], channel, campaign.pk if campaign else STAND_IN)


def text_for(
    campaign: Campaign, fields: dict, recipient: int | None, *, variant: int = 0, is_exact: bool = False
) -> Rendered:
    """What this person got, word for word; not exact, the link has no seal and leads nowhere.

    Whoever has the exact one acts as the person: it is for messages alone, and for no page and no file.
    Raises TooLong for what was never sent.
    """
    links = links_of(campaign, Channel(campaign.channel))
    link = links.to(Purpose.PAGE, recipient) if is_exact else links.dead(Purpose.PAGE, recipient)
    return renderer_of(campaign).rendered(fields | {UNSUBSCRIBE_LINK: link}, variant)
