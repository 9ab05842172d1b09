"""Of how many parts a text message consists, as the networks cut it (3GPP TS 23.038 and 23.040)."""

GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWO_PLACES = set("\f^{}\\[~]|€")


def parts_of(text: str) -> int:
    """One up to 160 characters, or 70 with a letter the GSM alphabet lacks; a longer text loses a few a part."""
    if set(text) <= GSM | TWO_PLACES:
        length, alone, joined = len(text) + sum(c in TWO_PLACES for c in text), 160, 153
    else:
        length, alone, joined = len(text.encode("utf-16-le", "replace")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)
