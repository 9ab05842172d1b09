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
