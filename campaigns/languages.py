"""Which language a person speaks, as far as their list says."""

from functools import lru_cache


@lru_cache(maxsize=4096)
def code_of(said: str) -> str:
    """The code of what stands as somebody's language: el for "el", "EL" and " el_GR "; empty where none can be read."""
    code = said.strip().lower().replace("_", "-").split("-")[0]
    return code if code.isascii() and code.isalpha() and len(code) <= 3 else ""
