"""Transforms of sktime: catch22, MiniRocket and MultiRocket features of windows.

Their kernels are compiled by numba when they are first used on a machine, which takes up to a
minute, and kept on disk from then on.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Features = Callable[[Floats], Floats]
"""Windows ``(n, channel, time)`` to features ``(n, feature)``."""
SHORTEST = 10  # samples: kernels of 9, and one for the differences that MultiRocket takes


def catch22(x: Floats) -> Floats:
    """The 22 features of Lubba et al. 2019 of each channel, with its mean and standard deviation.

    Channels are standardised first, as the features were chosen on such series. What a feature does
    not define (of a constant channel) is 0.

    Args:
        x: ``(n, channel, time)``.

    Returns:
        ``(n, channel · 24)``.
    """
    transform = _sktime("catch22").Catch22()
    # Its public form wraps each series in tables, at twenty times the cost of the features.
    of_one, which = transform._transform_case, transform.f_idx
    series = long_enough(x).reshape(len(x) * x.shape[1], -1).astype(np.float64)
    mean, sd = series.mean(axis=1), series.std(axis=1)
    standard = (series - mean[:, None]) / np.where(sd > 1e-9, sd, np.inf)[:, None]
    found = np.zeros((len(series), 24))
    for row, one, scale in zip(found, standard, sd, strict=True):
        if scale > 1e-9:
            row[:22] = of_one(one, which)[0]
    found[:, 22], found[:, 23] = mean, sd
    return _finite(found).reshape(len(x), -1)


def minirocket(train: Floats, seed: int, threads: int) -> Features:
    """MiniRocket (Dempster, Schmidt and Webb 2021): 9,996 features, thresholds from `train`.

    Args:
        train: Windows ``(n, channel, time)``; none but these have a part in the thresholds.
        seed: Of channels and thresholds.
        threads: Of the CPU.
    """
    return _rocket("MiniRocketMultivariate", np.float32, train, seed, threads)


def multirocket(train: Floats, seed: int, threads: int) -> Features:
    """MultiRocket (Tan et al. 2022): 49,728 features of windows and of their differences."""
    return _rocket("MultiRocketMultivariate", np.float64, train, seed, threads)


def _rocket(kind: str, number: type, train: Floats, seed: int, threads: int) -> Features:
    made = getattr(_sktime("rocket"), kind)
    transform = made(random_state=seed % 2**31, n_jobs=_allowed(threads))
    with _own_chance():
        transform.fit(long_enough(train).astype(number))

    def features(x: Floats) -> Floats:
        return _finite(transform.transform(long_enough(x).astype(number)).to_numpy())

    return features


def long_enough(x: Floats) -> Floats:
    """Windows with zeros to the right up to `SHORTEST` samples."""
    missing = max(0, SHORTEST - x.shape[2])
    return np.pad(x, ((0, 0), (0, 0), (0, missing))) if missing else x


def _finite(found: NDArray[Any]) -> Floats:
    finite: Floats = np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    return finite


def _sktime(name: str) -> Any:
    """A module that moved out of `panel` after version 0.40."""
    try:
        return importlib.import_module(f"sktime.transformations.{name}")
    except ModuleNotFoundError:
        return importlib.import_module(f"sktime.transformations.panel.{name}")


def _allowed(threads: int) -> int:
    """Numba starts as many threads as it finds cores, and takes no larger number."""
    import numba

    config: Any = numba.config  # filled when numba is loaded
    return max(1, min(threads, int(config.NUMBA_NUM_THREADS), os.cpu_count() or 1))


@contextmanager
def _own_chance() -> Iterator[None]:
    """The transforms seed numpy's global stream, which belongs to whoever calls tsxfer."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
