"""The form a campaign is written in. What may be written is decided in `authoring`."""

from dataclasses import dataclass

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import cached_property

from accounts.models import Workspace
from campaigns.authoring import with_plain_breaks
from campaigns.mail.compiling import Compiled, compiled
from campaigns.models import Campaign, Format, WhatsAppSettings, WhatsAppTemplate
from campaigns.templated import composed
from people.channels import Channel
from people.groups import with_counts
from people.models import Group, Recipient, Segment
from people.search import number_in

SHOWN = 200  # people shown as chips; a form with one for each of 100,000 would be refused


PRIORITIES = [
    ("urgent", "Urgent: before all others"),
    ("normal", "Normal"),
    ("low", "Low: after all others"),
]


class Numbers(forms.Field):
    """A list of ids; what no row could have is refused."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[int]:
        numbers = [number_in(word) for word in value or []]
        if None in numbers:
            raise forms.ValidationError("Choose from the list.", code="invalid")
        return [number for number in numbers if number]


class CampaignForm(forms.Form):
    """Takes everything as typed, so that a form that is refused comes back with all of it."""

    # forms.Field: a CharField would strip or refuse before `authoring` can say which character is wrong.
    name = forms.Field(required=False)
    channel = forms.ChoiceField(choices=[(c.word, c.label) for c in Channel], initial="email")
    priority = forms.ChoiceField(choices=PRIORITIES, initial="normal", required=False)
    subject = forms.Field(required=False)
    format = forms.ChoiceField(choices=[(f.word, f.label) for f in Format], initial="text", required=False)
    preheader = forms.Field(required=False)
    body = forms.Field(required=False)
    generated_words = forms.BooleanField(required=False)
    brief = forms.Field(required=False)
    whatsapp_template = forms.Field(required=False)
    audience = forms.ChoiceField(choices=[("everyone", "Everyone"), ("some", "Some people")], initial="some")
    groups = Numbers(required=False)
    segments = Numbers(required=False)
    picked = Numbers(required=False)
    excluded_groups = Numbers(required=False)
    excluded_segments = Numbers(required=False)
    excluded = Numbers(required=False)
    # Where more people are chosen than can be shown, those after this id stay chosen.
    picked_after = forms.Field(required=False)
    excluded_after = forms.Field(required=False)
    version = forms.Field(required=False)
    applies = forms.ChoiceField(choices=[("one", "Only this one"), ("all", "This and all that follow")], required=False)

    def __init__(
        self,
        workspace: Workspace,
        data: QueryDict | None = None,
        campaign: Campaign | None = None,
        initial: dict | None = None,
    ):
        self.workspace = workspace
        self.campaign = campaign
        super().__init__(data, initial=as_typed(campaign) if campaign else initial)

    def clean_channel(self) -> Channel:
        return Channel[self.cleaned_data["channel"].upper()]

    def clean_priority(self) -> Campaign.Priority:
        """What was chosen, else as it was."""
        usual = self.campaign.priority if self.campaign else Campaign.Priority.NORMAL
        word = self.cleaned_data["priority"]
        return Campaign.Priority[word.upper()] if word else Campaign.Priority(usual)

    def clean_format(self) -> Format:
        """What was chosen, else as it was; what is no email is plain text."""
        usual = self.campaign.format if self.campaign else Format.TEXT
        word = self.cleaned_data["format"]
        chosen = Format[word.upper()] if word else Format(usual)
        return chosen if self.cleaned_data.get("channel") == Channel.EMAIL else Format.TEXT

    def clean_body(self) -> str:
        return self.text()

    def text(self) -> str:
        """The message typed so far, each line break counted as one character."""
        if template := self.by_whatsapp:
            return composed(template, dict(self.variables()))
        return with_plain_breaks(self["body"].value() or "")

    def format_so_far(self) -> Format:
        """The format as chosen so far; what is no email is plain text."""
        word = self["format"].value() if self["channel"].value() == Channel.EMAIL.word else ""
        return next((format for format in Format if format.word == word), Format.TEXT)

    def compiled(self) -> Compiled:
        """What is made of the message typed so far."""
        return compiled(self.format_so_far(), self.text(), self["preheader"].value() or "")

    @cached_property
    def by_whatsapp(self) -> WhatsAppTemplate | None:
        """The WhatsApp template chosen so far."""
        number = number_in(str(self["whatsapp_template"].value() or ""))
        if number is None or self["channel"].value() != Channel.WHATSAPP.word:
            return None
        return self.workspace.whatsapp_templates.filter(pk=number).first()

    def variables(self) -> list[tuple[str, str]]:
        """Those of the template, with what is typed for each."""
        kept = self.campaign.whatsapp_values if self.campaign else {}
        typed = self.data if self.is_bound else {f"value-{name}": value for name, value in kept.items()}
        names = self.by_whatsapp.variables if self.by_whatsapp else []
        return [(name, typed.get(f"value-{name}", kept.get(name, ""))) for name in names]

    def all_templates(self) -> list[WhatsAppTemplate]:
        """The approved ones, and the one that is chosen."""
        approved = Q(status=WhatsAppTemplate.Status.APPROVED, archived_at=None)
        chosen = Q(pk=self.by_whatsapp.pk) if self.by_whatsapp else Q(pk=None)
        return list(self.workspace.whatsapp_templates.filter(approved | chosen)[:SHOWN])

    @property
    def needs_template(self) -> bool:
        return WhatsAppSettings.of(self.workspace).needs_template

    def words(self) -> Campaign:
        """Subject and message typed so far, for what looks at them; nobody saves it."""
        line = {field: self[field].value() or "" for field in ("subject", "preheader")}
        return Campaign(format=self.format_so_far(), body=self.text(), **line)

    def version_seen(self) -> str:
        """Which version of the campaign its author saw when the page was opened."""
        return self["version"].value() or ""

    def content(self) -> dict:
        """What `create_campaign` and `update_campaign` take."""
        typed = self.cleaned_data
        content = {
            "name": typed["name"] or "",
            "channel": typed["channel"],
            "subject": typed["subject"] or "",
            "format": typed["format"],
            "preheader": self["preheader"].value() or "",
            "priority": typed["priority"],
            "whatsapp_template": self.by_whatsapp,
            "whatsapp_values": dict(self.variables()),
        }
        generated = {"generated_words": typed["generated_words"], "brief": typed["brief"] or ""}
        return content | {"body": typed["body"]} | generated | self.chosen()

    def chosen(self) -> dict:
        """Whom it is for, typed or as it was; what cannot be read is left out."""
        here = self.cleaned_data if self.is_bound else self.initial
        return {
            "everyone": here.get("audience") == "everyone",
            "groups": here.get("groups", []),
            "segments": here.get("segments", []),
            "picked": [*here.get("picked", []), *self._not_shown("picked")],
            "excluded_groups": here.get("excluded_groups", []),
            "excluded_segments": here.get("excluded_segments", []),
            "excluded": [*here.get("excluded", []), *self._not_shown("excluded")],
        }

    def _not_shown(self, field: str) -> list[int]:
        after = number_in(str(self[f"{field}_after"].value()))
        if after is None or self.campaign is None:
            return []
        return list(getattr(self.campaign, field).filter(pk__gt=after).values_list("pk", flat=True))

    def applies_to_all(self) -> bool:
        """Whether the campaigns that follow in its series are to say the same."""
        return self.cleaned_data.get("applies") == "all"

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for field, sentences in errors.items():
            for sentence in sentences:
                self.add_error(field, sentence)

    def about(self) -> str | None:
        """What generated words are about, typed so far; None where none are wanted."""
        return (self["brief"].value() or "") if self["generated_words"].value() else None

    # --- what the template draws ---

    def for_everyone(self) -> bool:
        return self["audience"].value() == "everyone"

    def all_groups(self) -> list[tuple[Group, bool, bool]]:
        """Every group of the workspace, with whether it is chosen and whether it is left out."""
        chosen = {str(number) for number in self["groups"].value() or []}
        left_out = {str(number) for number in self["excluded_groups"].value() or []}
        groups = with_counts(self.workspace.groups.all())
        return [(g, str(g.pk) in chosen, str(g.pk) in left_out) for g in groups]

    def all_segments(self) -> list[tuple[Segment, bool, bool]]:
        """Every segment of the workspace, with whether it is chosen and whether it is left out."""
        chosen = {str(number) for number in self["segments"].value() or []}
        left_out = {str(number) for number in self["excluded_segments"].value() or []}
        return [(s, str(s.pk) in chosen, str(s.pk) in left_out) for s in self.workspace.segments.all()]

    def picked_people(self) -> "Chosen":
        return self._people("picked")

    def excluded_people(self) -> "Chosen":
        return self._people("excluded")

    def _people(self, field: str) -> "Chosen":
        numbers = [number_in(str(number)) for number in self[field].value() or []]
        shown = self.workspace.recipients.filter(pk__in=[number for number in numbers if number])
        after = self[f"{field}_after"].value()
        return Chosen(list(shown.order_by("pk")), len(self._not_shown(field)), after)

    def leaves_out(self) -> bool:
        """Whether somebody is left out, so that this part is drawn open."""
        fields = ("excluded_groups", "excluded_segments", "excluded")
        return any(self[field].value() for field in fields)


@dataclass(frozen=True)
class Chosen:
    """The people of one chooser: those shown as chips, and how many more are chosen after this id."""

    shown: list[Recipient]
    hidden: int
    after: str | int | None


def as_typed(campaign: Campaign) -> dict:
    """The campaign as the form would have sent it."""
    typed: dict[str, object] = {
        "name": campaign.name,
        "channel": campaign.channel_word,
        "priority": campaign.get_priority_display(),
        "subject": campaign.subject,
        "format": Format(campaign.format).word,
        "preheader": campaign.preheader,
        "body": campaign.body,
        "generated_words": campaign.generated_words,
        "brief": campaign.brief,
        "whatsapp_template": campaign.whatsapp_template_id,
        "version": campaign.version,
        "audience": "everyone" if campaign.everyone else "some",
    }
    for field in ("groups", "segments", "excluded_groups", "excluded_segments"):
        typed[field] = list(getattr(campaign, field).values_list("pk", flat=True))
    for field in ("picked", "excluded"):
        people = list(getattr(campaign, field).order_by("pk").values_list("pk", flat=True)[: SHOWN + 1])
        typed[field] = shown = people[:SHOWN]
        typed[f"{field}_after"] = shown[-1] if len(people) > SHOWN else None
    return typed
