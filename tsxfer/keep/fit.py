"""One model to keep: fitted on all labels but a validation part, with all that its use needs.

There is no test part here: what a model is worth is what a study says; this makes the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from tsxfer import metrics
from tsxfer.core.shortage import is_shortage
from tsxfer.core.specs import PROFILES, Recipe
from tsxfer.core.strategy import Channels, Learn, Strategy
from tsxfer.data import scale
from tsxfer.data.card import Card
from tsxfer.data.precision import as_float32
from tsxfer.data.split import prefix_stratified
from tsxfer.errors import DataError, SpecError
from tsxfer.keys import seed, stream
from tsxfer.models.base import Model, build
from tsxfer.running.device import on_gpu
from tsxfer.running.memory import release
from tsxfer.running.runner import SUCCESSOR, no_subnormals
from tsxfer.train import graphs, loop, precision, recording, reuse
from tsxfer.train.batch import on_device
from tsxfer.train.objectives import Objective, Weighted, of_labels, task_loss

Floats = NDArray[np.float32]
SMALL = 50_000
VALIDATION_SHARE = 0.2  # of the windows, to choose the checkpoint on
FEWEST = 5  # windows; with less there is nothing to hold out


@dataclass(frozen=True, slots=True)
class Labelled:
    """Windows with labels.

    Attributes:
        x: ``(n, channel, time)`` float32, raw.
        y: ``(n,)`` class codes, or numbers in the card's unit.
        group: ``(n,)`` names of what stays on one side of training and validation.
        classes: Their names by code; empty for regression.
        card: Task, metric, channels, the rule of the split, and whether labels follow the input's
            level.
        start: ``(n,)`` seconds, where the card splits in time.
        end: ``(n,)`` the end of what a window and its label have seen.
        taken_off: Level that each channel of `x` had lost before it became float32; () for none.
    """

    x: Floats
    y: NDArray[Any]
    group: NDArray[Any]
    classes: tuple[str, ...]
    card: Card
    start: NDArray[np.float64] | None = None
    end: NDArray[np.float64] | None = None
    taken_off: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model to keep is fitted.

    Attributes:
        model: Registered backbone.
        recipe: Rates, budget and patience.
        validation_share: Share of the windows held out to choose the checkpoint on.
        monitor: The checkpoint is the best of the card's metric, or of the validation loss, which
            is smoother where few windows are held out.
        rate_multiplier: Rate of the copied layers relative to the others.
        frozen: Keep the copied layers as they are.
        channels: How kernels are fitted to other channels, see `tsxfer.core.strategy.Strategy`.
        seed: Of weights, order, dropout and the held-out part.
        device: ``cpu`` or ``cuda``.
        class_weights: What a window of each class counts in the loss, by code; () counts each 1.
    """

    model: str = "convnetquake"
    recipe: Recipe = field(default_factory=Recipe)
    validation_share: float = VALIDATION_SHARE
    monitor: Literal["metric", "loss"] = "metric"
    rate_multiplier: float = 1.0
    frozen: bool = False
    channels: Channels = "repeat"
    seed: int = 0
    device: str = "cpu"
    class_weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.validation_share < 1:
            raise SpecError(
                f"validation_share = {self.validation_share} is outside [0, 1)",
                mend="e.g. 0.2",
            )
        if not self.rate_multiplier > 0:
            raise SpecError(
                f"rate_multiplier = {self.rate_multiplier} is not above 0",
                mend="set frozen to keep copied layers as they are",
            )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model as plain data; the network is built again wherever it is used.

    Attributes:
        model: Registered backbone.
        channels: Channels of a window.
        length: Samples of a window.
        classes: Class names by code; empty for regression.
        scaler: Fitted on the training windows.
        weights: The network's state.
        metric: Name of the validation score.
        score: Of the kept checkpoint, on the held-out part.
        trained: Windows learned from.
        validated: Windows held out; 0 where there were too few, and the score is that of training.
        samples: Windows seen until training stopped.
        audit: Tensors copied, renewed and frozen.
        taken_off: Level that each channel loses before it becomes float32; () for none.
        apart: Each channel passes the backbone alone.
        precision: In which it learned, and answers; where a device has no TF32, in float32.
    """

    model: str
    channels: int
    length: int
    classes: tuple[str, ...]
    scaler: scale.Scaler
    weights: dict[str, Tensor]
    metric: str
    score: float
    trained: int
    validated: int
    samples: int
    audit: dict[str, list[str]]
    taken_off: tuple[float, ...] = ()
    apart: bool = False
    precision: str = "float32"

    def network(self) -> Model:
        """The network with the kept weights, on the CPU."""
        outputs, apart = len(self.classes) or 1, self.apart
        made = _built(self.model, self.channels, self.length, self.scaler, outputs, apart=apart)
        made.load_state_dict(self.weights)
        return made

    def output(self, x: NDArray[Any], device: str = "cpu") -> tuple[Floats, scale.Scaled]:
        """Raw output ``(n, outputs)`` for raw windows ``(n, channel, time)``, and these scaled.

        Raises:
            DataError: For windows of another shape, samples that float32 cannot hold, and windows
                that the network has no number for.
        """
        if x.ndim != 3 or x.shape[1:] != (self.channels, self.length):
            raise DataError(
                f"windows are {' x '.join(map(str, x.shape[1:]))}, the model was fitted on "
                f"{self.channels} x {self.length}",
                mend="give the same channels and length",
            )
        scaled = self.scaler.windows(as_float32(x, self.taken_off))
        tensors = on_device(scaled, np.zeros(len(x), np.float32), device)
        with precision.products(self.precision):
            network = self.network().to(device)
            found = loop.predict(network, tensors.x, tensors.extra, precision=self.precision)
        _refuse_no_number(found)
        return found, scaled

    def probabilities(self, x: NDArray[Any], device: str = "cpu") -> NDArray[np.float64]:
        """Class probabilities ``(n, class)``."""
        raw = self.output(x, device)[0].astype(np.float64)
        return np.asarray(softmax(raw, axis=1))

    def numbers(self, x: NDArray[Any], device: str = "cpu") -> Floats:
        """Predictions of a regression, in the unit of the labels."""
        raw, scaled = self.output(x, device)
        return self.scaler.unscaled(raw[:, 0], scaled)


def _refuse_no_number(output: Floats) -> None:
    """Refuse output that is NaN: no class or number follows from it."""
    bad = ~np.isfinite(output).all(axis=1)
    if bad.any():
        raise DataError(
            f"the model gives NaN for {int(bad.sum())} of {len(output)} windows",
            where=f"first for window {int(np.argmax(bad)) + 1}",
            mend="look at its samples: they are far from those that the model was fitted on",
        )


def fit(
    data: Labelled, terms: Terms, source: dict[str, Tensor] | None = None, refused: str = ""
) -> Fitted:
    """Fit a model, from the convolutions of a source where there is one.

    Args:
        data: All that may be learned from.
        terms: How.
        source: Weights of a pretraining of the same backbone.
        refused: Why steps are not to be recorded; empty: they are, on a GPU.

    Raises:
        SpecError: If the source's tensors do not fit, the device is too small, or training
            diverged.
        DataError: If a label is NaN or infinite.
    """
    precision.refuse(terms.recipe.precision, terms.device)
    if recording.spoiled():
        return SUCCESSOR.call(fit, data, terms, source, refused)
    try:
        return _fit(data, terms, source, refused)
    except recording.SpoiledError as error:
        why = str(error)
    release(terms.device)
    return SUCCESSOR.call(fit, data, terms, source, why)


def _fit(data: Labelled, terms: Terms, source: dict[str, Tensor] | None, refused: str) -> Fitted:
    _refuse_no_label(data.y)
    train, held = hold_out(data, terms)
    scaler = scale.fit(data.x[train], data.y[train], data.card, PROFILES["strict"])
    parts = [_scaled(data, rows, scaler) for rows in (train, held if len(held) else train)]
    tensors = [on_device(scaled, y, terms.device) for scaled, y in parts]
    (channels, length), outputs = data.x.shape[1:], len(data.classes) or 1
    weights = seed("fit", "weights", terms.seed)
    apart = terms.channels == "independent"
    model = _built(terms.model, channels, length, scaler, outputs, weights, apart=apart)
    start = reuse.scratch(model)
    if source is not None:
        learn: Learn = "frozen" if terms.frozen else "tuned"
        how = Strategy(learn=learn, channels=terms.channels)
        start = reuse.take_over(model, source, strategy=how)
    score = _score(data, held if len(held) else train, parts[1], scaler, terms)
    replica = loop.Replica(
        model.to(terms.device),
        tensors[0],
        tensors[1],
        score,
        order=stream("fit", "order", terms.seed),
        dropout=seed("fit", "dropout", terms.seed),
        rates=start.rates(terms.rate_multiplier),
        thaws=start.thaws(terms.recipe.epochs),
        objective=_objective(terms),
    )
    done = _trained(replica, terms, refused)
    reuse.check_frozen(model, start)
    state = {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
    return Fitted(
        model=terms.model,
        channels=channels,
        length=length,
        classes=data.classes,
        scaler=scaler,
        weights=state,
        metric=data.card.metric,
        score=done.metric[done.best],
        trained=len(train),
        validated=len(held),
        samples=int(done.samples[-1]),
        audit=start.audit,
        taken_off=data.taken_off,
        apart=apart,
        precision=terms.recipe.precision,
    )


def _refuse_no_label(y: NDArray[Any]) -> None:
    """Refuse labels that cannot be learned, which would look like divergence."""
    bad = ~np.isfinite(y) if y.dtype.kind == "f" else np.zeros(len(y), bool)
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} of {len(y)} labels are NaN or infinite",
            where=f"first at position {int(np.argmax(bad))}, counted from 0",
            mend="leave those windows out, or fill their labels in",
        )


def _more_room(device: str) -> str:
    if device == "cpu":
        return "close what else holds memory, or give it fewer or shorter windows"
    return "use --device cpu"


def _trained(replica: loop.Replica, terms: Terms, refused: str) -> loop.Fit:
    stepper = graphs.Graphs(refused=refused) if on_gpu(terms.device) else loop.turns
    numbers = terms.recipe.batch * replica.train.x[0].numel()
    try:
        with no_subnormals(), _few_threads(numbers), precision.products(terms.recipe.precision):
            done = loop.fit([replica], loop.Rules(terms.recipe), stepper)[0]
    except RuntimeError as error:
        if not is_shortage(error):
            raise
        raise SpecError(
            f"out of memory on {terms.device}: {str(error).splitlines()[0]}",
            where=f"{terms.model}, batches of {terms.recipe.batch}",
            mend=_more_room(terms.device),
        ) from None
    if done.diverged:
        raise SpecError(
            "the validation score is not finite: training diverged",
            where=f"{terms.model}, rate {terms.recipe.rate}",
            mend="try a tenth of the rate",
        )
    return done


@contextmanager
def _few_threads(numbers: int) -> Iterator[None]:
    """One thread where a batch holds few numbers: waiting for others costs more than they help."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if numbers < SMALL else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def hold_out(data: Labelled, terms: Terms) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from and rows to choose the checkpoint on; no group is in both.

    Every class keeps windows to learn from. Where the card splits in time, the last windows are
    held out, and none to learn from reaches into them. Nothing is held out of fewer than `FEWEST`
    windows or a single group.
    """
    every: NDArray[np.int64] = np.arange(len(data.x))
    wanted = round(terms.validation_share * len(every))
    if data.card.split == "time" and data.start is not None and data.end is not None and wanted:
        cut = np.quantile(data.start, 1 - terms.validation_share)
        return np.flatnonzero(data.end < cut), np.flatnonzero(data.start >= cut)
    draw = stream("fit", "validation", terms.seed)
    members: dict[Any, list[int]] = {}
    for row in prefix_stratified(every, data.y if data.classes else None, draw).tolist():
        members.setdefault(data.group[row], []).append(row)
    if len(every) < FEWEST or len(members) < 2 or wanted == 0:
        return every, every[:0]
    held = _taken(list(members.values()), data, wanted)
    smallest = min(members.values(), key=len)  # where every group is larger than what is wanted
    held = held or _taken([smallest], data, len(every) // 2)
    return np.setdiff1d(every, held), np.sort(np.array(held, np.int64))


def _taken(groups: list[list[int]], data: Labelled, most: int) -> list[int]:
    """Rows of as many groups, in order, as fit; a class is never taken whole."""
    codes = data.y if data.classes else np.zeros(len(data.x), np.int64)
    left, held = np.bincount(codes), list[int]()
    for rows in groups:
        here = np.bincount(codes[rows], minlength=len(left))
        if len(held) + len(rows) <= most and ((left > here) | (here == 0)).all():
            held, left = held + rows, left - here
    return held


def _scaled(
    data: Labelled, rows: NDArray[np.int64], scaler: scale.Scaler
) -> tuple[scale.Scaled, NDArray[Any]]:
    scaled = scaler.windows(data.x[rows])
    y = data.y[rows]
    return scaled, y.astype(np.int64) if data.classes else scaler.scaled(y, scaled)


def _score(
    data: Labelled,
    rows: NDArray[np.int64],
    part: tuple[scale.Scaled, NDArray[Any]],
    scaler: scale.Scaler,
    terms: Terms,
) -> loop.Score:
    metric, truth = metrics.get(data.card.metric), data.y[rows]
    sign = metric.sign
    goal = torch.from_numpy(np.ascontiguousarray(part[1]))

    def score(output: Floats) -> tuple[float, float]:
        answer = output.argmax(axis=1) if data.classes else scaler.unscaled(output[:, 0], part[0])
        value = metric.score(truth, answer)
        if terms.monitor == "metric":
            return sign * value, value
        found = task_loss(torch.from_numpy(output), goal, terms.recipe.loss, _weights(terms, "cpu"))
        return -float(found), value

    return score


def _objective(terms: Terms) -> Objective:
    weights = _weights(terms, terms.device)
    return of_labels(terms.recipe.loss) if weights is None else Weighted(weights)


def _weights(terms: Terms, device: str) -> torch.Tensor | None:
    return torch.tensor(terms.class_weights, device=device) if terms.class_weights else None


def _built(
    name: str,
    channels: int,
    length: int,
    scaler: scale.Scaler,
    outputs: int,
    weights: int = 0,
    *,
    apart: bool = False,
) -> Model:
    return build(
        name,
        channels=channels,
        length=length,
        extra=int(scaler.amplitude),
        outputs=outputs,
        seed=weights,
        apart=apart,
    )


def scaler_facts(scaler: scale.Scaler) -> dict[str, Any]:
    """A scaler as plain data; of the strict profile, whose mask is empty."""
    names = ("kind", "amplitude", "extra_mean", "extra_sd", "y_mean", "y_sd", "relative")
    facts = {name: getattr(scaler, name) for name in names}
    return facts | {"channels": list(scaler.channels)}


def scaler_of(facts: dict[str, Any], length: int) -> scale.Scaler:
    """The inverse of `scaler_facts`."""
    channels = tuple(facts["channels"])
    mask = np.zeros((len(channels), length), np.float32)
    return scale.Scaler(**{**facts, "channels": channels, "mask": mask})
