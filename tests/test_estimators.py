"""The sktime estimators: sktime's own checks, what a source changes, and what is held out."""

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sktime.utils.estimator_checks import check_estimator

    from tsxfer.estimators import TransferClassifier, TransferRegressor

from tsxfer.core.specs import Recipe
from tsxfer.errors import DataError, SpecError
from tsxfer.estimators import _card
from tsxfer.keep.fit import Labelled, Terms, hold_out
from tsxfer.models.base import build
from tsxfer.store.workspace import Workspace
from tsxfer.zoo import shelf

KINDS = (TransferClassifier, TransferRegressor)
FEW = [
    "test_constructor",
    "test_clone",
    "test_set_params",
    "test_fit_idempotent",
    "test_get_test_params",
    "test_persistence_via_pickle",
    "test_fit_does_not_overwrite_hyper_params",
    "test_class_has_doctest_example",
    "test_doctest_examples",
    "test_valid_estimator_class_tags",
]


def _waves(count: int = 60, length: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Slow and fast waves, one channel; the label is the name of the speed."""
    draw = np.random.default_rng(0)
    fast = np.arange(count) % 2
    phase = np.arange(length) * np.where(fast, 0.8, 0.2)[:, None] + draw.uniform(0, 6, (count, 1))
    return np.sin(phase)[:, None, :], np.array(["slow", "fast"])[fast]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_the_checks_of_sktime_passes(kind: type) -> None:
    """Construction, cloning, refitting and pickling are as sktime wants them."""
    results = check_estimator(kind, tests_to_run=FEW, raise_exceptions=True, verbose=0)
    assert len(results) >= len(FEW)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_all_checks_of_sktime_pass(kind: type) -> None:
    """Nothing is excluded."""
    results = check_estimator(kind, raise_exceptions=True, verbose=0)
    assert len(results) > 100
    assert set(results.values()) == {"PASSED"}


def test_it_learns_and_gives_probabilities() -> None:
    """Separable waves are distinguished; probabilities sum to one and agree with the classes."""
    x, y = _waves()
    made = TransferClassifier(epochs=20, batch=8, device="cpu").fit(x[:40], y[:40])
    probabilities = made.predict_proba(x[40:])
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(made.classes_[probabilities.argmax(axis=1)], made.predict(x[40:]))
    assert made.score(x[40:], y[40:]) > 0.9
    numbers = np.where(y == "fast", 70.0, 20.0)
    told = TransferRegressor(epochs=20, batch=8, device="cpu").fit(x[:40], numbers[:40])
    assert np.abs(told.predict(x[40:]) - numbers[40:]).mean() < 12


def test_training_stops_early_and_nothing_of_the_test_is_seen() -> None:
    """With a patience of two epochs on noise, a fit ends long before its budget."""
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(40, 1, 32)), np.arange(40) % 2
    made = TransferClassifier(epochs=300, patience=2, batch=8, device="cpu").fit(x, y)
    assert made._kept.samples < 100 * 32
    assert made._kept.validated == 8


def _source(path: Path, model: str = "convnetquake") -> dict[str, torch.Tensor]:
    made = build(model, channels=3, length=40, extra=1, outputs=5, seed=11)
    state = {name: t.contiguous() for name, t in made.state_dict().items()}
    save_file(state, path)
    return state


def test_a_source_gives_the_convolutions(tmp_path: Path) -> None:
    """Frozen, they keep the source's bits; else they start there and move; the head is new."""
    state = _source(tmp_path / "s.safetensors")
    x, y = np.random.default_rng(2).normal(size=(30, 3, 64)), np.arange(30) % 3
    said = {"source": str(tmp_path / "s.safetensors"), "epochs": 3, "batch": 8, "device": "cpu"}
    frozen = TransferClassifier(frozen=True, **said).fit(x, y)._kept
    tuned = TransferClassifier(**said, validation_share=0.0).fit(x, y)._kept
    assert len(frozen.audit["copied"]) == 18
    for name in frozen.audit["copied"]:
        assert torch.equal(frozen.weights[name], state[name])
    moved = [n for n in tuned.audit["copied"] if not torch.equal(tuned.weights[n], state[n])]
    assert len(moved) == 18
    assert all("head" in name for name in frozen.audit["renewed"])


def test_weights_of_the_zoo_are_a_source(tmp_path: Path) -> None:
    """They give the convolutions; a backbone that the zoo lacks, and a wrong name, are told."""
    x, y = _waves(20)
    said = {"source": "zoo:speech", "epochs": 1, "device": "cpu", "workspace": str(tmp_path)}
    fitted = TransferClassifier(frozen=True, **said).fit(x, y)
    held = shelf.tensors(shelf.find("zoo:speech"), "convnetquake-0", Workspace(tmp_path))
    assert fitted.source_ == "speech_test_list+zoo@1"
    assert len(fitted._kept.audit["copied"]) == 18
    for name in fitted._kept.audit["copied"]:
        assert np.array_equal(fitted._kept.weights[name].numpy(), held[name])
    with pytest.raises(SpecError, match="not of resnet"):
        TransferClassifier(**{**said, "model": "resnet"}).fit(x, y)
    with pytest.raises(SpecError) as refused:
        TransferClassifier(**{**said, "source": "speech"}).fit(x, y)
    assert "or zoo:speech_test_list" in refused.value.mend


def test_a_name_finds_what_a_workspace_pretrained(tmp_path: Path) -> None:
    """Of two pretrainings the one on more windows is taken, and only of the same backbone."""
    from tsxfer.core.specs import Trial
    from tsxfer.keep.saved import find_source
    from tsxfer.running.runner import Job, run

    for size in ("n=60", "n=90"):
        trial = Trial(
            dataset="emg+sim@1", model="convnetquake", size=size, repeat=0, recipe=Recipe(epochs=1)
        )
        assert (
            run(
                Job(
                    trial=trial,
                    workspace=str(tmp_path),
                    study="s",
                    device="cpu",
                    keep_weights=True,
                    threads=1,
                )
            ).status
            == "done"
        )
    found = find_source("emg", "convnetquake", Workspace(tmp_path))
    assert (found.corpus, found.simulated, found.path.stem) == ("emg+sim@1", True, trial.key)
    x, y = _waves(10)
    with pytest.warns(UserWarning, match="simulated"):
        made = TransferClassifier("emg", epochs=1, device="cpu", workspace=str(tmp_path)).fit(x, y)
    assert made.source_ == "emg+sim@1"
    with pytest.raises(SpecError, match="no tcn pretrained on 'emg'"):
        find_source("emg", "tcn", Workspace(tmp_path))
    with pytest.raises(SpecError, match="trained as convnetquake, not as tcn"):
        find_source(str(found.path), "tcn", Workspace(tmp_path))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=40),
    st.floats(0, 0.9),
)
def test_what_is_held_out_shares_nothing(rows: list[tuple[int, int]], share: float) -> None:
    """The parts are disjoint and whole, no group is on both sides, no class is held out whole."""
    y, group = (np.array(column) for column in zip(*rows, strict=True))
    x = np.zeros((len(y), 1, 4), np.float32)
    data = Labelled(x=x, y=y, group=group, classes=("a", "b", "c"), card=_card(x, ("a", "b", "c")))
    train, held = hold_out(data, Terms(validation_share=share))
    assert sorted([*train, *held]) == list(range(len(y)))
    assert not set(group[train]) & set(group[held])
    assert set(y[held]) <= set(y[train])
    if len(set(group.tolist())) == len(y) and len(y) >= 5:
        assert len(held) <= round(share * len(y))


def test_windows_split_in_time_are_held_out_at_the_end() -> None:
    """Nothing that is learned from reaches into the time of what is held out."""
    x, y = np.zeros((50, 1, 4), np.float32), np.arange(50, dtype=np.float32)
    start = np.random.default_rng(0).permutation(50).astype(np.float64)
    card = replace(_card(x, ()), split="time")
    data = Labelled(
        x=x, y=y, group=np.full(50, "index"), classes=(), card=card, start=start, end=start + 3
    )
    train, held = hold_out(data, Terms())
    assert (start[train] + 3).max() < start[held].min()
    assert len(held) == 10
    assert len(train) + len(held) < 50


# sktime before 1.2 lacks what scikit-learn 1.6 and 1.7 miss in its estimators.
@pytest.mark.filterwarnings("ignore:.*has no attribute '__sklearn_tags__':DeprecationWarning")
def test_panels_of_other_kinds_pipelines_and_search_work() -> None:
    """Multi-index frames go in; clone, set_params and search work as with sktime's own."""
    from sktime.classification.model_selection import TSCGridSearchCV
    from sktime.datatypes import convert_to

    x, y = _waves(24)
    frame = convert_to(x, "pd-multiindex")
    quick = TransferClassifier(epochs=2, device="cpu")
    search = TSCGridSearchCV(quick, {"rate": [1e-3, 1e-2]}, cv=2)
    search.fit(x, y)
    assert search.best_estimator_.get_params()["epochs"] == 2
    a, b = (TransferClassifier(epochs=2, device="cpu").fit(data, y) for data in (x, frame))
    assert np.array_equal(a.predict_proba(x), b.predict_proba(frame))


def test_what_is_no_trained_network_is_no_source(tmp_path: Path) -> None:
    """Pickles, NaN, constants and whole numbers are refused by what is wrong with them."""
    good = _source(tmp_path / "good.safetensors")
    torch.save(good, tmp_path / "good.pt")
    x, y = np.random.default_rng(2).normal(size=(10, 3, 64)), np.arange(10) % 2
    bad = {
        "nan": {n: torch.full_like(t, torch.nan) for n, t in good.items()},
        "constant": {n: torch.zeros_like(t) for n, t in good.items()},
        "whole numbers": {n: (9 * t).to(torch.int8) for n, t in good.items()},
    }
    told = {"nan": "NaN", "constant": "no trained network", "whole numbers": "quantised network"}
    for case, held in bad.items():
        save_file(held, tmp_path / f"{case}.safetensors")
        with pytest.raises(DataError, match=told[case]):
            TransferClassifier(source=str(tmp_path / f"{case}.safetensors"), epochs=1).fit(x, y)
    with pytest.raises(DataError, match="is pickled"):
        TransferClassifier(source=str(tmp_path / "good.pt"), epochs=1).fit(x, y)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"model": "tnc"}, "did you mean tcn"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"source": "nowhere.safetensors"}, "no file nowhere"),
        ({"validation_share": 1.0}, "outside"),
        ({"rate": 0.0}, "not above 0"),
    ],
)
def test_bad_parameters_are_told_at_fit(said: dict[str, object], message: str) -> None:
    """As sktime wants it, parameters are kept as given and judged when they are used."""
    x, y = _waves(10)
    with pytest.raises(SpecError) as refused:
        TransferClassifier(**said).fit(x, y)
    assert message in str(refused.value)


def test_sktime_is_not_imported_by_the_rest() -> None:
    """Training and fitting do without it; only this module and the reader of .ts files need it."""
    code = (
        "import sys, tsxfer.cli.app, tsxfer.running.runner, "
        "tsxfer.keep.saved, tsxfer.own.importing;"
        "sys.exit('sktime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_label_that_is_nan_is_no_divergence() -> None:
    """What cannot be learned is named by its place; a smaller rate would not help."""
    x = np.random.default_rng(0).standard_normal((20, 1, 32)).astype(np.float32)
    y = np.arange(20) / 7
    y[4] = np.nan
    with pytest.raises(DataError, match="1 of 20 labels are NaN or infinite") as caught:
        TransferRegressor(epochs=2, device="cpu")._fit(x, y)
    assert "position 4" in caught.value.where


def test_a_level_that_float32_cannot_hold_changes_no_answer() -> None:
    """The same panel on a level of 1e9 gives the same probabilities."""
    x, y = _waves()
    wanted = TransferClassifier(epochs=3, device="cpu").fit(x, y).predict_proba(x)
    lifted = TransferClassifier(epochs=3, device="cpu").fit(x + 1e9, y)
    assert np.allclose(lifted.predict_proba(x + 1e9), wanted, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_beside_nan(kind: type) -> None:
    """What float32 cannot hold is refused with its value, in fitting and in predicting."""
    x, y = _waves()
    answer = y if kind is TransferClassifier else np.arange(len(x)) / 7
    fitted = kind(epochs=2, device="cpu").fit(x, answer)
    large = x.copy()
    large[5, 0, 3] = 9.9e38
    with pytest.raises(DataError, match=r"a sample is 9\.9e\+38, more than float32 holds"):
        fitted.predict(large)
    with pytest.raises(DataError, match="more than float32 holds"):
        kind(epochs=2, device="cpu").fit(large, answer)


def test_a_whole_number_of_numpy_is_a_seed() -> None:
    """``random_state=np.int64(3)`` gives the bits of ``random_state=3``."""
    x, y = _waves(20)
    first, second = (
        TransferClassifier(epochs=2, device="cpu", random_state=state).fit(x, y).predict_proba(x)
        for state in (3, np.int64(3))
    )
    np.testing.assert_array_equal(first, second)


def test_scikit_learn_takes_the_estimators() -> None:
    """Cross-validation with groups, a search and a pipeline of scikit-learn fit and score them."""
    from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    (x, y), groups = _waves(24), np.arange(24) // 4
    first = TransferClassifier(epochs=1, device="cpu")
    assert cross_val_score(first, x, y, groups=groups, cv=GroupKFold(2)).shape == (2,)
    search = GridSearchCV(first, {"rate": [1e-3, 1e-2]}, cv=2, error_score="raise").fit(x, y)
    assert search.best_params_["rate"] in (1e-3, 1e-2)
    assert len(make_pipeline(FunctionTransformer(), first).fit(x, y).predict(x)) == 24
    second = TransferRegressor(epochs=1, device="cpu")
    assert (cross_val_score(second, x, groups / 7, groups=groups, cv=GroupKFold(2)) < 0).all()


def test_class_weights_weigh() -> None:
    """Balanced classes weigh nothing, a heavy class is predicted more, and nonsense is refused."""
    x, y = _waves(20)

    def share(weight: object, kind: type = TransferClassifier) -> float:
        model = kind(epochs=2, device="cpu", class_weight=weight).fit(x, y)
        return float(model.predict_proba(x)[:, 0].mean())

    assert share("balanced") == share(None)
    assert share({"fast": 100.0}) > share(None) > share({"fast": 0.01})
    for odd in ({"fats": 2.0}, {"fast": -1.0}, "even"):
        with pytest.raises(SpecError, match="class_weight"):
            share(odd)
    with pytest.raises(SpecError, match="a regression has no classes"):
        TransferRegressor(epochs=1, device="cpu", class_weight="balanced").fit(x, np.arange(20) / 7)
