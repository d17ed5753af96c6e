"""Packs as array tasks of Slurm, through submitit: Slurm places, preempts and requeues."""

from __future__ import annotations

import getpass
import math
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsxfer.errors import SpecError, StoreError
from tsxfer.running.engines import wire
from tsxfer.running.engines.options import SlurmOptions
from tsxfer.running.supply import Pack

ASK = 15.0  # seconds between questions to the controller, which serves a whole site
GRACE = 30.0  # seconds from leaving the queue to counting as lost: shared folders show files late


@dataclass
class Bundle:
    """Packs that one task trains in turn; submitit requeues it with what is done.

    Attributes:
        packs: Texts of `wire.to_text`.
        done: Their answers so far.
    """

    packs: list[str]
    done: list[str] = field(default_factory=list)

    def __call__(self) -> list[str]:
        """Train what is left."""
        while len(self.done) < len(self.packs):
            self.done.append(wire.work(self.packs[len(self.done)]))
        return self.done

    def checkpoint(self) -> Any:
        """Called by submitit before a preempted or timed out task leaves its node."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class Slurm:
    """Array tasks of this user.

    Attributes:
        options: What a task asks for.
        limit: Most packs in flight; 0 takes all tasks with full bundles.
    """

    def __init__(self, options: SlurmOptions, executor: Any, limit: int) -> None:
        self.options, self.limit, self._executor = options, limit, executor
        self._asked, self._absent = time.monotonic(), dict[str, float]()

    def most(self) -> int:
        """As many as the array takes."""
        return self.limit or self.options.tasks * self.options.bundle

    def start(self, packs: Sequence[Pack], busy: int) -> dict[Any, list[Pack]]:
        """One array.

        Raises:
            SpecError: If Slurm refuses it.
        """
        if not packs:
            return {}
        bundles = self._bundles(packs, max(1, self.options.tasks - busy))
        try:
            with self._executor.batch():
                tasks = [
                    self._executor.submit(Bundle([wire.to_text(pack) for pack in bundle]))
                    for bundle in bundles
                ]
        except RuntimeError as error:  # submitit's, with what sbatch said
            raise SpecError(
                f"Slurm refuses the array: {_last_line(str(error))}",
                where=str(self._executor.folder),
                mend="see --engine-option and experiments/cluster/README.md",
            ) from None
        return dict(zip(tasks, bundles, strict=True))

    def _bundles(self, packs: Sequence[Pack], free: int) -> list[list[Pack]]:
        """Bundled only where there are more packs than tasks; what others wait for goes alone."""
        alone = [[pack] for pack in packs if pack[0].keep_weights]
        rest = [pack for pack in packs if not pack[0].keep_weights]
        size = max(1, min(self.options.bundle, math.ceil(len(rest) / free)))
        return [*alone, *(rest[at : at + size] for at in range(0, len(rest), size))]

    def ended(self, running: Sequence[Any], seconds: float) -> list[Any]:
        """Those with a result, else those that left the queue without one."""
        end = time.monotonic() + seconds
        while not (done := [task for task in running if task.paths.result_pickle.exists()]):
            if time.monotonic() > end:
                return self._lost(running)
            time.sleep(0.2)
        return done

    def answers(self, handle: Any) -> list[str] | None:
        """None where the task left no result.

        Raises:
            StoreError: If the task could not even start our code.
        """
        from submitit.core.utils import FailedJobError

        if not handle.paths.result_pickle.exists():
            return None
        try:
            return list(handle.result())
        except FailedJobError as error:
            raise StoreError(
                f"the task failed: {_trace(str(error))}",
                where=str(handle.paths.stderr),
                mend="read that log; if it ran out of time, raise --engine-option minutes or turns",
            ) from None

    def stop(self, running: Sequence[Any]) -> None:
        """Cancel tasks that nobody will read."""
        for task in running:
            task.cancel(check=False)

    def _lost(self, running: Sequence[Any]) -> list[Any]:
        if self.options.cluster == "local":
            return [task for task in running if task.done()]
        now = time.monotonic()
        if now - self._asked < ASK or (queued := _queued()) is None:
            return []
        self._asked = now
        absent = {task.job_id for task in running} - queued
        self._absent = {name: self._absent.get(name, now) for name in absent}
        return [t for t in running if now - self._absent.get(t.job_id, now) >= GRACE]


def connect(options: SlurmOptions, device: str, limit: int, folder: Path, study: str) -> Slurm:
    """An executor of submitit; its scripts and logs lie in `folder`, which all nodes must see.

    Raises:
        SpecError: If submitit is not installed, or there is no Slurm on this machine.
    """
    try:
        from submitit import AutoExecutor
    except ImportError:
        raise SpecError("submitit is not installed", mend='pip install "tsxfer[slurm]"') from None
    try:
        executor = AutoExecutor(
            folder.resolve(), cluster=options.cluster, slurm_max_num_timeout=options.turns
        )
    except RuntimeError as error:
        raise SpecError(
            f"no Slurm here: {error}", mend="run this on a login node, where srun and sbatch are"
        ) from None
    executor.update_parameters(
        name=f"tsxfer-{study}",
        timeout_min=options.minutes,
        mem_gb=options.memory_gb,
        cpus_per_task=options.threads,
        gpus_per_node=options.gpus if device == "cuda" else None,
        slurm_array_parallelism=options.tasks,
        slurm_partition=options.partition or None,
        slurm_account=options.account or None,
        slurm_qos=options.qos or None,
        slurm_constraint=options.constraint or None,
        # Since Slurm 22.05 a step no longer inherits the CPUs that its job asked for.
        slurm_srun_args=[f"--cpus-per-task={options.threads}"],
        slurm_additional_parameters={"requeue": True},
    )
    return Slurm(options, executor, limit)


def _queued() -> set[str] | None:
    """Tasks that Slurm still knows as waiting or running; None if it does not answer."""
    command = ["squeue", "-h", "-r", "-o", "%i", "-u", getpass.getuser()]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return set(said.stdout.split()) if said.returncode == 0 else None


def _trace(text: str) -> str:
    """How the traceback ends that submitit shows between two rules."""
    return _last_line(text.split("\n-----")[1] if "\n-----" in text else text)


def _last_line(text: str) -> str:
    found = [line for line in text.splitlines() if line.strip()]
    return found[-1].strip() if found else text
