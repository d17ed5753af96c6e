"""What a comparison says of new groups (speakers, events, subjects), beyond its own test instances.

Repeats of a cell share one partition, so their spread says how far another draw of labels, weights
and order would move the difference *on these test instances*. Other groups would move it too: those
that are tested, and those that are learned from. The error for new groups adds up, as random
effects,

- the repeats: variance of their mean, moderated over the table as everywhere;
- the groups: variance of the mean difference when test groups are left out in turn (delete-a-group
  jackknife), times 1 + test groups / training groups. The training groups are a draw as well, which
  no repeat shows; that one of them moves the result about as much as one test group is the idea of
  Nadeau and Bengio's correction (2003), and holds in simulation (`tests/stats/test_scope.py`);
- the pretrainings: what differences between pretrained models exceed those between repeats.

The t distribution has the degrees of freedom of Satterthwaite (1946), and no statement is sharper
than any single part would make it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from tsxfer.core.specs import PROFILES
from tsxfer.stats.cells import Cell
from tsxfer.stats.power import exceeds
from tsxfer.stats.tests import Spread
from tsxfer.stats.testset import TestError
from tsxfer.stats.verdicts import Verdict

EACH_START = "from one pretraining of each source"
ONE_START = "from this one pretraining"  # nothing is said of another: there is no second to differ
FEWEST_GROUPS = 8  # test groups below which intervals for new ones do not cover what they should
Limit = Literal["repeats", "groups", "pretrainings"]
Scope = Literal["new groups", "these test instances"]
Reason = Literal["", "few groups", "shared groups", "no predictions", "no spread"]
Parts: TypeAlias = "Mapping[Limit, Part]"


@dataclass(frozen=True, slots=True)
class Part:
    """One source of error of a mean difference.

    Attributes:
        variance: Of the mean difference.
        df: Degrees of freedom with which that is known.
    """

    variance: float
    df: float


@dataclass(frozen=True, slots=True)
class NewGroups:
    """What a comparison says of groups that nobody has seen.

    Attributes:
        word: What a group is: ``subject``, ``speaker``, ``event``; ``group`` where nobody said.
        rule: How the data were split: ``grouped``, ``time``, ``official``; empty where unknown.
        reason: Why nothing can be said; empty where something can.
        groups: Test groups; None without predictions.
        repeats: Pairs.
        pretrainings: Pretrained models that the repeats start from; 0 without any.
        ratio: Test groups for each group that was learned from.
        in_all: Groups of all parts; None in rows without a proof of their split.
        share: Of the groups that a split tests; 0 where the split is not drawn.
        parts: Error of the mean difference by what it comes from.
        low: Lower end of the 95 % interval of the mean difference.
        high: Upper end.
        p: Two-sided p.
        p_corrected: Benjamini-Hochberg over what can be said of new groups in the table.
        p_not_worse: Non-inferiority, corrected.
        p_equivalent: Equivalence, corrected.
        detectable: Smallest true difference that would have been found with 80 % power.
        verdict: For new groups; undecided where nothing can be said.
    """

    word: str = "group"
    rule: str = ""
    reason: Reason = "no predictions"
    groups: int | None = None
    repeats: int = 0
    pretrainings: int = 0
    ratio: float = 0.0
    in_all: int | None = None
    share: float = 0.0
    parts: Parts | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_corrected: float | None = None
    p_not_worse: float | None = None
    p_equivalent: float | None = None
    detectable: float | None = None
    verdict: Verdict = "undecided"

    @property
    def limited_by(self) -> Limit | None:
        """Where the largest error comes from: more of that would help most."""
        return limit(self.parts) if self.parts else None

    def error(self, name: Limit) -> float | None:
        """Standard error of the mean difference from one source; None where it adds nothing."""
        part = self.parts.get(name) if self.parts else None
        return math.sqrt(part.variance) if part else None

    @property
    def scope(self) -> Scope:
        """What the verdict of the comparison speaks of.

        Too few test groups leave it undecided; where new groups are no question (nobody kept
        predictions, groups lie on both sides of the split), it is of these test instances.
        """
        apart = self.reason in ("shared groups", "no predictions")
        return "these test instances" if apart else "new groups"

    @property
    def named(self) -> str:
        """``new subjects``, with what the split adds."""
        later = " of the same later time" if self.rule == "time" else ""
        return f"new {plural(self.word)}{later}"

    @property
    def needs(self) -> str:
        """How many groups would let something be said of new ones, where those are too few."""
        if self.reason != "few groups":
            return ""
        words = plural(self.word)
        if not self.share:
            return f"a test part of {FEWEST_GROUPS} {words} or more would allow it"
        some = math.ceil(FEWEST_GROUPS / self.share)
        there = f" (there are {self.in_all})" if self.in_all else ""
        return f"data of some {some} {words}{there} would allow it"

    @property
    def started(self) -> str:
        """What a verdict must add where all repeats start from one pretrained model."""
        return ONE_START if self.pretrainings == 1 else ""

    @property
    def why(self) -> str:
        """A sentence where nothing can be said of new groups, else empty."""
        plain = self.word if self.groups == 1 else plural(self.word)
        return {
            "": "",
            "few groups": f"nothing can be said of {self.named}: {self.groups} test {plain}, "
            f"{FEWEST_GROUPS} are needed",
            "shared groups": f"nothing can be said of {self.named}: they are on both sides of the "
            "split; the verdict is for these test instances",
            "no predictions": f"nothing can be said of {self.named}: no predictions were kept; the "
            "verdict is for these test instances",
            "no spread": f"nothing can be said of {self.named}: there is no spread between repeats",
        }[self.reason]


def plural(word: str) -> str:
    """``subjects``, ``categories``, ``blocks of 100 windows``."""
    noun, of, rest = word.partition(" of ")
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        noun = f"{noun[:-1]}ies"
    elif not noun.endswith("s"):
        noun = f"{noun}s"
    return f"{noun}{of}{rest}"


def outset(cell: Cell, test: TestError | None, spread: Spread | None) -> NewGroups:
    """What is known before any test: groups, their split, and whether a test makes sense."""
    row = cell.pairs[0][0]
    word, rule = str(row.split.get("group", "group")), str(row.split.get("rule", ""))
    starts = {key for key in pretrained(cell) if key}
    return NewGroups(
        word,
        rule,
        _reason(cell, test, spread),
        groups=test.groups if test else None,
        repeats=len(cell.pairs),
        pretrainings=len(starts),
        ratio=_test_to_train(cell, test.groups) if test else 0.0,
        in_all=sum(row.split.get("groups", {}).values()) or None,
        share=0.0 if rule == "official" else PROFILES[cell.trial.profile].shares[2],
    )


def _reason(cell: Cell, test: TestError | None, spread: Spread | None) -> Reason:
    if _shared(cell):
        return "shared groups"
    if test is None:
        return "no predictions" if len(cell.pairs) > 1 else "no spread"
    if test.groups < FEWEST_GROUPS:
        return "few groups"
    return "" if spread else "no spread"


def _shared(cell: Cell) -> bool:
    """Whether test groups were learned from; one at each cut of a split in time does not matter."""
    split = cell.pairs[0][0].split
    tested = split.get("groups", {}).get("test", 1)
    return not PROFILES[cell.trial.profile].grouped or split.get("shared_groups", 0) >= tested


def pretrained(cell: Cell) -> list[str]:
    """Key of the pretrained model of each pair; empty for a network from scratch."""
    return [row.trial.reuse.source.key if row.trial.reuse else "" for _, row in cell.pairs]


def parts_of(
    cell: Cell, differences: NDArray[np.float64], spread: Spread, test: TestError
) -> dict[Limit, Part]:
    """The variance of the mean difference by where it comes from."""
    found: dict[Limit, Part] = {"repeats": Part(spread.variance / len(differences), spread.df)}
    widened = test.variance * (1 + _test_to_train(cell, test.groups))
    found["groups"] = Part(widened, test.df)
    apart = between_pretrainings(differences, pretrained(cell))
    if apart is not None:
        found["pretrainings"] = apart
    return found


def _test_to_train(cell: Cell, tested: int) -> float:
    """Test groups for each training group; by the shares of the profile in rows without a proof."""
    trained = cell.pairs[0][0].split.get("groups", {}).get("train")
    shares = PROFILES[cell.trial.profile].shares
    return tested / trained if trained else shares[2] / shares[0]


def between_pretrainings(differences: NDArray[np.float64], starts: Sequence[str]) -> Part | None:
    """What pretrained models add to the variance of the mean, by moments of a one-way layout.

    None with fewer than two, without a repeat of any (the repeats hold it then), or where they
    differ no more than repeats of one do.
    """
    groups = [differences[[s == name for s in starts]] for name in dict.fromkeys(starts)]
    sizes, total = np.array([len(g) for g in groups]), len(differences)
    if len(groups) < 2 or total == len(groups):
        return None
    within = sum(float(((g - g.mean()) ** 2).sum()) for g in groups) / (total - len(groups))
    between = float(np.var([g.mean() for g in groups], ddof=1))
    own = between - within * float(np.mean(1 / sizes))
    share = float(((sizes / total) ** 2).sum())
    return Part(own * share, len(groups) - 1.0) if own > 0 else None


def limit(parts: Parts) -> Limit:
    """The part with the largest variance."""
    return max(parts, key=lambda name: parts[name].variance)


def together(parts: Parts) -> Part:
    """All parts as one, with Satterthwaite's degrees of freedom."""
    some = [part for part in parts.values() if part.variance > 0]
    variance = sum(part.variance for part in some)
    if not some:
        return Part(0.0, 1.0)
    return Part(variance, variance**2 / sum(part.variance**2 / part.df for part in some))


def half_width(parts: Parts, level: float = 0.05) -> float:
    """Half of the interval at 1 - `level`: of all parts together, never less than of one alone."""
    every = (together(parts), *parts.values())
    return max(float(stdtrit(p.df, 1 - level / 2)) * math.sqrt(p.variance) for p in every)


def upper(distance: float, parts: Parts) -> float:
    """P(T > distance) if the truth lies that far below; never less than one part alone says."""
    every = [part for part in (together(parts), *parts.values()) if part.variance > 0]
    return max((float(stdtr(p.df, -distance / math.sqrt(p.variance))) for p in every), default=1.0)


def power(effect: float, parts: Parts, level: float) -> float:
    """Chance that a true difference is found by a two-sided test at `level`."""
    whole = together(parts)
    error = math.sqrt(whole.variance)
    if not error:
        return 1.0
    return exceeds(effect / error, whole.df, half_width(parts, level) / error)
