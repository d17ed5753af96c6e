"""What a source has learned from, compared with the target's test part: windows, groups, events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.cautions import Caution
from tsxfer.core.results import Overlap
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.data import catalogue, foreign, task
from tsxfer.data.events import same_events
from tsxfer.data.marks import Windows, alike, marks_of
from tsxfer.data.moved import moved
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, TsxferError
from tsxfer.store import given
from tsxfer.store.given import FOLDER, Given
from tsxfer.store.workspace import Workspace

COUNTER = re.compile(r"[^0-9]{0,24}[0-9]{1,5}|.{0,2}")  # p1, subject-12, 7: names that anyone gives
COUNTS = ("seen", "windows", "groups", "names", "events", "moved")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What names the instances that a trial may use, whatever else it is.

    The part ``whole`` is all there is: what a stranger may have used.
    """

    dataset: str
    profile: str
    size: str
    repeat: int
    part: str


def of_trial(workspace: Workspace, trial: Trial, *, fresh: bool = False) -> tuple[Overlap, ...]:
    """What everything that a trial learned from shares with its test part.

    The first entry holds the trial's own training and validation parts, whole, against its test;
    then comes each data set that its source or an ancestor of it has seen, from others than its
    own.

    Weights that were made elsewhere have an entry under their own name.

    Args:
        workspace: Where the data lies.
        trial: Any trial.
        fresh: Read the windows again instead of trusting the marks that are kept.
    """
    own = Drawn(trial.dataset, trial.profile, "all", 0, "subset")
    seen = dict.fromkeys([own, *(d for d in learned(trial) if d.dataset != trial.dataset)])
    found: dict[str, Overlap] = {}
    for drawn in seen:
        names = (drawn.dataset, trial.dataset)
        made = tuple(task.prepared(workspace, name).fingerprint for name in names)
        one = _counted(str(workspace.root), drawn, trial.dataset, made, fresh)
        old = found.get(drawn.dataset)
        found[drawn.dataset] = one if old is None else _larger(old, one)
    of_weights = [_of_weights(workspace, c, trial, fresh) for c in given.of_trial(workspace, trial)]
    return (*found.values(), *of_weights)


def learned(trial: Trial) -> Iterable[Drawn]:
    """Every draw that a trial's weights come from: its origins, their pools, their origins."""
    for origin in trial.origins if trial.reuse else ():
        for start in _with_ancestors(origin):
            repeat = 0 if start.size == "all" and start.part == "subset" else start.repeat
            names = () if start.given else (start.dataset, *start.pool)
            for name in names:
                yield Drawn(name, start.profile, start.size, repeat, start.part)


def _with_ancestors(trial: Trial) -> Iterable[Trial]:
    yield trial
    for origin in trial.origins:
        yield from _with_ancestors(origin)


def _larger(one: Overlap, other: Overlap) -> Overlap:
    """Two draws of one data set: each count is the larger one."""
    return replace(one, **_counts((one, other), max))


def _counts(found: tuple[Overlap, ...], put: Callable[[Iterable[int]], int]) -> dict[str, Any]:
    """Each count of several overlaps put together; None counts as nothing."""
    return {name: put(getattr(one, name) or 0 for one in found) for name in COUNTS}


def _of_weights(workspace: Workspace, card: Given, trial: Trial, fresh: bool) -> Overlap:
    """What weights share with a test part: by what lies beside them, or by what they are said of.

    Of data sets that a stranger's weights have learned from, all windows count.
    """
    tested = task.prepared(workspace, trial.dataset)
    rows = task.parts_of(tested, PROFILES[trial.profile]).test
    kept = foreign.read(workspace.root / FOLDER / card.name)
    if kept is not None:
        return beside(kept, card.name, tested, rows, fresh=fresh)
    known = [known_here(name, workspace) for name in card.trained_on]
    total = Overlap(card.name, 0, len(rows), moved=0, unknown=not known or "" in known)
    for name in filter(None, known):
        made = tuple(task.prepared(workspace, n).fingerprint for n in (name, trial.dataset))
        drawn = Drawn(name, trial.profile, "all", 0, "whole")
        one = _counted(str(workspace.root), drawn, trial.dataset, made, fresh)
        total = replace(total, **_counts((total, one), sum))
    return total


def known_here(name: str, workspace: Workspace) -> str:
    """The versioned name of a data set that is prepared here; "" for any other word."""
    try:
        found = catalogue.find(name, workspace).card.id
    except TsxferError:
        return ""
    return found if workspace.has(found) else ""


def beside(
    kept: foreign.Seen,
    name: str,
    tested: Prepared,
    rows: NDArray[np.int64],
    *,
    fresh: bool = False,
) -> Overlap:
    """What weights share with some windows of a data set, by what lies beside the weights.

    Args:
        kept: What lies beside them.
        name: Of the weights.
        tested: The data set.
        rows: Its rows that are tested on, or fitted on.
        fresh: Read the windows again instead of trusting the marks that are kept.
    """
    found = Overlap(name, len(kept.time), len(rows))
    found = replace(found, windows=foreign.found(kept, windows_of(tested, rows, fresh)))
    if named(tested):
        shared = set(spelt(kept.groups)) & set(spelt(_groups(tested, rows)))
        names = sum(bool(COUNTER.fullmatch(group)) for group in shared)
        found = replace(found, names=names, groups=len(shared) - names)
    if named(tested) and len(kept.magnitude) and tested.card.unit == "magnitude":
        time, magnitude = (np.asarray(tested.array(n))[rows] for n in ("start", "y"))
        events = same_events(kept.time, kept.magnitude, time, magnitude)
        found = replace(found, events=events)
    return found


def labels_of(found: Iterable[Overlap], dataset: str) -> tuple[str, ...]:
    """Warnings of a row with these overlaps, on the data set that it is tested on."""
    out: list[str] = []
    for one in found:
        if one.source != dataset:
            out += [Caution.SAW_TEST] if one.refused else []
            out += [Caution.UNKNOWN_OVERLAP.of(one.source)] if one.unknown else []
            out += [Caution.SHARED_NAMES] if one.names else []
        else:
            out += [Caution.NEAR_DUPLICATES] if one.windows or one.moved else []
            out += [Caution.SPELLING] if one.groups else []
    return tuple(dict.fromkeys(out))


def refuse(workspace: Workspace, trials: Iterable[Trial]) -> None:
    """Refuse a study in which a source has seen what its target is tested on.

    Raises:
        DataError: With the counts, before anything is trained.
    """
    pairs = {(t.dataset, t.profile, t.datasets, *learned(t)): t for t in trials if t.reuse}
    for trial in pairs.values():
        for one in of_trial(workspace, trial):
            if one.refused and one.source != trial.dataset:
                raise DataError(
                    f"{one.source} as a source has seen {one.words} of the test part of "
                    f"{trial.dataset}, so that a gain from it would be no transfer",
                    where=f"{one.seen} windows learned from, {one.test} test windows",
                    mend="take them out of the source, or leave that pair out; --overlap label "
                    "runs it all the same, and labels every row and table",
                )


@lru_cache(maxsize=4096)
def _counted(root: str, drawn: Drawn, target: str, made: tuple[str, ...], fresh: bool) -> Overlap:
    """Counted once for a draw, a target and the fingerprints of both."""
    del made  # part of the cache's key: other data is counted again
    workspace = Workspace(Path(root))
    source, tested = task.prepared(workspace, drawn.dataset), task.prepared(workspace, target)
    seen = rows_of(source, drawn)
    rows = task.draw(tested, _trial(replace(drawn, dataset=target, size="all", part="subset")))[
        0
    ].test
    same = drawn.dataset == target and drawn.part != "whole"
    return count(source, seen, tested, rows, same_set=same, fresh=fresh)


def count(
    source: Prepared,
    seen: NDArray[np.int64],
    tested: Prepared,
    rows: NDArray[np.int64],
    *,
    same_set: bool = False,
    fresh: bool = False,
) -> Overlap:
    """What some windows of a data set share with some of another, or of the same one.

    Args:
        source: What was learned from.
        seen: Its rows that were.
        tested: What is tested on.
        rows: Its rows that are.
        same_set: They are parts of one set, whose groups have the same names rightly.
        fresh: Read the windows again instead of trusting the marks that are kept.
    """
    whole, part = count_windows(windows_of(source, seen, fresh), windows_of(tested, rows, fresh))
    counts: dict[str, Any] = {"windows": whole, "moved": part}
    if same_set:
        counts["groups"] = len(respelt(_groups(source, seen), _groups(tested, rows)))
    elif named(source) and named(tested):
        shared = set(spelt(_groups(source, seen))) & set(spelt(_groups(tested, rows)))
        counts["names"] = sum(bool(COUNTER.fullmatch(name)) for name in shared)
        counts["groups"] = len(shared) - counts["names"]
        counts["events"] = _events(source, seen, tested, rows)
    return Overlap(source.card.id, len(seen), len(rows), **counts)


def count_windows(seen: Windows, test: Windows) -> tuple[int, int]:
    """Test windows that are there as they are, and more that are there in part or resampled."""
    same = alike(seen, test) >= 0
    return int(same.sum()), int(((moved(seen, test) >= 0) & ~same).sum())


def rows_of(data: Prepared, drawn: Drawn) -> NDArray[np.int64]:
    """What a draw holds; of ``all``, both parts whole, however a profile would spend them."""
    if drawn.part == "whole":
        return np.arange(data.count)
    parts, subset = task.draw(data, _trial(drawn))
    if drawn.size == "all" and drawn.part == "subset":
        return np.concatenate([parts.train, parts.validation])
    return np.concatenate([subset.train, subset.validation])


def _trial(drawn: Drawn) -> Trial:
    part = "rest" if drawn.part == "rest" else "subset"
    return Trial(
        drawn.dataset,
        "none",
        drawn.size,
        drawn.repeat,
        profile=drawn.profile,
        part=part,  # type: ignore[arg-type]
    )


def windows_of(data: Prepared, rows: NDArray[np.int64], fresh: bool = False) -> Windows:
    """Some windows of a data set with their marks; `fresh` reads them again."""
    return Windows(data.array("x"), marks_of(data, fresh=fresh), rows)


def _groups(data: Prepared, rows: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.unique(np.asarray(data.array("group"))[rows])


def named(data: Prepared) -> bool:
    """Whether names of groups mean something outside of the set: they are real, and given."""
    return not data.card.simulated and data.card.group != "window"


def spelt(groups: Iterable[str]) -> dict[str, list[str]]:
    """Names by what is left without case, spaces at the ends and double spaces."""
    found: dict[str, list[str]] = {}
    for name in groups:
        found.setdefault(" ".join(str(name).casefold().split()), []).append(str(name))
    return found


def respelt(seen: Iterable[str], test: Iterable[str]) -> list[tuple[str, str]]:
    """Names on two sides that differ in case or spaces alone, such as ``p1`` and ``P1 ``."""
    first, second = spelt(seen), spelt(test)
    return [
        (a, b)
        for name in first.keys() & second.keys()
        for a in first[name]
        for b in second[name]
        if a != b
    ]


def _events(
    source: Prepared, seen: NDArray[np.int64], target: Prepared, rows: NDArray[np.int64]
) -> int:
    if {source.card.unit, target.card.unit} != {"magnitude"}:
        return 0
    first, second = (
        (np.asarray(data.array("start"))[where], np.asarray(data.array("y"))[where])
        for data, where in ((source, seen), (target, rows))
    )
    return same_events(*first, *second)
