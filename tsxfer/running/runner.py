"""The one function that knows the whole flow: a trial goes in, a row comes out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tsxfer.baselines.answer import answer
from tsxfer.core import guard
from tsxfer.core.doors import DOORS, OBJECTIVES, facts
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.results import Result
from tsxfer.core.shortage import is_shortage
from tsxfer.core.specs import NO_BACKBONE, PROFILES, Recipe, Trial
from tsxfer.data import overlap
from tsxfer.data.labels import expected
from tsxfer.data.sealed import Tested
from tsxfer.data.task import Task, load_task, prepared
from tsxfer.errors import PluginError, SpecError, StoreError
from tsxfer.models.base import Model
from tsxfer.running import ending, memory, remote, steppers, unfinished
from tsxfer.running.deadline import LateError, deadline
from tsxfer.running.ending import open_test
from tsxfer.running.fingerprints import fingerprints, through_doors
from tsxfer.running.setup import Begun, Uploaded, begin, data_of
from tsxfer.running.successor import Successor
from tsxfer.store import given
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.rows import from_record, to_line
from tsxfer.store.workspace import Workspace, environment, unique
from tsxfer.train import (
    loop,
    low_rank,
    midway,
    precision,
    probe,
    recording,
    reuse,
    watched,
    weights,
)


@dataclass(frozen=True, slots=True)
class Job:
    """A trial with where and how to run it; plain data, so that it can cross to another process.

    Attributes:
        trial: What to run.
        workspace: Root folder.
        study: Where predictions are kept.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        keep_weights: Other trials start from this one.
        threads: CPU threads for torch.
        limit: Seconds that it may take before it counts as hung; 0 is no limit.
        weights: URL of a store that shares pretrained weights between workspaces; empty: none.
        steps: How steps are taken, see `tsxfer.running.steppers`.
        checkpoint: Minutes between states that a training that is cut off goes on from; 0: none.
    """

    trial: Trial
    workspace: str
    study: str
    device: str
    keep_weights: bool
    threads: int
    limit: float = 0
    weights: str = ""
    steps: str = "auto"
    checkpoint: float = 0


def run(job: Job) -> Result:
    """Run one trial: a pack of one."""
    return run_pack([job])[0]


def run_pack(pack: Sequence[Job], refused: str = "") -> list[Result]:
    """Run trials that share data set, model, size and recipe; their rows, in order.

    A failure of training becomes a failed row, a fault of input an error.

    Args:
        pack: Trials with where to run them.
        refused: Why their steps are not to be recorded; empty: they are, on a GPU.

    Raises:
        TsxferError: If data, names or ancestors are not there or not right.
    """
    torch.set_num_threads(pack[0].threads)
    guard.seal(Path(pack[0].workspace))
    kind = pack[0].trial.recipe.precision
    precision.refuse(kind, pack[0].device)
    rows = {job.trial.key: _kept(job) or _orphan(job) for job in pack}
    todo = [job for job in pack if rows[job.trial.key] is None]
    with no_subnormals(), precision.products(kind):
        without = pack[0].trial.model == NO_BACKBONE
        made = iter([_baseline(job) for job in todo] if without else _train(todo, refused))
    return [row or next(made) for row in rows.values()]


@contextmanager
def no_subnormals() -> Iterator[None]:
    """Numbers below 1e-38 are zero while training.

    Adam's moments of dead units decay into them, and a CPU takes many times as long on each:
    transfers at a small rate trained four times slower than their scratch twins.
    """
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # numpy 2.0 measures it when first asked, and warns of what we do next
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


SUCCESSOR = Successor(recording.spoiled)
_REFUSED: dict[str, str] = {}  # models whose steps could not be recorded here, and why


@dataclass(frozen=True, slots=True)
class _Again:
    """A pack is to be trained again, from its beginning, in another way; no number changes.

    Attributes:
        narrower: In halves: it did not fit the device.
        refused: Why its steps are not to be recorded; empty: they may be.
    """

    narrower: bool = False
    refused: str = ""


def _train(pack: Sequence[Job], refused: str = "") -> list[Result]:
    """Train a pack; one too wide for the device in halves, one that no graph holds in turns.

    What the failed try held is free before the next one begins. Where a recording failed, this
    process can make no other, so a fresh one goes on.
    """
    if not pack:
        return []
    refused = refused or _REFUSED.get(pack[0].trial.model, "")
    if recording.spoiled():
        return SUCCESSOR.call(run_pack, pack, refused)
    found = _attempt(pack, refused)
    if not isinstance(found, _Again):
        return found
    memory.release(pack[0].device)
    if found.refused:
        _REFUSED[pack[0].trial.model] = found.refused
    half = len(pack) // 2 if found.narrower else 0
    parts = [part for part in (pack[:half], pack[half:]) if part]
    return [row for part in parts for row in _train(part, refused)]


def _attempt(pack: Sequence[Job], refused: str) -> list[Result] | _Again:
    began = time.perf_counter()
    refused = refused or watched.unrecordable(pack[0].trial.reuse)
    stepper = steppers.stepper_of(pack[0].steps, pack[0].device, refused)
    try:
        with deadline(pack[0].limit * len(pack)):
            uploaded: Uploaded = {}
            begun = [_begin(job, uploaded) for job in pack]
            replicas = [replica for b in begun for replica in b.replicas]
            keeper = _keeper(pack, stepper)
            fits = iter(_fit(replicas, pack[0].trial, stepper, keeper))
    except LateError:
        return [_too_late(job) for job in pack]
    except recording.SpoiledError as error:
        return _Again(refused=str(error))
    except Exception as error:
        if isinstance(error, RuntimeError) and is_shortage(error):
            return _Again(narrower=True) if len(pack) > 1 else [_out_of_memory(pack[0], error)]
        fault = _fault(pack, error)
        if fault is None:
            raise
        return _Again(narrower=True) if len(pack) > 1 else [_broken(pack[0], fault)]
    spent, said = (keeper.spent, keeper.said) if keeper else (0.0, "")
    cost: dict[str, float | int | str] = {
        "seconds": round((spent + time.perf_counter() - began) / len(pack), 3),
        "device": pack[0].device,
        "pack": len(pack),
        "way": _execution(pack[0].trial, stepper),
    }
    cost |= steppers.refusals(stepper) | steppers.recordings(stepper)
    cost |= {"state": said} if said else {}
    fitted = [[next(fits) for _ in b.replicas] for b in begun]
    shown = ending.Shown(pack[0].device)
    rows = {
        place: _ended(pack[place], begun[place], fitted[place], cost, shown)
        for place in _by_data(pack)
    }
    return [rows[place] for place in range(len(pack))]


def _fault(pack: Sequence[Job], error: Exception) -> PluginError | None:
    """The error as that of user code, where it is one; a network's code runs without a guard."""
    if isinstance(error, PluginError):
        return error
    asked = {(DOORS[noun], name) for job in pack for noun, name in through_doors(job.trial)}
    asked |= {(MODELS, job.trial.model) for job in pack}
    code = [(f"{d.noun} {name}", d.place(name)) for d, name in asked if d.plugin_digest(name)]
    return guard.accused(error, sorted(code))


def _by_data(pack: Sequence[Job]) -> list[int]:
    """Places of a pack, those with the same data beside each other: they share test windows."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, job in enumerate(pack):
        groups.setdefault(data_of(job.trial), []).append(place)
    return [place for group in groups.values() for place in group]


def _ended(
    job: Job,
    begun: Begun,
    fits: list[loop.Fit],
    cost: dict[str, float | int | str],
    shown: ending.Shown,
) -> Result:
    """The row; a failed one where code of the user's own fails at the end."""
    try:
        return _end(job, begun, fits, cost, shown)
    except Exception as error:
        fault = _fault([job], error)
        if fault is None:
            raise
        return _broken(job, fault)


def _begin(job: Job, uploaded: Uploaded) -> Begun:
    for origin in job.trial.origins:
        _pull(job, origin)
    return begin(job.trial, Workspace(Path(job.workspace)), job.device, uploaded)


def _keeper(pack: Sequence[Job], stepper: loop.Stepper) -> midway.Midway | None:
    """What keeps the state of a pack midway; None where nothing is to be kept."""
    first = pack[0]
    if first.checkpoint <= 0 or first.trial.closed_form:
        return None
    here = Workspace(Path(first.workspace))
    # The kernel's version, which nodes of a cluster differ in, changes no number.
    setting = {n: v for n, v in _environment().items() if n != "platform"}
    setting["device"] = first.device
    trials = [job.trial for job in pack]
    return unfinished.keeper(trials, here, stepper, first.checkpoint, setting)


def _fit(
    replicas: list[loop.Replica],
    trial: Trial,
    stepper: loop.Stepper,
    keeper: midway.Midway | None,
) -> list[loop.Fit]:
    if trial.closed_form:
        return probe.fit(replicas)
    more = (keeper,) if keeper is not None else ()
    return loop.fit(replicas, rules(trial), stepper, *more)


def _execution(trial: Trial, stepper: loop.Stepper) -> str:
    if trial.closed_form:
        return "closed form"
    return steppers.named(stepper)


def _baseline(job: Job) -> Result:
    """A baseline without a backbone: no steps, on the CPU, under the same seal."""
    began, trial, workspace = time.perf_counter(), job.trial, Workspace(Path(job.workspace))
    try:
        with deadline(job.limit):
            task = load_task(workspace, trial)
            found = answer(task, trial, workspace, job.threads)
    except LateError:
        return _too_late(job)
    except PluginError as error:
        return _broken(job, error)
    blank = _blank(workspace, trial, task, {}, fingerprints(workspace, trial))
    result = replace(
        blank,
        scores=found.tested.scores,
        chance=found.tested.chance,
        alignment=found.tested.alignment,
        loss="squared error" if found.chosen else "none",
        ledger={"steps": 0, "batch": trial.recipe.batch, "tries": found.tries},
        chosen=found.chosen,
        labels=(*blank.labels, *found.labels),
        cost={
            "seconds": round(time.perf_counter() - began, 3),
            "device": "cpu",
            "samples": len(task.subset.train),
        },
    )
    _save_predictions(workspace.results(job.study) / PREDICTIONS, result, found.tested)
    return result


def _too_late(job: Job) -> Result:
    minutes = job.limit / 60
    result = _nothing(job)
    return replace(result, status="failed", error=f"took longer than --limit {minutes:g} minutes")


def _broken(job: Job, error: PluginError) -> Result:
    """The failed row of code of the user's own; others go on."""
    message = f"{error.problem} ({error.where})" if error.where else error.problem
    try:
        blank = _nothing(job)
    except PluginError:  # the very split fails: nothing is known of the instances
        card = prepared(Workspace(Path(job.workspace)), job.trial.dataset).card
        metric = ending.metric(job.trial, job.trial.metric or card.metric)
        blank = Result(job.trial, "failed", metric, environment=_environment())
    return replace(blank, status="failed", error=message)


def _out_of_memory(job: Job, error: RuntimeError) -> Result:
    message = f"out of memory on {job.device} with batches of {job.trial.recipe.batch}: {error}"
    result = _nothing(job)
    return replace(result, status="failed", error=message.splitlines()[0])


def rules(trial: Trial) -> loop.Rules:
    """How a trial is trained."""
    profile = PROFILES[trial.profile]
    return loop.Rules(trial.recipe, profile.drop_last, profile.as_in_study)


def _end(
    job: Job,
    begun: Begun,
    fits: list[loop.Fit],
    cost: dict[str, float | int | str],
    shown: ending.Shown,
) -> Result:
    """Keep the best try, break the seal, write weights or predictions."""
    task, trial = begun.task, begun.trial
    workspace = Workspace(Path(job.workspace))
    result = _blank(workspace, trial, task, begun.start.audit, fingerprints(workspace, trial))
    whole = [i for i, fit in enumerate(fits) if not fit.diverged]
    if not whole:
        return replace(
            result, status="failed", error="the validation score is not finite: diverged"
        )
    best = max(whole, key=lambda i: fits[i].monitor[fits[i].best])
    fit, model = fits[best], begun.replicas[best].model
    reuse.check_frozen(model, begun.start)
    low_rank.merge(model)
    tested = _tested(job, task, model, shown)
    result = replace(
        result,
        scores=tested.scores,
        chance=tested.chance,
        alignment=tested.alignment,
        chosen={"rate_multiplier": begun.multipliers[best]} if trial.recipe.tune else {},
        begin=begun.seen,
        learned=fit.learned,
        curve={"samples": fit.samples, "score": [round(value, 6) for value in fit.metric]},
        cost={
            **cost,
            "steps": sum(f.steps for f in fits),
            "samples": int(fit.samples[-1]),
            "best_samples": int(fit.samples[fit.best]),
        },
    )
    if job.keep_weights:
        kept = {n: t for n, t in reuse.tensors(model).items() if not n.startswith("pooled.")}
        weights.save(workspace.weights(trial.key), kept, to_line(result))
        if job.weights:
            name = remote.name_of(workspace, trial)
            remote.push(job.weights, name, workspace.weights(trial.key))
    else:
        _save_predictions(workspace.results(job.study) / PREDICTIONS, result, tested)
    return result


def _tested(job: Job, task: Task, model: Model, shown: ending.Shown) -> Tested:
    trial = job.trial
    if trial.recipe.objective == "labels":
        kind = "float32" if trial.closed_form else trial.recipe.precision
        always_drop = rules(trial).always_drop
        windows = shown.of(trial, task)
        tested = open_test(model, task, windows, precision=kind, always_drop=always_drop)
        ending.refuse_nan(trial, tested.output)
        return tested
    return ending.unseen(job.trial, task, model, job.device)


def _kept(job: Job) -> Result | None:
    """The row of a pretraining whose weights are there, made from the data as it is now."""
    if not job.keep_weights:
        return None
    workspace, trial = Workspace(Path(job.workspace)), job.trial
    _pull(job, trial)
    record = weights.row(workspace.weights(trial.key))
    if record is None:
        return None
    try:
        result = from_record(record)
    except (StoreError, SpecError):
        return None
    fits = result.trial == trial and result.data == fingerprints(workspace, trial)
    return result if fits else None


def _pull(job: Job, trial: Trial) -> None:
    """Fetch a trial's weights from the store that the job names, if they are missing here."""
    if job.weights and not trial.given:
        workspace = Workspace(Path(job.workspace))
        name = remote.name_of(workspace, trial)
        remote.pull(job.weights, name, workspace.weights(trial.key))


def _orphan(job: Job) -> Result | None:
    """A failed row where the source has no weights: its own training has failed before."""
    workspace, trial = Workspace(Path(job.workspace)), job.trial
    for origin in trial.origins:
        _pull(job, origin)
    trained = (t for t in trial.origins if not t.given)
    source = next((t for t in trained if not workspace.weights(t.key).exists()), None)
    if source is None:
        return None
    result = _nothing(job)
    return replace(
        result,
        status="failed",
        error=f"its source {source.dataset}, repeat {source.repeat} ({source.key}) has no weights: "
        "that training failed; run the study again to try both",
    )


def _nothing(job: Job) -> Result:
    """The row of a trial that gave nothing."""
    workspace = Workspace(Path(job.workspace))
    return _blank(workspace, job.trial, load_task(workspace, job.trial), {}, {})


def _blank(
    workspace: Workspace,
    trial: Trial,
    task: Task,
    audit: dict[str, list[str]],
    data: dict[str, str],
) -> Result:
    card, profile = task.prepared.card, PROFILES[trial.profile]
    shared = overlap.of_trial(workspace, trial)
    return Result(
        trial,
        "done",
        ending.metric(trial, card.metric),
        margin=card.margin,
        sizes={
            "train": len(task.subset.train),
            "validation": len(task.subset.validation),
            "test": len(task.test),
        },
        data=data,
        split=task.proof,
        subset=task.subset.digest,
        overlap=shared,
        audit=audit,
        loss=_loss(trial, task),
        ledger=ledger(trial.recipe, len(task.subset.train), profile.drop_last),
        labels=expected(trial, card.warnings, shared, given.warnings(workspace, trial)),
        environment=_environment(),
    )


def _loss(trial: Trial, task: Task) -> str:
    if trial.recipe.objective != "labels":
        return str(facts(OBJECTIVES, trial.recipe.objective)["loss"])
    if trial.zero_shot:
        return "none"
    classes = task.prepared.classes and trial.recipe.loss == "task" and not trial.closed_form
    return "cross-entropy" if classes else "squared error"


def _environment() -> dict[str, str]:
    """What can change the last bits of a number: versions, instruction set, threads, GPU."""
    cuda: Any = torch.cuda  # not typed
    found = environment() | {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }
    return found | ({"gpu": cuda.get_device_name()} if cuda.is_initialized() else {})


def ledger(recipe: Recipe, count: int, drop_last: bool) -> dict[str, int]:
    """What a trial is allowed: steps a try, batch, and tries."""
    steps = recipe.epochs * loop.steps_per_epoch(count, recipe.batch, drop_last)
    return {"steps": steps, "batch": recipe.batch, "tries": len(recipe.tune) or 1}


def _save_predictions(folder: Path, row: Result, tested: Tested) -> None:
    """Predictions, with the hash of the row that they belong to."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{row.key}.{unique()}.partial"
    try:
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                output=tested.output,
                predicted=tested.predicted,
                truth=tested.truth,
                group=tested.group,
                rows=tested.rows,
                alignment=np.array(tested.alignment),
                row=np.array(from_record(json.loads(to_line(row))).digest),
            )
            file.flush()
            os.fsync(file.fileno())  # the row that follows says that they are there
        partial.replace(folder / f"{row.key}.npz")
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
