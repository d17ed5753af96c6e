"""The published raw metrics become a study and its rows.

`tsxfer.paper.raw` reads the two files. A row's score is the test score at its best validation
epoch, as in the study (section 4). The pretrained source models have no published scores, so their
trials have no rows: ``status`` counts them as to do, and no report needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from tsxfer.core.cautions import Caution
from tsxfer.core.expansion import expand
from tsxfer.core.published import RECIPE
from tsxfer.core.results import Result
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.core.study import Study
from tsxfer.errors import DataError
from tsxfer.paper.raw import FETCH, MODELS, RUNS, SETS, Runs, read

NAME = "published"


def import_rows(folder: Path, name: str = NAME) -> tuple[Study, list[Result]]:
    """The study and its rows, in the order in which the study expands.

    Args:
        folder: Holds `RUNS` and `CURVES`.
        name: Of the study.

    Raises:
        DataError: For a missing or unreadable file, missing columns, names that are not known,
            duplicates, gaps in the grid, or curves that do not fit their run.
    """
    runs = read(folder)
    study = _study(runs, name)
    trials = {_place(t): t for t in expand(study) if not _is_pretraining(t, study)}
    found = _by_place(runs, folder / RUNS)
    _same_places(set(trials), set(found), folder / RUNS)
    samples = _samples(runs)
    return study, [_row(trial, runs, found[place], samples) for place, trial in trials.items()]


def _is_pretraining(trial: Trial, study: Study) -> bool:
    return trial.reuse is None and trial.size == study.source_size


Place: TypeAlias = tuple[str, str, str, str, int, float]


def _place(trial: Trial) -> Place:
    source = trial.reuse.source.dataset if trial.reuse else ""
    multiplier = trial.reuse.rate_multiplier if trial.reuse else 0.0
    return trial.model, source, trial.dataset, trial.size, trial.repeat, multiplier


def _by_place(runs: Runs, path: Path) -> dict[Place, int]:
    places: dict[Place, int] = {}
    for i in range(len(runs.ids)):
        place = _run_place(runs, i)
        if place in places:
            raise DataError(
                f"{runs.ids[i]} and {runs.ids[places[place]]} are the same run",
                where=str(path),
                mend=FETCH,
            )
        places[place] = i
    return places


def _run_place(runs: Runs, i: int) -> Place:
    scratch = runs.source[i] == "none"
    source = "" if scratch else SETS[runs.source[i]].name
    multiplier = 0.0 if scratch else float(runs.multiplier[i])
    size = f"n={runs.size[i]}"
    return runs.model[i], source, SETS[runs.target[i]].name, size, runs.repeat[i], multiplier


def _same_places(wanted: set[Place], found: set[Place], path: Path) -> None:
    """The rows must fill the whole grid of the axes they name, and nothing else."""
    for kind, odd in (("lacks", wanted - found), ("has beyond its grid", found - wanted)):
        if odd:
            raise DataError(
                f"the file {kind} {len(odd):,} of {len(wanted):,} runs; first: {min(odd)}",
                where=str(path),
                mend=FETCH,
            )


def _study(runs: Runs, name: str) -> Study:
    """The study whose axes are the values that occur, in the order of the study's tables."""
    kept = [one for one in SETS.values() if one.published in set(runs.target)]
    sources = [one for one in SETS.values() if one.published in set(runs.source)]
    return Study(
        name,
        sources=tuple(one.name for one in sources),
        targets=tuple(one.name for one in kept),
        models=tuple(model for model in MODELS.values() if model in set(runs.model)),
        sizes=tuple(f"n={size}" for size in sorted(set(runs.size))),
        repeats=max(runs.repeat) + 1,
        pretrainings=1,
        profile="paper",
        data="real",
        rate_multipliers=tuple(np.unique(runs.multiplier[~np.isnan(runs.multiplier)]).tolist()),
        scratch_loss="squared",
        recipe=RECIPE,
        pretraining=RECIPE,
    )


def _samples(runs: Runs) -> dict[int, list[float]]:
    """Samples seen after each epoch, by size: the last incomplete batch is left out."""
    return {
        size: [float(epoch * _an_epoch(size)) for epoch in range(1, max(runs.last) + 1)]
        for size in set(runs.size)
    }


def _an_epoch(size: int) -> int:
    return size // RECIPE.batch * RECIPE.batch


def _row(trial: Trial, runs: Runs, i: int, samples: dict[int, list[float]]) -> Result:
    target, size, best = SETS[runs.target[i]], runs.size[i], runs.best[i]
    scores: list[float] = runs.scores[i].tolist()
    scratch = trial.reuse is None
    unequal = (Caution.SQUARED_SCRATCH,) if target.classes else ()
    return Result(
        trial,
        "done",
        target.metric,
        margin=target.margin,
        scores={target.metric: scores[best - 1]},
        chance=target.chance,
        curve={"samples": samples[size][: len(scores)], "score": scores},
        sizes={"train": size},
        data={target.name: f"{NAME}-{target.published}"},
        subset=f"{target.published}-{size}-{trial.repeat}",
        loss="squared error" if scratch or not target.classes else "cross-entropy",
        ledger={"steps": RECIPE.epochs * (size // RECIPE.batch), "batch": RECIPE.batch, "tries": 1},
        cost={
            "samples": int(samples[size][len(scores) - 1]),
            "best_samples": int(samples[size][best - 1]),
        },
        labels=(Caution.PUBLISHED, Caution.CURVE_ON_TEST, *PROFILES["paper"].warnings, *unequal),
        environment={"made by": "github.com/ecokeco/tstl f3497acd, TensorFlow 1.14"},
    )
