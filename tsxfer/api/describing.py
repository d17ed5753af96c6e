"""What is said of an own file: words for each part of a `Description`, and how it is built."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

from tsxfer.core.building import from_plain
from tsxfer.errors import SpecError, nearest
from tsxfer.own.description import Description

HELP = {
    "label": "Column, array or variable of labels; without a header a position, -1 is the last. "
    "Several (y,y2) are as many targets.",
    "group": "Column, array or variable that names what must stay on one side of a split.",
    "rate": "Samples a second.",
    "task": "classification or regression, where labels alone would be read otherwise.",
    "metric": "Primary metric; macro_f1 or mae by default.",
    "margin": "Smallest difference of the metric that matters in practice.",
    "unit": "Of a regression label.",
    "domain": "Field that the data is from, for tables.",
    "licence": "Terms of the data.",
    "cite": "What to cite.",
    "ignore": "Columns that are neither samples nor label nor group: a,b,c.",
    "x": "Array, column or variable of samples, where it is not called x.",
    "axes": "Order of the axes of windows: channel,time or time,channel.",
    "header": "yes or no: whether the first line of a text table names the columns.",
    "nan": "A number that stands for missing samples, e.g. -999; none where it is a sample.",
    "missing": "Samples that are missing: refuse, interpolate or drop (the window).",
    "lengths": "Windows of unequal length: refuse, pad (to the longest) or crop (to the shortest).",
    "resample": "Samples a second to resample to.",
    "window": "Cut a long recording into windows of this length: 2s, or a number of samples.",
    "step": "From one such window to the next; the window itself by default.",
    "pattern": "Names of the files of a folder, e.g. {label}_{group}_{n}.wav.",
    "intervals": "A second file with start, end and label of each stretch of a recording.",
    "test": "Official test part: a second file, or the array or column that tells it.",
}
_TYPES = get_type_hints(Description)


def describe(**said: Any) -> Description:
    """What flags say of a file.

    Raises:
        SpecError: For a word that a flag does not know, or a number that it cannot be.
    """
    plain = {}
    for name, value in said.items():
        choices = get_args(_TYPES[name]) if get_origin(_TYPES[name]) is Literal else ()
        if choices and value not in choices:
            known = [choice for choice in choices if choice]
            raise SpecError(f"--{name} {value!r} is not known", mend=nearest(str(value), known))
        plain[name] = _split(value) if get_origin(_TYPES[name]) is tuple else value
    return from_plain(Description, plain, where="flags")


def _split(value: str | tuple[str, ...]) -> list[str]:
    words = value.split(",") if isinstance(value, str) else value
    return [word.strip() for word in words if word.strip()]


def given(described: Description) -> list[str]:
    """Names of the flags that say something."""
    blank = Description()
    return [f"--{n}" for n in HELP if getattr(described, n) != getattr(blank, n)]
