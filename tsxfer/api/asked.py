"""What is asked of a study, in the words of the flags; arguments in Python have the same names."""

from __future__ import annotations

from dataclasses import dataclass, field

from tsxfer.own.description import Description


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
    pretrain: list[str] = field(default_factory=list)
    combine: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    overlap: str | None = None
    looks: list[int] = field(default_factory=list)
    source_size: str = ""
