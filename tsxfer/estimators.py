"""Transfer learning as sktime estimators: fit on a panel, from a pretrained source or from scratch.

sktime is imported with this module, and by nothing else in tsxfer that does not read its files.
"""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sktime.classification.base import BaseClassifier
from sktime.regression.base import BaseRegressor

from tsxfer.core.specs import Recipe
from tsxfer.core.study import OVERLAPS
from tsxfer.data.card import Card
from tsxfer.data.precision import as_float32, levels_of
from tsxfer.errors import SpecError, nearest
from tsxfer.keep.fit import Fitted, Labelled, Terms, fit
from tsxfer.keep.overlap import with_windows
from tsxfer.keep.saved import Source, find_source
from tsxfer.running.device import device_of
from tsxfer.store.workspace import Workspace

TAGS = {
    "authors": ["tsxfer developers"],
    "maintainers": ["tsxfer developers"],
    "python_dependencies": ["torch"],
    "X_inner_mtype": "numpy3D",
    "y_inner_mtype": "numpy1D",
    "capability:multivariate": True,
    "capability:unequal_length": False,
    "capability:missing_values": False,
    "capability:random_state": True,
    "property:randomness": "derandomized",
}

# What scikit-learn's pipelines and searches put on an estimator before a fit and take off after.
CALLBACKS = ("_parent_callback_ctx",)

PARAMETERS = """
Parameters
----------
source : str or None, default=None
    Where the convolutions start: the path of a ``.safetensors`` file, the folder of a fitted
    model, weights of the zoo (``zoo:speech_test_list``; ``tsxfer list`` has all), or the name of
    a data set that a workspace holds a pretraining of. None starts from scratch.
model : str, default="convnetquake"
    Registered backbone; the source's, where there is one.
epochs : int, default=100
    Most passes over the training windows.
patience : int, default=20
    Epochs without a lower validation loss before training stops; the best checkpoint is kept.
batch : int, default=32
    Windows a step.
rate : float, default=1e-3
    Adam's learning rate.
validation_share : float, default=0.2
    Share of the windows held out to choose the checkpoint on; no class is held out whole. Of
    fewer than five windows none is held out, and the training windows choose.
rate_multiplier : float, default=1.0
    Rate of the layers copied from the source, relative to the others.
frozen : bool, default=False
    Keep the copied layers as they are.
overlap : {"refuse", "label"}, default="refuse"
    Of a source that has learned from windows of the panel, where its data lies in the workspace:
    refuse it, or only warn.
device : str, default="auto"
    Where to train and predict: auto, cpu, cuda (NVIDIA or ROCm), cuda:1, mps or xpu.
workspace : str or None, default=None
    Folder with pretrainings; else ``TSXFER_WORKSPACE``, else ``tsxfer-workspace``.
random_state : int or None, default=0
    Of weights, order, dropout and the held-out part; None draws again at each fit.
class_weight : dict, "balanced" or None, default=None
    What a window of each class counts in the loss, of classifiers alone: by class, 1 where a class
    is not named; "balanced" is windows / (classes x windows of the class), as in scikit-learn.

Attributes
----------
source_ : str
    What the source was trained on, e.g. ``speech@1``; ``+sim`` in it means simulated data,
    ``+zoo`` weights of the zoo, whose card (``tsxfer show``) says on what.
validation_score_ : float
    Macro F1 or mean absolute error of the kept checkpoint on the held-out part.
"""


class _Transfer:
    """What classifier and regressor share: parameters, tests' parameters, and the fit."""

    _estimator_type: ClassVar[str]

    def __init__(
        self,
        source: str | None = None,
        model: str = "convnetquake",
        epochs: int = 100,
        patience: int = 20,
        batch: int = 32,
        rate: float = 1e-3,
        validation_share: float = 0.2,
        rate_multiplier: float = 1.0,
        frozen: bool = False,
        device: str = "auto",
        workspace: str | None = None,
        random_state: int | None = 0,
        overlap: str = "refuse",
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
    ) -> None:
        self.source = source
        self.model = model
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.rate = rate
        self.validation_share = validation_share
        self.rate_multiplier = rate_multiplier
        self.frozen = frozen
        self.device = device
        self.workspace = workspace
        self.random_state = random_state
        self.overlap = overlap
        self.class_weight = class_weight
        super().__init__()

    def _fitted(self, x: NDArray[Any], y: NDArray[Any], classes: tuple[str, ...]) -> Fitted:
        terms = Terms(
            model=self.model,
            recipe=Recipe(self.rate, self.batch, self.epochs, self.patience),
            validation_share=self.validation_share,
            monitor="loss",
            rate_multiplier=self.rate_multiplier,
            frozen=self.frozen,
            seed=_seed(self.random_state),
            device=device_of(self.device),
            class_weights=self._class_weights(y, classes),
        )
        place = Workspace.at(self.workspace)
        source = find_source(self.source, self.model, place) if self.source is not None else None
        self.source_ = source.corpus if source else "none"
        if source and source.simulated:
            warnings.warn(f"the source {source.corpus} is simulated", stacklevel=4)
        if source:
            _look_for_copies(source, x, place, self.overlap)
        off = levels_of(x)
        windows = as_float32(x, off)
        card, rows = _card(windows, classes), np.arange(len(x))
        data = Labelled(x=windows, y=y, group=rows, classes=classes, card=card, taken_off=off)
        return fit(data, terms, source.weights if source else None)

    def _class_weights(self, y: NDArray[Any], classes: tuple[str, ...]) -> tuple[float, ...]:
        """By code; () where each window counts 1."""
        asked = self.class_weight
        if asked is None:
            return ()
        if not classes:
            raise SpecError(
                "a regression has no classes for class_weight to weigh", mend="leave it out"
            )
        if asked == "balanced":
            counts = np.bincount(y, minlength=len(classes))
            return tuple((len(y) / (len(classes) * counts)).tolist())
        if not isinstance(asked, dict):
            raise SpecError(f"class_weight = {asked!r}", mend='use a dictionary or "balanced"')
        named = {str(name): float(weight) for name, weight in asked.items()}
        for name, weight in named.items():
            if name not in classes:
                raise SpecError(f"class_weight of {name!r}", mend=nearest(name, classes))
            if not 0 <= weight < float("inf"):
                raise SpecError(f"class_weight of {name!r} is {weight}", mend="use 0 or more")
        return tuple(named.get(name, 1.0) for name in classes)

    def reset(self) -> Any:
        """As sktime's, which forgets all but parameters, and what scikit-learn's searches left."""
        left = {name: self.__dict__[name] for name in CALLBACKS if name in self.__dict__}
        fresh: Any = super().reset()  # type: ignore[misc]
        self.__dict__.update(left)
        return fresh

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's searches and cross-validation ask: classifier or regressor, 3D."""
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        classifies = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if classifies else None,
            regressor_tags=None if classifies else RegressorTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True),
        )

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Small settings for sktime's own tests."""
        del parameter_set
        return [
            {"epochs": 3, "batch": 8, "device": "cpu"},
            {"model": "mlstm_fcn", "epochs": 2, "validation_share": 0.0, "device": "cpu"},
        ]


class TransferClassifier(_Transfer, BaseClassifier):  # type: ignore[misc]  # noqa: D101
    __doc__ = f"""Time-series classifier with pretrained start, held-out part and early stopping.
{PARAMETERS}
Examples
--------
>>> import numpy as np
>>> from tsxfer.estimators import TransferClassifier
>>> X = np.random.default_rng(0).standard_normal((20, 1, 32))
>>> y = np.arange(20) % 2
>>> TransferClassifier(epochs=2, device="cpu").fit(X, y).predict(X).shape
(20,)
"""

    _tags: ClassVar[dict[str, Any]] = TAGS | {"capability:predict_proba": True}
    _estimator_type = "classifier"

    def _fit(self, X: NDArray[Any], y: NDArray[Any]) -> TransferClassifier:
        codes = np.searchsorted(self.classes_, y).astype(np.int64)
        self._kept = self._fitted(X, codes, tuple(map(str, self.classes_)))
        self.validation_score_ = self._kept.score
        return self

    def _predict_proba(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self._kept.probabilities(X, device_of(self.device))

    def _predict(self, X: NDArray[Any]) -> NDArray[Any]:
        codes = self._predict_proba(X).argmax(axis=1)
        return np.asarray(np.asarray(self.classes_)[codes])


class TransferRegressor(_Transfer, BaseRegressor):  # type: ignore[misc]  # noqa: D101
    __doc__ = f"""Time-series regressor with a pretrained start, a held-out part and early stopping.
{PARAMETERS}
Examples
--------
>>> import numpy as np
>>> from tsxfer.estimators import TransferRegressor
>>> X = np.random.default_rng(0).standard_normal((20, 1, 32))
>>> y = np.arange(20) / 7
>>> TransferRegressor(epochs=2, device="cpu").fit(X, y).predict(X).shape
(20,)
"""

    _tags: ClassVar[dict[str, Any]] = TAGS
    _estimator_type = "regressor"

    def _fit(self, X: NDArray[Any], y: NDArray[Any]) -> TransferRegressor:
        self._kept = self._fitted(X, np.asarray(y, np.float32), ())
        self.validation_score_ = self._kept.score
        return self

    def _predict(self, X: NDArray[Any]) -> NDArray[Any]:
        return self._kept.numbers(X, device_of(self.device)).astype(np.float64)


def _card(x: NDArray[np.float32], classes: tuple[str, ...]) -> Card:
    """What the loop and the scaling ask of a data set; a panel says nothing else of itself."""
    return Card(
        name="panel",
        version=0,
        title="panel given to an estimator",
        domain="own",
        task="classification" if classes else "regression",
        label="y",
        rate_hz=1.0,
        channels=tuple(f"c{number}" for number in range(x.shape[1])),
        length=x.shape[2],
        group="window",
        metric="macro_f1" if classes else "mae",
        margin=0.0,
        licence="not stated",
        cite="not stated",
    )


def _look_for_copies(source: Source, x: NDArray[Any], place: Workspace, overlap: str) -> None:
    """Refuse a source that has seen the panel's windows, or warn of it."""
    if overlap not in OVERLAPS:
        raise SpecError(f"overlap = {overlap!r} is not known", mend=nearest(overlap, OVERLAPS))
    shared = with_windows(source, x, place)
    if overlap == "refuse":
        shared.refuse('take them out of the source, or overlap="label" to fit all the same')
    for line in shared.words if shared.refused else ():
        warnings.warn(line, stacklevel=5)


def _seed(random_state: int | None) -> int:
    from sklearn.utils import check_random_state

    if isinstance(random_state, Integral):  # numpy's whole numbers too
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
