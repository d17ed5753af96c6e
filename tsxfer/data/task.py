"""A trial's data: split, drawn, scaled, with the test part under seal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.cautions import Caution
from tsxfer.core.doors import SPLITS, facts
from tsxfer.core.specs import PROFILES, Profile, Trial
from tsxfer.data import catalogue, prepare, scale, split
from tsxfer.data.card import Card
from tsxfer.data.prepare import Prepared
from tsxfer.data.rules import Instances, partition
from tsxfer.data.sealed import SealedTest
from tsxfer.data.trivial import Trivial
from tsxfer.errors import DataError, SpecError, nearest
from tsxfer.keys import stream
from tsxfer.store.leases import alone
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Task:
    """A trial's data, scaled, with the test part sealed.

    Attributes:
        prepared: Where it comes from.
        train: Training windows as the model sees them.
        train_y: Their labels as the model learns them.
        validation: Validation windows.
        validation_y: Their labels as the model learns them.
        truth: Validation labels in the card's unit.
        train_truth: Training labels in the card's unit.
        scaler: Fitted on the training windows alone.
        test: The sealed part.
        proof: Split proof, with what a group is and the rule of the split.
        subset: The instances used.
    """

    prepared: Prepared
    train: scale.Scaled
    train_y: NDArray[Any]
    validation: scale.Scaled
    validation_y: NDArray[Any]
    truth: NDArray[Any]
    train_truth: NDArray[Any]
    scaler: scale.Scaler
    test: SealedTest
    proof: dict[str, Any]
    subset: split.Subset

    @property
    def outputs(self) -> int:
        """Numbers that the model gives."""
        return len(self.prepared.classes) or 1

    @property
    def trivial(self) -> Trivial:
        """What the training labels say of any window."""
        return Trivial(
            classes=bool(self.prepared.classes),
            truth=self.train_truth,
            learned=self.train_y,
            scaler=self.scaler,
            follows_level=self.prepared.card.label_like_input,
        )


def prepared(workspace: Workspace, name: str) -> Prepared:
    """The prepared data set of a versioned name; a simulated one is made when first asked for.

    Raises:
        DataError: If a real one is not prepared.
    """
    dataset = catalogue.find(name, workspace)
    found = prepare.load(dataset, workspace.data(name))
    if found is None and dataset.simulate is not None:
        with alone(workspace.root / "leases", f"prepare-{name}"):
            found = prepare.load(dataset, workspace.data(name))
            found = found or prepare.simulate(dataset, workspace.data(name))
    if found is None:
        raise DataError(
            f"{name} is not prepared",
            where=str(workspace.data(name)),
            mend=f"tsxfer prepare {dataset.card.name}  (or: --from FOLDER for files that you have)",
        )
    return found


def parts_of(data: Prepared, profile: Profile) -> split.Partition:
    """The partition of a prepared data set under a profile."""
    card = data.card
    instances = Instances(
        dataset=card.id,
        group=np.asarray(data.array("group")),
        start=np.asarray(data.array("start")),
        end=np.asarray(data.array("end")),
        labels=np.asarray(data.array("y")) if card.task == "classification" else None,
        part=np.asarray(data.array("part")) if card.split == "official" else None,
        shares=profile.shares,
        grouped=profile.grouped,
    )
    return partition(instances, profile, card.split)


def judged(data: Prepared, trial: Trial) -> Prepared:
    """A prepared data set, its card with the metric and the rule of the split of a trial.

    Raises:
        SpecError: If one is not known, or the metric is for another task.
    """
    if not (trial.metric or trial.split):
        return data
    return replace(data, card=judged_card(data.card, trial.metric, trial.split))


def judged_card(card: Card, metric: str, rule: str) -> Card:
    """A card with another primary metric and rule of the split; "" keeps its own."""
    if metric and metric != card.metric:
        found = metrics.get(metric)
        if found.task != card.task:
            raise SpecError(
                f"metric {metric} is for {found.task}, {card.name} is a {card.task}",
                mend=nearest(metric, metrics.names(card.task)),
            )
        beside = tuple(n for n in (card.metric, *card.extra_metrics) if n != metric)
        margin = card.margin if found.margin is None else found.margin
        card = replace(card, metric=metric, extra_metrics=beside, margin=margin)
    if rule and rule != card.split:
        leaks = bool(facts(SPLITS, rule).get("shares_groups")) and not SPLITS.own(rule)
        warnings = (*card.warnings, *((Caution.LEAKY,) if leaks else ()))
        card = replace(card, split=rule, warnings=warnings)
    return card


def draw(data: Prepared, trial: Trial) -> tuple[split.Partition, split.Subset]:
    """The partition of a prepared data set, and the instances of it that a trial may use."""
    data = judged(data, trial)
    profile, card = PROFILES[trial.profile], data.card
    coded = np.asarray(data.array("y")) if card.task == "classification" else None
    parts = parts_of(data, profile)
    group = np.asarray(data.array("group")) if trial.part == "rest" else None
    drawn = split.subset(
        parts, coded, profile, trial.size, card.id, trial.repeat, group, data.classes
    )
    return parts, drawn


def load_task(workspace: Workspace, trial: Trial) -> Task:
    """Split, draw, and scale a trial's data; both arms of a comparison get the same."""
    data = judged(prepared(workspace, trial.dataset), trial)
    profile = PROFILES[trial.profile]
    card, labels, group = data.card, np.asarray(data.array("y")), np.asarray(data.array("group"))
    coded = labels if card.task == "classification" else None
    parts, drawn = draw(data, trial)
    if coded is not None:
        _refuse_empty_class(data, labels[drawn.train], trial)
    x = data.array("x")
    train_x, train_truth = np.asarray(x[drawn.train]), labels[drawn.train]
    truth = labels[drawn.validation]
    scaler = scale.fit(train_x, train_truth, card, profile)
    train, validation = scaler.windows(train_x), scaler.windows(np.asarray(x[drawn.validation]))
    train_y = train_truth if coded is not None else scaler.scaled(train_truth, train)
    validation_y = truth if coded is not None else scaler.scaled(truth, validation)
    if trial.recipe.labels == "shuffled":
        train_y = train_y[_shuffle(trial, "train", len(train_y))]
        validation_y = validation_y[_shuffle(trial, "validation", len(validation_y))]
        truth = validation_y if coded is not None else scaler.unscaled(validation_y, validation)
    return Task(
        prepared=data,
        train=train,
        train_y=train_y,
        validation=validation,
        validation_y=validation_y,
        truth=truth,
        train_truth=train_truth,
        scaler=scaler,
        test=SealedTest(data, parts.test),
        proof=parts.proof(group) | {"group": card.group, "rule": card.split},
        subset=drawn,
    )


def _shuffle(trial: Trial, part: str, count: int) -> NDArray[np.int64]:
    """Whose label each instance gets; of labels as they are learned: prices keep their level."""
    return stream("shuffled labels", trial.dataset, trial.repeat, part).permutation(count)


def _refuse_empty_class(data: Prepared, codes: NDArray[Any], trial: Trial) -> None:
    missing = sorted(set(range(len(data.classes))) - set(codes.tolist()))
    if missing:
        names = ", ".join(data.classes[code] for code in missing)
        raise DataError(
            f"no training instance of class {names} in {trial.dataset} at {trial.size}",
            mend="use a larger --size, or remove the class from the files and prepare again",
        )
