"""Which instance is on which side: one partition a data set, nested subsets, and the proof."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.sizes import label_budget, per_class
from tsxfer.core.specs import Profile
from tsxfer.data import few
from tsxfer.errors import DataError
from tsxfer.keys import stream

Indices = NDArray[np.int64]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Partition:
    """Disjoint instance indices of the three parts, with how many were purged between them.

    Attributes:
        train: To learn from.
        validation: To select on.
        test: To be scored on.
        purged: Instances between the parts that are in none.
        rule: Of the split, where it is ``official`` or a user's own; "" else.
    """

    train: Indices
    validation: Indices
    test: Indices
    purged: int = 0
    rule: str = ""

    def proof(self, group: NDArray[np.str_]) -> dict[str, Any]:
        """Counts and hashes of each part's groups, and how many groups two parts share."""
        sets = {name: set(group[getattr(self, name)].tolist()) for name in PARTS}
        shared = [sets["train"] & sets["validation"], sets["train"] & sets["test"]]
        shared.append(sets["validation"] & sets["test"])
        return {
            "instances": {name: len(getattr(self, name)) for name in PARTS},
            "groups": {name: len(found) for name, found in sets.items()},
            "group_hash": {name: _digest(sorted(found)) for name, found in sets.items()},
            "shared_groups": sum(len(both) for both in shared),
            "purged": self.purged,
            **({"rule": self.rule} if self.rule else {}),
        }


def of_sides(sides: NDArray[np.int64], rule: str = "") -> Partition:
    """The partition in which each instance is in the part of that number, or below 0 in none."""
    train, validation, test = (np.flatnonzero(sides == part) for part in range(3))
    return Partition(train, validation, test, int(np.sum(sides < 0)), rule)


def prefix_stratified(
    pool: Indices, labels: NDArray[Any] | None, draw: np.random.Generator
) -> Indices:
    """A random order of `pool` in which every beginning has the pool's class shares."""
    shuffled = draw.permutation(pool)
    if labels is None:
        return shuffled
    classes = labels[shuffled]
    place = np.empty(len(shuffled))
    for code in np.unique(classes):
        here = np.flatnonzero(classes == code)
        place[here] = (np.arange(len(here)) + draw.random()) / len(here)
    return shuffled[np.argsort(place, kind="stable")]


@dataclass(frozen=True, slots=True)
class Subset:
    """The labels that a trial may use: what it learns from and what it selects on."""

    train: Indices
    validation: Indices

    @property
    def digest(self) -> str:
        """Hash that tells two subsets apart."""
        return _digest([*self.train.tolist(), -1, *self.validation.tolist()])


def subset(
    parts: Partition,
    labels: NDArray[Any] | None,
    profile: Profile,
    size: str,
    dataset: str,
    repeat: int,
    rest_of: NDArray[np.str_] | None = None,
    classes: tuple[str, ...] = (),
) -> Subset:
    """Draw a trial's labels; under nested profiles a smaller budget lies inside a larger one.

    The draw depends on data set and repeat (and on the size where the study did not nest); never
    on the model, the source or the recipe, so that both arms of a comparison get the same.

    Args:
        parts: The partition to draw from.
        labels: ``(n,)`` class codes; None for regression.
        profile: Rules of the protocol.
        size: Label budget.
        dataset: Versioned name.
        repeat: Of the trial.
        rest_of: ``(n,)`` group names; given, what the draw leaves of the training part is
            returned in its stead, whole groups of it to select on.
        classes: Their names, for what is told of one that has too few windows.

    Raises:
        DataError: If the budget is larger than what there is, or nothing is left of it.
    """
    names = ("subset", dataset, repeat) if profile.nested else ("subset", dataset, repeat, size)
    if not profile.nested:
        labels = None  # the study drew its subsets without regard to class
    train = prefix_stratified(parts.train, labels, stream(*names, "train"))
    validation = prefix_stratified(parts.validation, labels, stream(*names, "validation"))
    share = profile.validation_share
    each = per_class(size)
    if each is not None:
        pools = (train, validation)
        drawn = Subset(*few.of_each_class(pools, labels, each, share, dataset, classes))
    else:
        for_train, for_validation = _shares(parts, profile, size, dataset)
        drawn = Subset(train[:for_train], validation[:for_validation])
    if rest_of is not None:
        left = train[~np.isin(train, drawn.train)]
        return _rest(left, rest_of, share or 0.2, stream(*names, "rest"), dataset)
    return drawn


def _shares(parts: Partition, profile: Profile, size: str, dataset: str) -> tuple[int, int]:
    """How many of the training and of the validation part a budget takes."""
    share = profile.validation_share
    available = len(parts.train) + (len(parts.validation) if share else 0)
    budget = label_budget(size, available, 0)
    if share == 0 or size == "all":
        for_train, for_validation = min(budget, len(parts.train)), len(parts.validation)
    else:
        for_validation = round(budget * share)
        for_train = budget - for_validation
    wanted = budget if share == 0 else for_train
    if wanted > len(parts.train) or for_validation > len(parts.validation):
        fits = len(parts.train) if share == 0 else _largest(parts, share)
        raise DataError(
            f"size {budget} needs {wanted} training and {for_validation} validation instances; "
            f"{dataset} has {len(parts.train)} and {len(parts.validation)}",
            mend=f"use a size of at most {fits}, e.g. --size {fits}",
        )
    return for_train, for_validation


def _rest(
    left: Indices, group: NDArray[np.str_], share: float, draw: np.random.Generator, dataset: str
) -> Subset:
    """Training instances that a subset leaves; about `share` of their groups to select on."""
    names, counts = np.unique(group[left], return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"the subset leaves {len(left)} training instances of {len(names)} group(s) in "
            f"{dataset}",
            mend="leave in_domain out of the controls, or use a smaller --size",
        )
    order = draw.permutation(len(names))
    before = np.cumsum(counts[order]) - counts[order]
    chosen = names[order[before < share * len(left)][: len(names) - 1]]
    selected = np.isin(group[left], chosen)
    return Subset(left[~selected], left[selected])


def _largest(parts: Partition, share: float) -> int:
    bound = int(min(len(parts.train) / (1 - share), len(parts.validation) / share))
    return next(
        (
            n
            for n in range(bound, 0, -1)
            if n - round(n * share) <= len(parts.train)
            and round(n * share) <= len(parts.validation)
        ),
        0,
    )


def _digest(items: list[Any]) -> str:
    return hashlib.sha256(repr(items).encode()).hexdigest()[:16]
