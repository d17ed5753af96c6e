"""What makes scores too good: labels predictable from one value, groups spelt twice, copies.

A pure look at arrays; what it finds is a warning, since nature may do the same: a large earthquake
has a large peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.cautions import Caution
from tsxfer.data.marks import Windows, alike, marks
from tsxfer.data.overlap import respelt
from tsxfer.data.prepare import Prepared
from tsxfer.keys import stream

FEWEST, MOST = 40, 4000  # windows that a look needs, and that it takes
NEIGHBOURS, FEWEST_SHARED = 200, 4  # windows looked at, and samples that make an overlap
TELLS = 0.95  # balanced accuracy, or share of the labels' variance, on windows that were held out
BINS = 64  # steps of the rule that one value gives, at most
TRIED = 8  # samples that are looked at closely, chosen on the other half of the windows
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Suspect:
    """One thing that looks like a leak.

    Attributes:
        what: ``copies``, ``groups`` or ``value``.
        words: What was found, as a sentence.
        label: Warning that rows made from the data carry; empty where rows count for themselves.
    """

    what: str
    words: str
    label: str = ""


def suspects_of(made: Prepared) -> tuple[Suspect, ...]:
    """Everything that looks like a leak in a prepared data set; under a second for most."""
    group = None if made.card.group == "window" else np.asarray(made.array("group"))
    x = made.array("x")
    near = overlapping(np.asarray(x[:NEIGHBOURS]), None if group is None else group[:NEIGHBOURS])
    return (*near, *suspects(x, np.asarray(made.array("y")), group))


def suspects(
    x: NDArray[np.floating], y: NDArray[np.generic], group: NDArray[np.str_] | None
) -> tuple[Suspect, ...]:
    """Everything that looks like a leak, the same for the same arrays.

    Args:
        x: ``(n, channel, time)``, finite.
        y: ``(n,)`` class names or codes (text, integers, booleans), or real numbers.
        group: ``(n,)`` names; None where none are known.
    """
    rows = np.sort(stream("suspects", len(x)).permutation(len(x))[:MOST])
    names = None if group is None else group[rows]
    found = [*_groups(group), *_copies(np.asarray(x[rows]), names)]
    found += _told(np.asarray(x[rows], np.float64), y[rows], names) if len(rows) >= FEWEST else []
    return tuple(found)


def overlapping(x: NDArray[np.floating], group: NDArray[np.str_] | None) -> tuple[Suspect, ...]:
    """Windows that begin within the one before, where no group keeps the two together.

    Args:
        x: ``(n, channel, time)`` neighbours, in the order of the file.
        group: ``(n,)`` names; None where none are known.
    """
    free = np.ones(max(0, len(x) - 1), bool) if group is None else group[1:] != group[:-1]
    shared = [_shared(x[at], x[at + 1]) for at in np.flatnonzero(free)]
    found = [count for count in shared if count]
    if len(found) * 2 <= len(shared) or len(found) < 3:
        return ()
    words = (
        f"{len(found)} of the first {len(x)} windows begin within the window before (by "
        f"{int(np.median(found))} of {x.shape[2]} samples), and no group keeps them together: "
        "neighbours would be on both sides of a split; name what they come from with --group"
    )
    return (Suspect("copies", words),)


def _shared(one: NDArray[np.floating], other: NDArray[np.floating]) -> int:
    """Samples at the end of a window that are the beginning of another; 0 where none are."""
    length = one.shape[1]
    for at in np.flatnonzero(one[0] == other[0, 0]).tolist():
        if 0 < at <= length - FEWEST_SHARED and np.array_equal(
            one[:, at:], other[:, : length - at]
        ):
            moves = bool((np.ptp(one[:, at:], axis=1) > 0).any())
            return length - at if moves else 0
    return 0


def _groups(group: NDArray[np.str_] | None) -> Iterator[Suspect]:
    names = [] if group is None else np.unique(group).tolist()
    twice = sorted({tuple(sorted(pair)) for pair in respelt(names, names)})
    if twice:
        first, second = twice[0]
        yield Suspect(
            "groups",
            f"{len(twice)} pair(s) of group names differ in case or spaces alone, such as "
            f"{first!r} and {second!r}: if they are one, its windows may be on both sides of a "
            "split",
        )


def _copies(x: NDArray[np.floating], group: NDArray[np.str_] | None) -> Iterator[Suspect]:
    """Windows that are also in another group, or just in another place where no groups are known.

    The groups are parted in two in so many ways that any two of them are apart in one.
    """
    names = np.arange(len(x)).astype(str) if group is None else group
    code = np.unique(names, return_inverse=True)[1]
    made, pairs = marks(x), dict[int, int]()
    for bit in range(int(code.max()).bit_length()):
        side = (code >> bit) & 1
        first, second = (Windows(x, made, np.flatnonzero(side == one)) for one in (0, 1))
        places = alike(first, second)
        pairs |= {int(second.rows[at]): int(places[at]) for at in np.flatnonzero(places >= 0)}
    if pairs:
        one, other = (str(names[place]) for place in next(iter(pairs.items())))
        yield Suspect(
            "copies",
            f"{len(pairs)} window(s) of {len(x)} looked at are those of another group up to a "
            f"factor, an offset or a little noise, such as in groups {other!r} and {one!r}",
        )


def _told(x: Values, y: NDArray[np.generic], group: NDArray[np.str_] | None) -> Iterator[Suspect]:
    """The label told on held-out groups by one sample, the peak, the level or the padding."""
    half = _half(len(x), group)
    flat = x.reshape(len(x), -1)
    for name, values in _simple(x):
        share = _tells(values, y, half)
        if share >= TELLS:
            yield Suspect(
                "value", f"{name} alone predicts the label: {_percent(share, y)}", Caution.ONE_VALUE
            )
            return  # the samples that make it would all be told too
    strength = _separation(flat[half], y[half])
    for column in np.argsort(-strength, kind="stable")[:TRIED]:
        share = _tells(flat[:, column], y, half)
        if share >= TELLS:
            channel, sample = divmod(int(column), x.shape[2])
            alone = int((strength >= 0.9 * strength[column]).sum())
            yield Suspect(
                "value",
                f"sample {sample} of channel {channel} alone predicts the label: "
                f"{_percent(share, y)} ({alone} of {flat.shape[1]} samples do so)",
                Caution.ONE_VALUE,
            )
            return


def _simple(x: Values) -> Iterator[tuple[str, Values]]:
    yield "the peak", np.abs(x).max(axis=(1, 2))
    yield "the mean", x.mean(axis=(1, 2))
    yield "the padding at the end", _still(x)
    yield "the padding at the beginning", _still(x[:, :, ::-1])


def _still(x: Values) -> Values:
    """How many samples at the end of each window are all equal."""
    moves = (x != x[:, :, -1:]).any(axis=1)
    still = np.where(moves.any(axis=1), moves[:, ::-1].argmax(axis=1), x.shape[2])
    return np.asarray(still, np.float64)


def _half(count: int, group: NDArray[np.str_] | None) -> NDArray[np.bool_]:
    """Half of the windows, in whole groups where those are known."""
    names = np.arange(count) if group is None else np.unique(group, return_inverse=True)[1]
    drawn = stream("suspects", "half", count).random(int(names.max()) + 1)
    chosen = drawn < 0.5
    if chosen.all() or not chosen.any():  # of a few groups, all may fall on one side
        chosen = drawn <= np.median(drawn) if len(drawn) > 2 else drawn == drawn.min()
    return np.asarray(chosen[names])


def _classes(y: NDArray[np.generic]) -> bool:
    return y.dtype.kind not in "f"


def _separation(x: Values, y: NDArray[np.generic]) -> Values:
    """Share of each column's variance that lies between classes, or that labels explain."""
    centred = x - x.mean(axis=0)
    total = (centred**2).sum(axis=0)
    if _classes(y):
        codes, counts = _coded(y)
        sums = np.zeros((len(counts), x.shape[1]))
        np.add.at(sums, codes, centred)
        between = (sums**2 / counts[:, None]).sum(axis=0)
    else:
        label = y.astype(np.float64) - y.astype(np.float64).mean()
        between = (label @ centred) ** 2 / max(float(label @ label), 1e-300)
    share: Values = between / np.maximum(total, 1e-300)
    return share


def _coded(y: NDArray[np.generic]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    return codes, counts


def _tells(values: Values, y: NDArray[np.generic], half: NDArray[np.bool_]) -> float:
    """What a rule of up to `BINS` steps, learned on one half, tells of the other's labels."""
    if half.all() or not half.any() or np.ptp(values[half]) == 0:
        return 0.0
    bins = max(2, min(BINS, int(half.sum()) // 4))
    edges = np.unique(np.quantile(values[half], np.linspace(0, 1, bins + 1)[1:-1]))
    step = np.searchsorted(edges, values, side="right")
    return _accuracy(step, y, half) if _classes(y) else _explained(step, y.astype(np.float64), half)


def _accuracy(step: NDArray[np.intp], y: NDArray[np.generic], half: NDArray[np.bool_]) -> float:
    """Balanced accuracy on what was held out."""
    codes, counts = _coded(y)
    table = np.zeros((int(step.max()) + 1, len(counts)))
    np.add.at(table, (step[half], codes[half]), 1.0)
    answer = (table / np.maximum(np.bincount(codes[half], minlength=len(counts)), 1)).argmax(axis=1)
    right = answer[step[~half]] == codes[~half]
    there = np.unique(codes[~half])
    return float(np.mean([right[codes[~half] == code].mean() for code in there]))


def _explained(step: NDArray[np.intp], y: Values, half: NDArray[np.bool_]) -> float:
    """Share of the held-out labels' variance that the mean of each step explains."""
    counts = np.bincount(step[half], minlength=int(step.max()) + 1)
    means = np.bincount(step[half], y[half], minlength=len(counts)) / np.maximum(counts, 1)
    left = float(((y[~half] - means[step[~half]]) ** 2).mean())
    return 1 - left / max(float(y[~half].var()), 1e-300)


def _percent(share: float, y: NDArray[np.generic]) -> str:
    what = "balanced accuracy" if _classes(y) else "of its variance"
    return f"{100 * share:.0f} % {what} on groups that were held out"
