"""Letters of other alphabets that look like Latin ones: two names that nobody can tell apart."""

from __future__ import annotations

from collections.abc import Iterable

LATIN = {  # what looks like each of these: Cyrillic, then Greek
    "A": "\u0410\u0391", "B": "\u0412\u0392", "C": "\u0421\u03f9", "E": "\u0415\u0395",
    "H": "\u041d\u0397", "I": "\u0406\u0399", "J": "\u0408", "K": "\u041a\u039a",
    "M": "\u041c\u039c", "N": "\u039d", "O": "\u041e\u039f", "P": "\u0420\u03a1", "S": "\u0405",
    "T": "\u0422\u03a4", "X": "\u0425\u03a7", "Y": "\u04ae\u03a5", "Z": "\u0396",
    "a": "\u0430", "c": "\u0441", "e": "\u0435", "h": "\u04bb", "i": "\u0456", "j": "\u0458",
    "o": "\u043e\u03bf", "p": "\u0440\u03c1", "s": "\u0455", "v": "\u03bd", "x": "\u0445",
    "y": "\u0443",
}  # fmt: skip
SEEN = str.maketrans({other: latin for latin, others in LATIN.items() for other in others})


def looks(name: str) -> str:
    """A name as it looks: in Latin letters where others look the same."""
    return name.translate(SEEN)


def look_alikes(names: Iterable[str], what: str) -> tuple[str, ...]:
    """What is to be said of names that look the same and are not.

    Args:
        names: Each once.
        what: In the plural, for the note.
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(looks(name), []).append(name)
    pairs = [" / ".join(map(ascii, found)) for found in alike.values() if len(found) > 1]
    if not pairs:
        return ()
    end = "letters of another alphabet; write them alike if they are one"
    return (f"{what} that look the same are kept apart: {', '.join(pairs[:4])}: {end}",)


def seen_as(wanted: str, names: Iterable[str]) -> str:
    """Of some names the one that looks like what was asked for; "" where none does."""
    return next((n for n in names if wanted and n != wanted and looks(n) == looks(wanted)), "")
