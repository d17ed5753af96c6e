"""Options that code which comes through a door declares, read as names are, without running it.

A class declares them as fields of a dataclass with a default, or as keyword-only arguments of
``__init__`` with a default; a function as the latter. Numbers, true or false and words can be said
on the command line; whatever else has a default is no option.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, cast, get_args

Value = bool | int | float | str
KINDS: Mapping[str, type] = {"float": float, "int": int, "bool": bool, "str": str}


@dataclass(frozen=True, slots=True)
class Option:
    """One that a file declares.

    Attributes:
        name: Of the field or argument.
        kind: A name in `KINDS`.
        default: What it is where nothing is said.
        choices: Of a ``Literal``; empty: any value of its kind.
    """

    name: str
    kind: str
    default: Value
    choices: tuple[Value, ...] = ()

    @property
    def words(self) -> str:
        """As messages and `tsxfer show` say it: ``strength = 0.01 (float)``."""
        what = " or ".join(map(spelt_value, self.choices)) or self.kind
        return f"{self.name} = {spelt_value(self.default)} ({what})"


def spelt_value(value: Value) -> str:
    """As it is written on the command line: shortest floats, ``true`` and ``false``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def of_node(node: ast.stmt, beside: Mapping[str, ast.ClassDef]) -> tuple[Option, ...]:
    """What a function or class declares, read from the syntax tree.

    Args:
        node: It.
        beside: Classes at the top of its file, whose fields it may inherit.
    """
    if isinstance(node, ast.FunctionDef):
        return tuple(_keywords(node))
    if not isinstance(node, ast.ClassDef):
        return ()
    found = dict[str, Option]()
    for base in node.bases:
        parent = beside.get(base.id) if isinstance(base, ast.Name) else None
        if parent is not None and parent is not node:
            found |= {one.name: one for one in of_node(parent, beside)}
    is_data = any("dataclass" in ast.unparse(mark) for mark in node.decorator_list)
    own = _fields(node) if is_data else _of_init(node)
    return tuple((found | {one.name: one for one in own}).values())


def _fields(node: ast.ClassDef) -> Iterator[Option]:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value:
            yield from _declared(line.target.id, line.annotation, line.value)


def _of_init(node: ast.ClassDef) -> Iterator[Option]:
    for line in node.body:
        if isinstance(line, ast.FunctionDef) and line.name == "__init__":
            yield from _keywords(line)


def _keywords(node: ast.FunctionDef) -> Iterator[Option]:
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            yield from _declared(argument.arg, argument.annotation, default)


def _declared(name: str, said: ast.expr | None, default: ast.expr) -> Iterator[Option]:
    """The option, where its kind and default are such that the command line can say them."""
    text, choices = ast.unparse(said).strip("'\"") if said else "", ()
    try:
        value = ast.literal_eval(default)
        if "Literal[" in text and isinstance(said, ast.Subscript):
            listed = ast.literal_eval(said.slice)
            choices = listed if isinstance(listed, tuple) else (listed,)
    except ValueError:
        return
    kind = type(value).__name__ if choices or not said else text
    yield from _made(name, kind, value, choices)


def _made(name: str, kind: str, value: Any, choices: tuple[Value, ...]) -> Iterator[Option]:
    held = float(value) if kind == "float" and type(value) is int else value
    if kind in KINDS and type(held) is KINDS[kind]:
        yield Option(name, kind, cast("Value", held), choices)


def of_object(made: object) -> tuple[Option, ...]:
    """What an object of another package declares, which has no file of the user's to be read."""
    if is_dataclass(made):
        held = [(f.name, f.type, f.default) for f in fields(made) if f.init]
    elif callable(made):
        by_name = inspect.Parameter.KEYWORD_ONLY
        every = inspect.signature(made).parameters.values()
        held = [(p.name, p.annotation, p.default) for p in every if p.kind is by_name]
    else:
        return ()
    there = [one for one in held if one[2] not in (MISSING, inspect.Parameter.empty)]
    return tuple(o for name, kind, value in there for o in _made_of(name, kind, value))


def _made_of(name: str, kind: object, value: object) -> Iterator[Option]:
    choices = get_args(kind)
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    if choices or kind is inspect.Parameter.empty:
        text = type(value).__name__
    yield from _made(name, str(text), value, choices)
