"""The table of gains under other protocols, with what it says in words."""

from __future__ import annotations

from tsxfer import metrics
from tsxfer.core.specs import PROFILES
from tsxfer.report.build import Report
from tsxfer.report.columns import between, signed
from tsxfer.report.section import Section, name
from tsxfer.stats.protocols import ProtocolEffect


def under_protocols(report: Report) -> Section:
    """The same pairs under other protocols, and what of their gain is the protocol's."""
    return Section(
        "Under other protocols",
        "The same sources, targets, models, label budgets and recipes under another protocol: "
        "another split, scaling and rule of selection. Gains are in the metric, or, where that has "
        "no end, as share of error removed, since test windows differ. Repeats are paired by "
        f"number.{_labelled(report)}",
        (
            "comparison",
            "n",
            "unit",
            "protocols",
            "gain under the first",
            "gain under the other",
            "other minus first",
            "in words",
        ),
        tuple(
            (
                name(e.first),
                str(len(e.repeats)),
                _unit(e),
                f"{e.first.trial.profile}, {e.other.trial.profile}",
                signed(e.gain),
                signed(e.elsewhere),
                f"{signed(e.difference)} {between(e.low, e.high)}",
                in_words(e),
            )
            for e in report.protocols
        ),
        "It holds for these test instances, those of each protocol.",
    )


def _unit(effect: ProtocolEffect) -> str:
    title = metrics.get(effect.first.metric).title
    return title if effect.in_metric else f"share of error, {title}"


def _labelled(report: Report) -> str:
    """What the other protocols' rows are labelled with."""
    names = dict.fromkeys(e.other.trial.profile for e in report.protocols)
    told = [f"{n}: {', '.join(PROFILES[n].warnings)}" for n in names if PROFILES[n].warnings]
    return f" Labels of rows under {'; '.join(told)}." if told else ""


def in_words(effect: ProtocolEffect) -> str:
    """How much of the other protocol's gain is the protocol."""
    if not (effect.first.valid and effect.other.valid):
        where = effect.first if not effect.first.valid else effect.other
        return f"scratch fails under {where.trial.profile}, so that nothing can be said"
    if effect.low is None or effect.high is None:
        return "one repeat: nothing can be said"
    first, other = effect.first.trial.profile, effect.other.trial.profile
    if effect.low <= 0 <= effect.high:
        return f"whether {other} shows another gain than {first} is undecided"
    more = "more" if effect.difference > 0 else "less"
    return f"{other} shows {more} gain than {first}{_share(effect)}"


def _share(effect: ProtocolEffect) -> str:
    """The share of a gain that the other protocol shows, where that gain is clearly above 0."""
    share, name = effect.share, effect.other.trial.profile
    clear = share is not None and share.low is not None and share.high is not None
    if share is None or not clear or effect.elsewhere <= 0 or effect.difference <= 0:
        return ""
    if effect.gain <= 0:
        return f": all of the gain under {name} is the protocol"
    bounds = f"[{100 * (share.low or 0):.0f}, {100 * (share.high or 0):.0f}]"
    return f": {100 * share.value:.0f} % {bounds} of the gain under {name} is the protocol"
