"""Options beside a name: their text form, ``delta:every=2:strength=0.01``, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from tsxfer.core.declared import KINDS, Option, Value, spelt_value
from tsxfer.errors import SpecError, nearest

STEERING = set(",:+= \t\n")  # what separates words on the command line
BOOLS = {"true": True, "false": False}
WORDS = {"float": "a number", "int": "a whole number", "bool": "true or false", "str": "a word"}


class Options(dict[str, Value]):
    """Values by name that may stand in a frozen spec: it is never changed once it is made."""

    def __hash__(self) -> int:  # type: ignore[override]
        """Of what it holds; equal ones are equal however they were ordered."""
        return hash(frozenset(self.items()))


def bare(text: str) -> str:
    """The name alone: ``delta`` of ``delta:strength=0.01``."""
    return text.partition(":")[0]


def spelt(name: str, options: Mapping[str, Value]) -> str:
    """The text form, names sorted: ``delta:every=2:strength=0.01``."""
    return ":".join([name, *(f"{n}={spelt_value(options[n])}" for n in sorted(options))])


def refuse_impossible(options: Mapping[str, object], where: str) -> None:
    """Refuse values that no option can have, whatever a file declares.

    Raises:
        SpecError: With the option and its value.
    """
    for name, value in options.items():
        if not isinstance(value, bool | int | float | str):
            raise SpecError(
                f"option {name} = {value!r} of {where} is {type(value).__name__}",
                mend="give a number, true, false or a word",
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise SpecError(
                f"option {name} = {value} of {where} is not finite", mend="give a finite number"
            )
        if isinstance(value, str) and (not value.isprintable() or STEERING & set(value)):
            raise SpecError(
                f"option {name} = {value!r} of {where} holds a space or one of , : + =",
                mend="give one word without them",
            )


def read(what: str, text: str, declared: Iterable[Option]) -> dict[str, Value]:
    """Options of a text form, each value as its kind is written.

    Args:
        what: Noun for messages, e.g. ``method``.
        text: ``delta:strength=0.01``.
        declared: What there is.

    Raises:
        SpecError: If a part is no ``NAME=VALUE``, unknown, said twice, or not of its kind.
    """
    name, *parts = text.split(":")
    known = {one.name: one for one in declared}
    found: dict[str, Value] = {}
    for part in parts:
        option, sign, value = part.partition("=")
        if not (option and sign and value):
            raise SpecError(
                f"{part!r} of {text!r} is no option",
                mend=f"write {name}:OPTION=VALUE; {_what_is(what, name, known.values())}"
                if known
                else _what_is(what, name, ()),
            )
        if option in found:
            raise SpecError(f"{text!r} says {option} twice", mend="say it once")
        _refuse_unknown(what, name, option, known)
        found[option] = _of_text(what, name, known[option], value)
    return found


def _of_text(what: str, name: str, option: Option, text: str) -> Value:
    if option.kind == "bool":
        if text.lower() not in BOOLS:
            raise _unlike(what, name, option, text)
        return BOOLS[text.lower()]
    try:
        return KINDS[option.kind](text)  # type: ignore[no-any-return]
    except ValueError:
        raise _unlike(what, name, option, text) from None


def settled(
    what: str, name: str, declared: Iterable[Option], given: Mapping[str, Value]
) -> Options:
    """Options as a key holds them: of their kinds, without those that are at their default.

    Args:
        what: Noun for messages.
        name: Whose they are.
        declared: What there is.
        given: What is asked.

    Raises:
        SpecError: For one that is unknown, or a value that is not of its kind or not finite.
    """
    known = {one.name: one for one in declared}
    for option in given:
        _refuse_unknown(what, name, option, known)
    values = {n: _of_kind(what, name, known[n], value) for n, value in given.items()}
    refuse_impossible(values, f"{what} {name}")
    changed = {n: value for n, value in values.items() if value != known[n].default}
    return Options({n: changed[n] for n in sorted(changed)})


def _of_kind(what: str, name: str, option: Option, value: Value) -> Value:
    kind = KINDS[option.kind]
    if kind is float and type(value) is int:
        value = float(value)
    chosen = not option.choices or value in option.choices
    if type(value) is not kind or not chosen:
        raise _unlike(what, name, option, str(value) if kind is type(value) is str else repr(value))
    return value


def _refuse_unknown(what: str, name: str, option: str, known: Mapping[str, Option]) -> None:
    if option in known:
        return
    near = nearest(option, known)
    near = f"{near} " if near.startswith("did you") else ""
    raise SpecError(
        f"{what} {name} has no option {option!r}",
        mend=near + _what_is(what, name, known.values()),
    )


def _what_is(what: str, name: str, declared: Iterable[Option]) -> str:
    there = ", ".join(one.words for one in declared)
    if there:
        return f"its options: {there}"
    alone = f"write {name} alone: it has none"
    if what == "strategy":  # one of our own
        return alone
    own = "a field of a @dataclass, or as an argument behind *, with a default"
    return f"{alone}; a file declares one as {own}"


def _unlike(what: str, name: str, option: Option, shown: str) -> SpecError:
    listed = ", ".join(map(spelt_value, option.choices))
    of = f"one of {listed}" if listed else WORDS[option.kind]
    return SpecError(
        f"{what} {name}: option {option.name} = {shown} is not {of}",
        mend=f"e.g. {name}:{option.name}={spelt_value(option.default)}, its default",
    )
