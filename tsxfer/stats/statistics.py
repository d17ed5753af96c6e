"""Statistics beside the table: a number of the paired scores, each under ``@statistic``.

None of them decides anything: verdicts come from the declared analysis alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.doors import STATISTICS as DOOR
from tsxfer.core.guard import broken, guarded, refuse_other
from tsxfer.errors import PluginError
from tsxfer.keys import stream

Floats: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Floats, Floats], float]
FEWEST, DRAWS = 3, 2000  # pairs for an interval; bootstrap samples of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A number of paired scores.

    Attributes:
        name: As it is asked for.
        title: For tables.
        function: ``(scratch, transfer) -> float`` of scores ``(pair,)``, larger is better.
        place: File and line of a user's own; "" of the package's.
    """

    name: str
    title: str
    function: Function
    place: str = ""

    def of(self, scratch: Floats, transfer: Floats) -> float:
        """The number.

        Raises:
            PluginError: If a user's own raises, or gives no finite number.
        """
        if not self.place:
            return self.function(scratch, transfer)
        with guarded(f"statistic {self.name}", self.place):
            value = self.function(scratch.copy(), transfer.copy())
        if isinstance(value, int | float | np.number) and np.isfinite(value):
            return float(value)
        raise broken(
            f"statistic {self.name}",
            self.place,
            f"gives no finite number, but {str(value)[:60]}",
            "return one float for any three or more pairs",
        )


def statistic(name: str = "", *, title: str) -> Callable[[Function], Statistic]:
    """Turn a function ``(scratch, transfer) -> float`` of paired scores into a statistic.

    Args:
        name: Of the statistic, where it is not that of the function.
        title: For tables.
    """

    def register(function: Function) -> Statistic:
        return Statistic(name=name or function.__name__.lower(), title=title, function=function)

    return register


@statistic(title="median difference")
def median_difference(scratch: Floats, transfer: Floats) -> float:
    """Median of the paired differences."""
    return float(np.median(transfer - scratch))


@statistic(title="Hodges-Lehmann")
def hodges_lehmann(scratch: Floats, transfer: Floats) -> float:
    """Median of the means of all pairs of differences (Hodges and Lehmann 1963)."""
    gains = transfer - scratch
    first, second = np.triu_indices(len(gains))
    return float(np.median((gains[first] + gains[second]) / 2))


@statistic(title="worst repeat")
def worst_repeat(scratch: Floats, transfer: Floats) -> float:
    """The least of the paired differences."""
    return float(np.min(transfer - scratch))


@dataclass(frozen=True, slots=True)
class Stated:
    """A statistic of one comparison.

    Attributes:
        value: The number; None where it could not be computed.
        low: Lower end of its 95 % interval; None below three pairs.
        high: Upper end.
        fault: Why there is no number, with file and line.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    fault: str = ""


def get(name: str) -> Statistic:
    """The statistic of that name.

    Raises:
        SpecError: If there is none, or its file does not define one.
    """
    found = DOOR.get(name)
    if not isinstance(found, Statistic):
        place = DOOR.place(name)
        raise broken(f"statistic {name}", place, "is none", "define it under @statistic(...)")
    return replace(found, place=DOOR.place(name)) if DOOR.plugin_digest(name) else found


def state(one: Statistic, scratch: Floats, transfer: Floats) -> Stated:
    """A statistic with its percentile interval over repeats, drawn anew in pairs.

    Args:
        one: The statistic.
        scratch: ``(pair,)`` scores of the first arm, larger is better.
        transfer: ``(pair,)`` scores of the second.
    """
    draw, count = stream("statistic", one.name, len(scratch)), len(scratch)
    try:
        value = one.of(scratch, transfer)
        if one.place:
            again = one.of(scratch, transfer)
            refuse_other(f"statistic {one.name}", one.place, value, again)
        if count < FEWEST:
            return Stated(value)
        picks = draw.integers(count, size=(DRAWS if not one.place else DRAWS // 4, count))
        drawn = [one.of(scratch[pick], transfer[pick]) for pick in picks]
    except PluginError as error:
        return Stated(fault=f"{error.problem} ({error.where})")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Stated(value, float(low), float(high))
