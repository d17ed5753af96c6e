"""What of a study cannot work, found before anything trains."""

from __future__ import annotations

from tsxfer.core.doors import DOORS
from tsxfer.core.names import is_given
from tsxfer.core.options import bare
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.running.fingerprints import through_doors
from tsxfer.store.workspace import Workspace


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


def fit_weights(study: Study, trials: list[Trial], workspace: Workspace) -> list[str]:
    """Fit weights that were made elsewhere to their models; how names were mapped, line by line.

    Raises:
        TsxferError: If they do not fit; both sides are listed.
    """
    if not any(map(is_given, study.sources)):
        return []
    from tsxfer.running.given import check

    return check(trials, workspace)
