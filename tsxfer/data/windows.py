"""Where windows start."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def single_label_starts(labels: NDArray[Any], length: int, step: int) -> NDArray[np.intp]:
    """First samples of the windows that carry one label throughout.

    Windows start at 0, `step`, 2 `step`, ... whatever the labels are, as the study cut them.

    Args:
        labels: One label a sample.
        length: Samples of a window.
        step: Samples from one window to the next.
    """
    if len(labels) < length:
        return np.zeros(0, np.intp)
    changes = np.concatenate(([0], np.cumsum(labels[1:] != labels[:-1])))
    starts: NDArray[np.intp] = np.arange(0, len(labels) - length + 1, step)
    single: NDArray[np.bool_] = changes[starts] == changes[starts + length - 1]
    return starts[single]
