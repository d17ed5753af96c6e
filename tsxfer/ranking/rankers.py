"""Every way to rank sources: the same arguments, a declared direction; scores are kept on disk."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tsxfer.core import guard
from tsxfer.core.doors import RANKERS as DOOR
from tsxfer.core.guard import broken, guarded, refuse_other
from tsxfer.core.names import is_own
from tsxfer.core.plugins import PLUGINS
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import PluginError
from tsxfer.keys import content_key
from tsxfer.ranking import distances, scores
from tsxfer.ranking.seen import Seen, see
from tsxfer.running.fingerprints import fingerprints
from tsxfer.store import given
from tsxfer.store.workspace import Workspace, write_whole

VERSION = 1  # raise it when any score changes; kept scores of other versions are not used
Scores = dict[str, float | None]


Score = Callable[[Seen], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """A way to rank sources.

    Attributes:
        name: In tables and JSON.
        higher_is_better: Direction.
        trivial: Uses no window; a ranker that is of use does better.
        function: Of one source on one target; None where it is not defined.
        what: One line for readers.
        place: File and line of a user's own; "" of the package's.
    """

    name: str
    higher_is_better: bool
    trivial: bool
    function: Score
    what: str
    place: str = ""

    def score(self, seen: Seen) -> float | None:
        """Of one source on one target; None where it is not defined.

        Raises:
            PluginError: If a user's own raises, gives neither a number nor None, or something else
                when asked again.
        """
        if not self.place:
            return self.function(seen)
        with guarded(f"ranker {self.name}", self.place):
            value, again = self.function(seen), self.function(seen)
        if not all(map(_is_score, (value, again))):
            raise broken(
                f"ranker {self.name}",
                self.place,
                f"gives neither a finite number nor None, but {str(value)[:60]}",
                "return one float, or None where the score is not defined",
            )
        mend = "draw from tsxfer.keys.stream(name)"
        refuse_other(f"ranker {self.name}", self.place, value, again, mend)
        return None if value is None else float(value)

    __call__ = score


def _is_score(value: object) -> bool:
    number = isinstance(value, int | float | np.number) and bool(np.isfinite(value))
    return value is None or number


def ranker(
    name: str = "", *, higher_is_better: bool, what: str = "", trivial: bool = False
) -> Callable[[Score], Ranker]:
    """Turn a function of what is seen (`tsxfer.ranking.seen.Seen`) into a ranker.

    Args:
        name: Of the ranker, where it is not that of the function.
        higher_is_better: Direction.
        what: One line for readers; else the first line of the docstring.
        trivial: It uses no window.
    """

    def register(function: Score) -> Ranker:
        return Ranker(
            name=name or function.__name__.lower(),
            higher_is_better=higher_is_better,
            trivial=trivial,
            function=function,
            what=what or (function.__doc__ or "").strip().split("\n")[0],
        )

    return register


@ranker(
    higher_is_better=True,
    what="linear probe: the target's metric (errors negated) on groups not seen",
)
def probe(seen: Seen) -> float | None:
    """The head's own input: features, with the amplitude beside them."""
    beside = np.hstack([seen.features, seen.target.windows.extra])
    output = scores.probe(beside, seen.target.goals, seen.target.group)
    return None if output is None else seen.target.score(output)


@ranker(higher_is_better=True, what="log evidence of a linear model")
def logme(seen: Seen) -> float:
    """See `scores.log_me`."""
    return scores.log_me(seen.features, seen.target.goals)


@ranker(higher_is_better=True, what="spread of class means (quartiles of numbers)")
def h_score(seen: Seen) -> float:
    """See `scores.h_score`."""
    return scores.h_score(seen.features, seen.target.codes)


@ranker(higher_is_better=True, what="log prediction through the source's own classes")
def leep(seen: Seen) -> float | None:
    """See `scores.leep`."""
    if seen.probabilities is None:
        return None
    return scores.leep(seen.probabilities, seen.target.codes)


@ranker(higher_is_better=False, what="distance of power spectra in hertz")
def spectrum(seen: Seen) -> float | None:
    """See `distances.spectral`."""
    if seen.source is None:
        return None
    source, target = seen.source, seen.target
    rates = source.card.rate_hz, target.card.rate_hz
    if any(is_own(c.id) and c.rate_hz == 1 for c in (source.card, target.card)):
        return None  # an own file whose rate nobody gave counts samples, which are no hertz
    return distances.spectral(source.windows.x, target.windows.x, *rates)


@ranker(
    higher_is_better=False,
    what="distance of power spectra in cycles a sample, as kernels see them",
)
def per_sample(seen: Seen) -> float | None:
    """See `distances.spectral`."""
    if seen.source is None:
        return None
    return distances.spectral(seen.source.windows.x, seen.target.windows.x, 1, 1)


@ranker(higher_is_better=False, what="least DTW distance between class prototypes")
def dtw(seen: Seen) -> float | None:
    """See `distances.dtw_prototypes`."""
    if seen.source is None:
        return None
    source, target = seen.source, seen.target
    return distances.dtw_prototypes(source.windows.x, source.codes, target.windows.x, target.codes)


@ranker(higher_is_better=True, trivial=True, what="labels in pretraining")
def labels(seen: Seen) -> float | None:
    """Size alone."""
    return None if seen.label_count is None else float(seen.label_count)


@ranker(higher_is_better=True, trivial=True, what="the same domain on both cards")
def domain(seen: Seen) -> float | None:
    """Kinship alone."""
    return None if seen.same_domain is None else float(seen.same_domain)


# Declared before any result: it is in the target's own metric, on groups that it has not seen, and
# defined for classes and numbers alike.
DEFAULT = "probe"


def known() -> tuple[Ranker, ...]:
    """The package's own rankers, then the user's; a table has a column for each."""
    return _known(os.environ.get(PLUGINS, ""))


@lru_cache(maxsize=16)
def _known(_plugins: str) -> tuple[Ranker, ...]:
    own = DOOR.own_names()
    return tuple(map(get, (*own, *(n for n in DOOR.names() if n not in own))))


def get(name: str) -> Ranker:
    """The ranker of that name.

    Raises:
        SpecError: If there is none, or its file does not define one.
    """
    found = DOOR.get(name)
    if not isinstance(found, Ranker):
        raise broken(f"ranker {name}", DOOR.place(name), "is none", "define it under @ranker(...)")
    return replace(found, place=DOOR.place(name)) if DOOR.plugin_digest(name) else found


def scores_of(workspace: Workspace, transfer: Trial, pretraining: Result | None) -> Scores:
    """All scores of one transfer: kept ones, or computed now.

    Args:
        workspace: Where data, weights and kept scores lie.
        transfer: As it would be trained.
        pretraining: Row of its source; None of weights made elsewhere.
    """
    path = workspace.root / "ranking" / f"{_key(workspace, transfer, pretraining)}.json"
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_bytes())
        if isinstance(kept, dict) and set(kept) == {ranker.name for ranker in known()}:
            return kept
    guard.seal(workspace.root)
    found, faults = _measured(see(workspace, transfer, pretraining))
    if not faults:  # one is told again the next time
        write_whole(path, json.dumps(found))
    return found


def measured(seen: Seen) -> Scores:
    """All scores of what is seen; one that is not finite counts as not defined.

    A user's ranker that fails has no score, and a message says why: the others go on.
    """
    return _measured(seen)[0]


def _measured(seen: Seen) -> tuple[Scores, list[PluginError]]:
    from threadpoolctl import threadpool_limits

    faults, values = list[PluginError](), Scores()
    # Small matrices: threads that wait for each other cost a hundred times what they help.
    with threadpool_limits(1, "blas"):
        for ranker in known():
            try:
                values[ranker.name] = ranker.score(seen)
            except PluginError as error:
                faults.append(error)
                values[ranker.name] = None
    sys.stderr.writelines(f"{error}\n" for error in faults)
    defined = {n: v if v is not None and np.isfinite(v) else None for n, v in values.items()}
    return defined, faults


def _key(workspace: Workspace, transfer: Trial, pretraining: Result | None) -> str:
    """What scores depend on: both trials, the data now, and the data that made the weights."""
    assert transfer.reuse is not None  # noqa: S101  (callers build it)
    source = transfer.reuse.source
    return content_key(
        [
            VERSION,
            transfer,
            fingerprints(workspace, transfer.twin()),
            pretraining.data if pretraining else _digest(workspace, source.dataset),
            workspace.fingerprints().get(source.dataset, ""),
            *sorted(filter(None, (DOOR.plugin_digest(one.name) for one in known()))),
        ]
    )


def _digest(workspace: Workspace, name: str) -> dict[str, str]:
    return {name: given.read(name, workspace).digest}
