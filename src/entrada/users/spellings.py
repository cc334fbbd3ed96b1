"""How a text may be written in a database that knows upper and lower case of ASCII letters only, as SQLite does."""

from unicodedata import normalize


def spellings(text: str) -> tuple[str, ...]:
    """Return the text as it is, in lower and upper case and as names are written: of ASCII letters only the first."""
    if text.isascii():
        return (text,)
    composed = normalize("NFC", text)  # as directories write it; what is typed on a Mac may be in pieces
    return tuple(dict.fromkeys((text, composed, composed.lower(), composed.upper(), composed.title())))
