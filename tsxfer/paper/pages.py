"""What the command line prints of a study: its method's tables, the gates, the claims."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from tsxfer.core.results import Result
from tsxfer.paper import tables
from tsxfer.paper.claims import Claim, check_claims
from tsxfer.paper.evidence import evidence
from tsxfer.paper.gates import ChanceRepeat, Gates, check
from tsxfer.paper.grid import Baseline, Grid, build
from tsxfer.paper.method import MEASURES, Entry, Measure, counts, main_table, model_table
from tsxfer.paper.rough import Rough
from tsxfer.paper.select import Chosen, Rule, choose, parse
from tsxfer.paper.tables import TITLES, short, size_text

WHAT: dict[Measure, str] = {
    "performance": "gain of the test score",
    "convergence": "gain of the convergence rate",
}
CAUTION = (
    "This is the study's method, kept to reproduce its numbers: runs that share a scratch draw are "
    "pooled as if independent. For verdicts: tsxfer claims."
)


def study_text(
    rows: Iterable[Result],
    *,
    multiplier: str = "best",
    drop: Collection[int] = (),
    form: str = "terminal",
) -> str:
    """The study's tables and counts from any rows with a grid of multipliers.

    Args:
        rows: Rows of one study, in any order of writers.
        multiplier: ``best``, ``leave-one-out`` or a number.
        drop: Repeats to leave out.
        form: ``terminal`` or ``markdown``.

    Raises:
        SpecError: For an unknown rule, form or repeat.
        ComparisonError: If no pair is left.
    """
    tables.check_form(form)
    grid, rule = build(rows), parse(multiplier)
    chosen = choose(grid, rule, drop=drop)
    parts = [_head(grid, rule, drop)]
    for measure in MEASURES:
        parts += _measure(grid, chosen, measure, form)
    return "\n\n".join([*parts, CAUTION]) + "\n"


def _head(grid: Grid, rule: Rule, drop: Collection[int]) -> str:
    kept = [repeat for repeat in grid.repeats if repeat not in drop]
    how = {
        "best": "best of the grid on the run's own test score (the study's choice)",
        "leave-one-out": "best on the mean test score of the other repeats",
    }.get(str(rule), f"fixed at {rule}")
    dropped = f", without repeat {', '.join(map(str, sorted(drop)))}" if drop else ""
    return f"Study's method; multiplier {how}; {len(kept)} repeats{dropped}."


def _measure(grid: Grid, chosen: Sequence[Chosen], measure: Measure, form: str) -> list[str]:
    pooled, apart = main_table(chosen, measure), model_table(chosen, measure)
    if not pooled:
        return [f"{WHAT[measure]}: no row has a curve."]
    return [
        f"{WHAT[measure]} in per cent, models pooled; ▲▼ Wilcoxon, two-stage correction over the "
        "table",
        _table(grid, pooled, tables.main_text, form),
        _counts(grid, chosen, pooled, measure),
        f"{WHAT[measure]} in per cent by model (p, uncorrected)",
        _table(grid, apart, tables.model_text, form),
    ]


def _table(grid: Grid, entries: Sequence[Entry], text: Callable[[Entry], str], form: str) -> str:
    table = tables.rows(entries, text, sources=grid.sources, columns=grid.columns)
    return tables.render(table, form)


def _counts(grid: Grid, chosen: Sequence[Chosen], pooled: Sequence[Entry], measure: Measure) -> str:
    every = counts(chosen, measure)
    by_model = {m: counts([c for c in chosen if c.place.model == m], measure) for m in grid.models}
    models = ", ".join(
        f"{TITLES.get(model, model)} {found.wins}/{found.losses}"
        for model, found in by_model.items()
    )
    marks = [entry.mark for entry in pooled]
    return (
        f"Cells won/lost by the mean: {every.wins}/{every.losses} of {len(chosen)} ({models}). "
        f"Pairs significantly better/worse: {marks.count('▲')}/{marks.count('▼')} of {len(marks)}."
    )


def gates_text(rows: Iterable[Result]) -> str:
    """What the gates find, with the figures that made each finding.

    Raises:
        ComparisonError: If there is no pair.
    """
    return "\n".join(gate_lines(check(build(rows)))) + "\n"


def gate_lines(found: Gates) -> list[str]:
    """One line a finding."""
    lines = [_repeat_line(one) for one in found.repeats]
    lines += [
        f"scratch at chance: {_baseline(one.baseline)}, {tables.printed(one.score)} against "
        f"{tables.printed(one.chance)}{' (read off the repeat at chance)' if one.measured else ''}"
        for one in found.baselines
    ]
    lines += [_rough_line(one) for one in found.rough]
    if found.unequal:
        names = ", ".join(map(_baseline, found.unequal))
        lines.append(f"scratch on another loss than its fine-tunings: {names}")
    return lines or ["no gate raised an alarm"]


def _baseline(one: Baseline) -> str:
    return f"{TITLES.get(one.model, one.model)} {short(one.target)}{size_text(one.size)}"


def _repeat_line(one: ChanceRepeat) -> str:
    rising = (
        f"; scored error rises during training in {100 * one.rising:.0f} % of its scratch "
        f"regressions, elsewhere in {100 * (one.rising_elsewhere or 0):.0f} %"
        if one.rising is not None
        else ""
    )
    return (
        f"repeat {one.repeat} at chance: worst repeat in {100 * one.worst:.0f} % of all runs, "
        f"typically {one.gap:.1f} ranges of the others below their median; far off in both arms of "
        f"{len(one.columns)} of {one.of} columns{rising}"
    )


def _rough_line(one: Rough) -> str:
    side = "better" if one.better else "worse"
    trusted = ", ".join(f"{m:g}" for m in one.trusted)
    return (
        f"grid of multipliers not smooth: {TITLES.get(one.model, one.model)} at "
        f"{one.multiplier:g} stands alone in {len(one.columns)} of {one.of} columns ({side} than "
        f"both neighbours, off them in {100 * one.share:.0f} % of grids); trusted: {trusted}"
    )


def claims_text(rows: Iterable[Result], *, form: str = "terminal") -> str:
    """The study's conclusions, each supported, contradicted or undecided, with its figures.

    Raises:
        SpecError: For an unknown form.
        ComparisonError: If there is no pair.
    """
    tables.check_form(form)
    found = evidence(rows)
    claims = check_claims(found)
    body = _claims_markdown(claims) if form == "markdown" else _claims_terminal(claims)
    return (
        "\n".join(["Gates:", *(f"- {line}" for line in gate_lines(found.gates)), "", *body]) + "\n"
    )


def _claims_markdown(claims: Sequence[Claim]) -> list[str]:
    lines = ["| verdict | claim | what decides it |", "|---|---|---|"]
    return [*lines, *(f"| **{c.verdict}** | {c.says} ({c.origin}) | {c.why} |" for c in claims)]


def _claims_terminal(claims: Sequence[Claim]) -> list[str]:
    lines = []
    for c in claims:
        lines += [f"{c.verdict.upper():13} {c.says} ({c.origin})", f"{'':13} {c.why}"]
        lines += [f"{'':15} {figure}" for figure in c.figures]
    return lines
