"""Settings of a workspace over the API: the moment before sending, who writes words, and what WhatsApp asks for."""

from typing import Any

from django import forms
from ninja import Field, Router, Schema
from pydantic import StrictBool, StrictInt

from accounts.access import KeyRequest, may
from accounts.unknown import Unknown
from campaigns.before_sending import change_before_sending
from campaigns.before_sending_forms import BeforeSendingForm
from campaigns.generated import chosen_of
from campaigns.models import WhatsAppSettings
from campaigns.personalisers import PERSONALISERS
from campaigns.personalising import choose_personaliser
from campaigns.whatsapp import change_whatsapp_settings
from people.api.shapes import Change, ChannelWord, refuse_faults
from people.channels import Channel

router = Router(tags=["settings"])


class PriceShape(Schema, extra="forbid"):
    """Of one part of a message."""

    amount: str = Field(max_length=20, description="Such as 0.80.")
    currency: str = Field(max_length=3, description="In three letters, such as KES.")


class BeforeSendingOut(Schema):
    undo_seconds: int = Field(description="For so long nobody gets what was sent from its page; 0 is off.")
    typed_above: int | None = Field(description="Whoever sends to more people types how many; null is never.")
    prices: dict[ChannelWord, PriceShape]


class BeforeSendingChange(Change):
    """Only what is given is changed; `prices` take the place of all that were there."""

    undo_seconds: StrictInt | None = None
    typed_above: StrictInt | None = None
    prices: dict[ChannelWord, PriceShape] | None = None


class PersonaliserOut(Schema):
    name: str
    title: str
    about: str
    gives: list[str] = Field(description="What a text asks for its words by.")
    asks: list[str] = Field(description="What it is told of each person.")
    is_on: bool
    options: dict[str, Any]


class PersonaliserChange(Schema, extra="forbid"):
    name: str
    is_on: StrictBool | None = None
    options: dict[str, Any] = Field({}, description="Only what is given is changed.")


class WhatsAppSettingsShape(Schema, extra="forbid"):
    needs_template: StrictBool = Field(description="Whether campaigns are sent by approved templates only.")


@router.get("settings/before-sending", response=BeforeSendingOut, summary="What is set for the moment before sending")
@may("manage")
def show_before_sending(request: KeyRequest) -> dict[str, Any]:
    return before_sending(request)


@router.patch("settings/before-sending", response=BeforeSendingOut, summary="Set the moment before sending")
@may("manage")
def change_moment_before_sending(request: KeyRequest, change: BeforeSendingChange) -> dict[str, Any]:
    typed = dict(BeforeSendingForm(request.workspace).initial)
    typed |= change.model_dump(include=change.model_fields_set & {"undo_seconds", "typed_above"})
    if change.prices is not None:
        typed |= {f"{channel.word}_{part}": "" for channel in Channel for part in ("price", "currency")}
        for word, price in change.prices.items():
            typed |= {f"{word}_price": price.amount, f"{word}_currency": price.currency}
    form = BeforeSendingForm(request.workspace, typed)
    refuse_faulty("change", form)
    change_before_sending(request.workspace, by=request.auth, **form.settings)
    request.workspace.refresh_from_db()
    return before_sending(request)


def before_sending(request: KeyRequest) -> dict[str, Any]:
    prices = {
        Channel(row.channel).word: {"amount": f"{row.amount.normalize():f}", "currency": row.currency}
        for row in request.workspace.part_prices.all()
    }
    workspace = request.workspace
    return {"undo_seconds": workspace.undo_seconds, "typed_above": workspace.typed_above, "prices": prices}


@router.get("settings/personalisers", response=list[PersonaliserOut], summary="Who writes words for each person")
@may("manage")
def list_personalisers(request: KeyRequest) -> list[dict[str, Any]]:
    return [personaliser_row(request, name) for name in PERSONALISERS]


@router.patch("settings/personalisers", response=PersonaliserOut, summary="Turn a personaliser on or off")
@may("manage")
def change_personaliser(request: KeyRequest, change: PersonaliserChange) -> dict[str, Any]:
    """It holds for what is sent from now on."""
    if change.name not in PERSONALISERS:
        raise Unknown("Personaliser", change.name[:60])
    kind, chosen = PERSONALISERS[change.name], chosen_of(request.workspace, change.name)
    options = kind.options(kind.defaults() | chosen.options | change.options)
    if strange := change.options.keys() - options.fields.keys():
        refuse_faults("change", {f"options.{min(strange)[:60]}": "There is no such option."})
    refuse_faulty("change", options, "options.")
    is_on = chosen.is_on if change.is_on is None else change.is_on
    given = {"is_on": is_on, "options": options.cleaned_data}
    choose_personaliser(request.workspace, change.name, by=request.auth, **given)
    return personaliser_row(request, change.name)


def personaliser_row(request: KeyRequest, name: str) -> dict[str, Any]:
    kind, chosen = PERSONALISERS[name], chosen_of(request.workspace, name)
    told = {"name": name, "title": kind.title, "about": kind.about, "gives": kind.gives, "asks": kind.asks}
    return told | {"is_on": chosen.is_on, "options": kind.defaults() | chosen.options}


@router.get("settings/whatsapp", response=WhatsAppSettingsShape, summary="What WhatsApp asks for")
@may("read")
def show_whatsapp_settings(request: KeyRequest) -> WhatsAppSettings:
    return WhatsAppSettings.of(request.workspace)


@router.patch("settings/whatsapp", response=WhatsAppSettingsShape, summary="Set what WhatsApp asks for")
@may("manage")
def set_whatsapp_settings(request: KeyRequest, change: WhatsAppSettingsShape) -> WhatsAppSettings:
    change_whatsapp_settings(request.workspace, needs_template=change.needs_template, by=request.auth)
    return WhatsAppSettings.of(request.workspace)


def refuse_faulty(body: str, form: forms.Form, before: str = "") -> None:
    """Raises ValidationError with what the page's form says of each field."""
    if not form.is_valid():
        refuse_faults(body, {f"{before}{name}": " ".join(map(str, faults)) for name, faults in form.errors.items()})
