"""What controls say of each gain, and of each loss."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.columns import between, signed
from tsxfer.report.section import Section, name
from tsxfer.stats.controls import ControlEffect, Share, overall

GIVES = {
    "untrained": "the gain from the same source before it learned anything",
    "permuted": "the gain of the source's weights permuted within each tensor",
    "shuffled": "the gain from a source with shuffled labels",
    "moments": "the gain of a random start with the moments of the source's tensors",
    "noise": "the gain from a source of noise",
    "in_domain": "the gain from the rest of the target as source",
    "whole": "the gain from all labels of the target",
}


START = "the start, not the source, is worse"


LOSES = {
    "untrained": "the same source before it learned anything",
    "permuted": "a start from the source's weights in another order",
    "shuffled": "a source with shuffled labels",
    "moments": "a random start with the moments of the source's tensors",
    "noise": "a source of noise",
}


def controls(report: Report) -> Section:
    """What placebos and ceilings say of each gain."""
    return Section(
        "Controls",
        "Each control starts from the subset, seeds and budget of the same scratch twin. What "
        "remains of a gain, or of a loss, is (gain - gain of the placebo) / gain, with a bootstrap "
        "over repeats. Against an untrained source of the same shape, fitted and treated alike, "
        "'beyond' is what the source learned, and the rest is how kernels were fitted. "
        "Controls are tested with nothing else and stand in no other table.",
        (
            "comparison",
            "control",
            "n",
            "gain",
            "gain of the control",
            "beyond",
            "remains",
            "in words",
        ),
        tuple(
            (
                name(e.comparison) if e.comparison else "all comparisons, in margins",
                e.control,
                str(len(e.repeats)),
                signed(e.gain),
                f"{signed(e.other)} {between(e.low, e.high)}",
                f"{signed(e.beyond[0])} {between(*e.beyond[1:])}",
                _remains(e.share),
                in_words(e),
            )
            for e in (*overall(report.controls), *report.controls)
        ),
        "It speaks of these test instances: gain and gain of the control share their test groups, "
        "and only repeats are drawn again.",
    )


def _remains(share: Share | None) -> str:
    if share is None or share.low is None or share.high is None:
        return "n/a"
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def in_words(effect: ControlEffect) -> str:
    """What a control says of a gain, or of a loss."""
    gives, share = GIVES[effect.control], effect.share
    if effect.gain < 0 and share is not None:
        return _loss_in_words(effect, share)
    if effect.gain <= 0:
        return "there is no gain to explain"
    if share is None:
        if effect.other <= 0:
            return f"{gives} is not above 0"
        return f"the gain is {100 * effect.gain / effect.other:.0f} % of {gives}"
    if share.low is None:
        return (
            "the gain is not clearly above 0 over the repeats, so that no share of it can be told"
        )
    if share.value <= 0:
        return f"nothing of the gain remains when {gives} is taken off"
    if share.value >= 1:
        return f"all of the gain remains, since {gives} is not above 0"
    return f"{_remains(share)} of the gain remains when {gives} is taken off"


def _loss_in_words(effect: ControlEffect, share: Share) -> str:
    """How much of a loss its placebo has too, and whether the start is to blame."""
    control = LOSES[effect.control]
    if share.low is None or share.high is None:
        return (
            "the loss is not clearly below 0 over the repeats, so that no share of it can be told"
        )
    _, low, high = effect.beyond
    if effect.high is None or effect.high >= 0:
        if high is None or high >= 0:
            return f"{control} does not clearly lose, nor clearly less: which is worse is undecided"
        return f"{control} does not clearly lose: the loss is the source's own"
    part = f"{control} loses {100 * (1 - share.value):.0f} % of it too"
    bounds = f"[{100 * (1 - share.high):.0f}, {100 * (1 - share.low):.0f}]"
    if high is not None and high < 0:
        return f"{part} {bounds}; the rest is the source's own"
    if low is not None and low > 0:
        return f"{part} {bounds}: {START}, and the source makes up for some" + _other_fittings(
            effect
        )
    return f"{part} {bounds}: {START}{_other_fittings(effect)}"


def _other_fittings(effect: ControlEffect) -> str:
    """What to try where kernels were repeated, and an untrained source loses by that too."""
    reuse = effect.comparison.trial.reuse if effect.comparison else None
    if effect.control != "untrained" or reuse is None or reuse.strategy.channels != "repeat":
        return ""
    return "; where channels differ, try --strategy copy+fresh,copy+spread"
