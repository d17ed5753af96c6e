"""Train a study: expand, leave out what is done, train, append rows."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tsxfer.api.engine import Engine, How, Ready, ready
from tsxfer.api.misfits import fit_weights, refuse_misfits
from tsxfer.api.progress import Progress
from tsxfer.baselines import foundations
from tsxfer.core.expansion import expand
from tsxfer.core.names import is_given, is_simulated
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.core.study_files import study_toml
from tsxfer.data import catalogue, matching, overlap
from tsxfer.data.task import prepared
from tsxfer.errors import Terminated
from tsxfer.running.fingerprints import fingerprints, through_doors
from tsxfer.running.supply import Shared, Supply
from tsxfer.stats.declare import declare
from tsxfer.store import given
from tsxfer.store.checkpoints import holds
from tsxfer.store.leases import alone
from tsxfer.store.predictions import of_another
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole

if TYPE_CHECKING:
    from tsxfer.running.runner import Job


@dataclass(frozen=True, slots=True)
class Kept:
    """Where rows go.

    Attributes:
        study: Its name.
        store: Its rows.
        analysis: Hash of what was declared before the first row.
    """

    study: str
    store: Store
    analysis: str


def train(study: Study, workspace: Workspace, how: How) -> int:
    """Train what is not done yet, a row at a time; rows that are there are left as they are.

    Args:
        study: With data sets settled (`tsxfer.api.choose.study_from`).
        workspace: Where data, weights and rows lie.
        how: Device, processes and engine; nothing of it changes a number.

    Returns:
        How many trials failed; each is a row that says why.

    Raises:
        TsxferError: If data, device or engine are not there, or a source has seen the test part.
        KeyboardInterrupt: As it came; finished rows are kept, and it is said how to resume.
    """
    trials = expand(study)
    refuse_misfits(study, trials)
    foundations.check(trials)
    workspace.make()
    announce(study)
    _refuse_unready(study, trials, workspace)
    store = Store.of(workspace, study.name)
    done = finished(store, trials, workspace)
    todo = [t for t in trials if t.key not in done]
    engine = ready(how, len(todo), workspace, study.name) if todo else None
    # Only now, so that nothing is left of a study that was refused.
    with alone(workspace.root / "leases", f"study-{study.name}"):
        save_quietly(study, store.folder / "study.toml")
        declared = declare(study, trials, store, workspace)
    if engine is None:
        sys.stderr.write(f"all {len(done)} trials are done\n")
        return 0
    try:
        kept = Kept(study.name, store, declared.digest)
        return _run(trials, todo, workspace, kept, how, engine)
    except (KeyboardInterrupt, Terminated):
        count = len(store.rows())
        sys.stderr.write(
            f"\nstopped; {count} finished rows are kept. Run the same command to resume.\n"
        )
        raise


def _refuse_unready(study: Study, trials: list[Trial], workspace: Workspace) -> None:
    """Make what is simulated, and refuse data, weights and pairs that are not fit to run.

    Raises:
        TsxferError: For the first.
    """
    named = [*study.sources, *study.targets, *(t.dataset for t in trials)]
    for name in dict.fromkeys(n for n in named if not is_given(n)):
        tell_of_simulating(name, workspace)
        prepared(workspace, name)
    matching.refuse(workspace, trials)
    tell_of_given(study, trials, workspace)
    if study.overlap == "refuse":
        overlap.refuse(workspace, trials)


def save_quietly(study: Study, path: Path) -> None:
    """Keep the study beside its rows, so that ``tsxfer report NAME`` finds it."""
    write_whole(path, study_toml(study))


def finished(store: Store, trials: list[Trial], workspace: Workspace) -> dict[str, Result]:
    """Rows that need no rerun: done, from the data as it is now, with predictions of their own.

    A key has one file of predictions: after a run over other data, the rows of the data before it
    are there, and their predictions are gone.
    """
    rows = store.rows()
    _tell_of_left_out(store)
    found = {}
    now: dict[object, dict[str, str]] = {}  # reading them for every trial takes hours
    for trial in trials:
        row = rows.get(trial.key)
        if row is None or row.status != "done":
            continue
        names = trial.datasets, trial.model, trial.baseline, through_doors(trial)
        if names not in now:
            now[names] = fingerprints(workspace, trial)
        if row.data == now[names]:
            found[trial.key] = row
    lost = _overwritten(store, found, trials)
    return {key: row for key, row in found.items() if key not in lost}


def _tell_of_left_out(store: Store) -> None:
    if store.damaged:
        sys.stderr.write(
            f"{len(store.damaged)} damaged line(s) are left out and run again: "
            f"{', '.join(store.damaged[:3])}\n"
        )
    if store.foreign:
        sys.stderr.write(
            f"{len(store.foreign)} row(s) of another version of tsxfer are left as they are: "
            f"{', '.join(store.foreign[:3])}\n"
        )


def _overwritten(store: Store, done: dict[str, Result], trials: list[Trial]) -> set[str]:
    """Rows whose predictions a run over other data has overwritten; sources keep weights."""
    origins = {origin.key for trial in trials for origin in trial.origins}
    asked = store.rivals & done.keys() - origins
    lost = {key for key in asked if of_another(store.folder, done[key])}
    if lost:
        sys.stderr.write(
            f"{len(lost)} row(s) are trained again: a run over other data has overwritten their "
            "predictions\n"
        )
    return lost


def announce(study: Study) -> None:
    """Say first that data is simulated, where some is."""
    if any(map(is_simulated, (*study.sources, *study.targets))):
        sys.stdout.write(
            "SIMULATED DATA: no real data is prepared (or --data simulated was asked for); "
            "numbers below say nothing about the real world.\n"
            "For real data: tsxfer prepare NAME [--from FOLDER], then --data real.\n"
        )
        sys.stdout.flush()


def tell_of_simulating(name: str, workspace: Workspace) -> None:
    """Say that a simulation, which takes a while, is about to be made."""
    if is_simulated(name) and not workspace.has(name):
        card = catalogue.find(name).card
        sys.stderr.write(f"simulating {card.count:,} instances of {name} (once) ...\n")


def tell_of_given(study: Study, trials: list[Trial], workspace: Workspace) -> None:
    """Say what weights made elsewhere were trained on, and how their names fit the model's.

    Raises:
        TsxferError: If they do not fit; nothing is trained then.
    """
    for name in filter(is_given, study.sources):
        sys.stdout.write(f"PRETRAINED ELSEWHERE: {given.read(name, workspace).said}.\n")
    sys.stdout.flush()
    sys.stderr.writelines(f"{line}\n" for line in fit_weights(study, trials, workspace))


def _run(
    trials: list[Trial],
    todo: list[Trial],
    workspace: Workspace,
    kept: Kept,
    how: How,
    engine: Ready,
) -> int:
    """Train what is left, with whoever else works in this workspace; how many failed."""
    from tsxfer.running.supply import packs

    origins = {origin.key for t in trials for origin in t.origins}
    jobs = _jobs(kept.study, todo, origins, workspace, engine, how)
    supply = Supply(packs(jobs, engine.width(len(todo))), Shared.of(workspace, kept.store))
    done = len(trials) - len(todo)
    progress = Progress(kept.study, len(todo), done, shown=how.progress)
    return _train(progress, supply, kept, engine.run)


def _train(shown: Progress, supply: Supply, kept: Kept, engine: Engine) -> int:
    failed = 0
    with shown as progress:

        def count(result: Result) -> None:
            nonlocal failed
            failed += result.status == "failed"
            progress.step(result)

        supply.notice = count  # rows that other workers make meanwhile
        try:
            for result in engine(supply):
                kept.store.append(replace(result, analysis=kept.analysis))
                count(result)
        finally:
            supply.close()
    return failed


def _jobs(
    study: str, todo: list[Trial], origins: set[str], workspace: Workspace, engine: Ready, how: How
) -> list[Job]:
    """Trials with where to run them; ancestors whose weights are missing come first."""
    from tsxfer.running.runner import Job

    again = _lost(todo, workspace)
    root = str(workspace.root)
    return [
        Job(
            trial=t,
            workspace=root,
            study=study,
            device=engine.device,
            keep_weights=t.key in origins,
            threads=engine.threads,
            limit=how.limit,
            weights=how.weights,
            steps=how.steps,
            checkpoint=how.checkpoint,
        )
        for t in [*again, *todo]
    ]


def _lost(todo: list[Trial], workspace: Workspace) -> list[Trial]:
    """Finished pretrainings whose weights are gone, damaged or of other data, ancestors first."""
    keys = {t.key for t in todo}
    origins = (origin for t in todo for origin in t.origins if not origin.given)
    needed = {origin.key: origin for origin in origins if origin.key not in keys}
    lost = [
        origin
        for key, origin in needed.items()
        if not holds(workspace.weights(key), fingerprints(workspace, origin))
    ]
    return [*_lost(lost, workspace), *lost] if lost else []
