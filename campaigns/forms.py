"""The form a campaign is written in. What may be written is decided in `authoring`."""

from django import forms
from django.db.models import Manager, Q
from django.http import QueryDict

from accounts.models import Workspace
from campaigns.authoring import LONGEST_LINE
from campaigns.models import Campaign, Channel
from people.models import Group, Recipient

SHOWN = 200  # people shown as chips; a form with a chip for each of 100,000 would be refused
FOUND = 20


class Numbers(forms.Field):
    """A list of ids; what is not a number in reach is refused."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {"invalid": "Choose from the list."}

    def to_python(self, value: list[str] | None) -> list[int]:
        if not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in value or []):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return [int(word) for word in value or []]


class CampaignForm(forms.Form):
    """Takes everything as typed, so that a form that is refused comes back with all of it."""

    # forms.Field, since a CharField would strip and refuse before `authoring` can say which character is wrong.
    name = forms.Field(required=False, widget=forms.TextInput({"maxlength": LONGEST_LINE}))
    channel = forms.ChoiceField(choices=[(c.word, c.label) for c in Channel], initial="email")
    subject = forms.Field(required=False, widget=forms.TextInput({"maxlength": LONGEST_LINE}))
    body = forms.Field(required=False, widget=forms.Textarea({"rows": 8}))
    audience = forms.ChoiceField(choices=[("everyone", "Everyone"), ("some", "Some people")], initial="some")
    groups = Numbers(required=False)
    picked = Numbers(required=False)
    excluded_groups = Numbers(required=False)
    excluded = Numbers(required=False)
    # Those with more people than can be shown keep the ones after this id.
    picked_after = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    excluded_after = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    def __init__(self, workspace: Workspace, data: QueryDict | None = None, campaign: Campaign | None = None) -> None:
        self.workspace = workspace
        self.campaign = campaign
        super().__init__(data, initial=as_typed(campaign) if campaign else None)

    def clean_channel(self) -> Channel:
        return Channel[self.cleaned_data["channel"].upper()]

    def clean_body(self) -> str:
        return (self.cleaned_data["body"] or "").replace("\r\n", "\n")  # a browser's line ends

    @property
    def content(self) -> dict:
        """What `create_campaign` and `update_campaign` take; what cannot be read is left at its rest."""
        typed = self.cleaned_data
        return {
            "name": typed.get("name") or "",
            "channel": typed.get("channel", Channel.EMAIL),
            "subject": typed.get("subject") or "",
            "body": typed.get("body", ""),
            **self.audience_ids,
        }

    @property
    def audience_ids(self) -> dict:
        """Whom it is for as it stands in the form, typed or as it was."""
        typed = self.cleaned_data if self.is_bound else self.initial
        return {
            "everyone": typed.get("audience") == "everyone",
            "groups": typed.get("groups", []),
            "picked": [*typed.get("picked", []), *self._not_shown("picked")],
            "excluded_groups": typed.get("excluded_groups", []),
            "excluded": [*typed.get("excluded", []), *self._not_shown("excluded")],
        }

    def _not_shown(self, field: str) -> list[int]:
        after = self.cleaned_data.get(f"{field}_after") if self.is_bound else None
        if after is None or self.campaign is None:
            return []
        return list(getattr(self.campaign, field).filter(pk__gt=after).values_list("pk", flat=True))

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for field, sentences in errors.items():
            for sentence in sentences:
                self.add_error(field, sentence)

    # --- what the template draws ---

    @property
    def everyone(self) -> bool:
        return self["audience"].value() == "everyone"

    def all_groups(self) -> list[tuple[Group, bool, bool]]:
        """Every group of the workspace, with whether it is chosen and whether it is left out."""
        chosen, left_out = (set(map(str, self[field].value() or [])) for field in ("groups", "excluded_groups"))
        return [(g, str(g.pk) in chosen, str(g.pk) in left_out) for g in self.workspace.groups.all()]

    def chosen_people(self) -> "Chosen":
        return self._chosen("picked")

    def excluded_people(self) -> "Chosen":
        return self._chosen("excluded")

    def _chosen(self, field: str) -> "Chosen":
        if not self.is_bound:
            return Chosen.of(self.campaign and getattr(self.campaign, field))
        ids = [word for word in self[field].value() or [] if word.isascii() and word.isdecimal() and len(word) < 19]
        shown = list(self.workspace.recipients.filter(pk__in=ids).order_by("pk"))
        return Chosen(shown, len(self._not_shown(field)), self[f"{field}_after"].value())

    @property
    def leaves_out(self) -> bool:
        """Whether somebody is left out, so that this part is drawn open."""
        chosen = self.excluded_people()
        return bool(self["excluded_groups"].value() or chosen.shown or chosen.hidden)


class Chosen:
    """The people of one chooser: those shown as chips, and how many more there are after them."""

    def __init__(self, shown: list[Recipient], hidden: int = 0, after: int | str | None = None) -> None:
        self.shown, self.hidden, self.after = shown, hidden, after

    @classmethod
    def of(cls, people: "Manager[Recipient] | None") -> "Chosen":
        if people is None:
            return cls([])
        shown = list(people.order_by("pk")[:SHOWN])
        if len(shown) < SHOWN:
            return cls(shown)
        after = shown[-1].pk
        return cls(shown, people.filter(pk__gt=after).count(), after)


def as_typed(campaign: Campaign) -> dict:
    """The campaign as the form would have sent it."""
    return {
        "name": campaign.name,
        "channel": campaign.channel_word,
        "subject": campaign.subject,
        "body": campaign.body,
        "audience": "everyone" if campaign.everyone else "some",
        "groups": list(campaign.groups.values_list("pk", flat=True)),
        "picked": list(campaign.picked.order_by("pk").values_list("pk", flat=True)[:SHOWN]),
        "excluded_groups": list(campaign.excluded_groups.values_list("pk", flat=True)),
        "excluded": list(campaign.excluded.order_by("pk").values_list("pk", flat=True)[:SHOWN]),
    }


def found(workspace: Workspace, words: str) -> list[Recipient]:
    """At most FOUND people whose name or address holds each of these words."""
    people = workspace.recipients.order_by("pk")
    for word in words.split()[:5]:
        anywhere = Q()
        for field in ("first_name", "last_name", "email", "phone"):
            anywhere |= Q(**{f"{field}__icontains": word})
        people = people.filter(anywhere)
    return list(people[:FOUND])
