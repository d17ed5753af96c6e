"""What the cards and prepared data of a study's workspace add to pictures: units, names of classes.

A report is made of rows alone; where the data is not there, its codes stay codes and a metric has
no unit.
"""

from __future__ import annotations

from contextlib import suppress

from tsxfer import metrics
from tsxfer.data import catalogue, prepare
from tsxfer.data.prepare import Prepared
from tsxfer.errors import TsxferError
from tsxfer.report.build import Report
from tsxfer.stats.compare import Comparison
from tsxfer.store.workspace import Workspace

IN_UNIT = ("mae", "medae", "rmse")  # metrics that have the unit of the labels


def class_names(report: Report, dataset: str, count: int) -> list[str]:
    """Names of the first so many classes by code; ``class 0`` and so on where they are not here."""
    data = _prepared(report, dataset)
    known = data.classes if data else ()
    return (
        list(known[:count]) if len(known) >= count else [f"class {code}" for code in range(count)]
    )


def unit(report: Report, dataset: str) -> str:
    """Unit of a target's labels; empty for classes, and where its card is not here."""
    if report.folder is not None:
        with suppress(TsxferError):
            return catalogue.find(dataset, _place(report)).card.unit
    return ""


def scored(report: Report, c: Comparison) -> str:
    """The metric of a comparison for an axis, with its unit and direction."""
    metric = metrics.get(c.metric)
    better = f"{'higher' if metric.higher_is_better else 'lower'} is better"
    of = unit(report, c.trial.dataset) if c.metric in IN_UNIT else ""
    return f"{metric.title} ({', '.join(filter(None, (of, better)))})"


def _prepared(report: Report, dataset: str) -> Prepared | None:
    if report.folder is None:
        return None
    place = _place(report)
    try:
        return prepare.load(catalogue.find(dataset, place), place.data(dataset))
    except TsxferError:
        return None


def _place(report: Report) -> Workspace:
    if report.folder is None:
        raise ValueError("a report without a folder has no workspace")
    return Workspace(report.folder.parents[1])
