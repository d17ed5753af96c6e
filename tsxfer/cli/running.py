"""Run a study: expand, leave out what is done, train, append rows, report."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tsxfer.cli.declaring import declare
from tsxfer.cli.progress import Progress
from tsxfer.data import catalogue
from tsxfer.data.task import fingerprints, prepared
from tsxfer.errors import SpecError, nearest
from tsxfer.specs import Result, Trial
from tsxfer.stats.lock import Lock, read_lock
from tsxfer.store import Store
from tsxfer.study import Study, expand, study_toml
from tsxfer.workspace import Workspace

DEVICES = ("auto", "cpu", "cuda")
# Trials of a pack. A CPU is busy with one (bench/README.md), so that each core has its own.
WIDTH = {"cpu": 1, "cuda": 64}


def run_study(study: Study, workspace: Workspace, device: str, workers: int) -> int:
    """Run what is not done yet and print the table; returns the exit code."""
    if device not in DEVICES:
        raise SpecError(f"--device {device!r} is not known", mend=nearest(device, DEVICES))
    trials = expand(study)
    workspace.make()
    store = Store(workspace.results(study.name))
    store.folder.mkdir(parents=True, exist_ok=True)
    _announce(study)
    save_quietly(study, store.folder / "study.toml")
    for name in dict.fromkeys([*study.sources, *study.targets]):
        _prepare_if_needed(name, workspace)
        prepared(workspace, name)
    declared = declare(study, trials, store)
    done = finished(store, trials, workspace)
    todo = [t for t in trials if t.key not in done]
    try:
        rows = _results(study, todo, workspace, device, workers) if todo else iter(())
        failed = _train(study, todo, len(done), store, declared, rows)
    except KeyboardInterrupt:
        kept = len(store.rows())
        sys.stderr.write(
            f"\nstopped; {kept} finished rows are kept. Run the same command to resume.\n"
        )
        return 130
    _print_report(study, workspace, store.rows())
    return 1 if failed else 0


def save_quietly(study: Study, path: Path) -> None:
    """Keep the study beside its rows, so that ``tsxfer report NAME`` finds it."""
    path.write_text(study_toml(study), encoding="utf-8")


def finished(store: Store, trials: list[Trial], workspace: Workspace) -> dict[str, Result]:
    """Rows that need no rerun: done, and made from the data as it lies there now."""
    rows = store.rows()
    if store.damaged:
        sys.stderr.write(
            f"{len(store.damaged)} damaged line(s) are left out and run again: "
            f"{', '.join(store.damaged[:3])}\n"
        )
    found = {}
    for trial in trials:
        row = rows.get(trial.key)
        if row is None or row.status != "done":
            continue
        if row.data == fingerprints(workspace, trial):
            found[trial.key] = row
    return found


def _announce(study: Study) -> None:
    if any("+sim@" in name for name in (*study.sources, *study.targets)):
        sys.stdout.write(
            "SIMULATED DATA: no real data is prepared (or --data simulated was asked for); "
            "numbers below say nothing about the real world.\n"
            "For real data: tsxfer prepare NAME [--from FOLDER], then --data real.\n"
        )
        sys.stdout.flush()


def _prepare_if_needed(name: str, workspace: Workspace) -> None:
    if "+sim@" in name and not (workspace.data(name) / "meta.json").exists():
        card = catalogue.find(name).card
        sys.stderr.write(f"simulating {card.count:,} instances of {name} (once) ...\n")


def _train(
    study: Study, todo: list[Trial], done: int, store: Store, declared: Lock,
    results: Iterator[Result],
) -> int:  # fmt: skip
    if not todo:
        sys.stderr.write(f"all {done} trials are done\n")
        return 0
    failed = 0
    with Progress(study.name, len(todo), done) as progress:
        for result in results:
            store.append(replace(result, analysis=declared.digest))
            failed += result.status == "failed"
            progress.step(result)
    return failed


def _results(
    study: Study, todo: list[Trial], workspace: Workspace, device: str, workers: int
) -> Iterator[Result]:
    """Rows of trials as they finish; ancestors whose weights are missing run first."""
    from tsxfer.executors import packs, pool, serial
    from tsxfer.runner import Job

    chosen = _device(device)
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    count = workers or (1 if chosen == "cuda" else min(cores, len(todo)))
    needed = {t.reuse.source.key: t.reuse.source for t in todo if t.reuse}
    keys = {t.key for t in todo}
    # A finished pretraining whose weights were deleted is run again; `run` reuses intact ones.
    again = [t for k, t in needed.items() if k not in keys and not workspace.weights(k).exists()]
    threads = max(1, cores // count)
    jobs = [
        Job(
            t,
            str(workspace.root),
            study.name,
            chosen,
            t.dataset in study.sources and t.key in _origins(study),
            threads,
        )
        for t in [*again, *todo]
    ]
    work = packs(jobs, WIDTH[chosen])
    return serial(work) if count == 1 else pool(work, count)


def _origins(study: Study) -> set[str]:
    return {t.reuse.source.key for t in expand(study) if t.reuse}


def _device(wanted: str) -> str:
    if importlib.util.find_spec("torch") is None:
        raise SpecError("torch is not installed", mend='pip install "torch>=2.9,<2.14"')
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise SpecError("--device cuda, but torch finds no CUDA device", mend="use --device cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _print_report(study: Study, workspace: Workspace, rows: dict[str, Result]) -> None:
    from tsxfer.report.build import build
    from tsxfer.report.html import render as html
    from tsxfer.report.text import show

    folder = workspace.results(study.name)
    report = build(
        study.name, expand(study), rows, partial=True, declared=read_lock(folder), folder=folder
    )
    show(report)
    page = workspace.root / "reports" / f"{study.name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html(report), encoding="utf-8")
    sys.stderr.write(
        f"report: {page}   rows: {workspace.results(study.name)}\n"
        f"more:   tsxfer report {study.name} --format latex|markdown|csv\n"
    )
