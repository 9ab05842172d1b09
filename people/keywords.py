"""Words by which people steer what they get when they answer a message: STOP, START, HELP, in their language."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from people.models import ConsentSettings, Reply
from people.plain import NotPlain, plain

Meaning = Reply.Meaning
LANGUAGES = {
    "en": "English",
    "sw": "Swahili",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "pt": "Portuguese",
    "ar": "Arabic",
}
FAMILIES = {"stop": Meaning.STOP, "start": Meaning.START, "help": Meaning.HELP}
Words = Mapping[str, Mapping[str, list[str]]]
USUAL: Words = {
    "en": {
        "stop": ["stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "cancel", "end", "quit", "revoke"],
        "start": ["start", "unstop", "subscribe", "opt in", "optin"],
        "help": ["help", "info"],
    },
    "sw": {
        "stop": ["acha", "simama", "sitisha", "ondoa", "jiondoe"],
        "start": ["anza", "endelea", "jiunge"],
        "help": ["msaada"],
    },
    "fr": {
        "stop": ["arrêt", "arrêter", "désabonner", "désinscrire", "désinscription", "fin"],
        "start": ["commencer", "reprendre", "démarrer"],
        "help": ["aide"],
    },
    "de": {
        "stop": ["stopp", "abmelden", "abbestellen", "ende", "austragen"],
        "start": ["anmelden", "weiter"],
        "help": ["hilfe"],
    },
    "es": {
        "stop": ["alto", "parar", "baja", "cancelar", "detener"],
        "start": ["iniciar", "alta", "empezar"],
        "help": ["ayuda"],
    },
    "pt": {
        "stop": ["pare", "parar", "sair", "cancelar"],
        "start": ["iniciar", "começar", "voltar"],
        "help": ["ajuda"],
    },
    "ar": {
        "stop": ["توقف", "إيقاف", "قف", "إلغاء"],
        "start": ["ابدأ", "بدء", "اشتراك"],
        "help": ["مساعدة"],
    },
}
ALWAYS = "stop"  # the networks promise it to everybody, in any country
MOST_WORDS, LONGEST_WORD = 20, 40
SELECTORS = re.compile("[\ufe00-\ufe0f]")


def understood(text: str, settings: ConsentSettings) -> Reply.Meaning:
    """What the whole of a reply means; a sentence that has such a word in it means nothing by it."""
    said = bare(text)
    words = words_of(settings)
    for family, meaning in FAMILIES.items():  # in doubt, stop
        if said and said in {bare(word) for of in words.values() for word in of[family]} | ALWAYS_OF[family]:
            return meaning
    return Meaning.NONE


def words_of(settings: ConsentSettings) -> dict[str, dict[str, list[str]]]:
    """By language and family: those the workspace chose, else the usual ones."""
    return {language: {**USUAL[language], **settings.words.get(language, {})} for language in LANGUAGES}


def bare(text: str) -> str:
    """The letters and digits alone, without accents or case: “ Stop!! 🛑 ” and "STOP" are one."""
    letters = unicodedata.normalize("NFKD", SELECTORS.sub("", text)).casefold()
    kept = (c if kind[0] in "LN" else " " for c, kind in kinds(letters) if kind[0] != "M" and kind != "Cf")
    return " ".join("".join(kept).split())


def kinds(text: str) -> Iterator[tuple[str, str]]:
    """Each character with its Unicode category: marks and invisible signs are no part of a word."""
    return ((c, unicodedata.category(c)) for c in text)


ALWAYS_OF = {family: {ALWAYS} if family == "stop" else set() for family in FAMILIES}


def checked_words(typed: str) -> list[str]:
    """Words as a form has them, with commas between. Raises NotPlain with a sentence."""
    words = [plain(word, "A word", at_most=LONGEST_WORD) for word in re.split(r"[,،;\n]", typed) if word.strip()]
    if len(words) > MOST_WORDS:
        raise NotPlain(f"These are {len(words)} words; {MOST_WORDS} are the most.")
    if nothing := next((word for word in words if not bare(word)), ""):
        raise NotPlain(f"“{nothing}” has neither letter nor digit.")
    return list(dict.fromkeys(words))


def clashes(words: Words) -> Iterator[tuple[str, str, str, str]]:
    """Each word that would mean two things: its language, its family, the word, and another family that has it."""
    families: dict[str, list[str]] = {ALWAYS: [ALWAYS]}
    for _, family, word in _each(words):
        families.setdefault(bare(word), []).append(family)
    for language, family, word in _each(words):
        if other := next((each for each in families[bare(word)] if each != family), ""):
            yield language, family, word, other


def _each(words: Words) -> Iterator[tuple[str, str, str]]:
    for language, of in words.items():
        for family, some in of.items():
            yield from ((language, family, word) for word in some)


def differing(words: Words) -> dict[str, dict[str, list[str]]]:
    """What has to be kept: the usual words may grow with the product where nobody chose others."""
    changed = {
        language: {family: words[language][family] for family in FAMILIES if words[language][family] != usual[family]}
        for language, usual in USUAL.items()
    }
    return {language: families for language, families in changed.items() if families}
