"""What a ranking may see: training windows of a target's subset, and pretrained sources on them.

Neither validation nor test windows are read, nor their labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import nn

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.data import catalogue, scale
from tsxfer.data.card import Card
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import draw, prepared
from tsxfer.data.trivial import Trivial
from tsxfer.errors import DataError, StoreError
from tsxfer.keys import stream
from tsxfer.models.base import Model, build
from tsxfer.ranking import elsewhere
from tsxfer.ranking.sources import Pretrained
from tsxfer.running.given import check, fitting
from tsxfer.running.setup import fresh
from tsxfer.store import given
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, norms, reuse, weights
from tsxfer.train.batch import on_device

MOST = 1500  # windows of a source that distances look at
GUESSES = 20  # one draw by class shares is off by a margin or two
QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Part:
    """The training windows of a trial.

    Attributes:
        card: Of the data set.
        classes: Class names; empty for regression.
        windows: As a model sees them.
        learned: ``(n,)`` class codes, or numbers as a model learns them.
        truth: ``(n,)`` class codes, or numbers in the card's unit.
        group: ``(n,)`` names.
        scaler: Fitted on these windows.
    """

    card: Card
    classes: tuple[str, ...]
    windows: scale.Scaled
    learned: NDArray[Any]
    truth: NDArray[Any]
    group: NDArray[np.str_]
    scaler: scale.Scaler

    @property
    def codes(self) -> NDArray[np.int64]:
        """Class codes; of numbers, the quartile that each lies in."""
        if self.classes:
            return self.learned.astype(np.int64)
        return np.searchsorted(np.quantile(self.learned, QUARTILES), self.learned).astype(np.int64)

    @property
    def goals(self) -> NDArray[np.float64]:
        """``(n, class)`` one-hot, or ``(n, 1)`` numbers as they are learned."""
        if self.classes:
            return np.eye(len(self.classes))[self.codes]
        return self.learned.astype(np.float64)[:, None]

    def score(self, output: NDArray[np.float64]) -> float:
        """Oriented primary metric of outputs ``(n, class)`` or ``(n, 1)``: larger is better."""
        if self.classes:
            return self._score(output.argmax(axis=1))
        return self._score(self.scaler.unscaled(output[:, 0], self.windows))

    @property
    def blind(self) -> float:
        """Oriented score of the best trivial prediction: a useful probe is better.

        The commonest class, draws by class shares on average, the median label, or no change of a
        price.
        """
        known = Trivial(
            classes=bool(self.classes),
            truth=self.truth,
            learned=self.learned,
            scaler=self.scaler,
            follows_level=self.card.label_like_input,
        )
        chance = stream("guess", self.card.id)
        guesses = [
            self._score(guess)
            for _ in range(GUESSES)
            for guess in known.drawn(self.windows, chance)
        ]
        fixed = max(map(self._score, known.fixed(self.windows)))
        return max(fixed, float(np.mean(guesses))) if guesses else fixed

    def _score(self, answer: NDArray[Any]) -> float:
        metric = metrics.get(self.card.metric)
        return metric.sign * metric.score(self.truth, answer)


@dataclass(frozen=True, slots=True)
class Seen:
    """What every ranker is given.

    Attributes:
        target: Its training windows.
        source: Training windows of the pretraining; None where its data is not here as it
            was then.
        features: ``(n, d)`` of the target's windows, with what a transfer copies of the source.
        probabilities: ``(n, source class)`` of the source's own model on the target's windows;
            None where there are none.
        label_count: Labels in pretraining, those to select on included; None where not known.
        same_domain: The cards of both name one domain; None where that is not known.
    """

    target: Part
    source: Part | None
    features: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None
    label_count: int | None
    same_domain: bool | None


def training_part(data: Prepared, trial: Trial, most: int | None = None) -> Part:
    """Training windows of a trial's subset, the first `most` of their random order."""
    rows = draw(data, trial)[1].train[:most]
    x, truth = np.asarray(data.array("x")[rows]), np.asarray(data.array("y")[rows])
    scaler = scale.fit(x, truth, data.card, PROFILES[trial.profile])
    windows = scaler.windows(x)
    learned = truth if data.classes else scaler.scaled(truth, windows)
    group = np.asarray(data.array("group")[rows])
    return Part(
        card=data.card,
        classes=data.classes,
        windows=windows,
        learned=learned,
        truth=truth,
        group=group,
        scaler=scaler,
    )


def see(workspace: Workspace, transfer: Trial, pretraining: Result | None) -> Seen:
    """Gather what rankers need of one transfer, before it is trained.

    Args:
        workspace: With the target's data and the source's weights.
        transfer: Its `reuse.source` is the pretraining.
        pretraining: Its row, from the header of its weights; None of weights made elsewhere.

    Raises:
        TsxferError: If data or weights are not there or do not fit the model.
    """
    assert transfer.reuse is not None  # noqa: S101  (callers build it)
    source = transfer.reuse.source
    target = training_part(prepared(workspace, transfer.dataset), transfer)
    if pretraining is None:
        return _see_given(workspace, transfer, target)
    kept = weights.load(workspace.weights(source.key))
    card = catalogue.find(source.dataset, workspace).card
    return Seen(
        target,
        _source_part(workspace, pretraining),
        features(target, transfer, kept),
        probabilities(target, source, kept, card),
        Pretrained(pretraining).label_count,
        card.domain == target.card.domain,
    )


def _see_given(workspace: Workspace, transfer: Trial, target: Part) -> Seen:
    """Of weights made elsewhere: what they make of the target's windows, and what is said of them.

    Raises:
        TsxferError: If they do not fit the model, whole.
    """
    assert transfer.reuse is not None  # noqa: S101  (callers build it)
    source = transfer.reuse.source
    check([transfer], workspace)
    kept = fitting(source, transfer.dataset, workspace).weights
    return Seen(
        target,
        None,
        features(target, transfer, kept),
        None,
        elsewhere.label_count(source.dataset),
        elsewhere.same_domain(given.read(source.dataset, workspace), target.card.domain, workspace),
    )


def _source_part(workspace: Workspace, pretraining: Result) -> Part | None:
    source = pretraining.trial
    try:
        data = prepared(workspace, source.dataset)
    except DataError:
        return None  # weights were copied here without their data
    if pretraining.data.get(source.dataset) != data.fingerprint:
        return None
    return training_part(data, source, MOST)


def features(part: Part, trial: Trial, kept: reuse.Weights) -> NDArray[np.float64]:
    """Backbone features ``(n, d)`` as a transfer begins: what its strategy copies, the rest fresh.

    What is not copied starts as in the trial. Normalisation layers take their statistics from the
    windows, as they do within the first steps of training; their fresh ones would be 0 and 1.
    """
    model = fresh(trial, part.windows, len(part.classes) or 1)
    reuse.take_over(model, kept, strategy=trial.reuse.strategy if trial.reuse else None)
    if norms.layers(model):
        norms.renormalise(model, torch.from_numpy(part.windows.x), few=512)
    model.head = nn.Identity()
    batch = on_device(part.windows, np.zeros(len(part.learned), np.float32), "cpu")
    output = loop.predict(model, batch.x, batch.extra[:, :0])
    return output.astype(np.float64)


def probabilities(
    part: Part, source: Trial, kept: reuse.Weights, card: Card
) -> NDArray[np.float64] | None:
    """The source's own class probabilities on a target's windows; None unless both classify.

    Windows are brought to the source's channels and length sample by sample, as kernels are when
    they are copied: the mean of the channels repeated where their number differs; cut at the end,
    or filled with zeros.
    """
    if card.task != "classification" or not part.classes:
        return None
    channels = len(scale.channels_for(card, PROFILES[source.profile]))
    extra = int(PROFILES[source.profile].scaling == "peak" or card.amplitude)
    model = build(
        source.model,
        channels=channels,
        length=card.length,
        extra=extra,
        outputs=len(
            [t for name, t in kept.items() if name.startswith("head.") and t.ndim == 1][-1]
        ),
        seed=0,
    )
    _load(model, kept, source)
    x = _reshaped(part.windows.x, channels, card.length)
    beside = (
        part.windows.extra
        if part.windows.extra.shape[1] == extra
        else np.zeros((len(x), extra), np.float32)
    )
    raw = loop.predict(model, torch.from_numpy(x), torch.from_numpy(beside)).astype(np.float64)
    return np.asarray(softmax(raw, axis=1))


def _load(model: Model, kept: reuse.Weights, source: Trial) -> None:
    """Put a source's state into its model; counters of normalisation layers are not kept."""
    try:
        missing = model.load_state_dict(kept, strict=False).missing_keys
        absent = [name for name in missing if not name.endswith("num_batches_tracked")]
        fault = f"no {absent[0]}" if absent else ""
    except RuntimeError as error:
        fault = str(error).splitlines()[-1].strip()
    if fault:
        raise StoreError(
            f"the weights of {source.dataset} ({source.key}) do not fit its model: {fault}",
            mend="delete that file and run the study again; only that training is repeated",
        )


def _reshaped(x: NDArray[np.float32], channels: int, length: int) -> NDArray[np.float32]:
    """Windows ``(n, channel, time)`` with so many channels and samples."""
    if x.shape[1] != channels:
        x = np.repeat(x.mean(axis=1, keepdims=True), channels, axis=1)
    cut = x[:, :, :length]
    return np.ascontiguousarray(np.pad(cut, ((0, 0), (0, 0), (0, length - cut.shape[2]))))
