"""The form a template is written in: that of a campaign without people. What may be written: `library`."""

from django.http import QueryDict

from accounts.models import Workspace
from campaigns.forms import CampaignForm
from campaigns.models import Format, Template, TemplateVersion
from people.channels import Channel
from people.search import number_in


class TemplateForm(CampaignForm):
    def __init__(self, workspace: Workspace, data: QueryDict | None = None, template: Template | None = None) -> None:
        self.template = template
        typed = as_typed(template.current) if template else {}
        super().__init__(workspace, data, initial={**typed, "name": template.name} if template else typed)

    def clean_channel(self) -> Channel:
        """A text is for one channel; only a new template still has the choice."""
        return Channel(self.template.channel) if self.template else super().clean_channel()

    def version_number(self) -> int:
        """The version its author saw; 0 if the form does not say."""
        return number_in(str(self["version"].value() or "")) or 0

    def content(self) -> dict:
        """What `add_template` and `change_template` take."""
        content = super().content()
        return {name: content[name] for name in ("name", "channel", "format", "subject", "preheader", "body")}


def as_typed(version: TemplateVersion) -> dict:
    """The words as a form would have sent them, of a template or of a campaign."""
    return {
        "channel": version.template.channel_word,
        "subject": version.subject,
        "format": Format(version.format).word,
        "preheader": version.preheader,
        "body": version.body,
        "version": version.number,
    }
