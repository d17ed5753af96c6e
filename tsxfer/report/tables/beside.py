"""What a gain is compared with: baselines, and other ways of transfer."""

from __future__ import annotations

from tsxfer import metrics
from tsxfer.core.sizes import as_written
from tsxfer.report.build import Report
from tsxfer.report.columns import MARKS, arm, difference, model, p_text, stated
from tsxfer.report.section import Section, name
from tsxfer.stats.cells import first_arm
from tsxfer.stats.compare import Comparison

IS = {
    "trivial": "the commonest class or the median; for prices no change",
    "summary": "ridge on summary features",
    "catch22": "ridge on catch22 features",
    "minirocket": "ridge on MiniRocket features",
    "multirocket": "ridge on MultiRocket features",
    "random_convolutions": "ridge on the untrained backbone",
    "strong": "tuned scratch with augmented windows",
    "rescaled": "scratch whose layers were rescaled on the training windows",
    "renormalised": "scratch whose normalisation began with statistics of the training windows",
    "mantis": "ridge on frozen Mantis embeddings",
    "moment": "ridge on frozen MOMENT embeddings",
}


def baselines(report: Report) -> Section:
    """Scratch beside other uses of the same labels."""
    return Section(
        "Baselines",
        "Other uses of the same labels: the same subset, split and sealed test as the scratch runs "
        "beside them. Differences are those of training from scratch, positive where scratch is "
        "better; p is corrected over this table alone.",
        (
            "target",
            "model",
            "size",
            "baseline",
            "n",
            "metric",
            "baseline scores",
            "scratch scores",
            "scratch minus baseline",
            "p corrected",
            "in words",
        ),
        tuple(
            (
                c.trial.dataset,
                model(c),
                as_written(c.trial.size),
                _baseline(c),
                str(len(c.scratch)),
                metrics.get(c.metric).title,
                arm(c.scratch),
                arm(c.transfer),
                _with_interval(c),
                p_text(c.stated[2]),
                against_in_words(c),
            )
            for c in report.beside
            if _baseline(c) and c.trial.reuse is None
        ),
    )


def against_baselines(report: Report) -> Section:
    """Transfer beside other uses of the same labels."""
    return Section(
        "Transfer against baselines",
        "Differences are those of transfer, positive where transfer is better than the baseline; p "
        "is corrected over this table alone.",
        (
            "comparison",
            "baseline",
            "n",
            "baseline scores",
            "transfer scores",
            "transfer minus baseline",
            "p corrected",
            "in words",
        ),
        tuple(
            (
                name(c),
                _baseline(c),
                str(len(c.scratch)),
                arm(c.scratch),
                arm(c.transfer),
                _with_interval(c),
                p_text(c.stated[2]),
                against_in_words(c),
            )
            for c in report.beside
            if _baseline(c) and c.trial.reuse is not None
        ),
    )


def _with_interval(c: Comparison) -> str:
    """The difference and its interval: of these test instances where no other can be told."""
    return f"{difference(c)} on these test instances" if c.stated[0] is None else stated(c)


def _baseline(c: Comparison) -> str:
    return c.against.baseline or "" if c.against else ""


def against_in_words(c: Comparison) -> str:
    """What a comparison with a baseline says, and of whom: transfer is worse than a ridge."""
    return f"{_said(c)} (for {c.speaks_of})"


def _said(c: Comparison) -> str:
    who = "transfer" if c.trial.reuse else "scratch"
    what = IS[_baseline(c)]
    if c.verdict in ("undecided", "interim"):
        return f"{c.verdict} between {who} and {what}"
    if c.verdict == "equivalent":
        return f"{who} is equivalent to {what} within the margin"
    if c.verdict == "not worse":
        return f"{who} is not worse than {what} by more than the margin"
    return f"{who} is {c.verdict} than {what}"


def ways(report: Report) -> Section:
    """Strategies, objectives and combined sources against the first of the same source."""
    return Section(
        "Ways of transfer",
        "Each way (strategy, objective, several sources) against the study's first way of the same "
        "source, from the same subset, seeds and budget. Differences are positive where the way is "
        "better than the first one; p is corrected over this table alone.",
        (
            "way",
            "first way",
            "n",
            "scores",
            "scores of the first",
            "way minus first",
            "p corrected",
            "verdict",
        ),
        tuple(
            (
                name(c),
                first_arm(c.against),
                str(len(c.scratch)),
                arm(c.transfer),
                arm(c.scratch),
                _with_interval(c),
                p_text(c.stated[2]),
                f"{MARKS[c.verdict]} {c.verdict} (for {c.speaks_of})",
            )
            for c in report.beside
            if not _baseline(c)
        ),
    )
