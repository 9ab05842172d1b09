"""What is said: campaigns, their words, the series they may belong to, and the history of their statuses."""

from campaigns.models.campaign import (
    MOVES,
    Campaign,
    IllegalMove,
    StatusChange,
    ask_for_choices,
    ask_for_words,
    audience_in_words,
    listed,
)
from campaigns.models.image import Image, ImageFile
from campaigns.models.linking import Linking
from campaigns.models.part_price import PartPrice
from campaigns.models.personalising import ChosenPersonaliser
from campaigns.models.recurrence import Recurrence
from campaigns.models.split import Split
from campaigns.models.template import Template, TemplateVersion
from campaigns.models.whatsapp import IllegalStatus, TemplateStatus, WhatsAppSettings, WhatsAppTemplate
from campaigns.models.wording import Wording
from campaigns.models.words import Format, Source, Words

__all__ = [
    "MOVES",
    "Campaign",
    "ChosenPersonaliser",
    "Format",
    "IllegalMove",
    "Image",
    "ImageFile",
    "Linking",
    "PartPrice",
    "IllegalStatus",
    "Recurrence",
    "Source",
    "Split",
    "StatusChange",
    "Template",
    "TemplateVersion",
    "TemplateStatus",
    "WhatsAppSettings",
    "WhatsAppTemplate",
    "Wording",
    "Words",
    "ask_for_choices",
    "ask_for_words",
    "audience_in_words",
    "listed",
]
