"""Would another test set say the same? Test groups are left out in turn, from kept predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.keys import stream
from tsxfer.stats.cells import Cell

BLOCKS = 200  # most that are left out in turn; more groups are put together by chance
LARGEST = 1 << 30  # bytes of a row's predictions once unpacked
TABLE = 1e8  # cells of a confusion table by group
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TestError:
    """Uncertainty of a cell's mean difference that more repeats would not remove.

    Attributes:
        groups: Test groups (events, speakers, subjects).
        variance: Of the mean difference, from which groups are tested.
        left: ``(pair, arm, block)`` scores without each group, or block of groups, in turn.
        alignment: Of the test part; cells that share it leave out the same blocks.
    """

    __test__ = False  # a name that pytest would take for a test

    groups: int
    variance: float
    left: Array = field(repr=False)
    alignment: str = ""

    @property
    def df(self) -> float:
        """Degrees of freedom of the variance."""
        return min(self.groups, BLOCKS) - 1.0


def from_predictions(cell: Cell, folder: Path) -> TestError | None:
    """Leave a cell's test groups out in turn; None with one pair, or where predictions are missing.

    Predictions count as there only if they can be read and carry the alignment of their row. All
    repeats and both arms lose the same group at a time, as they share the test set. The variance is
    that of the delete-a-group jackknife (Quenouille 1956; Shao and Tu 1995, section 2.3).
    """
    loaded = predictions(cell, folder) if len(cell.pairs) > 1 else None
    if loaded is None:
        return None
    truth, group, predicted = loaded
    names, member = np.unique(group, return_inverse=True)
    if len(names) < 2:
        return None
    metric = cell.pairs[0][0].metric
    blocks, member = _blocks(len(names), member, cell.pairs[0][0].alignment)
    score = _scorer(metric, truth, member, 1.0 - np.eye(blocks))
    left = np.array([score(p) for p in predicted])  # (row, block left out), the arms in turn
    means = metrics.get(metric).sign * (left[1::2] - left[0::2]).mean(axis=0)
    arms = left.reshape(-1, 2, blocks)
    return TestError(len(names), jackknife(means), arms, cell.pairs[0][0].alignment)


def jackknife(left: Array) -> float:
    """Variance of a statistic from its values without each block in turn ``(block,)``."""
    blocks = len(left)
    return (blocks - 1) / blocks * float(((left - left.mean()) ** 2).sum())


def _blocks(count: int, member: NDArray[np.int64], alignment: str) -> tuple[int, NDArray[np.int64]]:
    """So many groups as blocks of equally many, where there are more than need be left out."""
    if count <= BLOCKS:
        return count, member
    place = stream("test groups", alignment).permutation(count) % BLOCKS
    return BLOCKS, place[member]


def predictions(
    cell: Cell, folder: Path
) -> tuple[NDArray[np.generic], NDArray[np.int64], list[Array]] | None:
    """Truth, group and each row's predictions (the arms of a pair in turn); None unless all hold.

    Truth and predictions are class codes or numbers ``(n,)`` of the sealed test, in one order.
    """
    predicted = []
    truth, group = np.zeros(0), np.zeros(0, np.int64)
    try:
        for row in (row for pair in cell.pairs for row in pair):
            with (folder / f"{row.key}.npz").open("rb") as file, np.load(file) as kept:
                packed = sum(member.file_size for member in kept.zip.infolist())
                if packed > LARGEST or str(kept["alignment"]) != row.alignment:
                    return None
                truth, group = kept["truth"], kept["group"]
                predicted.append(kept["predicted"])
    except Exception:  # numpy and zipfile pass on any fault of a damaged file
        return None
    whole = _whole(cell.pairs[0][0].metric, truth, group, predicted)
    return (truth, group, predicted) if whole else None


def _whole(
    metric: str, truth: NDArray[np.generic], group: NDArray[np.int64], predicted: list[Array]
) -> bool:
    """Whether the arrays are numbers of one length that a score can be made of."""
    every = [truth, group, *predicted]
    if any(a.ndim != 1 or a.dtype.kind not in "iuf" or len(a) != len(truth) for a in every):
        return False
    if not len(truth) or group.dtype.kind == "f" or not all(np.isfinite(a).all() for a in every):
        return False
    if not metrics.get(metric).by_class:
        return True
    codes = [truth, *predicted]
    low, high = min(float(a.min()) for a in codes), max(float(a.max()) for a in codes)
    return low >= 0 and high < TABLE and len(np.unique(group)) * (high + 1) ** 2 < TABLE


def _scorer(
    metric: str, truth: NDArray[np.generic], member: NDArray[np.int64], weights: Array
) -> Callable[[Array], Array]:
    """From predictions to the metric of every draw; sums by group where the metric allows it."""
    groups = weights.shape[1]
    if metrics.get(metric).by_class:
        return lambda p: _f1(truth, p, member, weights, macro=metric == "macro_f1")
    if metric in ("mae", "accuracy"):
        count = weights @ np.bincount(member, minlength=groups)

        def by_sum(p: Array) -> Array:
            real = truth.astype(np.float64)
            loss = np.abs(p - real) if metric == "mae" else (p == real).astype(float)
            mean: Array = weights @ np.bincount(member, loss, groups) / count
            return mean

        return by_sum
    rows = [np.flatnonzero(member == g) for g in range(groups)]
    chosen = [np.repeat(np.arange(groups), w.astype(int)) for w in weights]
    score = metrics.get(metric).score

    def one_by_one(p: Array) -> Array:
        where = [np.concatenate([rows[g] for g in c]) for c in chosen]
        return np.array([score(truth[w], p[w]) for w in where])

    return one_by_one


def _f1(
    truth: NDArray[np.generic],
    predicted: Array,
    member: NDArray[np.int64],
    weights: Array,
    *,
    macro: bool,
) -> Array:
    """F1 of every draw from confusion counts by group."""
    codes = truth.astype(np.int64)
    classes = int(max(codes.max(), predicted.max())) + 1
    groups = weights.shape[1]
    cell = (member * classes + codes) * classes + predicted.astype(np.int64)
    counts = np.bincount(cell, minlength=groups * classes**2).reshape(groups, -1)
    table = (weights @ counts).reshape(-1, classes, classes)
    hits, real, claimed = (
        np.diagonal(table, axis1=1, axis2=2),
        table.sum(axis=2),
        table.sum(axis=1),
    )
    f1 = 2 * hits / np.maximum(real + claimed, 1e-12)
    share = (real > 0) * (1.0 if macro else real)
    mean: Array = (f1 * share).sum(axis=1) / share.sum(axis=1)
    return mean
