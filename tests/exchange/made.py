"""Result sets of made rows that pass every check; no training behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tsxfer import __version__
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.core.study_files import study_toml
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.stats.lock import Lock, lock
from tsxfer.stats.lock import write_lock as _write

CHANNELS = {"speech@1": 1, "emg@1": 8, "uci_emg@1": 8}
STUDY = Study(
    name="made",
    sources=("speech@1",),
    targets=("emg@1",),
    sizes=("n=1500",),
    repeats=4,
    data="real",
    controls=("untrained",),
    channels=CHANNELS,
)


def score(trial: Trial) -> float:
    """Transfer gains 0.1, its control nothing."""
    base = 0.5 + 0.01 * (trial.repeat % 3)
    return base + (0.1 + 0.002 * trial.repeat if trial.reuse and not trial.control else 0.0)


def part(
    folder, study: Study = STUDY, of: Callable[[Trial], float] = score, keep=lambda _: True
) -> Part:
    """A study whose rows are all done, but for trials that `keep` leaves out."""
    trials = expand(study)
    declared = lock(study.name, trials, study.repeats, dict.fromkeys(study.targets, 0.02),
                    dict.fromkeys(study.targets, "macro_f1"))  # fmt: skip
    rows = tuple(row(trial, of(trial), declared) for trial in trials if keep(trial))
    folder.mkdir(parents=True, exist_ok=True)
    text = _write(declared, folder).read_text()
    return Part(
        study=study.name, study_toml=study_toml(study), lock_toml=text, rows=rows, hashes={}
    )


def row(trial: Trial, value: float, declared: Lock) -> Result:
    """A finished row."""
    return Result(
        trial=trial,
        status="done",
        metric="macro_f1",
        margin=0.02,
        scores={"macro_f1": value},
        chance={"macro_f1": 0.2},
        curve={"samples": [0.0, 100.0], "score": [0.2, value]},
        sizes={"train": 1200, "validation": 300, "test": 500},
        data=dict.fromkeys(trial.datasets, "f" * 16),
        subset=f"s{trial.repeat}",
        ledger={"steps": 10, "batch": 64, "tries": 1},
        environment={"tsxfer": __version__},
        analysis=declared.digest,
    )


def made(folder, name: str = "theirs.parquet", **how) -> ResultSet:
    """A set of one study."""
    return ResultSet(name, (part(folder, **how),))


def changed(found: ResultSet, key: str, value: float) -> ResultSet:
    """The set with another score of one row."""
    rows = tuple(
        replace(r, scores={"macro_f1": value}) if r.key == key else r for r in found.parts[0].rows
    )
    return ResultSet(found.name, (replace(found.parts[0], rows=rows),))
