"""What a source has learned from, compared with the target's test part: windows, groups, events."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.cautions import Caution
from tsxfer.core.specs import Overlap, Trial
from tsxfer.data import task
from tsxfer.data.marks import Windows, alike, marks_of
from tsxfer.data.moved import moved
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError
from tsxfer.store.workspace import Workspace

COUNTER = re.compile(r"[^0-9]{0,24}[0-9]{1,5}|.{0,2}")  # p1, subject-12, 7: names that anyone gives
SECONDS, MAGNITUDES = 60.0, 0.5  # by which two catalogues may tell of one event
SHIFTS = np.array([s * h * 3600.0 for h in range(3, 53) for s in (-1, 1)])


@dataclass(frozen=True, slots=True)
class Drawn:
    """What names the instances that a trial may use, whatever else it is."""

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
    return tuple(found.values())


def learned(trial: Trial) -> Iterable[Drawn]:
    """Every draw that a trial's weights come from: its origins, their pools, their origins."""
    for origin in trial.origins if trial.reuse else ():
        for start in _with_ancestors(origin):
            repeat = 0 if start.size == "all" and start.part == "subset" else start.repeat
            for name in (start.dataset, *start.pool):
                yield Drawn(name, start.profile, start.size, repeat, start.part)


def _with_ancestors(trial: Trial) -> Iterable[Trial]:
    yield trial
    for origin in trial.origins:
        yield from _with_ancestors(origin)


def _larger(one: Overlap, other: Overlap) -> Overlap:
    """Two draws of one data set: each count is the larger one."""
    names = ("seen", "windows", "groups", "names", "events", "moved")
    counts = {n: max(getattr(one, n) or 0, getattr(other, n) or 0) for n in names}
    return Overlap(one.source, test=one.test, **counts)


def labels_of(found: Iterable[Overlap], dataset: str) -> tuple[str, ...]:
    """Warnings of a row with these overlaps, on the data set that it is tested on."""
    out: list[str] = []
    for one in found:
        if one.source != dataset:
            out += [Caution.SAW_TEST] if one.refused else []
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
    pairs = {(t.dataset, t.profile, *learned(t)): t for t in trials if t.reuse}
    for trial in pairs.values():
        for one in of_trial(workspace, trial):
            if one.refused and one.source != trial.dataset:
                raise DataError(
                    f"{one.source} as a source has seen {one.words} of the test part of "
                    f"{trial.dataset}, "
                    "so that a gain from it would be no transfer",
                    where=f"{one.seen} windows learned from, {one.test} test windows",
                    mend="take them out of the source, or leave that pair out; --overlap label "
                    "runs "
                    "it all the same, and labels every row and table",
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
    return count(source, seen, tested, rows, fresh=fresh)


def count(
    source: Prepared,
    seen: NDArray[np.int64],
    tested: Prepared,
    rows: NDArray[np.int64],
    *,
    fresh: bool = False,
) -> Overlap:
    """What some windows of a data set share with some of another, or of the same one.

    Args:
        source: What was learned from.
        seen: Its rows that were.
        tested: What is tested on.
        rows: Its rows that are.
        fresh: Read the windows again instead of trusting the marks that are kept.
    """
    first, second = _windows(source, seen, fresh), _windows(tested, rows, fresh)
    same = alike(first, second) >= 0
    counts = {"windows": int(same.sum())}
    counts["moved"] = int(((moved(first, second) >= 0) & ~same).sum())
    if source.card.id == tested.card.id:
        counts["groups"] = len(respelt(_groups(source, seen), _groups(tested, rows)))
    elif named(source) and named(tested):
        shared = set(spelt(_groups(source, seen))) & set(spelt(_groups(tested, rows)))
        counts["names"] = sum(bool(COUNTER.fullmatch(name)) for name in shared)
        counts["groups"] = len(shared) - counts["names"]
        counts["events"] = _events(source, seen, tested, rows)
    return Overlap(source.card.id, len(seen), len(rows), **counts)


def rows_of(data: Prepared, drawn: Drawn) -> NDArray[np.int64]:
    """What a draw holds; of ``all``, both parts whole, however a profile would spend them."""
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


def _windows(data: Prepared, rows: NDArray[np.int64], fresh: bool) -> Windows:
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


def same_events(
    time: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    test_time: NDArray[np.float64],
    test_magnitude: NDArray[np.float64],
) -> int:
    """Test windows whose time and magnitude are those of an event that the source has.

    Two large catalogues agree on some by chance. So the same count is made with the source's clock
    set wrong by 3 to 52 hours, a hundred times; what is not well above the largest of those is 0.

    Args:
        time: Start of each source window in seconds of Unix time; NaN where unknown.
        magnitude: Of its event.
        test_time: As `time`, of the test part.
        test_magnitude: As `magnitude`.
    """
    known, asked = np.isfinite(time), np.isfinite(test_time)
    if not known.any() or not asked.any():
        return 0
    order = np.argsort(time[known])
    events = time[known][order], magnitude[known][order]
    tested = test_time[asked], test_magnitude[asked]
    found = _agreeing(*events, *tested)
    chance = max(_agreeing(events[0] + shift, events[1], *tested) for shift in SHIFTS)
    return found if found > 2 * chance + 2 else 0


def _agreeing(
    time: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    test_time: NDArray[np.float64],
    test_magnitude: NDArray[np.float64],
) -> int:
    """How many test windows have an event within both tolerances; `time` is sorted."""
    first = np.searchsorted(time, test_time - SECONDS)
    last = np.searchsorted(time, test_time + SECONDS, side="right")
    return sum(
        bool((np.abs(magnitude[a:b] - m) <= MAGNITUDES).any())
        for a, b, m in zip(first, last, test_magnitude, strict=True)
        if b > a
    )
