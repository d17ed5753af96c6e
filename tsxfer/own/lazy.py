"""Windows that stay in their files until they are sliced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Pull = Callable[[NDArray[np.int64]], NDArray[Any]]


class Pulled:
    """Looks like an array ``(n, channel, time)``; each slice along the first axis is read anew.

    Args:
        shape: Of the whole.
        dtype: Of what `pull` gives.
        pull: From indices ``(k,)`` to windows ``(k, channel, time)``.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: Any, pull: Pull) -> None:
        self.shape, self.ndim, self.dtype = shape, len(shape), np.dtype(dtype)
        self._pull = pull

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, at: Any) -> NDArray[Any]:
        if isinstance(at, tuple):
            first, *rest = at
            keep = self[first]
            return cast("NDArray[Any]", keep[(..., *rest)] if np.ndim(first) else keep[tuple(rest)])
        wanted = np.arange(len(self))[at]
        if np.ndim(wanted) == 0:
            return cast("NDArray[Any]", self._pull(np.array([wanted]))[0])
        return self._pull(wanted) if len(wanted) else np.empty((0, *self.shape[1:]), self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        del copy  # it is always new
        return np.asarray(self[:], dtype)


def pulled(shape: tuple[int, int, int], dtype: Any, pull: Pull) -> NDArray[Any]:
    """The same, typed as the array that it stands for."""
    return cast("NDArray[Any]", Pulled(shape, dtype, pull))
