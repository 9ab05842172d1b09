"""The words of a campaign by variant and language, over the API: read, written and taken away."""

from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from accounts.access import KeyRequest, may
from accounts.unknown import Unknown
from campaigns.languages import code_of
from campaigns.models import Campaign, Format, Split, Words
from campaigns.splitting import LETTERS, letter
from campaigns.wordings import delete_wording, wording_of, words_of, write_wording
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.shapes import FormatWord, Letter

router = Router(tags=["campaigns"])


def known_code(value: object) -> str:
    """A language as people write it, by its code; empty for none."""
    if value == "":
        return ""
    code = code_of(str(value)[:60])
    if not code:
        raise PydanticCustomError("language", "There is no such language; write it as el, pt-BR or Greek.")
    return code


class WordingIn(Schema, extra="forbid"):
    """The words of one variant in one language; of words that are there already, what is not named stays."""

    language: Annotated[
        str,
        BeforeValidator(known_code),
        Field(description="A code or a name: el, pt-BR, Greek; empty for the words people of any other language read."),
    ] = ""
    variant: Letter = "A"
    subject: str | None = None
    base_template: str | None = None
    format: FormatWord | None = None
    preheader: str | None = None

    @model_validator(mode="after")
    def other_words(self) -> "WordingIn":
        if self.variant == "A" and not self.language:
            raise PydanticCustomError(
                "main", "Name a language or another variant; the words of A for any language are those of the campaign."
            )
        return self


class WordingOut(Schema):
    variant: Letter
    language: str = Field(description="Its code; empty for the words people of any other language read.")
    subject: str
    base_template: str
    format: FormatWord
    preheader: str


class WordingsOut(Schema):
    data: list[WordingOut]


@router.get("campaigns/{campaign_id}/wordings", response=WordingsOut, summary="The words by variant and language")
@may("read")
def show_wordings(request: KeyRequest, campaign_id: int) -> dict:
    campaign = campaign_of(request, campaign_id)
    others = [shown(each, each.variant, each.language) for each in campaign.wordings.all()]
    return {"data": [shown(campaign, 1, ""), *others]}


@router.patch(
    "campaigns/{campaign_id}/wordings", response=WordingOut, summary="Write the words of a variant or language"
)
@may("write")
def change_wording(request: KeyRequest, campaign_id: int, wording: WordingIn) -> dict:
    """New words begin with those of the variant for any language; those of a new variant with A's."""
    campaign = campaign_of(request, campaign_id)
    variant = variant_of(campaign, wording.variant)
    now: Words = wording_of(campaign, variant, wording.language) or words_of(campaign, variant)
    kept = {"subject": now.subject, "body": now.body, "format": Format(now.format), "preheader": now.preheader}
    typed = {"subject": wording.subject, "body": wording.base_template, "preheader": wording.preheader}
    content: dict[str, Any] = kept | {name: value for name, value in typed.items() if value is not None}
    if wording.format:
        content["format"] = Format[wording.format.upper()]
    content["only_drafts"] = not request.auth.may("send")
    written = write_wording(campaign, by=request.auth, variant=variant, language=wording.language, **content)
    return shown(written, written.variant, written.language)


@router.delete(
    "campaigns/{campaign_id}/wordings/{language}", response={204: None}, summary="Delete the words in a language"
)
@may("write")
def remove_wording(request: KeyRequest, campaign_id: int, language: str, variant: Letter = "A") -> Status[None]:
    campaign = campaign_of(request, campaign_id)
    code, number = code_of(language[:60]), variant_of(campaign, variant)
    if not code or wording_of(campaign, number, code) is None:
        raise Unknown("Wording", 0)
    only_drafts = not request.auth.may("send")
    delete_wording(campaign, variant=number, language=code, by=request.auth, only_drafts=only_drafts)
    return Status(204, None)


def variant_of(campaign: Campaign, word: Letter) -> int:
    """Its number. Raises Unknown where the campaign has none of this letter."""
    number = LETTERS.index(word) + 1
    split = Split.of(campaign)
    if number not in (split.variants if split else [1]):
        raise Unknown("Variant", number, f"The campaign has no variant {word}")
    return number


def shown(words: Words, variant: int, language: str) -> dict:
    """The words as `WordingOut` shows them."""
    return {
        "variant": letter(variant),
        "language": language,
        "subject": words.subject,
        "base_template": words.body,
        "format": Format(words.format).word,
        "preheader": words.preheader,
    }
