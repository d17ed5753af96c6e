"""The flags that describe an own file, for every command that takes one, defined once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from tsxfer.core.building import from_plain
from tsxfer.errors import SpecError, nearest
from tsxfer.own.description import Description

PANEL = "Of an own file"
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
    "missing": "Samples that are missing: refuse, interpolate or drop (the window).",
    "lengths": "Windows of unequal length: refuse, pad (to the longest) or crop (to the shortest).",
    "resample": "Samples a second to resample to.",
    "window": "Cut a long recording into windows of this length: 2s, or a number of samples.",
    "step": "From one such window to the next; the window itself by default.",
    "pattern": "Names of the files of a folder, e.g. {label}_{group}_{n}.wav.",
    "intervals": "A second file with start, end and label of each stretch of a recording.",
    "test": "Official test part: a second file, or the array or column that tells it.",
}
_FIELDS = {field.name: field for field in fields(Description) if field.name in HELP}
_TYPES = get_type_hints(Description)


def own_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a flag for each field of `Description`, which reaches it as ``described``.

    typer reads ``__signature__``, so the command says one parameter and its users see all.
    """
    told = inspect.signature(command, eval_str=True)
    kept = [p for p in told.parameters.values() if p.name != "described"]
    own = [_parameter(name) for name in HELP]

    @functools.wraps(command)
    def called(**given: Any) -> None:
        said = {name: given.pop(name) for name in HELP}
        command(**given, described=describe(**said))

    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*kept, *own)]
    called.__signature__ = told.replace(parameters=every)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in every}
    return called


def _parameter(name: str) -> inspect.Parameter:
    """A flag; lists are given as one text with commas, choices are checked by `describe`."""
    kind = float if _TYPES[name] is float else str
    default = _FIELDS[name].default
    option = typer.Option(f"--{name}", help=HELP[name], rich_help_panel=PANEL, show_default=False)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default="" if default in ((), MISSING) else default,
        annotation=Annotated[kind, option],
    )


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
