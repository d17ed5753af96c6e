"""Rules by which a data set is split once into what is learned from, selected on and tested on.

A rule gives each instance a side: 0 to learn from, 1 to select on, 2 for the test, -1 for none. It
sees names, times and labels, never windows, and draws from a stream that depends on the data set
and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.doors import SPLITS, facts
from tsxfer.core.guard import broken, guarded
from tsxfer.core.specs import Profile
from tsxfer.data.split import Partition, of_sides, prefix_stratified
from tsxfer.errors import DataError
from tsxfer.keys import stream

Sides = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """What a rule may know of the instances of a data set.

    Attributes:
        dataset: Versioned name.
        group: ``(n,)`` group names.
        start: ``(n,)`` start times in seconds, NaN where unknown.
        end: ``(n,)`` end times.
        labels: ``(n,)`` class codes; None for regression.
        part: ``(n,)`` ``train`` or ``test``, where the data says so; else None.
        shares: Wanted share of each side.
        grouped: The protocol keeps whole groups on one side.
    """

    dataset: str
    group: NDArray[np.str_]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    labels: NDArray[Any] | None
    part: NDArray[np.str_] | None
    shares: tuple[float, float, float]
    grouped: bool


Rule = TypeVar("Rule", bound=Callable[[Instances, np.random.Generator], Sides])


def split(name: str = "", *, shares_groups: bool = False) -> Callable[[Rule], Rule]:
    """Register a function ``(instances, random stream) -> sides`` as a rule.

    Args:
        name: Of the rule, where it is not that of the function.
        shares_groups: A group may be on two sides, and rows are labelled for it.
    """
    del name

    def register(rule: Rule) -> Rule:
        rule.facts = {"shares_groups": shares_groups}  # type: ignore[attr-defined]
        return rule

    return register


@split()
def grouped(instances: Instances, draw: np.random.Generator) -> Sides:
    """Whole groups on one side; by instance under the study's protocol."""
    if instances.grouped:
        return _by_group(instances.group, np.array(instances.shares), draw, instances.dataset)
    return _by_instance(instances, draw)


@split(shares_groups=True)
def time(instances: Instances, draw: np.random.Generator) -> Sides:
    """The first instances to learn from, the last ones for the test."""
    del draw
    start, end = instances.start, instances.end
    if not (np.isfinite(start).all() and np.isfinite(end).all()):
        raise DataError(
            f"{instances.dataset} is split in time, but some instances have no time",
            mend="give time_start and time_end in its reader",
        )
    cuts = np.quantile(start, np.cumsum(instances.shares)[:2])
    first, second = start < cuts[0], (start >= cuts[0]) & (start < cuts[1])
    # Purge: what an instance has seen, its label included, ends before the next part starts.
    sides = np.full(len(start), -1, dtype=np.int64)
    sides[first & (end < cuts[0])] = 0
    sides[second & (end < cuts[1])] = 1
    sides[start >= cuts[1]] = 2
    return sides


@split(shares_groups=True)
def official(instances: Instances, draw: np.random.Generator) -> Sides:
    """The data's own test part; a validation part from the rest, by groups where there are some."""
    part, group = instances.part, instances.group
    if part is None or set(np.unique(part).tolist()) != {"train", "test"}:
        raise DataError(
            f"{instances.dataset} has an official split, but not which instance is of which part",
            mend="prepare it again",
        )
    pool, sides = np.flatnonzero(part == "train"), np.full(len(part), 2, dtype=np.int64)
    learn, select = instances.shares[:2]
    shares = np.array([learn, select]) / (learn + select)
    if instances.grouped and len(np.unique(group[pool])) < len(pool):
        sides[pool] = _by_group(group[pool], shares, draw, instances.dataset)
        return sides
    order = prefix_stratified(pool, instances.labels, draw)
    cut = round(shares[0] * len(pool))
    sides[order[:cut]], sides[order[cut:]] = 0, 1
    return sides


def partition(instances: Instances, profile: Profile, rule: str) -> Partition:
    """Split a data set once; the draw depends on its name and on nothing else.

    Args:
        instances: What is known of them.
        profile: Rules of the protocol.
        rule: Name of a rule; the package's own ``official`` is that of the data under every
            profile.

    Raises:
        DataError: If there are too few groups, or times are needed and unknown.
        SpecError: If there is no such rule, or a user's own breaks its contract.
    """
    made = SPLITS.get(rule)
    if SPLITS.plugin_digest(rule):
        return of_sides(_watched(made, instances, rule), rule)
    draw = stream("split", instances.dataset, *(() if profile.grouped else ("by instance",)))
    return of_sides(made(instances, draw), rule if rule == "official" else "")


def _watched(
    rule: Callable[[Instances, np.random.Generator], Sides], instances: Instances, name: str
) -> Sides:
    """The sides of a user's rule, asked twice."""
    what, place = f"split {name}", SPLITS.place(name)
    with guarded(what, place):
        found, again = (
            np.asarray(rule(instances, stream("split", instances.dataset, name))) for _ in range(2)
        )
    fault = _fault(found, again, instances, bool(facts(SPLITS, name).get("shares_groups")))
    if fault:
        raise broken(what, place, *fault)
    return found.astype(np.int64)


def _fault(
    found: NDArray[Any], again: NDArray[Any], instances: Instances, shared: bool
) -> tuple[str, str] | None:
    """What is wrong with sides, and what mends it."""
    count = len(instances.group)
    if found.shape != (count,) or found.dtype.kind not in "iu":
        return (
            f"gives {found.dtype} {found.shape} for {count} instances",
            "return one whole number from -1 to 2 for each",
        )
    if not np.array_equal(found, again):
        return "gives other sides when asked again", "draw from the stream that it is given alone"
    if not {0, 1, 2} <= set(found.tolist()) <= {-1, 0, 1, 2}:
        return f"gives the sides {sorted(set(found.tolist()))}", "give some of each of 0, 1 and 2"
    held = [set(instances.group[found == side].tolist()) for side in range(3)]
    both = (held[0] & held[2]) | (held[1] & held[2]) | (held[0] & held[1])
    if both and not shared:
        return (
            f"puts group {sorted(both)[0]} on two sides",
            "keep whole groups together, or say @split(shares_groups=True): rows then tell it",
        )
    return None


def _by_group(
    group: NDArray[np.str_], shares: NDArray[np.float64], draw: np.random.Generator, dataset: str
) -> Sides:
    """Which part each instance is in, whole groups together; parts have about their shares."""
    names, member, counts = np.unique(group, return_inverse=True, return_counts=True)
    if len(names) < len(shares):
        few, apart = {
            2: ("two", "training and validation"),
            3: ("three", "training, validation and test"),
        }[len(shares)]
        raise DataError(
            f"{dataset} has {len(names)} group(s): {', '.join(names)}",
            mend=f"{few} groups are the least that {apart} can keep apart, and some "
            "forty let a verdict speak of new ones: add data of more of them",
        )
    # Each group goes where the largest share of the wanted instances is still missing.
    wanted = shares * len(group)
    missing, side = wanted.copy(), np.zeros(len(names), dtype=np.int64)
    order = draw.permutation(len(names))
    order = order[np.argsort(-counts[order] // max(1, int(wanted.min()) // 4), kind="stable")]
    for name in order:
        side[name] = int(np.argmax(missing / wanted))
        missing[side[name]] -= counts[name]
    return np.asarray(side[member])


def _by_instance(instances: Instances, draw: np.random.Generator) -> Sides:
    count = len(instances.group)
    order = prefix_stratified(np.arange(count), instances.labels, draw)
    first, second = (np.cumsum(instances.shares)[:2] * count).astype(int)
    sides = np.full(count, 2, dtype=np.int64)
    sides[order[:first]], sides[order[first:second]] = 0, 1
    return sides
