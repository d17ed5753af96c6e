"""Frozen specs from nested plain data; unknown or missing names and wrong types are refused."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

from tsxfer.errors import SpecError, nearest

Spec = TypeVar("Spec")
Held = Mapping[str, dict[str, Any]]


def from_plain(kind: type[Spec], data: object, where: str = "", held: Held | None = None) -> Spec:
    """Build a spec from nested plain data (the inverse of `tsxfer.keys.plain`).

    Args:
        kind: The spec.
        data: What it is built from.
        where: Its place in messages.
        held: Parts by place and then by their plain form; at the places that it names, data that
            came before in the same form gives the part that was checked and built then.

    Raises:
        SpecError: For an unknown name (near ones are suggested), a missing one or a wrong type.
    """
    built = _build(kind, data, where or kind.__name__.lower(), held or {})
    return typing.cast("Spec", built)


_SCALARS = (str, float, int, bool)
_origin: Callable[[Any], Any] = lru_cache(typing.get_origin)
_arguments: Callable[[Any], tuple[Any, ...]] = lru_cache(typing.get_args)


def _build(kind: Any, data: object, where: str, held: Held) -> object:
    before = held.get(where)
    if before is None:
        return _build_new(kind, data, where, held)
    text = repr(data)  # tells 1, 1.0 and True apart
    if text not in before:
        before[text] = _build_new(kind, data, where, held)
    return before[text]


def _build_new(kind: Any, data: object, where: str, held: Held) -> object:
    if kind in _SCALARS:
        return _build_scalar(kind, data, where)
    if kind is Any:
        return data
    origin, inner = _origin(kind), _arguments(kind)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in inner if option is not type(None)]
        return None if data is None else _build_new(options[0], data, where, held)
    if origin is Literal:
        return _build_literal(inner, data, where)
    if is_dataclass(kind):
        return _build_dataclass(kind, data, where, held)
    if origin in (tuple, list):
        return _build_list(origin, inner[0], data, where, held)
    if origin is dict:
        return _build_dict(inner[1], data, where, held)
    raise TypeError(f"{kind} is no type of a spec")


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _build_literal(options: tuple[Any, ...], data: object, where: str) -> object:
    if data not in options:
        raise SpecError(f"{where} = {data!r} is not known", mend=nearest(str(data), options))
    return data


def _build_list(into: Any, kind: Any, data: object, where: str, held: Held) -> object:
    items = [data] if isinstance(data, (str, int, float)) else data
    if not isinstance(items, (list, tuple)):
        raise _wrong(where, data, "a list")
    kinds = set(map(type, items))
    if kind is float and kinds <= {float} and all(map(math.isfinite, items)):
        return into(items)  # curves: the common case, without a call for each number
    if kind is str and kinds <= {str}:
        return into(items)  # names of tensors
    return into(_build(kind, item, f"{where}[{i}]", held) for i, item in enumerate(items))


def _build_dict(kind: Any, data: object, where: str, held: Held) -> object:
    if not isinstance(data, dict):
        raise _wrong(where, data, "a table")
    return {n: _build(kind, item, f"{where}.{n}", held) for n, item in data.items()}


def _build_dataclass(kind: Any, data: object, where: str, held: Held) -> object:
    if not isinstance(data, dict):
        raise _wrong(where, data, "a table")
    hints = _hints(kind)
    for name in data:
        if name not in hints:
            raise SpecError(f"unknown name {name!r}", where=where, mend=nearest(str(name), hints))
    values = {n: _build(hints[n], item, f"{where}.{n}", held) for n, item in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        missing = [name for name in hints if f"'{name}'" in str(error)]
        raise SpecError(
            f"{', '.join(missing) or error} is missing", where=where, mend="add it"
        ) from None


def _build_scalar(kind: Any, data: object, where: str) -> object:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        if abs(data) >= 1 << 1023:  # no float holds it, and few could read it
            raise _wrong(where, "a number with too many digits", "a finite number")
        return float(data)
    if type(data) is not kind:
        raise _wrong(where, data, kind.__name__)
    if isinstance(data, float) and not math.isfinite(data):
        raise _wrong(where, data, "a finite number")
    return data


def _wrong(where: str, data: object, wanted: str) -> SpecError:
    return SpecError(f"{where} = {data!r} is not {wanted}", mend=f"give {wanted}")
