"""Claims "mostly", "hardly ever harms" and "there is": pairs of data sets are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tsxfer.core.names import DatasetName
from tsxfer.core.sizes import as_written
from tsxfer.paper.effects import (
    Effect,
    Sign,
    View,
)
from tsxfer.paper.evidence import Evidence, Finding, Keep, Verdict, agree, domain, pairs
from tsxfer.stats.compare import Comparison

FINE = ("better", "not worse", "equivalent")


RARE = 0.05  # "very likely": what one in twenty may miss


BETTER, FASTER = ("better", "worse"), ("faster", "slower")


def _mostly(signs: Sequence[Sign]) -> Verdict:
    counts = Counter(signs)
    if 2 * counts["better"] > len(signs):
        return "supported"
    return (
        "contradicted" if counts["worse"] and counts["worse"] >= counts["better"] else "undecided"
    )


def _tally(
    name: str, signs: Sequence[Sign], noun: str = "pairs", words: tuple[str, str] = BETTER
) -> str:
    counts = Counter(signs)
    return (
        f"{name}: {counts['better']} {words[0]}, {counts['worse']} {words[1]} "
        f"of {len(signs)} {noun}"
    )


def anywhere(_source: str, _target: str) -> bool:
    """Any pair."""
    return True


def global_to_local(source: str, target: str) -> bool:
    """From global earthquakes to local ones."""
    return domain(source).startswith("global") and domain(target).startswith("local")


def _local_to_global(source: str, target: str) -> bool:
    return global_to_local(target, source)


def _speeds(seen: View, keep: Keep) -> list[Sign]:
    return [s for c, s in seen.speeds if keep(c.source, c.trial.dataset)]


def mostly_better(found: Evidence, keep: Keep) -> Finding:
    """Most of the pairs that are kept are better."""
    signs = {v.name: [e.test.sign for e in pairs(v, keep)] for v in found.views}
    return _mostly_of(signs, "pairs", BETTER)


def mostly_faster(found: Evidence, keep: Keep) -> Finding:
    """Most of the cells that are kept reach the level of scratch earlier."""
    return _mostly_of({v.name: _speeds(v, keep) for v in found.views}, "cells", FASTER)


def _mostly_of(signs: Mapping[str, Sequence[Sign]], noun: str, words: tuple[str, str]) -> Finding:
    if not all(signs.values()):
        return Finding("undecided", (), f"The rows hold no such {noun} with a valid baseline.")
    verdicts = [_mostly(s) for s in signs.values()]
    verdict = agree(verdicts)
    figures = tuple(_tally(name, s, noun, words) for name, s in signs.items())
    good, bad = words
    most, reverse = (verdicts.count(v) for v in ("supported", "contradicted"))
    why = {
        "supported": f"Most {noun} are significantly {good} under either rule.",
        "contradicted": f"Under either rule at least as many {noun} are {bad} as {good}.",
        "undecided": f"Most {noun} are {good} under {most} of {len(signs)} rules; at least as many "
        f"are {bad} as {good} under {reverse}.",
    }
    return Finding(verdict, figures, why[verdict])


def hardly_harms(found: Evidence) -> Finding:
    """Few pairs are worse under either rule."""
    worse = [{_key(e) for e in v.effects if e.test.sign == "worse"} for v in found.views]
    always = set.intersection(*worse)
    fine = all(c.verdict in FINE for v in found.views for c in v.comparisons)
    figures = [_tally(v.name, [e.test.sign for e in v.effects]) for v in found.views]
    figures.append("worse under either rule: " + (_names(always) or "none"))
    many = len(always) > RARE * max(len(v.effects) for v in found.views)
    verdict: Verdict = "contradicted" if many else "supported" if fine else "undecided"
    why = {
        "contradicted": f"{len(always)} pairs are significantly worse under either rule.",
        "supported": "Every cell is better, or not worse by more than its margin.",
        "undecided": "Few pairs are worse under either rule, but not all cells are shown harmless.",
    }
    return Finding(verdict, tuple(figures), why[verdict])


def hardly_slows(found: Evidence) -> Finding:
    """Few cells reach the level of scratch later under either rule."""
    slow = [{_cell(c) for c, s in v.speeds if s == "worse"} for v in found.views]
    always, of = set.intersection(*slow), max(len(v.speeds) for v in found.views)
    figures = [_tally(v.name, [s for _, s in v.speeds], "cells", FASTER) for v in found.views]
    figures.append(f"slower under either rule: {len(always)} cells")
    many = len(always) > RARE * of
    why = (
        f"{len(always)} of {of} cells reach the level of scratch significantly later under either "
        f"rule, {'more than' if many else 'within'} one in twenty; "
        "the others are not shown harmless."
    )
    return Finding("contradicted" if many else "undecided", tuple(figures), why)


def _cell(c: Comparison) -> tuple[str, str, str, str]:
    return c.trial.model, c.source, c.trial.dataset, c.trial.size


def _names(places: Iterable[tuple[str, str, str]]) -> str:
    return ", ".join(
        f"{_short(s)} → {_short(t)} {as_written(size)}" for s, t, size in sorted(places)
    )


def _short(dataset: str) -> str:
    return DatasetName.parse(dataset).base


def reverse(found: Evidence) -> Finding:
    """Some pair from local to global earthquakes is better."""
    groups = [{_key(e): e for e in pairs(v, _local_to_global)} for v in found.views]
    better = [{k for k, e in group.items() if e.test.sign == "better"} for group in groups]
    always = set.intersection(*better)
    none = all(g and all(e.test.sign == "worse" for e in g.values()) for g in groups)
    verdict: Verdict = "supported" if always else "contradicted" if none else "undecided"
    figures = tuple(
        f"{v.name}: "
        + "; ".join(f"{_names([k])} ×{e.test.ratio:.2f} {e.test.sign}" for k, e in group.items())
        for v, group in zip(found.views, groups, strict=True)
    )
    signs = Counter(e.test.sign for group in groups for e in group.values())
    why = {
        "supported": f"Better under either rule: {_names(always)}.",
        "contradicted": "Every pair is worse under either rule.",
        "undecided": f"{signs['better']} results are better and {signs['worse']} worse, of "
        f"{sum(signs.values())} under both rules; not all pairs are shown to be worse.",
    }
    return Finding(verdict, figures, why[verdict])


def _key(effect: Effect) -> tuple[str, str, str]:
    return effect.source, effect.target, effect.size
