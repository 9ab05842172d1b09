"""What is wrong with the rows of a checked list, grouped by what somebody has to do about it."""

from dataclasses import dataclass

from people.models import Import, Problem, StagedRow

SHOWN = 5


@dataclass(frozen=True)
class Words:
    """What a kind of problem is called, what to do about it, and what would have been right."""

    title: str
    advice: str
    expected: str


WORDS = {
    Problem.EMAIL: Words(
        "Email addresses that cannot be used",
        "Mend them in the list. A row that has a usable phone number is imported without the email address.",
        "name@example.com",
    ),
    Problem.NO_COUNTRY: Words(
        "Phone numbers without a country code",
        "Write them with one, or choose the country of phone numbers in the settings and check the list again."
        " A row that has a usable email address is imported without the number.",
        "+254 712 345 678",
    ),
    Problem.PHONE: Words(
        "Phone numbers that cannot be used",
        "Mend them in the list. A row that has a usable email address is imported without the number.",
        "+254 712 345 678",
    ),
    Problem.NOBODY: Words(
        "Rows without any address",
        "Add an email address or a phone number; look also whether the right column is chosen for them.",
        "an email address or a phone number",
    ),
    Problem.UNREADABLE: Words(
        "Rows that cannot be read",
        "Look at quotation marks that are not closed, and at cells too many: text with a separator needs quotation"
        " marks around it.",
        "as many cells as there are columns",
    ),
    Problem.TEXT: Words(
        "Texts that are too long or hold signs nobody can read",
        "Shorten them; take line breaks out; save the file as UTF-8 if letters look wrong.",
        "one line of readable text",
    ),
    Problem.WORD: Words(
        "Opt-outs that say neither yes nor no",
        "Write yes where somebody opted out, and no or nothing where not.",
        "yes or no",
    ),
    Problem.ERASED: Words(
        "People who asked to be erased",
        "Nothing to do: they stay out, and nothing of these rows is kept. Somebody else who has their phone number is"
        " imported without it.",
        "nobody who asked to be erased",
    ),
    Problem.SUPPRESSED: Words(
        "Addresses on the suppression list",
        "Nothing to do: these people are imported, and nothing is sent to the address.",
        "an address that may be written to",
    ),
    Problem.REPEATED: Words(
        "The same person more than once in the list",
        "Nothing to do: their rows become one person. What the first says holds; later ones fill what it leaves out.",
        "each person once",
    ),
}
HARMLESS = {Problem.SUPPRESSED, Problem.REPEATED}


@dataclass(frozen=True)
class ProblemGroup:
    problem: Problem
    words: Words
    count: int
    rows: list[StagedRow]

    @property
    def is_harmless(self) -> bool:
        return self.problem in HARMLESS

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def groups_of(upload: Import) -> list[ProblemGroup]:
    """The kinds of problems the checked list has, with the first rows of each; the harmless kinds come last."""
    counts = upload.forecast.get("problems", {})
    return [
        ProblemGroup(problem, words, counts[str(problem.value)], _first(upload, problem))
        for problem, words in WORDS.items()
        if counts.get(str(problem.value))
    ]


def _first(upload: Import, problem: Problem) -> list[StagedRow]:
    return list(StagedRow.objects.filter(upload=upload.pk, problem=problem).order_by("number")[:SHOWN])
