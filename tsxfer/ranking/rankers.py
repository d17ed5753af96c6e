"""Every way to rank sources: the same arguments, a declared direction; scores are kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from tsxfer.core.names import is_own
from tsxfer.core.specs import Result, Trial
from tsxfer.keys import content_key
from tsxfer.ranking import distances, scores
from tsxfer.ranking.seen import Seen, see
from tsxfer.running.fingerprints import fingerprints
from tsxfer.store.workspace import Workspace, write_whole

VERSION = 1  # raise it when any score changes; kept scores of other versions are not used
Scores = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Ranker:
    """A way to rank sources.

    Attributes:
        name: In tables and JSON.
        higher_is_better: Direction.
        trivial: Uses no window; a ranker that is of use does better.
        score: Of one source on one target; None where it is not defined.
        what: One line for readers.
    """

    name: str
    higher_is_better: bool
    trivial: bool
    score: Callable[[Seen], float | None]
    what: str


def _probe(seen: Seen) -> float | None:
    """The head's own input: features, with the amplitude beside them."""
    beside = np.hstack([seen.features, seen.target.windows.extra])
    output = scores.probe(beside, seen.target.goals, seen.target.group)
    return None if output is None else seen.target.score(output)


def _leep(seen: Seen) -> float | None:
    if seen.probabilities is None:
        return None
    return scores.leep(seen.probabilities, seen.target.codes)


def _spectrum(seen: Seen) -> float | None:
    if seen.source is None:
        return None
    source, target = seen.source, seen.target
    rates = source.card.rate_hz, target.card.rate_hz
    if any(is_own(c.id) and c.rate_hz == 1 for c in (source.card, target.card)):
        return None  # an own file whose rate nobody gave counts samples, which are no hertz
    return distances.spectral(source.windows.x, target.windows.x, *rates)


def _shape(seen: Seen) -> float | None:
    if seen.source is None:
        return None
    return distances.spectral(seen.source.windows.x, seen.target.windows.x, 1, 1)


def _dtw(seen: Seen) -> float | None:
    if seen.source is None:
        return None
    source, target = seen.source, seen.target
    return distances.dtw_prototypes(source.windows.x, source.codes, target.windows.x, target.codes)


RANKERS = (
    Ranker(
        "probe",
        True,
        False,
        _probe,
        "linear probe: the target's metric (errors negated) on groups not seen",
    ),
    Ranker(
        "logme",
        True,
        False,
        lambda s: scores.log_me(s.features, s.target.goals),
        "log evidence of a linear model",
    ),
    Ranker(
        "h_score",
        True,
        False,
        lambda s: scores.h_score(s.features, s.target.codes),
        "spread of class means (quartiles of numbers)",
    ),
    Ranker("leep", True, False, _leep, "log prediction through the source's own classes"),
    Ranker("spectrum", False, False, _spectrum, "distance of power spectra in hertz"),
    Ranker(
        "per_sample",
        False,
        False,
        _shape,
        "distance of power spectra in cycles a sample, as kernels see them",
    ),
    Ranker("dtw", False, False, _dtw, "least DTW distance between class prototypes"),
    Ranker("labels", True, True, lambda s: float(s.label_count), "labels in pretraining"),
    Ranker("domain", True, True, lambda s: float(s.same_domain), "the same domain on both cards"),
)
# Declared before any result: it is in the target's own metric, on groups that it has not seen, and
# defined for classes and numbers alike.
DEFAULT = "probe"


def get(name: str) -> Ranker:
    """The ranker of that name."""
    return next(ranker for ranker in RANKERS if ranker.name == name)


def scores_of(workspace: Workspace, transfer: Trial, pretraining: Result) -> Scores:
    """All scores of one transfer: kept ones, or computed now.

    Args:
        workspace: Where data, weights and kept scores lie.
        transfer: As it would be trained.
        pretraining: Row of its source.
    """
    path = workspace.root / "ranking" / f"{_key(workspace, transfer, pretraining)}.json"
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_bytes())
        if isinstance(kept, dict) and set(kept) == {ranker.name for ranker in RANKERS}:
            return kept
    found = measured(see(workspace, transfer, pretraining))
    write_whole(path, json.dumps(found))
    return found


def measured(seen: Seen) -> Scores:
    """All scores of what is seen; one that is not finite counts as not defined."""
    from threadpoolctl import threadpool_limits

    # Small matrices: threads that wait for each other cost a hundred times what they help.
    with threadpool_limits(1, "blas"):
        values = {ranker.name: ranker.score(seen) for ranker in RANKERS}
    return {n: v if v is not None and np.isfinite(v) else None for n, v in values.items()}


def _key(workspace: Workspace, transfer: Trial, pretraining: Result) -> str:
    """What scores depend on: both trials, the data now, and the data that made the weights."""
    assert transfer.reuse is not None  # noqa: S101  (callers build it)
    source = transfer.reuse.source
    return content_key(
        [
            VERSION,
            transfer,
            fingerprints(workspace, transfer.twin()),
            pretraining.data,
            workspace.fingerprints().get(source.dataset, ""),
        ]
    )
