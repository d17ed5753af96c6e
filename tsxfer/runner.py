"""The one function that knows the whole flow: a trial goes in, a row comes out."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.data import scale
from tsxfer.data.task import Task, fingerprints, load_task
from tsxfer.errors import SpecError, StoreError
from tsxfer.keys import seed, stream
from tsxfer.models.base import Model, build
from tsxfer.specs import PROFILES, Recipe, Result, Trial
from tsxfer.store import from_record, to_line
from tsxfer.train import loop, reuse, weights
from tsxfer.workspace import Workspace, environment


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
    """

    trial: Trial
    workspace: str
    study: str
    device: str
    keep_weights: bool
    threads: int


def run(job: Job) -> Result:
    """Run one trial; a failure of training becomes a failed row, a fault of input an error.

    Raises:
        TsxferError: If data, names or ancestors are not there or not right.
    """
    torch.set_num_threads(job.threads)
    workspace, trial = Workspace(Path(job.workspace)), job.trial
    if job.keep_weights and (kept := _kept(workspace, trial)) is not None:
        return kept
    began = time.perf_counter()
    task = load_task(workspace, trial)
    model, audit, source = _start(workspace, trial, task)
    fitted = _train(model, trial, task, audit, job.device)
    result = _blank(trial, task, audit, fingerprints(workspace, trial))
    if fitted.diverged:
        return replace(
            result, status="failed", error="the validation score is not finite: diverged"
        )
    if trial.reuse and trial.reuse.frozen:
        reuse.check_frozen(model, audit["copied"], source)
    scores, chance, output = _test(model, task, job.device)
    result = replace(
        result,
        scores=scores,
        chance=chance,
        curve={"samples": fitted.samples, "score": _natural(task, fitted.scores)},
        cost={
            "seconds": round(time.perf_counter() - began, 3),
            "steps": fitted.steps,
            "samples": int(fitted.samples[-1]),
            "best_samples": int(fitted.samples[fitted.best]),
            "device": job.device,
        },
    )
    if job.keep_weights:
        state = {n: t for n, t in model.state_dict().items() if t.is_floating_point()}
        weights.save(workspace.weights(trial.key), state, to_line(result))
    else:
        _save_predictions(workspace.results(job.study) / "predictions", trial, output)
    return result


def _kept(workspace: Workspace, trial: Trial) -> Result | None:
    """The row of a pretraining whose weights are there, made from the data as it is now."""
    record = weights.row(workspace.weights(trial.key))
    if record is None:
        return None
    try:
        result = from_record(record)
    except (StoreError, SpecError):
        return None
    return result if result.data == fingerprints(workspace, trial) else None


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
    )
    if trial.reuse is None:
        return model, {"copied": [], "renewed": [n for n, _ in model.named_parameters()]}, {}
    source = weights.load(workspace.weights(trial.reuse.source.key))
    audit = reuse.copy_convolutions(model, source)
    audit["frozen"] = audit["copied"] if trial.reuse.frozen else []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in audit["frozen"])
    return model, audit, source


def _train(
    model: Model, trial: Trial, task: Task, audit: dict[str, list[str]], device: str
) -> loop.Fit:
    model.to(device)
    torch.manual_seed(seed("dropout", trial.dataset, trial.model, trial.repeat))
    metric = metrics.get(task.prepared.card.metric)
    sign = 1 if metric.higher_is_better else -1

    def score(output: NDArray[np.float32]) -> float:
        return sign * metric.score(task.truth, _answers(task, output, task.validation))

    return loop.fit(
        model,
        _batch(task.train, task.train_y, device),
        _batch(task.validation, task.validation_y, device),
        score,
        trial.recipe,
        order=stream("order", trial.dataset, trial.repeat),
        slow=audit["copied"],
        multiplier=trial.reuse.rate_multiplier if trial.reuse else 1.0,
        drop_last=PROFILES[trial.profile].drop_last,
    )


def _batch(scaled: scale.Scaled, y: NDArray[Any], device: str) -> loop.Batch:
    tensors = (torch.from_numpy(np.ascontiguousarray(a)) for a in (scaled.x, scaled.extra, y))
    return loop.Batch(*(t.to(device) for t in tensors))


def _answers(task: Task, output: NDArray[np.float32], scaled: scale.Scaled) -> NDArray[Any]:
    if task.prepared.classes:
        return np.asarray(output.argmax(axis=1))
    return task.scaler.unlabel(output[:, 0], scaled)


def _test(
    model: Model, task: Task, device: str
) -> tuple[dict[str, float], dict[str, float], NDArray[np.float32]]:
    """Predict, then break the seal and score; chance is the best answer that does not look."""
    scaled = task.scaler.windows(task.test.windows())
    batch = _batch(scaled, np.zeros(len(task.test), np.float32), device)
    output = loop.predict(model, batch.x, batch.extra)
    truth, answers = task.test.open(_digest(model)), _answers(task, output, scaled)
    card = task.prepared.card
    blind = _blind(task, scaled)
    names = (card.metric, *card.extra_metrics)
    scores = {name: metrics.get(name).score(truth, answers) for name in names}
    chance = {name: _best(name, truth, blind) for name in names}
    return scores, chance, output


def _blind(task: Task, scaled: scale.Scaled) -> list[NDArray[Any]]:
    """Answers that do not look: the commonest class and a draw by class shares, or the median."""
    count = len(scaled.centre)
    if task.prepared.classes:
        constant = np.full(count, np.bincount(task.train_truth).argmax())
        return [constant, stream("guess", task.subset.digest).choice(task.train_truth, count)]
    median = np.full(count, np.median(task.train_y), np.float32)
    return [task.scaler.unlabel(median, scaled)]


def _best(name: str, truth: NDArray[Any], answers: list[NDArray[Any]]) -> float:
    metric = metrics.get(name)
    scores = [metric.score(truth, answer) for answer in answers]
    return max(scores) if metric.higher_is_better else min(scores)


def _natural(task: Task, scores: list[float]) -> list[float]:
    sign = 1 if metrics.get(task.prepared.card.metric).higher_is_better else -1
    return [round(sign * value, 6) for value in scores]


def _blank(trial: Trial, task: Task, audit: dict[str, list[str]], data: dict[str, str]) -> Result:
    card, profile = task.prepared.card, PROFILES[trial.profile]
    labels = ["simulated"] if "+sim@" in trial.dataset else []
    ancestor = trial.reuse.source if trial.reuse else None
    if ancestor is not None and "+sim@" in ancestor.dataset:
        labels = ["simulated"]
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
        ledger=ledger(trial.recipe, len(task.subset.train), PROFILES[trial.profile].drop_last),
        labels=tuple(labels + ([profile.warning] if profile.warning else [])),
        environment=environment(),
    )


def ledger(recipe: Recipe, count: int, drop_last: bool) -> dict[str, int]:
    """What a trial is allowed: steps, batch, and one try at its recipe."""
    steps = recipe.epochs * loop.steps_per_epoch(count, recipe.batch, drop_last)
    return {"steps": steps, "batch": recipe.batch, "tries": 1}


def _digest(model: Model) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _save_predictions(folder: Path, trial: Trial, output: NDArray[np.float32]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{trial.key}.partial.npz"
    np.savez_compressed(partial, output=output.astype(np.float32))
    partial.replace(folder / f"{trial.key}.npz")
