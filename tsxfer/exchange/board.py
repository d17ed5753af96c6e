"""A board of sources, strategies and models, each with its rank and how sure that is.

A board is about these targets and others like them, so whole targets are drawn again (bootstrap).
Ranks of a few targets move a lot, which the interval of a rank shows (Hall and Miller 2009).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.expansion import expand
from tsxfer.core.names import DatasetName
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.keys import stream
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.gain import gains, judged

DRAWS = 2000
FEWEST_TARGETS = 6  # for an interval: the very range of five covers a median with less than 95 %
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a board.

    Attributes:
        name: Source, strategy or model.
        targets: Data sets that it was tried on.
        cells: Target, model and size (and source, for a strategy) in which it has a value.
        mean: Mean over targets of its value, see `Board.unit`.
        low: Lower end of its 95 % interval over targets; None below six of them.
        high: Upper end.
        rank: Place by `mean`, 1 is best.
        best: Smallest rank in 95 % of the draws; None below six targets.
        worst: Largest.
        beyond: For sources: mean gain less that of each control, by its name.
    """

    name: str
    targets: int
    cells: int
    mean: float
    low: float | None
    high: float | None
    rank: int
    best: int | None
    worst: int | None
    beyond: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Board:
    """One table.

    Attributes:
        title: What is ranked.
        unit: Of the values, in words.
        entries: The best first.
        targets: Data sets behind it.
    """

    title: str
    unit: str
    entries: tuple[Entry, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """One number: of whom, on which target, in which cell; ``beyond`` see `Entry`."""

    name: str
    target: str
    value: float
    beyond: Mapping[str, float]


GAIN = "share of scratch's error that pretraining takes away, −1 to 1; 0 is scratch"
SKILL = "share of the trivial prediction's error that training from scratch takes away"


def boards(found: ResultSet) -> list[Board]:
    """Boards of sources, strategies and models from the rows of a set."""
    compared = [(c, controls) for part in found.parts for c, controls in _compared(part)]
    by_source = [_value(_source(c), c, controls) for c, controls in compared]
    by_strategy = [_value(_strategy(c), c, controls) for c, controls in compared]
    return [
        _board("Sources", GAIN, by_source),
        _board("Strategies", GAIN, by_strategy),
        _board("Models", SKILL, _skills([c for c, _ in compared])),
    ]


def _compared(part: Part) -> Iterator[tuple[Comparison, list[Comparison]]]:
    """Comparisons of a study that a summary may rest on, each with those of its controls."""
    rows = {row.key: row for row in part.rows}
    whole = [c for c in cells(expand(part.spec), rows, partial=True) if c.pairs]
    plain = judged(compare([c for c in whole if not c.trial.control], part.declared))
    placebos = judged(compare([c for c in whole if c.trial.control], part.declared))
    for c in plain:
        yield c, [p for p in placebos if _same(c, p)]


def _same(c: Comparison, control: Comparison) -> bool:
    """Whether a control is one of this transfer: all but its start is the same."""
    one, other = c.trial.reuse, control.trial.reuse
    if one is None or other is None:
        return False
    terms = ("dataset", "model", "size", "recipe", "profile")
    same = all(getattr(c.trial, term) == getattr(control.trial, term) for term in terms)
    return same and one.strategy == other.strategy and one.source == other.source


def _value(name: str, c: Comparison, controls: Sequence[Comparison]) -> _Value:
    own = float(gains(c).mean())
    beyond = {p.trial.control: own - float(gains(p).mean()) for p in controls}
    return _Value(name, DatasetName.parse(c.trial.dataset).plain, own, beyond)


def _source(c: Comparison) -> str:
    reuse = c.trial.reuse
    assert reuse is not None  # noqa: S101  (comparisons are of transfers)
    objective = reuse.source.recipe.objective
    return reuse.words + (f" ({objective})" if objective != "labels" else "")


def _strategy(c: Comparison) -> str:
    reuse = c.trial.reuse
    return (reuse.strategy.words if reuse else "") or "copy"


def _skills(compared: Sequence[Comparison]) -> list[_Value]:
    """Scratch of each model against the best trivial prediction, once for each twin."""
    seen: dict[tuple[str, str, str], _Value] = {}
    for c in compared:
        key = (c.trial.model, c.trial.dataset, c.trial.size)
        if key not in seen and c.chance is not None:
            target = DatasetName.parse(c.trial.dataset).plain
            seen[key] = _Value(c.trial.model, target, _skill(c, c.chance), {})
    return list(seen.values())


def _skill(c: Comparison, chance: float) -> float:
    metric = metrics.get(c.metric)
    perfect = metric.span[1] if metric.higher_is_better else metric.span[0]
    errors = abs(perfect - float(np.mean(c.scratch))), abs(perfect - chance)
    return (errors[1] - errors[0]) / max(*errors, c.margin, 1e-300)


def _board(title: str, unit: str, values: Sequence[_Value]) -> Board:
    names = list(dict.fromkeys(v.name for v in values))
    targets = tuple(dict.fromkeys(v.target for v in values))
    table = np.array([[_mean(values, name, target) for target in targets] for name in names])
    if not names:
        return Board(title, unit, (), ())
    means = np.nanmean(table, axis=1)
    order = np.argsort(-means, kind="stable")
    drawn, ranks = _drawn(table, title)
    entries = []
    for place, i in enumerate(order, 1):
        own, known = [v for v in values if v.name == names[i]], int(np.isfinite(table[i]).sum())
        low, high = _ends(drawn[:, i], known, "linear")
        best, worst = _ends(ranks[:, i], known, "nearest")
        entries.append(
            Entry(
                name=names[i],
                targets=known,
                cells=len(own),
                mean=float(means[i]),
                low=low,
                high=high,
                rank=place,
                best=None if best is None else int(best),
                worst=None if worst is None else int(worst),
                beyond=_beyond(own),
            )
        )
    return Board(title, unit, tuple(entries), targets)


def _mean(values: Sequence[_Value], name: str, target: str) -> float:
    found = [v.value for v in values if (v.name, v.target) == (name, target)]
    return float(np.mean(found)) if found else float("nan")


def _drawn(table: Values, title: str) -> tuple[Values, Values]:
    """Means and ranks of each draw of targets; NaN where a draw holds nothing of a name."""
    count = table.shape[1]
    places = stream("board", title, count).integers(count, size=(DRAWS, count))
    several = table[:, places]  # name, draw, target
    known = np.isfinite(several)
    total, of = np.where(known, several, 0.0).sum(axis=2), known.sum(axis=2)
    means = np.where(of > 0, total / np.maximum(of, 1), np.nan).T
    better = (means[:, None, :] > means[:, :, None]).sum(axis=2)
    ranks = np.where(np.isfinite(means), better + 1.0, np.nan)
    return means, ranks


def _ends(
    drawn: Values, targets: int, how: Literal["linear", "nearest"]
) -> tuple[float | None, float | None]:
    """Middle 95 % of what was drawn; none where too few targets stand behind it."""
    if targets < FEWEST_TARGETS:
        return None, None
    low, high = np.nanquantile(drawn, (0.025, 0.975), method=how)
    return float(low), float(high)


def _beyond(values: Sequence[_Value]) -> dict[str, float]:
    """Mean over targets of what each control leaves of the gain."""
    names = dict.fromkeys(name for v in values for name in v.beyond)
    found = {}
    for name in names:
        by: dict[str, list[float]] = {}
        for v in values:
            if name in v.beyond:
                by.setdefault(v.target, []).append(v.beyond[name])
        found[name] = float(np.mean([np.mean(group) for group in by.values()]))
    return found
