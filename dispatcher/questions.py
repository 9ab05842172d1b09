"""What is asked before a verb that cannot be taken back."""

from dataclasses import dataclass, replace

from campaigns.models import Campaign


@dataclass(frozen=True)
class Question:
    """A verb, and the words that say what it will do."""

    verb: str
    title: str
    sentence: str
    yes: str
    no: str
    no_when_paused: str = ""
    sends: str = ""  # what the button says beside its verb

    def about(self, campaign: Campaign) -> "Question":
        """In the words for how this campaign stands."""
        if self.no_when_paused and campaign.status == Campaign.Status.PAUSED:
            return replace(self, no=self.no_when_paused)
        return self


QUESTIONS = {
    question.verb: question
    for question in (
        Question(
            "cancel",
            "Cancel this campaign?",
            "Nothing more is sent, for good: it cannot be resumed. Messages already on their way to the provider "
            "are finished and counted.",
            "Cancel the campaign",
            "Keep sending",
            "Keep it paused",
        ),
        Question(
            "send_again",
            "Send the unknown messages again?",
            "The provider may have delivered them already: some people may get this message twice. Ask the provider "
            "first if you can.",
            "Send again",
            "Leave them",
        ),
    )
}


def questions_about(campaign: Campaign, *, hopeful: int, hopeless: int) -> list[Question]:
    """Each in the words for how this campaign stands, with this many failed messages that are worth another try."""
    retry = about_retry(hopeful, hopeless, is_paused=campaign.status == Campaign.Status.PAUSED)
    return [*(question.about(campaign) for question in QUESTIONS.values()), retry]


def about_retry(hopeful: int, hopeless: int, *, is_paused: bool) -> Question:
    count = hopeful + hopeless
    which = f"{count:,} failed {'message' if count == 1 else 'messages'}"
    waits = " They wait until the campaign is resumed." if is_paused else ""
    return Question(
        "retry_failed",
        f"Retry {which}?",
        f"{what_helps(hopeful, hopeless)} Who got the message already does not get it again.{waits}",
        f"Retry {count:,}",
        "Leave them",
        sends="spare_dismissed",
    )


def what_helps(hopeful: int, hopeless: int) -> str:
    if not hopeful + hopeless:
        return "Nothing that failed is left to try again."
    if not hopeless:
        return "What stopped them usually passes, so it is worth another try."
    mend = "correct the addresses first, or mend what else is wrong."
    if not hopeful:
        return f"Trying again rarely helps here: {mend}"
    return (
        f"{hopeful:,} of them {'is' if hopeful == 1 else 'are'} worth another try; the buttons beside their causes "
        f"retry just those. For the other {hopeless:,} trying again rarely helps: {mend}"
    )
