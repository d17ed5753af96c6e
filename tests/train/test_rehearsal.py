"""What does not fit a model is refused before anything trains, by `plan` and `run` alike."""

from dataclasses import replace

import pytest

from tsxfer.api.misfits import refuse_misfits
from tsxfer.core.expansion import expand
from tsxfer.core.strategy import Strategy, named
from tsxfer.core.study import Study
from tsxfer.errors import SpecError

STUDY = Study("s", sources=("speech",), targets=("emg",), models=("convnetquake",), repeats=1)


@pytest.mark.parametrize(
    ("model", "strategy", "words"),
    [
        ("convnetquake", named("renorm"), "no normalisation layer"),
        ("magnet", named("renorm+spread"), "no normalisation layer"),
        ("convnetquake", Strategy(blocks=12), "asks for 12 blocks of layers, the model has 9"),
    ],
)
def test_a_strategy_that_its_model_cannot_take(model: str, strategy: Strategy, words: str) -> None:
    """It is named from the trials alone, with no data and no training."""
    study = replace(STUDY, models=(model,), strategies=(Strategy(), strategy))
    with pytest.raises(SpecError, match=words):
        refuse_misfits(study, expand(study))


def test_scratch_is_asked_too() -> None:
    """The baseline that gives normalisation statistics needs some."""
    study = replace(STUDY, baselines=("renormalised",))
    with pytest.raises(SpecError, match="no normalisation layer"):
        refuse_misfits(study, expand(study))


def test_what_fits_is_let_through() -> None:
    """Every model takes what it can: nothing is refused that would have run."""
    study = replace(STUDY, models=("resnet", "mlstm_fcn", "inception_time"))
    wide = replace(study, strategies=(named("renorm+spread"),), baselines=("renormalised",))
    refuse_misfits(wide, expand(wide))
