"""Label budgets: ``n=1500``, ``10%``, ``all``, and ``5/class`` for few labels of each class."""

from __future__ import annotations

import re

from tsxfer.errors import SpecError

PER_CLASS = "/class"
FEWEST_OF_CLASS = 2  # one to learn from, one to select on
SOME_CLASSES = 10  # of a data set that was not looked at yet
MANY = 1_000_000  # labels; to order budgets of other kinds
NEARLY_PER_CLASS = re.compile(r"(\d{1,18}) *(?:/|per)[a-z/ ]*")


def canonical_size(size: str | int) -> str:
    """``1500`` and ``n=1500`` become ``n=1500``; ``10%``, ``5/class`` and ``all`` stay.

    Raises:
        SpecError: For anything else, and for ``1/class``, which leaves nothing to select on.
    """
    text = str(size).strip().lower().replace("_", "")
    count, share, each = text.removeprefix("n="), text.removesuffix("%"), _each(text)
    if _is_count(count):
        return f"n={int(count)}"
    if text == "all" or (text.endswith("%") and _is_share(share)):
        return text
    if each is not None and each < FEWEST_OF_CLASS:
        raise SpecError(
            f"size {size!r} leaves no label to select on beside those to learn from",
            mend=f"write {FEWEST_OF_CLASS}/class or more; validation is taken from them",
        )
    if each is not None:
        return f"{each}{PER_CLASS}"
    raise SpecError(f"size {size!r} is not a label budget", mend=_meant(text))


def per_class(size: str) -> int | None:
    """Labels of each class that a canonical size such as ``5/class`` stands for; else None."""
    return _each(size)


def parts_of_class(each: int, share: float) -> tuple[int, int]:
    """Of the labels of one class those to learn from, and those to select on.

    The share of validation, rounded, and at least one; both numbers grow with `each`, so that a
    smaller budget lies inside a larger one.
    """
    held = max(1, round(each * share))
    return each - held, held


def label_budget(size: str, available: int, classes: int) -> int:
    """Number of labels that a canonical size stands for.

    Args:
        size: Label budget.
        available: Labels that exist.
        classes: Of the target; a guess will do where budgets are only put in order.
    """
    each = per_class(size)
    if each is not None:
        return each * classes
    if size == "all":
        return available
    if size.endswith("%"):
        return int(available * float(size[:-1]) / 100)
    return int(as_written(size))


def place_in_order(size: str) -> int:
    """By which budgets of several kinds are sorted before their data sets were looked at."""
    return label_budget(size, MANY, SOME_CLASSES)


def as_written(size: str) -> str:
    """As one writes it: ``1500``, ``10%``, ``5/class``, ``all``."""
    return size.removeprefix("n=")


def in_words(size: str) -> str:
    """``1,500 labels``, ``5 labels of each class``, ``10% labels``, ``all labels``."""
    each, written = per_class(size), as_written(size)
    if each is not None:
        return f"{each:,} labels of each class"
    counted = written.isascii() and _is_count(written)
    return f"{int(written):,} labels" if counted else f"{written} labels"


def _meant(text: str) -> str:
    """The mend for what is no size: a guess where it nearly says labels of each class."""
    nearly = NEARLY_PER_CLASS.fullmatch(text)
    if nearly and int(nearly[1]) >= FEWEST_OF_CLASS:
        return f"did you mean {int(nearly[1])}{PER_CLASS} (labels of each class)?"
    return "write 1500, 10%, 5/class (labels of each class) or all"


def _each(text: str) -> int | None:
    count = text.removesuffix(PER_CLASS)
    return int(count) if count != text and _is_count(count, least=0) else None


def _is_count(text: str, least: int = 1) -> bool:
    return text.isdecimal() and len(text) < 19 and int(text) >= least


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 100
    except ValueError:
        return False
