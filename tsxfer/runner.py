"""The one function that knows the whole flow: a trial goes in, a row comes out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.baselines.answer import answer
from tsxfer.data.task import Task, fingerprints, load_task
from tsxfer.deadline import LateError, deadline
from tsxfer.errors import SpecError, StoreError
from tsxfer.keys import seed, stream
from tsxfer.models.base import Model, build
from tsxfer.sealed import Tested, answers, batch, open_test
from tsxfer.specs import NO_BACKBONE, PROFILES, Recipe, Result, Trial
from tsxfer.store import from_record, to_line
from tsxfer.train import graphs, loop, remote, reuse, weights
from tsxfer.workspace import Workspace, environment, unique


@dataclass(frozen=True, slots=True)
class Job:
    """A trial with where and how to run it; plain data, so that it can cross to another process.

    Attributes:
        trial: What to run.
        workspace: Root folder.
        study: Where predictions are kept.
        device: ``cpu`` or ``cuda``.
        keep_weights: Other trials start from this one.
        threads: CPU threads for torch.
        limit: Seconds that it may take before it counts as hung; 0 is no limit.
        weights: URL of a store that shares pretrained weights between workspaces; empty: none.
    """

    trial: Trial
    workspace: str
    study: str
    device: str
    keep_weights: bool
    threads: int
    limit: float = 0
    weights: str = ""


def run(job: Job) -> Result:
    """Run one trial: a pack of one."""
    return run_pack([job])[0]


def run_pack(pack: Sequence[Job]) -> list[Result]:
    """Run trials that share data set, model, size and recipe; their rows, in order.

    A failure of training becomes a failed row, a fault of input an error.

    Raises:
        TsxferError: If data, names or ancestors are not there or not right.
    """
    torch.set_num_threads(pack[0].threads)
    set_precision(pack[0].trial.recipe.precision, pack[0].device)
    rows = {job.trial.key: _kept(job) or _orphan(job) for job in pack}
    todo = [job for job in pack if rows[job.trial.key] is None]
    with no_subnormals():
        without = pack[0].trial.model == NO_BACKBONE
        made = iter([_baseline(job) for job in todo] if without else _train(todo))
    return [row or next(made) for row in rows.values()]


@contextmanager
def no_subnormals() -> Iterator[None]:
    """Numbers below 1e-38 are zero while training.

    Adam's moments of dead units decay into them, and a CPU takes many times as long on each:
    transfers at a small rate trained four times slower than their scratch twins.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _train(pack: Sequence[Job]) -> list[Result]:
    """Train a pack; one too wide for the device in halves, which changes no number."""
    if not pack:
        return []
    began = time.perf_counter()
    way = graphs.Graphs() if pack[0].device == "cuda" else loop.turns
    try:
        with deadline(pack[0].limit * len(pack)):
            begun = [_begin(job) for job in pack]
            replicas = [replica for b in begun for replica in b.replicas]
            fits = iter(loop.fit(replicas, _rules(pack[0].trial), way))
    except LateError:
        return [_too_late(job) for job in pack]
    except torch.OutOfMemoryError as error:
        if len(pack) == 1:
            return [_out_of_memory(pack[0], error)]
        half = len(pack) // 2
        return _train(pack[:half]) + _train(pack[half:])
    cost: dict[str, float | int | str] = {
        "seconds": round((time.perf_counter() - began) / len(pack), 3),
        "device": pack[0].device,
        "pack": len(pack),
        "way": "graphs" if isinstance(way, graphs.Graphs) and not way.refused else "turns",
    }
    return [_end(b, [next(fits) for _ in b.replicas], cost) for b in begun]


def _baseline(job: Job) -> Result:
    """A baseline without a backbone: no steps, on the CPU, under the same seal."""
    began, trial, workspace = time.perf_counter(), job.trial, Workspace(Path(job.workspace))
    try:
        with deadline(job.limit):
            task = load_task(workspace, trial)
            found = answer(task, trial, workspace, job.threads)
    except LateError:
        return _too_late(job)
    result = _blank(trial, task, {}, fingerprints(workspace, trial))
    _save_predictions(workspace.results(job.study) / "predictions", trial, found.tested)
    return replace(
        result,
        scores=found.tested.scores,
        chance=found.tested.chance,
        alignment=found.tested.alignment,
        loss="squared error" if found.chosen else "none",
        ledger={"steps": 0, "batch": trial.recipe.batch, "tries": found.tries},
        chosen=found.chosen,
        labels=(*result.labels, *found.labels),
        cost={
            "seconds": round(time.perf_counter() - began, 3),
            "device": "cpu",
            "samples": len(task.subset.train),
        },
    )


def _too_late(job: Job) -> Result:
    minutes = job.limit / 60
    result = _blank(job.trial, load_task(Workspace(Path(job.workspace)), job.trial), {}, {})
    return replace(result, status="failed", error=f"took longer than --limit {minutes:g} minutes")


def _out_of_memory(job: Job, error: torch.OutOfMemoryError) -> Result:
    message = f"out of memory on {job.device} with batches of {job.trial.recipe.batch}: {error}"
    result = _blank(job.trial, load_task(Workspace(Path(job.workspace)), job.trial), {}, {})
    return replace(result, status="failed", error=message.splitlines()[0])


def set_precision(precision: str, device: str) -> None:
    """Say what a float32 product is: PyTorch's own default is TF32 in convolutions on a GPU.

    Raises:
        SpecError: For TF32 without CUDA.
    """
    if precision == "tf32" and device != "cuda":
        raise SpecError(
            f"precision = 'tf32' does not exist on {device}",
            mend='use --device cuda, or precision = "float32"',
        )
    kind = "tf32" if precision == "tf32" else "ieee"
    cudnn: Any = torch.backends.cudnn  # its parts are not typed
    matmul: Any = torch.backends.cuda.matmul
    for backend in (matmul, cudnn.conv, cudnn.rnn):
        backend.fp32_precision = kind


@dataclass(frozen=True, slots=True)
class _Begun:
    """A job on its way: one replica for each try."""

    job: Job
    task: Task
    audit: dict[str, list[str]]
    source: dict[str, torch.Tensor]
    replicas: list[loop.Replica]


def _begin(job: Job) -> _Begun:
    trial, workspace = job.trial, Workspace(Path(job.workspace))
    if trial.reuse:
        _pull(job, trial.reuse.source)
    task = load_task(workspace, trial)
    train = batch(task.train, task.train_y, job.device)
    validation = batch(task.validation, task.validation_y, job.device)
    multipliers = trial.recipe.tune or (trial.reuse.rate_multiplier if trial.reuse else 1.0,)
    replicas: list[loop.Replica] = []
    audit: dict[str, list[str]] = {}
    source: dict[str, torch.Tensor] = {}
    for multiplier in multipliers:
        model, audit, source = _start(workspace, trial, task)
        model.to(job.device)
        replicas.append(
            loop.Replica(
                model, train, validation, _score(task, trial, model),
                order=stream("order", trial.dataset, trial.repeat),
                dropout=seed("dropout", trial.dataset, trial.model, trial.repeat),
                slow=reuse.transferred(model),
                multiplier=multiplier,
            )
        )  # fmt: skip
    return _Begun(job, task, audit, source, replicas)


def _rules(trial: Trial) -> loop.Rules:
    profile = PROFILES[trial.profile]
    return loop.Rules(trial.recipe, profile.drop_last, profile.as_in_study)


def _score(task: Task, trial: Trial, model: Model) -> loop.Score:
    """The primary metric, and what the profile chooses checkpoints on."""
    metric = metrics.get(task.prepared.card.metric)
    sign = 1 if metric.higher_is_better else -1
    y = torch.from_numpy(np.ascontiguousarray(task.validation_y))

    def on_metric(output: NDArray[np.float32]) -> tuple[float, float]:
        value = metric.score(task.truth, answers(task, output, task.validation))
        return sign * value, value

    def as_in_study(output: NDArray[np.float32]) -> tuple[float, float]:
        value = metric.score(task.truth, answers(task, output, task.validation))
        if task.prepared.classes and trial.recipe.loss == "task":
            return metrics.accuracy(task.truth, output.argmax(axis=1)), value
        loss = loop.task_loss(torch.from_numpy(output), y, trial.recipe.loss)
        penalty = float(model.penalty().detach()) if model.backbone.kernel_l2 else 0.0
        return -float(loss) - penalty, value

    return as_in_study if PROFILES[trial.profile].monitor == "study" else on_metric


def _end(begun: _Begun, fits: list[loop.Fit], cost: dict[str, float | int | str]) -> Result:
    """Keep the best try, break the seal, write weights or predictions."""
    job, task, trial = begun.job, begun.task, begun.job.trial
    workspace = Workspace(Path(job.workspace))
    result = _blank(trial, task, begun.audit, fingerprints(workspace, trial))
    whole = [i for i, fit in enumerate(fits) if not fit.diverged]
    if not whole:
        return replace(
            result, status="failed", error="the validation score is not finite: diverged"
        )
    best = max(whole, key=lambda i: fits[i].monitor[fits[i].best])
    fit, replica = fits[best], begun.replicas[best]
    if trial.reuse and trial.reuse.frozen:
        reuse.check_frozen(replica.model, begun.audit["copied"], begun.source)
    tested = open_test(replica.model, task, job.device, always_drop=_rules(trial).always_drop)
    result = replace(
        result,
        scores=tested.scores,
        chance=tested.chance,
        alignment=tested.alignment,
        chosen={"rate_multiplier": replica.multiplier} if trial.recipe.tune else {},
        curve={"samples": fit.samples, "score": [round(value, 6) for value in fit.metric]},
        cost={
            **cost,
            "steps": sum(f.steps for f in fits),
            "samples": int(fit.samples[-1]),
            "best_samples": int(fit.samples[fit.best]),
        },
    )
    if job.keep_weights:
        state = replica.model.state_dict()
        floats = {n: t for n, t in state.items() if t.is_floating_point()}
        weights.save(workspace.weights(trial.key), floats, to_line(result))
        if job.weights:
            name = remote.name_of(workspace, trial)
            remote.push(job.weights, name, workspace.weights(trial.key))
    else:
        _save_predictions(workspace.results(job.study) / "predictions", trial, tested)
    return result


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
    if job.weights:
        workspace = Workspace(Path(job.workspace))
        name = remote.name_of(workspace, trial)
        remote.pull(job.weights, name, workspace.weights(trial.key))


def _orphan(job: Job) -> Result | None:
    """A failed row where the source has no weights: its own training has failed before."""
    workspace, trial = Workspace(Path(job.workspace)), job.trial
    if trial.reuse is None:
        return None
    source = trial.reuse.source
    _pull(job, source)
    if workspace.weights(source.key).exists():
        return None
    result = _blank(trial, load_task(workspace, trial), {}, {})
    return replace(
        result,
        status="failed",
        error=f"its source {source.dataset}, repeat {source.repeat} ({source.key}) has no weights: "
        "that training failed; run the study again to try both",
    )


def _start(
    workspace: Workspace, trial: Trial, task: Task
) -> tuple[Model, dict[str, list[str]], dict[str, torch.Tensor]]:
    """A model with the weights that it starts from; the head's depend on data and repeat only."""
    model = build(
        trial.model,
        channels=task.train.x.shape[1],
        length=task.train.x.shape[2],
        extra=task.train.extra.shape[1],
        outputs=task.outputs,
        seed=seed("weights", trial.dataset, trial.model, trial.repeat),
        as_in_study=PROFILES[trial.profile].as_in_study,
    )
    if trial.reuse is None:
        return model, {"copied": [], "renewed": [n for n, _ in model.named_parameters()]}, {}
    origin = trial.reuse.source.key
    kept = weights.load(workspace.weights(origin))
    source = reuse.started(model, kept, trial.reuse.start, origin, trial.repeat)
    return model, reuse.take_over(model, source, trial.reuse.frozen), source


def _blank(trial: Trial, task: Task, audit: dict[str, list[str]], data: dict[str, str]) -> Result:
    card, profile = task.prepared.card, PROFILES[trial.profile]
    return Result(
        trial,
        "done",
        card.metric,
        margin=card.margin,
        sizes={
            "train": len(task.subset.train),
            "validation": len(task.subset.validation),
            "test": len(task.test),
        },
        data=data,
        split=task.proof,
        subset=task.subset.digest,
        audit=audit,
        loss="cross-entropy"
        if task.prepared.classes and trial.recipe.loss == "task"
        else "squared error",
        ledger=ledger(trial.recipe, len(task.subset.train), profile.drop_last),
        labels=(*_labels(trial), *card.warnings),
        environment=_environment(),
    )


def _environment() -> dict[str, str]:
    """What can change the last bits of a number: versions, instruction set, threads, GPU."""
    cuda: Any = torch.cuda  # not typed
    found = environment() | {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }
    return found | ({"gpu": cuda.get_device_name()} if cuda.is_initialized() else {})


def _labels(trial: Trial) -> tuple[str, ...]:
    """What a reader must know of a row: made data, and the faults that its protocol carries."""
    names = [trial.dataset, trial.reuse.source.dataset if trial.reuse else ""]
    made = ["simulated"] if any("+sim@" in name for name in names) else []
    squared = trial.recipe.loss == "squared" or (trial.reuse and trial.reuse.twin_loss == "squared")
    unequal = ["squared-error scratch"] if squared else []
    shuffled = ["shuffled labels"] if trial.recipe.labels == "shuffled" else []
    return (*made, *PROFILES[trial.profile].warnings, *unequal, *shuffled)


def ledger(recipe: Recipe, count: int, drop_last: bool) -> dict[str, int]:
    """What a trial is allowed: steps a try, batch, and tries."""
    steps = recipe.epochs * loop.steps_per_epoch(count, recipe.batch, drop_last)
    return {"steps": steps, "batch": recipe.batch, "tries": len(recipe.tune) or 1}


def _save_predictions(folder: Path, trial: Trial, tested: Tested) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{trial.key}.{unique()}.partial"
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
            )
            file.flush()
            os.fsync(file.fileno())  # the row that follows says that they are there
        partial.replace(folder / f"{trial.key}.npz")
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
