"""Claims that a target domain gains more than seismology does inside itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tsxfer.paper.effects import (
    Effect,
    Sign,
    Tested,
    Values,
    View,
    infer,
    over_models,
)
from tsxfer.paper.evidence import Evidence, Finding, Verdict, agree, domain, pairs


def _is_seismic(dataset: str) -> bool:
    return domain(dataset).endswith("earthquakes")


def gains_more(which: str) -> Callable[[Evidence], Finding]:
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
    inside = _mean_gain(pairs(seen, lambda s, t: _is_seismic(s) and _is_seismic(t)))
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
    return agree([words[t.sign] for t in tests])


def _excess_why(tests: Sequence[Tested]) -> str:
    signs = {t.sign for t in tests}
    if signs == {"better"}:
        return "The gain is significantly larger under either rule."
    if signs == {"worse"}:
        return "The gain is significantly smaller under either rule."
    return "The rule for the multiplier decides whether the gain is larger."
