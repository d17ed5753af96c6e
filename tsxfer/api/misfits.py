"""What of a study cannot work, found before anything trains."""

from __future__ import annotations

from tsxfer.core.doors import DOORS
from tsxfer.core.options import bare
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.running.fingerprints import through_doors


def refuse_misfits(study: Study, trials: list[Trial]) -> None:
    """Load the study's code, make what was given options, and try strategies on their models.

    Raises:
        SpecError: If a file cannot be loaded (with file and line), a value is outside of its range,
            or a strategy or baseline does not fit a model.
    """
    for noun, name in sorted({one for trial in trials for one in through_doors(trial)}):
        if DOORS[noun].plugin_digest(name):
            DOORS[noun].get(name)
    if any(strategy.options for strategy in study.strategies):
        from tsxfer.train import watched

        for strategy in study.strategies:
            watched.of(strategy)
    for head in {study.recipe.head, study.pretraining.head}:
        if bare(head) != head:
            from tsxfer.models import heads

            heads.make(head, 8, 3)
    if choosy := [trial for trial in trials if trial.choosy]:
        from tsxfer.train import rehearsal

        rehearsal.refuse(choosy)
