"""What a workspace chooses about wishes: links in text messages, and the words of replies."""

from django.db import transaction

from accounts import audit_log
from accounts.models import Actor, Workspace
from people.keywords import Words, clashes, differing
from people.models import ConsentSettings
from people.plain import NotPlain

FIELDS = ("sms_link", "whatsapp_link", "words")


class TwoMeanings(NotPlain):
    """A word stands for two things."""


@transaction.atomic
def change_consent_settings(
    workspace: Workspace, *, by: Actor | None, sms_link: bool, whatsapp_link: bool, words: Words
) -> None:
    """`words` are those of every language and family. Raises TwoMeanings."""
    if clash := next(clashes(words), None):
        raise TwoMeanings(f"“{clash[2]}” stands for two things; a word can mean only one of stop, start and help.")
    settings, _ = ConsentSettings.objects.select_for_update().get_or_create(workspace=workspace)
    before = audit_log.fields_of(settings, FIELDS)
    settings.sms_link, settings.whatsapp_link, settings.words = sms_link, whatsapp_link, differing(words)
    settings.save(update_fields=FIELDS)
    after = audit_log.fields_of(settings, FIELDS)
    audit_log.record(workspace, "change_consent_settings", workspace, by=by, before=before, after=after)
