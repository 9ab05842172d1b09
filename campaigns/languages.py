"""Languages as people write them: "el", "el-GR", "Greek", "Ελληνικά" and "ΕΛΛΗΝΙΚΑ" all mean the same one."""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from django.conf.locale import LANG_INFO

ATTRIBUTE = "language"  # of a person
CODE = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{2,8})*)", re.IGNORECASE)
# What Django has no words for, and people of our workspaces may well speak: English name, own name.
MORE = {
    "am": ("Amharic", "አማርኛ"),
    "fil": ("Filipino", "Filipino"),
    "ha": ("Hausa", "Hausa"),
    "ku": ("Kurdish", "Kurdî"),
    "lg": ("Luganda", "Oluganda"),
    "ln": ("Lingala", "Lingála"),
    "mg": ("Malagasy", "Malagasy"),
    "ny": ("Chichewa", "Chichewa"),
    "om": ("Oromo", "Afaan Oromoo"),
    "ps": ("Pashto", "پښتو"),
    "rw": ("Kinyarwanda", "Ikinyarwanda"),
    "sn": ("Shona", "chiShona"),
    "so": ("Somali", "Soomaali"),
    "ti": ("Tigrinya", "ትግርኛ"),
    "xh": ("Xhosa", "isiXhosa"),
    "yo": ("Yoruba", "Yorùbá"),
    "zh": ("Chinese", "中文"),
    "zu": ("Zulu", "isiZulu"),
}
RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}


def folded(text: str) -> str:
    """For comparing: without capitals and accents."""
    letters = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _names() -> dict[str, tuple[str, str]]:
    """By code, the English name and the language's own."""
    known = {code: (info["name"], info["name_local"]) for code, info in LANG_INFO.items() if "name" in info}
    return {_spelt(code): names for code, names in known.items()} | MORE


def _spelt(code: str) -> str:
    """el-GR, zh-Hans, sr-Latn-RS: the language small, the script with one capital, the country in capitals."""
    language, *parts = code.replace("_", "-").lower().split("-")
    return "-".join([language, *(part.title() if len(part) == 4 else part.upper() for part in parts)])


NAMES = _names()
# The shortest code last, so that it is the one a name that several have stands for.
CODES = {folded(name): code for code, names in sorted(NAMES.items(), key=lambda item: -len(item[0])) for name in names}


@lru_cache(maxsize=4096)
def code_of(typed: str) -> str:
    """The code of a language that somebody typed, empty where it is none we know."""
    if found := CODES.get(folded(typed)):
        return found
    match = CODE.fullmatch(typed.strip())
    if match and (match[1].lower() in NAMES or _spelt(typed.strip()) in NAMES):
        return _spelt(typed.strip())
    return ""


def fitting(codes: Collection[str], typed: str) -> str:
    """Of these codes the one for somebody of that language: the same, else without the country, else none ("")."""
    code = code_of(typed)
    while code:
        if code in codes:
            return code
        code = code.rpartition("-")[0]
    return ""


def name_of(code: str) -> str:
    """Greek; Greek (GR) for what only has a country of its own; the code where nothing better is known."""
    if code in NAMES:
        return NAMES[code][0]
    language, _, rest = code.partition("-")
    return f"{NAMES[language][0]} ({rest})" if language in NAMES else code


def own_name_of(code: str) -> str:
    """Ελληνικά."""
    names = NAMES.get(code) or NAMES.get(code.partition("-")[0])
    return names[1] if names else code


def direction_of(code: str) -> str:
    """rtl or ltr, as HTML writes it."""
    return "rtl" if code.partition("-")[0] in RIGHT_TO_LEFT else "ltr"
