"""The list that is gone through before an email is sent: what stops it, and what is worth another look."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from campaigns.mail.compiling import Compiled, compiled
from campaigns.mail.links import OWN_LINK, broken, can_be_pressed, found_in, links_in_text, odd, unseen
from campaigns.mail.subjects import odd_in_subject, odd_signs
from campaigns.models.words import Format, Words

CLIPPED_BY_GMAIL = 102_000  # bytes
MOST_OF_A_KIND = 3  # sentences that say the same of different links


class Check(NamedTuple):
    """One thing found; what stops is refused at the launch, the rest is for people to decide."""

    sentence: str
    stops: bool = False


def checks_of(words: Words, *, sender: str | None = None) -> list[Check]:
    """All that is found in the words of an email, what stops it first.

    `sender` is the mailbox it comes from, empty where none is set up, None where that is not asked.
    """
    made = compiled(words.format, words.body, words.preheader)
    stops = [Check(sentence, stops=True) for sentence in stopping(words, made)]
    return stops + [Check(sentence) for sentence in worth_a_look(words, made, sender)]


def checks_of_all(wordings: Mapping[str, Words], *, sender: str | None = None) -> list[Check]:
    """All that is found in several wordings, by name, of one email; what is not so of all of them names those."""
    found: dict[Check, list[str]] = {}
    for name, words in wordings.items():
        for check in dict.fromkeys(checks_of(words, sender=sender)):
            found.setdefault(check, []).append(name)
    named = [
        check if len(names) == len(wordings) else Check(f"{', '.join(names)}: {check.sentence}", check.stops)
        for check, names in found.items()
    ]
    return sorted(named, key=lambda check: not check.stops)


def stopping(words: Words, made: Compiled) -> Iterator[str]:
    if not words.subject.strip():
        yield "The email has no subject."
    if not words.body.strip():
        yield "The message is empty."
    yield from made.problems


def worth_a_look(words: Words, made: Compiled, sender: str | None) -> Iterator[str]:
    if sender == "":
        yield "No address is set up that it comes from; an admin can choose one in the settings of senders."
    yield from odd_in_subject(words.subject)
    yield from odd_signs(words.subject, "subject")
    if words.body.strip() and not (can_be_pressed(made.html) if made.html else OWN_LINK in made.plain):
        yield "The message has no {unsubscribe_link} that can be pressed, so a line with one is added at its end."
    yield from about_links(made)
    if made.html:
        yield from about_html(words, made)


def about_links(made: Compiled) -> Iterator[str]:
    links = found_in(made.html).links if made.html else links_in_text(made.plain)
    yield from few(sentence for link in links if (sentence := broken(link)))
    yield from few(sentence for link in links if not broken(link) for sentence in odd(link))


def about_html(words: Words, made: Compiled) -> Iterator[str]:
    pictures = found_in(made.html).pictures
    yield from few(sentence for picture in pictures if (sentence := unseen(picture)))
    # Empty, it says that a picture is an ornament; but in Markdown it is what comes of saying nothing.
    unsaid = ("", None) if words.format == Format.MARKDOWN else (None,)
    if without := sum(picture.alt in unsaid for picture in pictures):
        which = "The picture has" if len(pictures) == 1 else f"{without} of {len(pictures)} pictures have"
        yield f"{which} no alt text: who sees no pictures reads nothing there."
    size = len(made.html.encode())
    if size > CLIPPED_BY_GMAIL:
        yield f"The HTML has {size // 1000} kB; Gmail shows the first 102 kB and hides the rest with the link to stop."
    if not made.plain.strip():
        yield "The text part is empty: the email says nothing without pictures."
    if not words.preheader.strip():
        yield "There is no preheader: inboxes show the first words of the message beside the subject instead."
    yield from odd_signs(words.preheader, "preheader")


def few(sentences: Iterator[str]) -> Iterator[str]:
    """Each once, and not more than a few of them."""
    different = list(dict.fromkeys(sentences))
    yield from different[:MOST_OF_A_KIND]
    if more := len(different) - MOST_OF_A_KIND:
        yield from [f"The same is so of {more} more."] if more > 0 else []
