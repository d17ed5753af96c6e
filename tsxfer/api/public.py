"""What every public function has: its flags as named arguments, and messages in Python's words."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection
from numbers import Integral
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from tsxfer.errors import SpecError, TsxferError, nearest

P = ParamSpec("P")
R = TypeVar("R")
# Words that stand behind a flag in advice, and are text in Python.
VALUE = re.compile(
    r"(?:[ =])(regression|classification|refuse|interpolate|drop|pad|crop|yes|no|label|simulated|"
    r"real|cpu|cuda|channel,time|time,channel|all|none|\d+\w*|'[^']+')(?![\w.])"
)
# Arguments of one kind wherever they stand; what a study is asked for is looked at in `asked`.
KINDS: dict[str, tuple[type, ...]] = {
    "workspace": (str, Path),
    "plugins": (str, Path),
    "device": (str,),
    "steps": (str,),
    "weights": (str,),
    "workers": (Integral,),
}
FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


def public(words: type | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function one that users call.

    A wrong name of an argument is answered with the right one, a message that speaks of flags
    speaks of arguments, and `help` lists every argument.

    Args:
        words: The ``TypedDict`` that the function's ``**words`` are unpacked from.
    """

    def wrapped(function: Callable[P, R]) -> Callable[P, R]:
        signature = _listed(function, words)
        names = [p.name for p in signature.parameters.values()]

        @functools.wraps(function)
        def called(*given: P.args, **named: P.kwargs) -> R:
            for name in named:
                if name not in names:
                    raise SpecError(
                        f"{function.__name__} has no argument {name!r}", mend=nearest(name, names)
                    )
            _refuse_kinds({**dict(zip(names, given, strict=False)), **named})
            try:
                return function(*given, **named)
            except TsxferError as error:
                for part in ("problem", "where", "mend"):
                    setattr(error, part, in_python(getattr(error, part), names))
                raise

        called.__signature__ = signature  # type: ignore[attr-defined]
        return called

    return wrapped


def _refuse_kinds(given: dict[str, object]) -> None:
    for name in KINDS.keys() & given.keys():
        value, kinds = given[name], KINDS[name]
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            words = "a whole number" if Integral in kinds else "text"
            raise SpecError(
                f"{name}={value!r} is {type(value).__name__}, not {words}", mend=f"give {words}"
            )


def _listed(function: Callable[..., object], words: type | None) -> inspect.Signature:
    """The signature with every word in the place of ``**words``."""
    told = inspect.signature(function)
    kept = [p for p in told.parameters.values() if p.kind is not p.VAR_KEYWORD]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=kind)
        for name, kind in ({} if words is None else _annotations(words)).items()
    ]
    return told.replace(parameters=[*kept, *more])


def _annotations(words: type) -> dict[str, Any]:
    """Names with their types as written; a ``TypedDict`` has those of its bases too."""
    return {n: getattr(t, "__forward_arg__", t) for n, t in words.__annotations__.items()}


def in_python(text: str, names: Collection[str]) -> str:
    """Advice on flags as advice on arguments; commands of the shell stay as they are.

    Args:
        text: E.g. ``say it with --rate, or --task regression``.
        names: Arguments of the function; other flags are no arguments.
    """
    parts = re.split(r"(tsxfer [a-z]+[^;,\n]*)", text)
    return "".join(p if p.startswith("tsxfer ") else _reworded(p, names) for p in parts)


def _reworded(text: str, names: Collection[str]) -> str:
    def said(found: re.Match[str]) -> str:
        name = found[1].replace("-", "_")
        return f"{name}=" if name in names else found[0]

    out, at = [], 0
    for found in FLAG.finditer(text):
        if found.start() < at:
            continue
        out.append(text[at : found.start()] + said(found))
        at = found.end()
        value = VALUE.match(text, at)
        if value and out[-1].endswith("="):
            word = value[1]
            out.append(word if word[0] in "'" or word.isdigit() else f'"{word}"')
            at = value.end()
    return "".join(out) + text[at:]
