"""Declared before the first row: estimands, primary family, margins, level, repeats, rules."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from tsxfer.core.building import from_plain
from tsxfer.core.specs import Trial
from tsxfer.errors import SpecError
from tsxfer.keys import content_key, plain
from tsxfer.stats import baselines, ways
from tsxfer.stats.cells import by_protocol, treatment
from tsxfer.store.workspace import write_whole

FILE = "analysis.lock.toml"
ESTIMANDS = (
    "mean paired difference of the primary test metric, transfer against its scratch twin",
    "mean paired difference of the restricted samples to the threshold",
)
THRESHOLD = (
    "90 % of the way from the scratch arm's median validation score at step 0 to its median best, "
    "held at two evaluations in a row; runs that never reach it count with their whole budget"
)


@dataclass(frozen=True, slots=True)
class Lock:
    """A declared analysis; whatever a report shows outside of it is labelled exploratory.

    Attributes:
        study: Name.
        primary: The family of the result table: each comparison's words, then its key.
        margins: Smallest difference of interest, by target, in the unit of its metric.
        metrics: Primary metric by target.
        repeats: Pairs of each comparison; more are exploratory, or one could stop when it suits.
        level: Of the corrected tests.
        correction: Of the primary family.
        headline: Correction of the contrasts overall, by size and by pair of data sets.
        estimands: What is estimated.
        threshold: Rule of the convergence threshold.
        controls: Comparisons with controls, a family of their own that no contrast holds.
        baselines: Comparisons of networks with baselines, two families: scratch's and transfer's.
        ways: Comparisons of ways of transfer with the first one, a family of their own.
        looks: Numbers of repeats below `repeats` at which results may be judged before all are in;
            the level is then spent over the looks, see `tsxfer.stats.sequential`.
        spending: How.
        protocols: The same comparisons under another protocol, a family of their own.
    """

    study: str
    primary: tuple[str, ...]
    margins: dict[str, float]
    metrics: dict[str, str]
    repeats: int
    level: float = 0.05
    correction: str = "benjamini-hochberg"
    headline: str = "holm"
    estimands: tuple[str, ...] = ESTIMANDS
    threshold: str = THRESHOLD
    controls: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    looks: tuple[int, ...] = ()
    spending: Literal["obrien-fleming"] = "obrien-fleming"
    protocols: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What rows carry."""
        return content_key(plain(self) | {"estimands": self.estimands, "threshold": self.threshold})

    def covers(self, trial: Trial, against: Trial | None = None) -> bool:
        """Whether a treatment, or its comparison with a baseline, was declared in its family."""
        if against is not None:
            family = self.baselines if against.baseline else self.ways
            return _pair_key(treatment(against).key, treatment(trial).key) in _keys(family)
        return treatment(trial).key in _keys(self.family(trial))

    def family(self, trial: Trial) -> tuple[str, ...]:
        """The lines that are corrected together with a treatment's comparison with scratch."""
        if trial.control:
            return self.controls
        elsewhere = treatment(trial).key in _keys(self.protocols)
        return self.protocols if elsewhere else self.primary


@lru_cache(maxsize=8)
def _keys(family: tuple[str, ...]) -> frozenset[str]:
    """Each line of a family ends in its key."""
    return frozenset(line[-16:] for line in family)


def lock(
    study: str,
    trials: Iterable[Trial],
    repeats: int,
    margins: Mapping[str, float],
    metrics: Mapping[str, str],
    looks: tuple[int, ...] = (),
) -> Lock:
    """The analysis that a study implies: every comparison that is no control is primary."""
    trials = list(trials)
    main, others = by_protocol(trials)
    treated = (treatment(t) for t in main if t.reuse)
    found = {trial.key: trial for trial in treated}
    lines = {f"{_words(trial)}: {key}": trial.control for key, trial in found.items()}
    elsewhere = {trial.key: trial for trial in map(treatment, others) if trial.reuse}
    return Lock(
        study=study,
        primary=tuple(line for line, control in lines.items() if not control),
        margins=dict(margins),
        metrics=dict(metrics),
        repeats=repeats,
        controls=tuple(line for line, control in lines.items() if control),
        baselines=tuple(
            f"{pairs[0][0].baseline} against {_words(pairs[0][1])}: {_pair_key(*keys)}"
            for keys, pairs in baselines.joined(main).items()
        ),
        ways=tuple(
            f"{_words(pairs[0][1])} against {_words(pairs[0][0])}: {_pair_key(*keys)}"
            for keys, pairs in ways.joined(main).items()
        ),
        looks=looks,
        protocols=tuple(f"{_words(t)}, {t.profile}: {key}" for key, t in elsewhere.items()),
    )


def _pair_key(baseline: str, network: str) -> str:
    return content_key([baseline, network])


def _words(trial: Trial) -> str:
    how = trial.reuse.strategy.words if trial.reuse else ""
    return ", ".join(
        (
            f"{trial.source or 'scratch'} -> {trial.dataset}",
            trial.model,
            trial.size,
            *filter(None, [how]),
        )
    )


def write_lock(declared: Lock, folder: Path) -> Path:
    """Write ``analysis.lock.toml``, every field spelt out."""
    import tomli_w

    path = folder / FILE
    spelt: dict[str, object] = {
        "study": declared.study,
        "level": declared.level,
        "repeats": declared.repeats,
        "correction": declared.correction,
        "headline": declared.headline,
        "threshold": declared.threshold,
        "estimands": list(declared.estimands),
        "primary": list(declared.primary),
        "margins": declared.margins,
        "metrics": declared.metrics,
    }
    for family in ("controls", "baselines", "ways", "protocols"):
        if lines := getattr(declared, family):
            spelt[family] = list(lines)
    if declared.looks:
        spelt |= {"looks": list(declared.looks), "spending": declared.spending}
    write_whole(path, tomli_w.dumps(spelt))
    return path


def read_lock(folder: Path) -> Lock | None:
    """The declared analysis of a study's folder; None where nothing was declared.

    Raises:
        SpecError: If the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _unreadable(error, str(path)) from None
    return parse_lock(text, str(path))


def parse_lock(text: str, where: str) -> Lock:
    """The declared analysis from the text of its file.

    Raises:
        SpecError: If it is damaged.
    """
    try:
        return from_plain(Lock, tomllib.loads(text), where)
    except SpecError as error:
        raise SpecError(
            f"the declared analysis is not understood: {error.problem}",
            where=where,
            mend="use the tsxfer that declared it, or a later one; or name the study otherwise",
        ) from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, where) from None


def _unreadable(error: Exception, where: str) -> SpecError:
    return SpecError(
        f"the declared analysis cannot be read: {error}",
        where=where,
        mend="restore the file; without it every result is exploratory",
    )
