"""What is wrong with what was written: sentences for its author, by field."""

import re
from collections.abc import Collection

from accounts.models import Workspace
from campaigns.generated import GENERATED, known_names
from campaigns.mail.compiling import compiled
from campaigns.models import Format
from campaigns.personalise import Text, unknown_names
from people.channels import Channel
from people.columns import COLUMNS as FIELDS_BY_ALIAS
from people.models import STANDARD_FIELDS, UNSUBSCRIBE_LINK

LONGEST = {Channel.EMAIL: 100_000, Channel.SMS: 1_600, Channel.WHATSAPP: 1_600}
LONGEST_LINE = 200
# C0 and C1 controls, the Unicode line and paragraph separators, lone surrogates: no channel can carry them.
UNPRINTABLE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
NOT_IN_A_TEXT = re.compile(f"[{UNPRINTABLE}]")
NOT_IN_A_LINE = re.compile(f"[{UNPRINTABLE}\t\r\n]")
LONGEST_BRIEF = 300


class InvalidContent(Exception):
    """What was written cannot be sent; `errors` maps each field to sentences for its author."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        self.errors = errors
        super().__init__(" ".join(sentence for sentences in errors.values() for sentence in sentences))


class UnknownPlaceholders(InvalidContent):
    """Nothing is wrong but that the text asks for fields nobody in the workspace has."""


def refuse_invalid(
    workspace: Workspace,
    channel: int,
    name: str,
    subject: str,
    body: str,
    *,
    format: int = Format.TEXT,
    preheader: str = "",
    finished: bool = True,
    generated_words: bool = False,
    brief: str = "",
) -> None:
    """Raises InvalidContent, or UnknownPlaceholders if there is no other fault."""
    errors = check_content(
        *(workspace, channel, name, subject, body),
        format=format,
        preheader=preheader,
        finished=finished,
        generated_words=generated_words,
    )
    if errors := errors | check_brief(brief):
        texts = {"subject": subject, "body": body, "preheader": preheader}
        only_unknown = errors == check_placeholders(workspace, generated_words=generated_words, **texts)
        raise UnknownPlaceholders(errors) if only_unknown else InvalidContent(errors)


def check_brief(brief: str) -> dict[str, list[str]]:
    errors = []
    if found := NOT_IN_A_LINE.search(brief):
        errors.append(f"What it is about is one line of text; remove {described(found)}.")
    if len(brief) > LONGEST_BRIEF:
        errors.append(f"What it is about has {len(brief):,} characters; {LONGEST_BRIEF} is the most.")
    return {"brief": errors} if errors else {}


def check_content(
    workspace: Workspace,
    channel: int,
    name: str,
    subject: str,
    body: str,
    *,
    format: int = Format.TEXT,
    preheader: str = "",
    finished: bool = True,
    generated_words: bool = False,
) -> dict[str, list[str]]:
    """What is wrong with it, as sentences for its author by field.

    What is not finished may lack subject and text, and hold what no email can.
    """
    errors = {
        "name": check_line(name, "name", missing="Give the campaign a name."),
        "subject": check_line(subject, "subject", missing="An email needs a subject."),
        "preheader": check_line(preheader, "preheader", missing=""),
        "body": check_body(Channel(channel), body),
        "format": [],
    }
    for field, line in {"subject": subject, "preheader": preheader}.items():
        if UNSUBSCRIBE_LINK in Text(line).names:
            errors[field].append(f"The link to unsubscribe belongs in the message, not in the {field}.")
    if channel != Channel.EMAIL or not (finished or subject.strip()):
        errors["subject"] = []
    if not (finished or body.strip()):
        errors["body"] = []
    if channel != Channel.EMAIL and format != Format.TEXT:
        errors["format"] = [
            f"A message by {Channel(channel).label} is plain text; only an email can be {Format(format).label}."
        ]
    elif finished and not errors["body"]:
        errors["body"] += compiled(format, body, preheader).problems
    texts = {"subject": subject, "body": body, "preheader": preheader}
    for field, sentences in check_placeholders(workspace, generated_words=generated_words, **texts).items():
        errors[field] += sentences
    return {field: found for field, sentences in errors.items() if (found := [each for each in sentences if each])}


def check_line(line: str, what: str, *, missing: str) -> list[str]:
    if not line.strip():
        return [missing]
    errors = []
    if found := NOT_IN_A_LINE.search(line):
        errors.append(f"The {what} is one line of text; remove {described(found)}.")
    if len(line) > LONGEST_LINE:
        errors.append(f"The {what} has {len(line):,} characters; {LONGEST_LINE} is the most.")
    return errors


def check_body(channel: Channel, body: str) -> list[str]:
    if not body.strip():
        return ["Write the message."]
    errors = []
    if found := NOT_IN_A_TEXT.search(body):
        errors.append(f"The message cannot be sent with {described(found)}; remove it.")
    if len(body) > LONGEST[channel]:
        kind = "an email" if channel == Channel.EMAIL else f"a message by {channel.label}"
        errors.append(f"The message has {len(body):,} characters; {kind} holds {LONGEST[channel]:,} at most.")
    return errors


def described(found: re.Match) -> str:
    names = {"\t": "the tab", "\n": "the line break", "\r": "the line break"}
    character = names.get(found[0], f"the invisible character U+{ord(found[0]):04X}")
    return f"{character} at position {found.start() + 1}"


def check_placeholders(workspace: Workspace, *, generated_words: bool = False, **texts: str) -> dict[str, list[str]]:
    """The placeholders nobody in the workspace has, named by field beside those that can be used."""
    known = known_names(workspace, generated_words=generated_words)
    errors = {}
    for field, text in texts.items():
        if unknown := unknown_names(text, known):
            errors[field] = told_of_unknown(unknown, known)
    return errors


def told_of_unknown(unknown: Collection[str], known: Collection[str]) -> list[str]:
    """A sentence for what nobody has, and one for each other name of a field that everybody has."""
    meant = meant_by(unknown)
    sentences = [f"There is no {{{name}}}; write {words}." for name, words in meant.items()]
    if generated := [name for name in unknown if name in GENERATED and name not in meant]:
        sentences.append(f"To use {in_braces(generated)}, turn on generated words below the text.")
    if nowhere := [name for name in unknown if name not in meant and name not in GENERATED]:
        sentences.append(f"Nobody here has {in_braces(nowhere)}. You can use {in_braces(known)}.")
    return sentences


def meant_by(names: Collection[str]) -> dict[str, str]:
    """What to write for those of the names that an import takes for a standard field: {location} for city."""
    fields = {name: FIELDS_BY_ALIAS.get(name) for name in names}
    meant = {name: f"{{{field}}}" for name, field in fields.items() if field in STANDARD_FIELDS}
    return meant | {name: "{first_name} {last_name}" for name, field in fields.items() if field == "name"}


def in_braces(names: Collection[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
