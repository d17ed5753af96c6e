"""The study's conclusions as claims, each decided from rows after the gates, none by hand.

A claim is decided on pairs of source and target with a valid baseline: scratch above chance and
trained on the same loss. It must hold in every view, that is for the multiplier chosen without the
run's own test score as well as for plain fine-tuning. Three kinds of claim need three rules:

* "mostly": supported if most pairs are significantly better in every view, contradicted if at
  least as many are worse as better in every view;
* "hardly ever harms": supported if every cell is better or not worse by more than its margin,
  contradicted if more than one in twenty is significantly worse in every view;
* "there is": supported if one test of a corrected family rejects in every view, contradicted if
  all reject the other way.

All else is undecided. Tests are conditional on the pretrained source weights, of which the study
used one a source and model.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from tsxfer.core.names import DatasetName
from tsxfer.core.specs import Result
from tsxfer.paper.effects import (
    Effect,
    Sign,
    Tested,
    Values,
    View,
    infer,
    log_gains,
    over_models,
    view,
)
from tsxfer.paper.gates import Gates, check
from tsxfer.paper.grid import Grid, build, shared
from tsxfer.paper.select import Rule
from tsxfer.stats.compare import Comparison

Verdict: TypeAlias = Literal["supported", "contradicted", "undecided"]
RULES: tuple[Rule, ...] = ("leave-one-out", 1.0)
FINE = ("better", "not worse", "equivalent")
RARE = 0.05  # "very likely": what one in twenty may miss
BETTER, FASTER = ("better", "worse"), ("faster", "slower")
DOMAINS = {
    "lomax": "global earthquakes",
    "global_eq": "global earthquakes",
    "lendb": "local earthquakes",
    "local_eq_ir": "local earthquakes",
    "stead": "local earthquakes",
    "local_eq": "local earthquakes",
    "speech": "speech",
    "emg": "medicine",
    "sp500": "finance",
    "finance": "finance",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A conclusion of the study with what the rows say of it.

    Attributes:
        name: Short, for tables.
        says: The conclusion in one sentence.
        origin: Where the study draws it.
        verdict: One of three.
        figures: What decides it, one line a view.
        why: One sentence.
    """

    name: str
    says: str
    origin: str
    verdict: Verdict
    figures: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What claims are computed from.

    Attributes:
        grid: All rows.
        gates: What the gates found.
        views: After the gates, one a rule.
    """

    grid: Grid
    gates: Gates
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The computed part of a claim."""

    verdict: Verdict
    figures: tuple[str, ...]
    why: str


def evidence(rows: Iterable[Result]) -> Evidence:
    """Grid, gates and views of a study's rows.

    Raises:
        ComparisonError: If there is no pair to compare.
    """
    grid = build(rows)
    gates = check(grid)
    views = tuple(
        view(grid, rule, drop=gates.drop, trusted=gates.trusted, invalid=gates.invalid)
        for rule in RULES
    )
    return Evidence(grid, gates, views)


def check_claims(found: Evidence) -> list[Claim]:
    """Every conclusion of the study with its verdict."""
    return [
        Claim(name, says, origin, finding.verdict, finding.figures, finding.why)
        for name, says, origin, decide in CLAIMS
        for finding in (decide(found),)
    ]


def domain(dataset: str) -> str:
    """Domain of a data set of the study, by the first part of its versioned name."""
    return DOMAINS.get(DatasetName.parse(dataset).base, "other")


def _is_seismic(dataset: str) -> bool:
    return domain(dataset).endswith("earthquakes")


# --- rules -------------------------------------------------------------------------------------


def _agree(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that all views share."""
    return verdicts[0] if verdicts and len(set(verdicts)) == 1 else "undecided"


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


Keep: TypeAlias = Callable[[str, str], bool]  # of source and target


def _anywhere(_source: str, _target: str) -> bool:
    return True


def _global_to_local(source: str, target: str) -> bool:
    return domain(source).startswith("global") and domain(target).startswith("local")


def _local_to_global(source: str, target: str) -> bool:
    return _global_to_local(target, source)


def _pairs(seen: View, keep: Keep) -> list[Effect]:
    return [e for e in seen.effects if keep(e.source, e.target)]


def _speeds(seen: View, keep: Keep) -> list[Sign]:
    return [s for c, s in seen.speeds if keep(c.source, c.trial.dataset)]


def _mostly_better(found: Evidence, keep: Keep) -> Finding:
    signs = {v.name: [e.test.sign for e in _pairs(v, keep)] for v in found.views}
    return _mostly_of(signs, "pairs", BETTER)


def _mostly_faster(found: Evidence, keep: Keep) -> Finding:
    return _mostly_of({v.name: _speeds(v, keep) for v in found.views}, "cells", FASTER)


def _mostly_of(signs: Mapping[str, Sequence[Sign]], noun: str, words: tuple[str, str]) -> Finding:
    if not all(signs.values()):
        return Finding("undecided", (), f"The rows hold no such {noun} with a valid baseline.")
    verdicts = [_mostly(s) for s in signs.values()]
    verdict = _agree(verdicts)
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


def _hardly_harms(found: Evidence) -> Finding:
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


def _hardly_slows(found: Evidence) -> Finding:
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
        f"{_short(s)} → {_short(t)} {size.removeprefix('n=')}" for s, t, size in sorted(places)
    )


def _short(dataset: str) -> str:
    return DatasetName.parse(dataset).base


def _reverse(found: Evidence) -> Finding:
    groups = [{_key(e): e for e in _pairs(v, _local_to_global)} for v in found.views]
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


# --- gains of a domain against those inside seismology -------------------------------------------


def _gains_more(which: str) -> Callable[[Evidence], Finding]:
    """The gains of a target domain exceed those inside seismology."""

    def decide(found: Evidence) -> Finding:
        targets = [t for t in found.views[0].of if domain(t) == which]
        lost = sum(found.views[0].left_out[t] for t in targets)
        of = sum(found.views[0].of[t] for t in targets)
        if 2 * lost >= of:
            return Finding("undecided", (_lost(lost, of),), _no_baseline(found, targets, lost, of))
        tests = [_excess(v, which) for v in found.views]
        figures = [_lost(lost, of)]
        figures += [
            f"{v.name}: gain ×{np.exp(t.mean):.2f} that inside seismology "
            f"[{np.exp(t.low):.2f}, {np.exp(t.high):.2f}]"
            for v, t in zip(found.views, tests, strict=True)
        ]
        return Finding(_excess_verdict(tests), tuple(figures), _excess_why(tests))

    return decide


def _lost(lost: int, of: int) -> str:
    return f"cells without a valid baseline: {lost} of {of}"


def _no_baseline(found: Evidence, targets: Sequence[str], lost: int, of: int) -> str:
    if not of:
        return "The rows hold no such target."
    chance = sum(1 for b in found.gates.baselines if b.baseline.target in targets)
    loss = sum(1 for b in found.gates.unequal if b.target in targets)
    baselines = sum(1 for b in found.grid.scratch if b.target in targets)
    return (
        f"Scratch is at chance in {chance} of {baselines} baselines, and {loss} were trained on "
        f"another loss than the fine-tunings, so {lost} of {of} cells measure no transfer."
    )


def _excess(seen: View, which: str) -> Tested:
    theirs = _mean_gain([e for e in seen.effects if domain(e.target) == which])
    inside = _mean_gain(_pairs(seen, lambda s, t: _is_seismic(s) and _is_seismic(t)))
    shortest = min(len(theirs), len(inside))
    return (
        infer([theirs[:shortest] - inside[:shortest]])[0] if shortest else infer([np.zeros(1)])[0]
    )


def _mean_gain(effects: Sequence[Effect]) -> Values:
    """Mean over pairs in each repeat; empty without pairs."""
    return over_models({str(i): e.mean for i, e in enumerate(effects)}) if effects else np.zeros(0)


def _excess_verdict(tests: Sequence[Tested]) -> Verdict:
    words: dict[Sign, Verdict] = {
        "better": "supported",
        "worse": "contradicted",
        "undecided": "undecided",
    }
    return _agree([words[t.sign] for t in tests])


def _excess_why(tests: Sequence[Tested]) -> str:
    signs = {t.sign for t in tests}
    if signs == {"better"}:
        return "The gain is significantly larger under either rule."
    if signs == {"worse"}:
        return "The gain is significantly smaller under either rule."
    return "The rule for the multiplier decides whether the gain is larger."


# --- "it matters": one rejection of a corrected family -------------------------------------------


def _sources_matter(found: Evidence) -> Finding:
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


def _sizes_matter(found: Evidence) -> Finding:
    def families(seen: View) -> list[Values]:
        routes: dict[tuple[str, str], list[Effect]] = {}
        for effect in sorted(seen.effects, key=lambda e: int(e.size.removeprefix("n="))):
            routes.setdefault((effect.source, effect.target), []).append(effect)
        return [
            _difference(a.gains, b.gains)
            for route in routes.values()
            for a, b in itertools.combinations(route, 2)
        ]

    return _matters(found, families, "two sizes of the same pair", "smaller", "larger")


def _models_matter(found: Evidence) -> Finding:
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


def _multipliers_matter(found: Evidence) -> Finding:
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


ABSTRACT, EGU = "abstract", "EGU abstract (from memory)"
CLAIMS: tuple[tuple[str, str, str, Callable[[Evidence], Finding]], ...] = (
    (
        "raises",
        "Transfer very likely raises performance.",
        ABSTRACT,
        lambda found: _mostly_better(found, _anywhere),
    ),
    ("harmless", "Or at least it does not harm performance.", ABSTRACT, _hardly_harms),
    (
        "faster",
        "Transfer very likely raises the rate of convergence.",
        ABSTRACT,
        lambda found: _mostly_faster(found, _anywhere),
    ),
    ("not slower", "Or at least it does not harm convergence.", ABSTRACT, _hardly_slows),
    (
        "global to local",
        "Global earthquakes help local ones.",
        EGU,
        lambda found: _mostly_better(found, _global_to_local),
    ),
    (
        "global to local, faster",
        "And they speed up training there.",
        EGU,
        lambda found: _mostly_faster(found, _global_to_local),
    ),
    ("local to global", "Sometimes the reverse helps too.", EGU, _reverse),
    (
        "speech gains more",
        "Speech as target gains more than seismology inside itself.",
        EGU,
        _gains_more("speech"),
    ),
    ("medicine gains more", "So does medicine (EMG).", EGU, _gains_more("medicine")),
    ("finance gains more", "So does finance (S&P 500).", EGU, _gains_more("finance")),
    ("source matters", "Source and target differ in how well they fit.", ABSTRACT, _sources_matter),
    ("size matters", "The size of the target set matters.", ABSTRACT, _sizes_matter),
    ("model matters", "The model matters.", ABSTRACT, _models_matter),
    (
        "multiplier matters",
        "Hyper-parameters matter (here the rate of copied layers).",
        ABSTRACT,
        _multipliers_matter,
    ),
)
