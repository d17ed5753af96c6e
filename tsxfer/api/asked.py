"""What is asked of a study, in the words of the flags; arguments in Python have the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypedDict, cast

from tsxfer.errors import SpecError
from tsxfer.own.description import Description

Names = str | Sequence[str]


class DataWords(TypedDict, total=False):
    """What is said of own data: see `Description`, and docs/layouts.md."""

    label: str
    group: str
    rate: float
    task: Literal["", "classification", "regression"]
    metric: str
    margin: float
    unit: str
    domain: str
    licence: str
    cite: str
    ignore: Names
    x: str
    axes: Literal["", "channel,time", "time,channel"]
    header: Literal["", "yes", "no"]
    nan: str | float
    missing: Literal["refuse", "interpolate", "drop"]
    lengths: Literal["refuse", "pad", "crop"]
    resample: float
    window: str | int
    step: str | int
    pattern: str
    intervals: str
    test: str


class StudyWords(DataWords, total=False):
    """What is said of a study: the fields of `Flags`, as named arguments."""

    model: Names
    size: Names | int | Sequence[int]
    repeats: int
    data: Literal["auto", "real", "simulated"]
    profile: (
        Literal["strict", "paper", "strict,paper", "paper,strict"]
        | Sequence[Literal["strict", "paper"]]
    )
    quick: bool
    tune: bool
    recipe: Literal["usual", "small_batch", "patient"]
    controls: Names
    strategy: Names
    classes: Names | Mapping[str, str]
    pretrain: Names
    combine: Names
    baselines: Names
    overlap: Literal["refuse", "label"]
    looks: Sequence[int]
    source_size: str | int
    trained_on: Names
    head: str
    split: str


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line said; empty or None where it said nothing."""

    source: list[str]
    target: list[str]
    model: list[str]
    size: list[str]
    repeats: int | None
    data: str | None
    profile: str | None
    quick: bool
    tune: bool = False
    described: Description = field(default_factory=Description)
    controls: list[str] = field(default_factory=list)
    strategy: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    pretrain: list[str] = field(default_factory=list)
    combine: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    overlap: str | None = None
    looks: list[int] = field(default_factory=list)
    source_size: str = ""
    trained_on: list[str] = field(default_factory=list)
    recipe: str = ""
    head: str = ""
    split: str = ""


OWN = frozenset(field.name for field in fields(Description))
WORDS = {str: "text", int: "a whole number", bool: "True or False"}
KINDS: dict[str, tuple[type, ...]] = {
    "repeats": (int,),
    "quick": (bool,),
    "tune": (bool,),
    "looks": (int,),
    "size": (str, int),
    "source_size": (str, int),
}


def flags_of(
    words: StudyWords, source: list[str], target: list[str], described: Description
) -> Flags:
    """What named arguments ask of a study, in the form that flags have.

    Raises:
        SpecError: For a value of a kind that an argument cannot be.
    """
    lists = {f.name for f in fields(Flags) if str(f.type).startswith("list")}
    said: dict[str, Any] = {
        "source": source,
        "target": target,
        "model": [],
        "size": [],
        "repeats": None,
        "data": None,
        "profile": None,
        "quick": False,
        "described": described,
    }
    for name, value in words.items():
        if name == "classes" and isinstance(value, Mapping):
            value = [f"{theirs}={ours}" for theirs, ours in value.items()]
        if name == "profile":
            said[name] = _in_order(name, value)
        elif name not in OWN:
            kinds = KINDS.get(name, (str,))
            said[name] = _several(name, value, kinds) if name in lists else _one(name, value, kinds)
    return Flags(**said)


def _in_order(name: str, value: object) -> str | None:
    """Words whose first one leads, with commas as a flag has them; a set has no first one."""
    if isinstance(value, (set, frozenset)):
        raise SpecError(
            f"--{name} {value!r} is a set, which has no order; the first one is that of the tables",
            mend=f"give a list, e.g. {name}={sorted(map(str, value), reverse=True)!r}",
        )
    return ",".join(_several(name, value, (str,))) or None


def listed(name: str, value: Names) -> tuple[str, ...]:
    """Words given as one or as several.

    Raises:
        SpecError: For what is no text.
    """
    return tuple(_several(name, value, (str,)))


def _several(name: str, value: object, kinds: tuple[type, ...]) -> list[Any]:
    if value is None:
        return []
    if getattr(value, "ndim", 0) == 1:  # an array's words and whole numbers
        value = cast("Any", value).tolist()
    listed = list(value) if isinstance(value, (list, tuple, set, range)) else [value]
    return [_one(name, one, kinds) for one in listed]


def _one(name: str, value: object, kinds: tuple[type, ...]) -> Any:
    """A value as `Flags` holds it: whole numbers of numpy too, sizes as text."""
    scalar = hasattr(value, "item") and not getattr(value, "ndim", 0)
    plain = cast("Any", value).item() if scalar else value
    if not isinstance(plain, kinds) or (isinstance(plain, bool) and bool not in kinds):
        names = " or ".join(WORDS[kind] for kind in kinds)
        raise SpecError(
            f"--{name.replace('_', '-')} {value!r} is {type(value).__name__}, not {names}",
            mend=f"give {names}",
        )
    return str(plain) if str in kinds else plain
