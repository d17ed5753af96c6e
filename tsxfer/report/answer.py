"""The answer in sentences: who helps whom, by how much, how sure, and for whom that holds."""

from __future__ import annotations

from tsxfer import metrics
from tsxfer.report.build import Report
from tsxfer.report.columns import difference, model, number, percent, stated
from tsxfer.report.headline import headline
from tsxfer.stats.compare import Comparison

CLEAREST = 3  # comparisons that are told one by one


def answer(report: Report) -> str:
    """The one sentence that a reader takes home."""
    if len(report.comparisons) == 1:
        return sentence(report.comparisons[0])
    overall = next((c for c in report.contrasts if c.step == "overall"), None)
    if overall is None or not any(c.valid for c in report.comparisons):
        return headline(report)
    ends = "" if overall.low is None else f" [{percent(overall.low)}, {percent(overall.high)}]"
    share = f"{percent(overall.mean).removeprefix('+')}{ends}"
    effect = (
        f"removes {share} of the error" if overall.mean >= 0 else f"adds error ({share} removed)"
    )
    on = f"over {overall.comparisons:,} comparisons on these test instances of these data sets"
    clear = "" if overall.confirmed else ", which is undecided"
    return f"{headline(report)} On average transfer {effect}{clear}, {on}."


def clearest(report: Report) -> list[str]:
    """Sentences of the decided comparisons with the smallest p, if there are several."""
    decided = [c for c in report.comparisons if c.verdict in ("better", "worse")]
    ranked = sorted(decided, key=lambda c: 1.0 if c.p_corrected is None else c.p_corrected)
    return [sentence(c) for c in ranked[:CLEAREST]] if len(report.comparisons) > 1 else []


def sentence(c: Comparison) -> str:
    """A comparison with effect, interval, metric and scope, e.g. that speech helps on emg."""
    size = _labels(c.trial.size)
    return f"On {_plain(c.trial.dataset)}, {size} ({model(c)}): {_says(c)}."


def _says(c: Comparison) -> str:
    who, title = _plain(c.source), metrics.get(c.metric).title
    whom = f"{title} for {c.speaks_of}"
    effect = stated(c)
    if c.verdict == "undecided" and c.stated[0] is None and c.beyond.why:
        here = f"{difference(c)} {title} on these test instances"
        return f"whether {who} helps is undecided: {here}, but {c.beyond.why}"
    return {
        "better": f"{who} helps by {effect.removeprefix('+')} {whom}",
        "worse": f"{who} harms: {effect} {whom}",
        "did not train": f"nothing can be said about {who}, since half of the transfer runs or "
        f"more never left their start: {effect} {whom}",
        "equivalent": f"{who} is equivalent to scratch within the margin of {number(c.margin)}: "
        f"{effect} {whom}",
        "not worse": f"{who} is not worse than scratch by more than the margin of "
        f"{number(c.margin)}: {effect} {whom}",
        "undecided": f"whether {who} helps is undecided: {effect} {whom}",
        "interim": f"nothing is decided yet about {who}, since declared repeats have not run: "
        f"{effect} {whom}",
        "no valid baseline": f"nothing can be said about {who}, since scratch failed to beat the "
        "best trivial prediction",
    }[c.verdict]


def _labels(size: str) -> str:
    bare = size.removeprefix("n=")
    return (
        f"{int(bare):,} labels"
        if bare.isascii() and bare.isdecimal() and len(bare) < 12
        else f"{bare} labels"
    )


def _plain(name: str) -> str:
    """A data set without its version, which every table names."""
    return " + ".join(part.partition("@")[0] for part in name.split(" + "))
