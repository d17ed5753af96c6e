"""What a figure is: a function from a report to pictures, each with its name, caption and spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tsxfer.core.sizes import as_written
from tsxfer.report.build import Report
from tsxfer.report.vega import BLUE, GREY, ORANGE, Spec, svg, titled
from tsxfer.stats.compare import Comparison

VERDICT_INK = {"better": BLUE, "not worse": BLUE, "worse": ORANGE}
ARM_INK = {"scratch": ORANGE, "transfer": BLUE}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, ready to be drawn.

    Attributes:
        name: Of its file without an ending: what it shows.
        title: Stands in the picture.
        caption: How to read it; stands below it on the page.
        spec: Vega-Lite as plain data.
    """

    name: str
    title: str
    caption: str
    spec: Spec

    def svg(self, warning: str) -> str:
        """Drawn on white, with a warning that cannot be cropped unnoticed."""
        label = f"{self.title}. {self.caption}"
        return svg(titled(self.spec, self.title, warning), label)


@dataclass(frozen=True, slots=True)
class OfStudy:
    """A figure that shows many comparisons at once.

    Attributes:
        heading: Over its pictures on the page.
        place: Order on the page.
        draw: All its pictures of a report; none where the report has nothing to show in it.
    """

    heading: str
    place: int
    draw: Callable[[Report], Iterable[Picture]]


@dataclass(frozen=True, slots=True)
class OfComparison:
    """A figure of a single comparison.

    Attributes:
        place: Order among the figures of the comparison.
        draw: Its picture of the comparison at this index of the report, or None.
    """

    place: int
    draw: Callable[[Report, int], Picture | None]


Figure = OfStudy | OfComparison


def mark(report: Report) -> str:
    """What every picture of a report must say."""
    return "SIMULATED DATA" if report.simulated else ""


def slug(*words: str) -> str:
    """Words as the name of a file on every system, at most 100 characters."""
    kept = (re.sub(r"[^a-z0-9_.]+", "-", word.lower()).strip("-.") for word in words)
    return "-".join(filter(None, kept))[:100].strip("-.")


def of(c: Comparison, model: str) -> str:
    """A comparison in the name of a file."""
    return slug(c.source, "to", c.trial.dataset, model, as_written(c.trial.size))


def ink(verdict: str) -> str:
    """Colour of a verdict; whatever is not decided is grey."""
    return VERDICT_INK.get(verdict, GREY)
