"""A small population of windows, as tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tsxfer.data.prepare import Prepared
from tsxfer.own import importing
from tsxfer.own.description import Description
from tsxfer.own.like import read_like
from tsxfer.own.reading import Reading
from tsxfer.store.workspace import Workspace

N, TIME = 60, 16


def windows(channels: int = 1) -> np.ndarray:
    """``(n, channel, time)`` with three decimals."""
    return np.random.default_rng(0).standard_normal((N, channels, TIME)).round(3)


def labels() -> np.ndarray:
    """Two classes."""
    return np.array(["on", "off"] * (N // 2))


def groups() -> np.ndarray:
    """Ten subjects of six windows each."""
    return np.array([f"s{i // 6:02d}" for i in range(N)])


def table(names: list[str] | None = None, **columns: object) -> pd.DataFrame:
    """One channel a row, with a label ``y`` and a group ``who``; `columns` replace or add some."""
    names = names or [f"x_{t}" for t in range(TIME)]
    made = pd.DataFrame(windows()[:, 0], columns=names)
    return made.assign(**({"y": labels(), "who": groups()} | columns))  # type: ignore[arg-type]


def bring(path: Path, **said: object) -> Prepared:
    """The file as a prepared data set, in a workspace beside it."""
    return importing.bring(path, Description(**said), Workspace(path.parent / "space"))  # type: ignore[arg-type]


def bring_table(folder: Path, made: pd.DataFrame, **said: object) -> Prepared:
    """A table written as csv and brought in."""
    path = folder / "mine.csv"
    made.to_csv(path, index=False)
    return bring(path, **({"label": "y", "group": "who"} | said))


def windows_like(path: Path, like: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Windows of another file and their places, as a model takes them that was fitted on `like`."""
    found = read_like(path, like)
    return found.x, found.places
