"""Claims that source, size, model or multiplier matters: one rejection of a family."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from tsxfer.core.results import Result
from tsxfer.core.sizes import as_written
from tsxfer.paper.effects import (
    Effect,
    Values,
    View,
    infer,
    log_gains,
    over_models,
)
from tsxfer.paper.evidence import Evidence, Finding
from tsxfer.paper.grid import shared


def sources_matter(found: Evidence) -> Finding:
    """Two sources differ on one target."""

    def families(seen: View) -> list[Values]:
        columns: dict[tuple[str, str], list[Effect]] = {}
        for effect in seen.effects:
            columns.setdefault((effect.target, effect.size), []).append(effect)
        return [
            _difference(a.gains, b.gains)
            for column in columns.values()
            for a, b in itertools.combinations(column, 2)
        ]

    return _matters(found, families, "two sources on the same target")


def sizes_matter(found: Evidence) -> Finding:
    """Two sizes differ on one pair."""

    def families(seen: View) -> list[Values]:
        routes: dict[tuple[str, str], list[Effect]] = {}
        for effect in sorted(seen.effects, key=lambda e: int(as_written(e.size))):
            routes.setdefault((effect.source, effect.target), []).append(effect)
        return [
            _difference(a.gains, b.gains)
            for route in routes.values()
            for a, b in itertools.combinations(route, 2)
        ]

    return _matters(found, families, "two sizes of the same pair", "smaller", "larger")


def models_matter(found: Evidence) -> Finding:
    """Two models differ on one pair."""

    def families(seen: View) -> list[Values]:
        return [
            _less(a, b)
            for effect in seen.effects
            for a, b in itertools.combinations(effect.gains.values(), 2)
        ]

    return _matters(found, families, "two models on the same pair")


def _difference(a: dict[str, Values], b: dict[str, Values]) -> Values:
    """Difference of gains over the models that both have; empty without one."""
    both = [model for model in a if model in b]
    return over_models({m: _less(a[m], b[m]) for m in both}) if both else np.zeros(0)


def _less(a: Values, b: Values) -> Values:
    shortest = min(len(a), len(b))
    difference: Values = a[:shortest] - b[:shortest]
    return difference


def _matters(
    found: Evidence,
    families: Callable[[View], list[Values]],
    what: str,
    first: str = "",
    second: str = "",
) -> Finding:
    figures, rejected = [], []
    for seen in found.views:
        tests = infer([d for d in families(seen) if len(d) > 1])
        signs = Counter(t.sign for t in tests)
        line = f"{seen.name}: {signs['better'] + signs['worse']} of {len(tests)} differences"
        if first:
            line += f" ({signs['better']} favour the {first} size, {signs['worse']} the {second})"
        figures.append(line)
        rejected.append(signs["better"] + signs["worse"])
    if all(rejected):
        return Finding("supported", tuple(figures), f"Gains of {what} differ significantly.")
    return Finding(
        "undecided", tuple(figures), f"No difference between {what} is shown throughout."
    )


def multipliers_matter(found: Evidence) -> Finding:
    """Every multiplier against 1 (or the middle one), mean over sources, inside trusted grids."""
    groups: dict[tuple[str, str, str], list[dict[int, dict[float, Result]]]] = {}
    for place, runs in found.grid.tuned.items():
        kept = {r: o for r, o in runs.items() if r not in found.gates.drop}
        groups.setdefault((place.model, place.target, place.size), []).append(kept)
    families = [
        change
        for (model, _, _), group in groups.items()
        for change in _changes(group, found.gates.trusted.get(model))
    ]
    tests = infer([d for d in families if len(d) > 1])
    signs = Counter(t.sign for t in tests)
    figures = (
        f"against multiplier 1: {signs['better']} better, {signs['worse']} worse of {len(tests)}",
    )
    if signs["better"] + signs["worse"]:
        return Finding("supported", figures, "Scores differ significantly over the multipliers.")
    return Finding("undecided", figures, "No multiplier is shown to differ from 1.")


def _changes(
    group: Sequence[dict[int, dict[float, Result]]], trusted: Sequence[float] | None
) -> list[Values]:
    grid = shared([o for runs in group for o in runs.values()])
    grid = [m for m in grid if trusted is None or m in trusted]
    if len(grid) < 2:
        return []
    reference = 1.0 if 1.0 in grid else grid[len(grid) // 2]
    return [
        over_models(
            {
                str(i): log_gains([(runs[r][reference], runs[r][m]) for r in sorted(runs)])
                for i, runs in enumerate(group)
            }
        )
        for m in grid
        if m != reference
    ]
