"""What a workspace chooses about wishes, over the API: links in text messages, and the words of replies."""

from typing import Any, Literal

from ninja import Field, Router, Schema
from pydantic import StrictBool

from accounts.access import KeyRequest, may
from people.api.shapes import Change, refuse_faults
from people.consent_settings import change_consent_settings
from people.keywords import MOST_WORDS, checked_words, words_of
from people.models import ConsentSettings
from people.plain import NotPlain

router = Router(tags=["settings"])
LanguageWord = Literal["en", "sw", "fr", "de", "es", "pt", "ar"]
FamilyWord = Literal["stop", "start", "help"]
WordsShape = dict[LanguageWord, dict[FamilyWord, list[str]]]


class ConsentSettingsOut(Schema):
    sms_link: bool = Field(description="Whether the link to unsubscribe is added to each SMS.")
    whatsapp_link: bool
    words: WordsShape = Field(description="What replies are understood by.")


class ConsentSettingsChange(Change):
    """Only what is given is changed, of the words only the languages and families that are given."""

    sms_link: StrictBool | None = None
    whatsapp_link: StrictBool | None = None
    words: WordsShape | None = Field(None, description=f"At most {MOST_WORDS} each.")


@router.get("settings/consent", response=ConsentSettingsOut, summary="What is chosen about wishes")
@may("manage")
def show_consent_settings(request: KeyRequest) -> dict[str, Any]:
    return shown(ConsentSettings.of(request.workspace))


@router.patch("settings/consent", response=ConsentSettingsOut, summary="Choose about wishes")
@may("manage")
def set_consent_settings(request: KeyRequest, change: ConsentSettingsChange) -> dict[str, Any]:
    now = ConsentSettings.of(request.workspace)
    words = words_of(now)
    for language, families in (change.words or {}).items():
        words[language] |= {family: checked(language, family, listed) for family, listed in families.items()}
    links = {"sms_link": now.sms_link, "whatsapp_link": now.whatsapp_link}
    links |= change.model_dump(include={*links}, exclude_none=True)
    change_consent_settings(request.workspace, by=request.auth, words=words, **links)
    return shown(ConsentSettings.of(request.workspace))


def checked(language: str, family: str, words: list[str]) -> list[str]:
    """Raises ValidationError that names the place."""
    try:
        return checked_words("\n".join(words))
    except NotPlain as fault:
        refuse_faults("change", {f"words.{language}.{family}": str(fault)})
        raise


def shown(settings: ConsentSettings) -> dict[str, Any]:
    return {"sms_link": settings.sms_link, "whatsapp_link": settings.whatsapp_link, "words": words_of(settings)}
