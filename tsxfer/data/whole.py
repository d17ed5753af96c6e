"""Whether prepared data is all that its publisher names, or a part that must not pass for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.card import Whole

NEARLY = 0.98  # a few windows less are those that a reader leaves out
DAYS = 30 * 86400.0  # a span may begin or end so much later or earlier


def lacking(
    whole: Whole | None, columns: dict[str, NDArray[Any]], classes: Sequence[str], group: str
) -> str:
    """What is missing of the whole, in words; "" where nothing is, or where nothing is declared.

    Args:
        whole: What the card declares.
        columns: ``y``, ``group``, ``start`` and ``end`` of all instances.
        classes: Class names that were found.
        group: What a group is.
    """
    if whole is None:
        return ""
    found = (
        (len(columns["y"]), whole.instances, "instances"),
        (len(np.unique(columns["group"])), whole.groups, f"groups ({group})"),
        (len(classes), whole.classes, "classes"),
    )
    parts = [f"{n:,} of {of:,} {what}" for n, of, what in found if n < NEARLY * of]
    return ", ".join([*parts, *_span(whole.span, columns)])


def _span(span: tuple[str, str] | None, columns: dict[str, NDArray[Any]]) -> list[str]:
    if span is None or not np.isfinite(columns["start"]).any():
        return []
    first, last = (np.datetime64(day, "s").astype(np.float64) for day in span)
    begins, ends = float(np.nanmin(columns["start"])), float(np.nanmax(columns["end"]))
    late = [f"from {_day(begins)}, not {span[0]}"] if begins > first + DAYS else []
    return [*late, *([f"to {_day(ends)}, not {span[1]}"] if ends < last - DAYS else [])]


def _day(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))
