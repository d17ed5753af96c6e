"""What the command line may say of an engine; nothing here changes a number."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from tsxfer.core.building import from_plain
from tsxfer.errors import SpecError

Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class RayOptions:
    """What a pack asks of a Ray cluster.

    Attributes:
        address: ``host:port`` of the head, ``auto`` for the one on this machine; empty reads
            ``RAY_ADDRESS`` and then takes ``auto``.
        threads: CPUs a pack.
        gpus: GPUs a pack, with ``--device cuda``; 0.5 puts two packs on a GPU.
        retries: How often Ray repeats a pack whose node or process died.
    """

    address: str = ""
    threads: int = 1
    gpus: float = 1.0
    retries: int = 5

    def __post_init__(self) -> None:
        _above_zero(self, "threads", "gpus")


@dataclass(frozen=True, slots=True)
class SlurmOptions:
    """What an array task asks of Slurm; empty means the site's default.

    Attributes:
        partition: See ``sbatch``.
        account: See ``sbatch``.
        qos: See ``sbatch``.
        constraint: See ``sbatch``.
        minutes: Time limit of an array task; one that reaches it goes on in a next turn.
        memory_gb: Memory of an array task, in GB.
        threads: CPUs a task.
        gpus: GPUs a task, with ``--device cuda``.
        tasks: Most array tasks at a time.
        bundle: Most packs that a task trains one after another.
        turns: How often a task may reach its time limit.
        cluster: ``local`` runs the tasks as processes here, to try the set-up.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    minutes: int = 60
    memory_gb: float = 8.0
    threads: int = 1
    gpus: int = 1
    tasks: int = 64
    bundle: int = 8
    turns: int = 10
    cluster: Literal["slurm", "local"] = "slurm"

    def __post_init__(self) -> None:
        _above_zero(self, "minutes", "memory_gb", "threads", "gpus", "tasks", "bundle")


def read(kind: type[Options], given: Sequence[str]) -> Options:
    """Options of an engine from ``NAME=VALUE`` texts.

    Raises:
        SpecError: For an unknown name, or a value of the wrong kind.
    """
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise SpecError(f"--engine-option {text!r} has no =", mend="e.g. threads=2")
        pairs[name] = _number(typing.get_type_hints(kind).get(name), value)
    return from_plain(kind, pairs, "--engine-option")


def _number(kind: object, text: str) -> object:
    try:
        return kind(text) if kind in (int, float) and isinstance(kind, type) else text
    except ValueError:
        return text  # from_plain says what is wrong with it


def _above_zero(options: object, *names: str) -> None:
    for name in names:
        if not getattr(options, name) > 0:
            raise SpecError(
                f"--engine-option {name}={getattr(options, name)} is not above 0",
                mend=f"set {name} > 0",
            )
