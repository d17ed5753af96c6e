"""Windows with one single label."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsxfer.data.windows import single_label_starts


@given(st.lists(st.sampled_from("ab"), max_size=40), st.integers(1, 6), st.integers(1, 5))
def test_same_as_looking_at_every_window(labels: list[str], length: int, step: int) -> None:
    """The starts are exactly those whose window holds one label, on the grid of steps."""
    grid = range(0, len(labels) - length + 1, step)
    expected = [start for start in grid if len(set(labels[start : start + length])) == 1]
    found = single_label_starts(np.array(labels, np.str_), length, step)
    assert found.tolist() == expected
