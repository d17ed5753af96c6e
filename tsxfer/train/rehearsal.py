"""Whether strategies fit their models, asked of fresh networks before anything trains."""

from __future__ import annotations

from collections.abc import Iterable

from tsxfer.core.specs import OF_NORMALISATION, Trial
from tsxfer.core.strategy import Strategy
from tsxfer.models.base import Model, build
from tsxfer.train import norms, reuse

LENGTH = 256  # samples of a window; blocks and normalisation do not depend on it


def refuse(trials: Iterable[Trial]) -> None:
    """Name a strategy or baseline that its model cannot take, not hours later.

    A model that cannot be built here is passed over: its own trial says why.

    Args:
        trials: Those that not every model fits (`Trial.choosy`).

    Raises:
        SpecError: If a strategy copies more blocks than the model has, leaves none to copy, or
            asks for statistics of normalisation that the model lacks.
    """
    asked = {_asked(trial): trial for trial in trials}
    for trial in asked.values():
        strategy = trial.reuse.strategy if trial.reuse else Strategy()
        try:
            source, target = (stand_in(trial.model, channels=n, outputs=2) for n in (1, 2))
        except Exception:  # noqa: S112  (a model of a user's may fail in any way)
            continue
        reuse.chosen(target, reuse.tensors(source), strategy)
        if strategy.renormalised or trial.baseline in OF_NORMALISATION:
            norms.needed(target)


def _asked(trial: Trial) -> tuple[str, str]:
    return trial.model, trial.reuse.strategy.words if trial.reuse else str(trial.baseline)


def stand_in(name: str, *, channels: int, outputs: int) -> Model:
    """A fresh network where no data is known: what is copied does not depend on its length."""
    return build(name, channels=channels, length=LENGTH, extra=0, outputs=outputs, seed=0)
