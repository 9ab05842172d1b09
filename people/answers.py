"""Yes and no, as lists say it in the languages of those who write them, and as spreadsheets do."""

import unicodedata

WORDS_FOR_YES = """
    yes y true t 1 x ✓ ✔ on ja j wahr oui vrai si sí s verdadero vero sim verdadeiro da да ναι evet e doğru tak prawda
    ano pravda áno igen igaz kyllä joo jah jā taip ndiyo ndio ya はい 是 예 네 نعم כן हाँ हां vâng có
"""
WORDS_FOR_NO = """
    no n false f 0 - – off nein falsch non faux falso não nao нет ні όχι οχι hayır hayir yanlış nie fałsz ne
    nepravda nem hamis ei epätosi nē nej nei nee onwaar hapana tidak いいえ 否 不是 아니요 아니오 لا לא नहीं không
"""
YES, NO = frozenset(WORDS_FOR_YES.split()), frozenset(WORDS_FOR_NO.split()) | {""}


def answered(cell: str) -> bool | None:
    """None where it says neither."""
    word = unicodedata.normalize("NFC", cell.strip()).casefold()
    return True if word in YES else False if word in NO else None
