"""Ridge in closed form against scikit-learn, tall and wide, and the choice of its penalty."""

import numpy as np
import pytest

from tsxfer.train import ridge


def _data(features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(features)
    x = draw.normal(size=(90, features)) * draw.uniform(0.1, 5, features) + 3
    return x[:60], x[60:], draw.normal(size=(60, 2)) + x[:60, :2]


@pytest.mark.parametrize("features", [7, 300, 5000])
def test_coefficients_are_those_of_scikit_learn(features: int) -> None:
    """Predictions equal StandardScaler and Ridge, with more windows than features and fewer."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, validation, y = _data(features)
    found = ridge.fit(train, y, validation, lambda _: 0.0, (0.03,))
    other = make_pipeline(StandardScaler(), Ridge(alpha=0.03 * features)).fit(train, y)
    for x in (train, validation):
        assert np.allclose(found.predict(x), other.predict(x), rtol=1e-4, atol=1e-4)


def test_both_forms_are_one_solution() -> None:
    """The products of features and those of windows lead to the same answer."""
    train, validation, y = _data(50)
    scale = ridge.standardise(train)
    forms = [
        solve(scale, train, y - y.mean(axis=0), validation, [0.1, 10.0])
        for solve in (ridge._tall, ridge._wide)
    ]
    for (_, tall, _), (_, wide, _) in zip(*forms, strict=True):
        assert np.allclose(tall, wide)


def test_the_penalty_is_chosen_on_validation() -> None:
    """The largest value wins, and among equals the largest penalty."""
    train, validation, y = _data(7)
    goal = ridge.fit(train, y, validation, lambda _: 0.0, (1e-3,)).predict(validation)
    near = ridge.fit(train, y, validation, lambda out: -float(np.abs(out - goal).mean()))
    assert near.penalty == 1e-3
    assert near.tries == len(ridge.PENALTIES)
    assert ridge.fit(train, y, validation, lambda _: 0.0).penalty == max(ridge.PENALTIES)


def test_a_constant_feature_and_an_outlier_carry_no_answer() -> None:
    """What never varied in training weighs nothing; what lies far outside counts as 10 sd."""
    train, validation, y = _data(7)
    train[:, 3] = 2.5
    found = ridge.fit(train, y, validation, lambda _: 0.0, (1e-3,))
    odd = validation.copy()
    odd[:, 3] = 1e9
    assert np.array_equal(found.predict(odd), found.predict(validation))
    odd[:, 0] = 1e12
    bound = np.abs(found.weights).sum(axis=0) * ridge.CLIP + np.abs(found.offset)
    assert np.all(np.abs(found.predict(odd)) <= bound)


def test_classes_are_signs() -> None:
    """A class is 1 in its own column and -1 in the others."""
    assert ridge.one_hot(np.array([1, 0]), 3).tolist() == [[-1, 1, -1], [1, -1, -1]]
