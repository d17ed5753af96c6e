"""Two result sets side by side: what only one has, drift of scores, verdicts that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from tsxfer import metrics
from tsxfer.checks.bound import differing
from tsxfer.core.expansion import expand
from tsxfer.core.names import DatasetName
from tsxfer.core.results import Result
from tsxfer.core.sizes import as_written
from tsxfer.core.specs import Trial
from tsxfer.exchange.finding import find
from tsxfer.exchange.merging import conflict
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import Comparison
from tsxfer.stats.compare import compare as judge
from tsxfer.stats.tests import interval, plain_spread
from tsxfer.store.workspace import Workspace

Place = tuple[str, ...]  # what a trial is, whatever its versions: data sets, model, size, ...


@dataclass(frozen=True, slots=True)
class Drift:
    """How far scores of one kind of trial moved from the first set to the second.

    Attributes:
        what: Source or scratch, target, model, size.
        metric: Of the scores.
        n: Repeats that both have.
        moved: Of these, with another score.
        mean: Mean oriented difference, second minus first: positive is better.
        low: Lower end of its 95 % interval over repeats; None below two repeats.
        high: Upper end.
        largest: Largest absolute difference.
        margin: Smallest difference that matters in practice.
    """

    what: str
    metric: str
    n: int
    moved: int
    mean: float
    low: float | None
    high: float | None
    largest: float
    margin: float


@dataclass(frozen=True, slots=True)
class Changed:
    """A comparison that both sets hold with another verdict."""

    what: str
    first: Comparison
    second: Comparison


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sets; printed as the command `tsxfer compare` prints it.

    Attributes:
        first: Where the first came from; "A" in what is printed.
        second: Where the second came from; "B".
        both: Rows that both hold under one key.
        identical: Of these, equal in everything but machine, cost and origin.
        close: Of these, others whose scores agree within the tolerance of a reproduction.
        fields: Names of the fields in which rows of one key differ, each with how many rows.
        disagree: Others, one sentence each.
        rekeyed: Trials that both hold under different keys: other versions or recipes.
        only_first: Rows that only the first holds, counted by what they are.
        only_second: Rows that only the second holds.
        drifts: By kind of trial, the largest first; trials whose scores all agree are left out.
        verdicts: Comparisons that both hold.
        changed: Those with another verdict.
    """

    first: str
    second: str
    both: int
    identical: int
    close: int
    fields: Mapping[str, int]
    disagree: tuple[str, ...]
    rekeyed: int
    only_first: Mapping[str, int]
    only_second: Mapping[str, int]
    drifts: tuple[Drift, ...]
    verdicts: int
    changed: tuple[Changed, ...]

    def __str__(self) -> str:
        """Lines on both, the worst first."""
        from tsxfer.exchange.words import of_compared  # words are made of what stands here

        return "\n".join(of_compared(self))


def compare(first: str, second: str, workspace: str | None = None) -> Compared:
    """Compare two result sets: rows of only one, scores that moved, verdicts that changed.

    Args:
        first: As `load_results` takes: ``real@1``, a study, a file, a folder, an address.
        second: Likewise; differences are second minus first, and positive is better.
        workspace: Where studies are looked for; as ``--workspace``.

    Returns:
        What both hold and how it differs; ``print`` shows it, ``disagree`` names rows that have
        one key and other scores.

    Raises:
        TsxferError: If a name means nothing or what it means cannot be read.
    """
    place = Workspace.at(workspace)
    return compare_sets(find(first, place), find(second, place))


def compare_sets(first: ResultSet, second: ResultSet) -> Compared:
    """Pair the finished rows of two sets, by key, else by what they are."""
    one, two = _done(first), _done(second)
    shared = [key for key in one if key in two]
    unlike = [(one[k], two[k]) for k in shared if one[k].digest != two[k].digest]
    told = [conflict(*pair) for pair in unlike]
    rest = _by_place([row for key, row in one.items() if key not in two])
    other = _by_place([row for key, row in two.items() if key not in one])
    moved = [(rest[place], other[place]) for place in rest if place in other]
    pairs = [*((one[key], two[key]) for key in shared), *moved]
    verdicts = list(_verdicts(first, second))
    return Compared(
        first=first.origin,
        second=second.origin,
        both=len(shared),
        identical=len(shared) - len(told),
        close=sum(not words for words in told),
        fields=dict(Counter(name for pair in unlike for name in differing(*pair)).most_common()),
        disagree=tuple(words for words in told if words),
        rekeyed=len(moved),
        only_first=_counted(row for place, row in rest.items() if place not in other),
        only_second=_counted(row for place, row in other.items() if place not in rest),
        drifts=tuple(_drifts(pairs)),
        verdicts=len(verdicts),
        changed=tuple(one for one in verdicts if one.first.verdict != one.second.verdict),
    )


def _done(found: ResultSet) -> dict[str, Result]:
    return {row.key: row for row in found.rows if row.status == "done"}


def _by_place(rows: Sequence[Result]) -> dict[Place, Result]:
    """Rows by what they are; two that differ in their recipe alone are told apart by key."""
    counts = Counter(_place(row.trial) for row in rows)
    return {
        place if counts[place] == 1 else (*place, row.key): row
        for row in rows
        for place in [_place(row.trial)]
    }


def _place(trial: Trial) -> Place:
    return (*_kind(trial), str(trial.repeat), _pretraining(trial))


def _pretraining(trial: Trial) -> str:
    return str(trial.reuse.source.repeat) if trial.reuse else ""


def _kind(trial: Trial) -> Place:
    """A trial without versions, repeat and recipe."""
    reuse = trial.reuse
    source = " + ".join(DatasetName.parse(n).plain for n in _sources(trial)) if reuse else ""
    how = (reuse.strategy.words or "copy") if reuse else ""
    arm = trial.baseline or source or "scratch"
    target = DatasetName.parse(trial.dataset).plain
    multiplier = f"{reuse.rate_multiplier:g}" if reuse else ""
    return (arm, trial.control, how, multiplier, target, trial.model, trial.size, trial.profile)


def _sources(trial: Trial) -> tuple[str, ...]:
    return tuple(name for origin in trial.origins for name in origin.datasets)


def _named(kind: Place) -> str:
    arm, control, how, multiplier, target, model, size, _ = kind
    notes = [n for n in (control, how if how != "copy" else "") if n]
    notes += [f"rate × {multiplier}"] if multiplier not in ("", "1") else []
    start = f"{arm} ({', '.join(notes)})" if notes else arm
    return f"{start} → {target}, {model}, {as_written(size)}"


def _counted(rows: Iterator[Result]) -> dict[str, int]:
    return dict(Counter(_named(_kind(row.trial)) for row in rows).most_common())


def _drifts(pairs: Sequence[tuple[Result, Result]]) -> list[Drift]:
    kinds: dict[Place, list[tuple[Result, Result]]] = {}
    for first, second in pairs:
        if first.metric == second.metric:
            kinds.setdefault(_kind(first.trial), []).append((first, second))
    found = [_drift(kind, group) for kind, group in kinds.items()]
    return sorted((d for d in found if d.moved), key=lambda d: -d.largest / (d.margin or 1.0))


def _drift(kind: Place, pairs: Sequence[tuple[Result, Result]]) -> Drift:
    metric, margin = pairs[0][0].metric, pairs[0][0].margin
    d = metrics.get(metric).sign * np.array(
        [second.scores[metric] - first.scores[metric] for first, second in pairs]
    )
    spread = np.ptp(d) > 0
    low, high = interval(d, plain_spread(d)) if len(d) > 1 and spread else (None, None)
    return Drift(
        what=_named(kind),
        metric=metric,
        n=len(d),
        moved=int((d != 0).sum()),
        mean=float(d.mean()),
        low=low,
        high=high,
        largest=float(np.abs(d).max()),
        margin=margin,
    )


def _verdicts(first: ResultSet, second: ResultSet) -> Iterator[Changed]:
    """Comparisons that both sets hold, each judged within its own study."""
    one, two = (
        {_kind(c.trial): c for part in found.parts for c in comparisons(part)}
        for found in (first, second)
    )
    for kind, c in one.items():
        if kind in two:
            yield Changed(_named(kind), c, two[kind])


def comparisons(part: Part) -> list[Comparison]:
    """The comparisons of a study of a set with scratch; no control, no baseline.

    Predictions did not travel, so they speak of these test instances.
    """
    if not part.study_toml:
        return []  # rows alone: scores are compared, and no analysis is known
    rows = {row.key: row for row in part.rows}
    found = cells(expand(part.spec), rows, partial=True)
    return judge([c for c in found if c.pairs and not c.trial.control], part.declared)


def as_plain(found: Compared) -> dict[str, object]:
    """For programs."""
    changed = [
        {"what": one.what, "first": _side(one.first), "second": _side(one.second)}
        for one in found.changed
    ]
    return {**asdict(replace(found, changed=())), "changed": changed}


def _side(c: Comparison) -> dict[str, object]:
    ends = {"difference": c.difference, "low": c.low, "high": c.high, "p": c.p_corrected}
    return {"verdict": c.verdict, "pairs": len(c.repeats), **ends}
