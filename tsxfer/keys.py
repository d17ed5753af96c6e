"""Identity and chance: canonical form, content keys, random streams named by their inputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Any

import numpy as np


def plain(value: object) -> Any:
    """Nested dicts, lists and scalars for a spec; fields that hold their default are left out.

    Leaving defaults out (same type and same value) lets a later version add an option without
    changing the key of any trial that does not use it.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        held = ((n, getattr(value, n), default) for n, default in _defaults(type(value)).items())
        return {n: plain(v) for n, v, default in held if not _equal(v, default)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    raise TypeError(f"{type(value).__name__} has no canonical form; a spec holds plain data only")


@lru_cache
def _defaults(kind: type) -> dict[str, Any]:
    """What the fields of a spec hold unless told otherwise; `MISSING` where that must be told."""
    factories = {f.name: f.default_factory for f in fields(kind)}
    made = {n: make() for n, make in factories.items() if make is not MISSING}
    return {f.name: made.get(f.name, f.default) for f in fields(kind)}


def _equal(value: object, default: object) -> bool:
    return type(value) is type(default) and bool(value == default)


def canonical(value: object) -> str:
    """The one text form of a spec: sorted names, no spaces, shortest floats, no NaN."""
    return json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def content_key(value: object) -> str:
    """First 16 hexadecimal digits of the sha256 of the canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def seed(*names: str | int) -> int:
    """A 63-bit seed that depends on exactly these names, in this order."""
    digest = hashlib.sha256(canonical(list(names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(*names: str | int) -> np.random.Generator:
    """An independent random stream; ``stream("split", dataset)`` says what a draw depends on."""
    return np.random.Generator(np.random.PCG64(seed(*names)))
