"""The answer in sentences: who helps whom, by how much, how sure, and for whom that holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tsxfer import metrics
from tsxfer.core.names import OWN, WEIGHTS, ZOO, DatasetName
from tsxfer.core.sizes import in_words
from tsxfer.report.build import Report
from tsxfer.report.columns import difference, model, number, percent, signed, stated
from tsxfer.report.headline import headline
from tsxfer.stats.compare import Comparison
from tsxfer.stats.controls import (
    LOST_BY_START,
    NO_CONTROL,
    PLACEBOS,
    WON_BY_START,
    ControlEffect,
    differs,
)
from tsxfer.stats.scope import plural
from tsxfer.stats.verdicts import Verdict

CLEAREST = 3  # comparisons that are told one by one
SAID = {OWN: "own data", ZOO: "shipped weights", WEIGHTS: "weights of a file"}


def answer(report: Report) -> str:
    """The one sentence that a reader takes home."""
    if len(report.comparisons) == 1:
        return sentence(report.comparisons[0], report.controls)
    parts = headline(report), _of_few(report), _overall(report)
    return " ".join(filter(None, (*parts, _by_start(report), _uncontrolled(report))))


def _of_few(report: Report) -> str:
    """What is known where test groups are too few, and how many groups would do."""
    few = [
        c
        for c in report.comparisons
        if c.verdict == "undecided" and c.beyond.reason == "few groups"
    ]
    if not few:
        return ""
    targets = {c.trial.dataset: c for c in few}
    why = "; ".join(f"{_spoken(target)}: {_few(c)}" for target, c in targets.items())
    counts = Counter(c.here for c in few)
    here = ", ".join(f"{counts[v]} {v}" for v in counts)
    return f"Undecided for new groups ({why}); on these test instances alone: {here}."


def _overall(report: Report) -> str:
    """The mean gain over all comparisons, with its interval and scope."""
    overall = next((c for c in report.contrasts if c.step == "overall"), None)
    if overall is None or not any(c.valid for c in report.comparisons):
        return ""
    low, high, _ = overall.stated
    where = ""
    if low is None or high is None:  # then the interval that there is, with whom it is for
        low, high, where = overall.low, overall.high, " on these test instances"
    on = f"over {overall.comparisons:,} comparisons of these data sets"
    whom = f"for {overall.beyond.speaks_of}"
    clear = "" if overall.confirmed else ", which is undecided"
    if overall.beyond.scope == "new groups":
        clear += f" ({overall.beyond.why})" if overall.beyond.why else ""
    share = f"{percent(overall.mean).removeprefix('+')} [{percent(low)}, {percent(high)}{where}]"
    adds = " (below 0: it adds error)" if overall.mean < 0 else ""
    return f"On average transfer removes {share} of the error{adds}{clear}, {on}, {whom}."


def clearest(report: Report) -> list[str]:
    """Sentences of the decided comparisons with the smallest p, if there are several."""
    if len(report.comparisons) == 1:
        return []
    decided = [c for c in report.comparisons if c.verdict in ("better", "worse")]
    ranked = sorted(decided, key=lambda c: 1.0 if c.stated[2] is None else c.stated[2])
    if all(NO_CONTROL in c.notes for c in decided):  # which the answer says once of all
        return [_sentence(c) for c in ranked[:CLEAREST]]
    return [sentence(c, report.controls) for c in ranked[:CLEAREST]]


def sentence(c: Comparison, controls: Sequence[ControlEffect] = ()) -> str:
    """A comparison with effect, interval, metric and scope, e.g. that speech helps on emg.

    Where it speaks of a gain or loss, it ends with those of its placebos, or that there are none.
    """
    return _sentence(c, _beside(c, controls))


def _sentence(c: Comparison, beside: str = "") -> str:
    size = in_words(c.trial.size)
    return f"On {_spoken(c.trial.dataset)}, {size} ({model(c)}): {_says(c)}{beside}."


def _beside(c: Comparison, controls: Sequence[ControlEffect]) -> str:
    if not differs(c):
        return ""
    if NO_CONTROL in c.notes:
        return "; no control was run"
    own = [e for e in controls if e.comparison and e.comparison.trial.key == c.trial.key]
    gains = [f"{_control(e)} {signed(e.other)}" for e in own if e.control in PLACEBOS]
    return f"; its controls on these test instances: {', '.join(gains)}" if gains else ""


def _control(effect: ControlEffect) -> str:
    """A control and in how many repeats it ran, where those are not all."""
    whole = effect.comparison is not None and effect.repeats == effect.comparison.repeats
    return effect.control + ("" if whole else f" (in {len(effect.repeats)} repeats)")


def _by_start(report: Report) -> str:
    """How many gains and losses are no source's."""
    different = [c for c in report.comparisons if differs(c)]
    same = sum(LOST_BY_START in c.notes or WON_BY_START in c.notes for c in different)
    if not same:
        return ""
    told = f"Of {len(different):,} better or worse, {same:,} {'is' if same == 1 else 'are'}"
    return f"{told} the start's: an untrained source has most of the difference too."


def _uncontrolled(report: Report) -> str:
    """How many gains and losses have no control beside them."""
    different = [c for c in report.comparisons if c.verdict in ("better", "worse")]
    without = sum(NO_CONTROL in c.notes for c in different)
    if not without:
        return ""
    which = "any" if without == len(different) else f"{without:,}"
    return f"No control was run beside {which} of the {len(different):,} better or worse."


def _says(c: Comparison) -> str:
    who, title = _spoken(c.source), metrics.get(c.metric).title
    if c.verdict == "undecided" and c.beyond.reason == "few groups":
        started = f", {c.beyond.started}" if c.beyond.started else ""
        whom = f"{title} for these test instances{started}"
        here = _phrase(c.here, c, difference(c), whom)
        return (
            f"whether {who} helps {c.beyond.named} is undecided: {_few(c)}. What is known: {here}"
        )
    if c.verdict == "undecided" and c.stated[0] is None and c.beyond.why:
        here = f"{difference(c)} {title} on these test instances"
        return f"whether {who} helps is undecided: {here}, but {c.beyond.why}"
    return _phrase(c.verdict, c, stated(c), f"{title} for {c.speaks_of}")


def _few(c: Comparison) -> str:
    """How many test groups there are, and how many groups would do."""
    new = c.beyond
    word = new.word if new.groups == 1 else plural(new.word)
    return f"{new.groups} test {word} are too few to speak of others; {new.needs}"


def _phrase(verdict: Verdict, c: Comparison, effect: str, whom: str) -> str:
    """A verdict in words, with its effect and for whom it is."""
    who, margin = _spoken(c.source), number(c.margin)
    if c.trial.zero_shot and verdict in ("better", "worse", "undecided"):
        told = f"{who}, without any label, is {verdict} than scratch with these"
        open_one = f"whether {who}, without any label, beats scratch with these is undecided"
        return f"{open_one if verdict == 'undecided' else told}: {effect} {whom}"
    return {
        "better": f"{who} helps by {effect.removeprefix('+')} {whom}",
        "worse": f"{who} harms: {effect} {whom}",
        "did not train": f"nothing can be said about {who}, since half of the transfer runs or "
        f"more never left their start: {effect} {whom}",
        "equivalent": f"{who} is equivalent to scratch within the margin of {margin}: "
        f"{effect} {whom}",
        "not worse": f"{who} is not worse than scratch by more than the margin of {margin}: "
        f"{effect} {whom}",
        "undecided": f"whether {who} helps is undecided: {effect} {whom}",
        "interim": f"nothing is decided yet about {who}, since declared repeats have not run: "
        f"{effect} {whom}",
        "no valid baseline": f"nothing can be said about {who}, since scratch failed to beat the "
        "best trivial prediction",
    }[verdict]


def _spoken(name: str) -> str:
    """A data set, or several, as one would say it; tables have the exact name."""
    return " + ".join(map(_said, name.split(" + ")))


def _said(part: str) -> str:
    """One of them; what was learned from it, if not its labels, stays behind it in brackets."""
    plain, bracket, learned = part.partition(" (")
    return _named(DatasetName.parse(plain)) + bracket + learned


def _named(name: DatasetName) -> str:
    if name.simulated:
        return f"simulated {name.base}"
    more = SAID.get(name.kind)
    return f"{name.base} ({more})" if more else name.base
