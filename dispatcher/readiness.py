"""Whether a campaign can be sent as it is, and if not, what is to be mended."""

from campaigns.generated import known_names
from campaigns.half_linked import under_way
from campaigns.mail.compiling import compiled
from campaigns.models import Campaign, Split
from campaigns.preview import asked_for
from campaigns.rendering import renderer_of
from campaigns.templated import why_not
from campaigns.wordings import wrong_in, wrong_with_languages, wrong_with_variants
from dispatcher import freeze
from dispatcher.chosen import chosen_sender
from dispatcher.fitting import misfits_of
from dispatcher.room import why_full
from people.channels import Channel
from people.models import Import
from people.segments import BrokenSegment, refuse_broken


class LaunchRefused(Exception):
    """The campaign cannot be launched as it is; `code` is the API's word, the text says what to mend.

    `variant` and `language` say in which words, where it is to be mended there.
    """

    def __init__(self, code: str, sentence: str, variant: int = 1, language: str = "") -> None:
        self.code, self.variant, self.language = code, variant, language
        super().__init__(sentence)


def refuse_unwritten(campaign: Campaign) -> None:
    """Raises LaunchRefused while something is missing in the words."""
    has_variants, all_words = Split.of(campaign) is not None, [campaign, *campaign.wordings.all()]
    known = known_names(campaign.workspace, generated_words=campaign.generated_words)
    renderer = renderer_of(campaign)
    if unknown := [name for name in renderer.names if name not in known]:
        names = ", ".join(f"{{{name}}}" for name in unknown)
        sentence = f"The text asks for {names}, which nobody here has."
        words = next((each for each in all_words if {*asked_for(each.source)} & {*unknown}), campaign)
        raise LaunchRefused("INVALID_TEMPLATE", *wrong_in(words, sentence, has_variants=has_variants))
    if not campaign.body.strip():
        raise LaunchRefused("INVALID_TEMPLATE", "The message is empty.")
    if campaign.channel == Channel.EMAIL and not campaign.subject.strip():
        raise LaunchRefused("INVALID_TEMPLATE", "The email has no subject.")
    for words in all_words:
        if problems := compiled(words.format, words.body, words.preheader).problems:
            raise LaunchRefused("INVALID_TEMPLATE", *wrong_in(words, problems[0], has_variants=has_variants))
    if renderer.fault:
        raise LaunchRefused("INVALID_TEMPLATE", f"{renderer.fault} Save the text again.")


def refuse_unless_ready(campaign: Campaign) -> None:
    """Raises LaunchRefused when sending could not go well."""
    refuse_unwritten(campaign)
    split = Split.of(campaign)
    if split and (wrong := wrong_with_variants(campaign, split.variants)):
        raise LaunchRefused("INVALID_TEMPLATE", *wrong)
    if wrong := wrong_with_languages(campaign):
        raise LaunchRefused("INVALID_TEMPLATE", *wrong)
    if sentence := why_not(campaign):
        raise LaunchRefused("WHATSAPP_TEMPLATE", sentence)
    try:
        refuse_broken(campaign.all_segments())
    except BrokenSegment as broken:
        raise LaunchRefused("SEGMENT_BROKEN", str(broken)) from None
    if begun := under_way(campaign):
        raise LaunchRefused("ADDRESSES_LINKING", f"{begun} named for it are linked so far; send when all are.")
    if upload := import_under_way(campaign):
        sentence = f"“{upload}” is still being imported into this audience; send when it is done."
        raise LaunchRefused("IMPORT_RUNNING", sentence)
    if not chosen_sender(campaign.workspace_id, campaign.channel).is_known:
        raise LaunchRefused("SENDER_NOT_CONFIGURED", f"No sender is set up for {campaign.get_channel_display()}.")
    if not freeze.candidates(campaign).filter(skip=None).exists():
        chosen = campaign.audience().exists()
        nobody = "Nobody in this audience can be written to over this channel."
        raise LaunchRefused("NO_RECIPIENTS", nobody if chosen else "Nobody is chosen yet: say who gets it.")
    if sentence := misfits_of(campaign).sentence:
        raise LaunchRefused("UNFITTING_VALUES", sentence)
    refuse_without_room(campaign)


def refuse_without_room(campaign: Campaign) -> None:
    """Raises LaunchRefused while as many messages of the workspace wait as may."""
    if sentence := why_full(campaign.workspace):
        raise LaunchRefused("QUEUE_FULL", sentence)


def import_under_way(campaign: Campaign) -> Import | None:
    """A list that is still being imported into the audience: half of it would be sent to."""
    running = campaign.workspace.imports.filter(status__in=[Import.Status.WAITING, Import.Status.RUNNING])
    if campaign.everyone or campaign.all_segments().exists():  # anybody who comes in may fit one
        return running.first()
    return running.filter(groups__in=campaign.groups.all()).first()
