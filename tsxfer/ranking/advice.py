"""Ranked sources and the record of such rankings, in words, as a table and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tsxfer import metrics
from tsxfer.core.specs import Trial
from tsxfer.data.prepare import Prepared
from tsxfer.errors import printable
from tsxfer.ranking.evidence import Evidence
from tsxfer.ranking.judge import FEWEST_SOURCES, FEWEST_TARGETS, Judged, Mean, Pick
from tsxfer.ranking.rankers import DEFAULT, Ranker, Scores, known
from tsxfer.ranking.sources import Source

LEFT_OUT = "unfinished, or with weights or data that are not available"
SUITE = "real@1"  # whose rows come with the package
WIDTH = 160  # of a pipe, which has no width


@dataclass(frozen=True, slots=True)
class Ranked:
    """A source with its scores before training."""

    source: Source
    scores: Scores

    @property
    def place(self) -> tuple[float, str]:
        """Sort key, best first by the default ranker; sources that it cannot score come last."""
        score = self.scores[DEFAULT]
        return (float("inf") if score is None else -score), self.source.trial.dataset


@dataclass(frozen=True, slots=True)
class Advice:
    """What `tsxfer recommend` says.

    Attributes:
        target: The scratch trial whose training subset was looked at.
        made: Its data set.
        ranked: Sources, best first.
        blind: Oriented score of the best trivial prediction, on the windows of the scores.
        evidence: Finished cells of the workspace.
        judged: What each ranker has been worth on them.
        suite: What each has been worth on the rows that come with the package; real targets.
    """

    target: Trial
    made: Prepared
    ranked: tuple[Ranked, ...]
    blind: float
    evidence: Evidence
    judged: tuple[Judged, ...]
    suite: tuple[Judged, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether any number comes from simulated data."""
        return self.made.card.simulated or any(r.source.simulated for r in self.ranked)


def as_plain(advice: Advice) -> dict[str, Any]:
    """For JSON."""
    return {
        "target": advice.target.dataset,
        "model": advice.target.model,
        "size": advice.target.size,
        "repeat": advice.target.repeat,
        "simulated": advice.simulated,
        "method": DEFAULT,
        "higher_is_better": {ranker.name: ranker.higher_is_better for ranker in known()},
        "blind": advice.blind,
        "sources": [
            {"source": r.source.trial.dataset, "key": r.source.trial.key, **r.scores}
            for r in advice.ranked
        ],
        "record": [asdict(judged) for judged in advice.judged],
        "left_out": advice.evidence.left_out,
        "sentence": sentence(advice),
        "suite": [asdict(judged) for judged in advice.suite],
        "suite_sentence": of_suite(advice),
    }


def show(advice: Advice) -> None:
    """Print the sources, how well such rankings have done here, and what the columns mean."""
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    if advice.simulated:
        console.print(Text("SIMULATED DATA: numbers below say nothing about the real world."))
    console.print(_sources(advice))
    console.print(Text(against_trivial(advice)))
    console.print(Text(sentence(advice)))
    if advice.judged:
        console.print(_record(advice))
    if advice.suite:
        console.print(Text(of_suite(advice)))
    if advice.evidence.left_out:
        console.print(
            Text(f"Left out of that: {advice.evidence.left_out} comparisons, {LEFT_OUT}.")
        )
    for ranker in known():
        way = "higher" if ranker.higher_is_better else "lower"
        console.print(Text(f"{ranker.name}: {ranker.what}; {way} is better"), style="dim")
    left = "; * marks the best; n/a: not defined, or the data of that source is not here"
    console.print(Text(f"Scores see training windows of the target only{left}."), style="dim")


def _sources(advice: Advice) -> Table:
    card, target = advice.made.card, advice.target
    metric = metrics.get(card.metric).title
    title = f"Sources for {target.dataset}, {target.model}, {target.size}, by {DEFAULT} ({metric})"
    table = Table(title=Text(printable(title)))
    for name in ("", "source"):
        table.add_column(name)
    for ranker in known():
        table.add_column(ranker.name, justify="right")
    best = {ranker.name: _best(ranker, advice.ranked) for ranker in known()}
    for place, one in enumerate(advice.ranked, start=1):
        scores = (_cell(one.scores[r.name], best[r.name], r.trivial) for r in known())
        table.add_row(str(place), Text(printable(one.source.trial.dataset)), *scores)
    return table


def _best(ranker: Ranker, ranked: Sequence[Ranked]) -> float | None:
    """The best score, where sources differ in it."""
    found = [one.scores[ranker.name] for one in ranked]
    known = [score for score in found if score is not None]
    if len(set(known)) < 2:
        return None
    return max(known) if ranker.higher_is_better else min(known)


def _cell(score: float | None, best: float | None, counts: bool) -> str:
    if score is None:
        return "n/a"
    text = f"{score:,.0f}" if counts else f"{score:.3f}"
    return f"{text}*" if score == best else f"{text} "


def _record(advice: Advice) -> Table:
    table = Table(title="What such rankings were worth in this workspace's finished studies")
    titles = (
        "ranker",
        "cells",
        "targets",
        "first was best",
        "its gain in margins",
        "regret",
        "tau",
    )
    for title in titles:
        table.add_column(title, justify="left" if title == "ranker" else "right")
    for one in advice.judged:
        tau = _signed(one.tau) if one.tau else "n/a"
        table.add_row(one.ranker, str(one.cells), str(one.targets), *_shown(one.first), tau)
    first = advice.judged[0]
    table.add_row("a blind pick", str(first.cells), str(first.targets), *_shown(first.blind), "0")
    return table


def _shown(pick: Pick) -> tuple[str, str, str]:
    return _share(pick.hit), _signed(pick.gain), _signed(pick.regret)


def against_trivial(advice: Advice) -> str:
    """The score of the best trivial prediction, and whether the probe of any source is better."""
    best = advice.ranked[0].scores[DEFAULT]
    said = f"The best prediction that ignores the windows scores {advice.blind:.3f}"
    if best is None:
        return f"{said}; with one group of windows nothing can be probed: the order says nothing."
    if best <= advice.blind:
        return f"{said}: the {DEFAULT} of no source passes it, so this order says little."
    return f"{said}."


def sentence(advice: Advice) -> str:
    """How often the default ranking has been right here, or that nothing can be said yet."""
    found = next((one for one in advice.judged if one.ranker == DEFAULT), None)
    kind = "simulated" if advice.made.card.simulated else "real"
    if found is None:
        return (
            f"Nothing can be said yet of how often such a ranking is right: no finished study here "
            f"has two available sources for a {kind} target. Make the evidence: "
            "tsxfer run --source a,b,c --target x,y"
        )
    return _worth(found, advice.judged, f"In this workspace's own studies on {kind} targets")


def of_suite(advice: Advice) -> str:
    """How often the default ranking has been right on the package's own real results."""
    found = next((one for one in advice.suite if one.ranker == DEFAULT), None)
    if found is None:
        return ""
    return _worth(found, advice.suite, f"In the suite {SUITE} (real data; tsxfer results {SUITE})")


def _worth(found: Judged, judged: Sequence[Judged], where: str) -> str:
    """What one ranker was worth, beside the others."""
    said = (
        f"{where}, the source that {DEFAULT} puts first had the largest mean gain in "
        f"{_share(found.first.hit)} of {found.cells} cells ({_targets(found)}; a blind pick: "
        f"{_share(found.blind.hit)}{_trivial(judged)}). It gained {_signed(found.first.gain)} "
        f"margins over scratch and gave away {_signed(found.first.regret)} of the best one's gain "
        f"(a blind pick: {_signed(found.blind.gain)} and {_signed(found.blind.regret)})"
    )
    if found.tau is None:
        said += (
            f"; no cell has {FEWEST_SOURCES} sources, so the order beyond the first is not judged"
        )
    else:
        said += f"; weighted tau {_signed(found.tau)}"
    less = (
        f" Ranking by {found.best_trivial} alone gave away less."
        if found.over_trivial.value < 0
        else ""
    )
    return said + _doubt(found) + less


def _doubt(found: Judged) -> str:
    """What so little evidence cannot say."""
    if found.targets < 2:
        return ". One target says nothing of others: tsxfer run --source a,b,c --target x,y"
    if found.targets < FEWEST_TARGETS:
        return (
            f". Fewer than {FEWEST_TARGETS} targets cannot tell that from luck, "
            "and have no intervals."
        )
    if found.saved.low is None or found.saved.low <= 0:
        return ". That is not known to be better than a blind pick."
    said = f". It saves {_signed(found.saved)} margins over a blind pick"
    if found.over_trivial.low is None or found.over_trivial.low <= 0:
        return f"{said}, and is not known to be better than ranking by {found.best_trivial}."
    return f"{said}, and {_signed(found.over_trivial)} over ranking by {found.best_trivial}."


def _trivial(judged: Sequence[Judged]) -> str:
    """Hits of rankers that look at no window."""
    hits = {one.ranker: one.first.hit for one in judged}
    names = [ranker.name for ranker in known() if ranker.trivial and ranker.name in hits]
    return "".join(f", by {name}: {_share(hits[name])}" for name in names)


def _targets(found: Judged) -> str:
    return f"{found.targets} target{'s' if found.targets > 1 else ''}"


def _share(mean: Mean) -> str:
    if mean.low is None or mean.high is None:
        return f"{100 * mean.value:.0f} %"
    return f"{100 * mean.value:.0f} % [{100 * mean.low:.0f}, {100 * mean.high:.0f}]"


def _signed(mean: Mean) -> str:
    if mean.low is None or mean.high is None:
        return f"{mean.value:.2f}"
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
