"""What is still to do: packs in order, ancestors first, shared with workers on other machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsxfer.core.options import spelt
from tsxfer.core.results import Result
from tsxfer.running.fingerprints import fingerprints
from tsxfer.store.leases import Leases
from tsxfer.store.predictions import of_another
from tsxfer.store.rows import Store
from tsxfer.store.unfinished import forget
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:  # the runner imports torch
    from tsxfer.running.runner import Job

Pack = tuple["Job", ...]


def packs(jobs: Sequence[Job], width: int = 1) -> list[Pack]:
    """Jobs that may train together, at most `width` of them; ancestors stay before descendants."""
    shapes: dict[tuple[object, ...], list[Job]] = {}
    for place, job in enumerate(jobs):
        shapes.setdefault(_shape(job) if width > 1 else (place,), []).append(job)
    return [
        tuple(group[at : at + width])
        for group in shapes.values()
        for at in range(0, len(group), width)
    ]


def _shape(job: Job) -> tuple[object, ...]:
    """What jobs of a pack share.

    Strategies may differ, and scratch joins transfers: a replica has a network of its own, and a
    stepper puts those together that have one form.
    """
    trial, reuse = job.trial, job.trial.reuse
    return (
        job.keep_weights,
        trial.dataset,
        trial.pool,
        trial.model,
        trial.size,
        trial.part,
        trial.metric,
        trial.split,
        trial.recipe,
        trial.profile,
        trial.baseline,
        trial.closed_form,
        spelt(reuse.strategy.method, reuse.strategy.options) if reuse else "",
    )


@dataclass(frozen=True, slots=True)
class Shared:
    """What workers of one study share: a folder.

    Attributes:
        workspace: Root of data, weights and leases.
        store: Rows of the study, from all workers.
        leases: Who trains what; named by trial, so that studies share pretrainings too.
    """

    workspace: Workspace
    store: Store
    leases: Leases

    @classmethod
    def of(cls, workspace: Workspace, store: Store) -> Shared:
        """The shared side of a study."""
        return cls(workspace, store, Leases(workspace.root / "leases"))


class Supply:
    """Hands out packs whose ancestors are done and that no other worker holds.

    Attributes:
        waiting: Packs that nobody here has taken.
        open: Keys of trials without a row yet, those being trained here included.
        notice: Called with each row that another worker made.
    """

    def __init__(self, work: Sequence[Pack], shared: Shared | None = None) -> None:
        self.waiting, self._shared = list(work), shared
        self.open = {job.trial.key for pack in work for job in pack}
        self.notice: Callable[[Result], None] = lambda _: None

    @classmethod
    def of(cls, work: Supply | Sequence[Pack]) -> Supply:
        """Packs of one worker alone, or a supply as it is."""
        return work if isinstance(work, Supply) else cls(work)

    def take(self) -> Pack | None:
        """A pack to train now, or None where all that is left waits for others."""
        self.look()
        for pack in filter(self._ready, self.waiting):
            mine = tuple(job for job in pack if self._lease(job))
            if not mine:
                continue
            self._remove(pack, mine)
            self.look()  # a row may have come between looking and leasing
            self._give_back([job for job in mine if job.trial.key not in self.open])
            left = tuple(job for job in mine if job.trial.key in self.open)
            return left or self.take()
        return None

    def finish(self, pack: Pack) -> None:
        """The rows of a pack are stored: its descendants may start, its leases go back."""
        if self._shared:
            forget(self._shared.workspace, [job.trial.key for job in pack])
        self.open -= {job.trial.key for job in pack}
        self._give_back(pack)

    def look(self) -> None:
        """Leave out what other workers have finished."""
        fresh = self._shared.store.fresh() if self._shared else []
        done = {row.key: row for row in fresh if row.key in self.open and self._counts(row)}
        if not done:
            return
        self.open -= done.keys()
        for row in done.values():
            self.notice(row)
        kept = (tuple(j for j in pack if j.trial.key in self.open) for pack in self.waiting)
        self.waiting = [pack for pack in kept if pack]

    def rest(self, seconds: float = 0.5) -> None:
        """Wait a little for other workers."""
        time.sleep(seconds)

    def close(self) -> None:
        """Give all leases back."""
        if self._shared:
            self._shared.leases.close()

    def _ready(self, pack: Pack) -> bool:
        return not self.open & {origin.key for job in pack for origin in job.trial.origins}

    def _counts(self, row: Result) -> bool:
        """Failed here and now, or made from the data as it is now, with its own predictions."""
        assert self._shared is not None  # noqa: S101  (asked of others' rows only)
        if row.status == "failed":
            return True
        made_now = row.data == fingerprints(self._shared.workspace, row.trial)
        return made_now and not of_another(self._shared.store.folder, row)

    def _remove(self, pack: Pack, mine: Pack) -> None:
        at = self.waiting.index(pack)
        rest = tuple(job for job in pack if job not in mine)
        self.waiting[at : at + 1] = [rest] if rest else []

    def _lease(self, job: Job) -> bool:
        return self._shared is None or self._shared.leases.take(job.trial.key)

    def _give_back(self, jobs: Sequence[Job]) -> None:
        if self._shared:
            self._shared.leases.give_back(*(job.trial.key for job in jobs))
