"""Every metric against scikit-learn, and the two differences from it that are on purpose."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tsxfer.core.doors import METRICS as DOOR
from tsxfer.metrics import get, macro_f1, r2

METRICS = {name: get(name) for name in DOOR.own_names()}

ORACLES = {
    "macro_f1": lambda y, p: sklearn.metrics.f1_score(y, p, labels=np.unique(y), average="macro"),
    "weighted_f1": lambda y, p: sklearn.metrics.f1_score(
        y, p, labels=np.unique(y), average="weighted"
    ),
    "accuracy": sklearn.metrics.accuracy_score,
    "mae": sklearn.metrics.mean_absolute_error,
    "medae": sklearn.metrics.median_absolute_error,
    "rmse": sklearn.metrics.root_mean_squared_error,
    "r2": sklearn.metrics.r2_score,
}
CLASSES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)
FINITE = st.floats(-1e4, 1e4, width=32)
NUMBERS = st.lists(st.tuples(FINITE, FINITE), min_size=2, max_size=60)


def _of(task: str) -> list[str]:
    return [name for name, metric in METRICS.items() if metric.task == task]


def test_every_metric_has_an_oracle() -> None:
    """A new metric is compared with scikit-learn, too."""
    assert ORACLES.keys() == METRICS.keys()


@pytest.mark.parametrize("name", _of("classification"))
@given(pairs=CLASSES)
def test_scores_of_classes_are_scikit_learns(name: str, pairs: list[tuple[int, int]]) -> None:
    """The score is scikit-learn's over the classes that occur in the truth."""
    truth, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    assert METRICS[name].score(truth, predicted) == pytest.approx(ORACLES[name](truth, predicted))


@pytest.mark.parametrize("name", _of("regression"))
@given(pairs=NUMBERS)
def test_scores_of_numbers_are_scikit_learns(name: str, pairs: list[tuple[float, float]]) -> None:
    """The score is scikit-learn's in float64, whatever the width of the numbers."""
    truth, predicted = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
    wide = truth.astype(np.float64), predicted.astype(np.float64)
    if np.ptp(truth) == 0 and name == "r2":
        assert r2(truth, predicted) == 0.0
    else:
        assert METRICS[name].score(truth, predicted) == pytest.approx(
            ORACLES[name](*wide), rel=1e-9, abs=1e-9
        )


def test_a_class_that_is_only_predicted_is_no_class_of_the_mean() -> None:
    """Macro F1 averages over classes in the truth; scikit-learn adds one that is only predicted."""
    truth, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    f1 = (1.0, 2 / 3)
    assert macro_f1(truth, predicted) == pytest.approx(sum(f1) / 2)
    assert sklearn.metrics.f1_score(truth, predicted, average="macro") == pytest.approx(sum(f1) / 3)


def test_constant_truth_has_no_share_explained() -> None:
    """R2 of constant truth is 0 however good the prediction; scikit-learn calls a perfect one 1."""
    truth = np.full(3, 2.5)
    assert r2(truth, truth) == r2(truth, truth + 1) == 0.0
    assert sklearn.metrics.r2_score(truth, truth) == 1.0


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_the_stated_span_and_direction_hold(metric) -> None:  # type: ignore[no-untyped-def]
    """A perfect prediction reaches the better end of the span, a worse one scores worse."""
    truth = np.array([0, 1, 2, 2])
    perfect, worse = metric.score(truth, truth), metric.score(truth, truth[::-1])
    assert perfect == metric.span[1 if metric.higher_is_better else 0]
    assert metric.sign * (perfect - worse) > 0
