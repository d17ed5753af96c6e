"""How packs are run: on this machine, or on a cluster behind ``--engine``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tsxfer.core.results import Result
from tsxfer.errors import SpecError, nearest
from tsxfer.running.device import device_of, on_gpu, pins, refuse_device
from tsxfer.running.engines import EngineName
from tsxfer.running.engines.options import RayOptions, SlurmOptions, read
from tsxfer.running.supply import Supply
from tsxfer.store.workspace import Workspace

WAYS = ("auto", "turns", "recorded", "stacked")  # of `tsxfer.running.steppers`, without torch
WIDTH = 64  # trials of a pack on CUDA; a CPU is busy with one (bench/README.md), a core each
CHECKPOINT = 10.0  # minutes
Engine = Callable[[Supply], Iterator[Result]]


@dataclass(frozen=True, slots=True)
class How:
    """What the command line said of running; nothing here changes a number.

    Attributes:
        device: See `tsxfer.running.device.DEVICES`.
        workers: Processes here, or most packs in flight on a cluster; 0 chooses.
        limit: Seconds that one training may take before it counts as hung; 0 is no limit.
        engine: Who places the packs.
        options: ``NAME=VALUE`` for the engine.
        weights: URL of a store that shares pretrained weights; empty: none.
        steps: How steps are taken, one of `WAYS`; ``auto`` is the fastest where it runs.
        progress: Show how far it is.
        checkpoint: Minutes between states that a training that is cut off goes on from; 0: none.
    """

    device: str = "auto"
    workers: int = 0
    limit: float = 0.0
    engine: EngineName = EngineName.LOCAL
    options: tuple[str, ...] = ()
    weights: str = ""
    steps: str = "auto"
    progress: bool = True
    checkpoint: float = CHECKPOINT

    def __post_init__(self) -> None:
        refuse_device(self.device)
        if self.workers < 0:
            raise SpecError(
                f"--workers {self.workers} is below 0",
                mend="leave it out to choose by cores and devices, or say 1 or more",
            )
        if self.steps not in WAYS:
            raise SpecError(f"--steps {self.steps!r} is not known", mend=nearest(self.steps, WAYS))
        if self.options and self.engine is EngineName.LOCAL:
            raise SpecError(
                f"--engine-option {self.options[0]} without an engine",
                mend="add --engine ray or --engine slurm",
            )


@dataclass(frozen=True, slots=True)
class Ready:
    """An engine that is ready.

    Attributes:
        run: From a supply to rows, as made.
        device: See `tsxfer.running.device.device_of`.
        threads: Of a pack.
        share: Workers among which what is to do is spread; 0: as wide as packs may be.
        steps: How steps are taken.
    """

    run: Engine
    device: str
    threads: int
    share: int = 0
    steps: str = "auto"

    def width(self, todo: int) -> int:
        """Trials of a pack: on CUDA as many as fit, but so that each worker gets some."""
        if not on_gpu(self.device) and self.steps != "stacked":
            return 1
        return min(WIDTH, max(1, -(-todo // self.share))) if self.share else WIDTH


def ready(how: How, todo: int, workspace: Workspace, study: str) -> Ready:
    """Make the engine ready.

    Raises:
        SpecError: If it is not installed, not there, or was given wrong options.
    """
    if how.engine is EngineName.RAY:
        return _ray(how)
    if how.engine is EngineName.SLURM:
        return _slurm(how, workspace, study)
    return _local(how, todo)


def _local(how: How, todo: int) -> Ready:
    from tsxfer.running.executors import pool, serial

    device = device_of(how.device)
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    kept = pins(device)
    count = how.workers or (len(kept) or 1 if device != "cpu" else min(cores, todo))
    run = serial if count == 1 else partial(pool, workers=count, pins=kept)
    return Ready(run, device, _threads(cores // count), count, how.steps)


def _threads(fair: int) -> int:
    """Threads of a worker: its share of the cores, at most what OMP_NUM_THREADS allows.

    Threads of one step wait for each other, so that on a busy machine two can be ten times slower
    than one; who shares a machine says so with that variable, as for any program.
    """
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    most = int(said) if said.isascii() and said.isdecimal() else fair
    return max(1, min(fair, most or fair))


def _ray(how: How) -> Ready:
    options = read(RayOptions, how.options)
    from tsxfer.running.engines.flight import fly
    from tsxfer.running.engines.ray import connect

    cluster = connect(options, how.device, how.workers)
    return Ready(partial(fly, cluster=cluster), cluster.device, options.threads, steps=how.steps)


def _slurm(how: How, workspace: Workspace, study: str) -> Ready:
    options = read(SlurmOptions, how.options)
    from tsxfer.running.engines.flight import fly
    from tsxfer.running.engines.slurm import connect

    # A login node cannot see what the others have, so that a GPU must be asked for.
    device = "cuda" if on_gpu(how.device) else "cpu"
    folder = workspace.root / "slurm" / study
    cluster = connect(options, device, how.workers, folder, study)
    return Ready(partial(fly, cluster=cluster), device, options.threads, steps=how.steps)
