"""Any set of the UCR/UEA archive by name: ``ucr:GunPoint``, through sktime's loader."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError, SpecError, nearest
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.official import joined

PREFIX = "ucr:"
HOME = "TSXFER_UCR"  # a folder for what is downloaded, and of sets that a user has
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,80}$")


def read(path: Path, described: Description, scratch: Path) -> Content:
    """The set of that name with its official split.

    Some sets lie inside sktime; others lie, or are downloaded once, in the folder that
    ``TSXFER_UCR`` names (``~/.cache/tsxfer/ucr`` by default).

    Raises:
        TsxferError: If no set has that name, or it cannot be downloaded.
    """
    del scratch
    name = _checked(str(path).removeprefix(PREFIX))
    if described.unlabelled or described.test == "no":
        return _part(name, "test" if described.unlabelled else "train", described)
    train, test = (_part(name, side, described) for side in ("train", "test"))
    return joined(train, test, f"{name} of the archive")


def home() -> Path:
    """Where downloads of the archive lie."""
    said = os.environ.get(HOME)
    return Path(said) if said else Path.home() / ".cache" / "tsxfer" / "ucr"


def _checked(name: str) -> str:
    """A name that is one; letters of another case are told."""
    known = _known()
    if not NAME.match(name):
        raise SpecError(f"{PREFIX}{name} is no name of a set", mend=f"e.g. {PREFIX}GunPoint")
    if name in known or _inside_sktime(name) or (home() / name).is_dir():
        return name
    raise SpecError(f"no set {name!r} in the UCR/UEA archive", mend=nearest(name, sorted(known)))


def _known() -> set[str]:
    """Names that sktime lists."""
    from sktime.datasets import tsc_dataset_names as names

    lists: Any = (names.univariate, names.multivariate)
    return {str(name) for found in lists for name in found} | set(names.univariate_equal_length)


def _part(name: str, side: str, described: Description) -> Content:
    x, y = _loaded(name, side)
    channels = [[np.asarray(cell, np.float64) for cell in x[column]] for column in x.columns]
    lengths = np.array([len(cell) for cell in channels[0]])
    if any([len(cell) for cell in cells] != lengths.tolist() for cells in channels):
        raise DataError(
            f"channels of {PREFIX}{name} differ in length within a series, which is not supported",
            mend="choose another set",
        )
    windows = np.stack([_stacked(cells, int(lengths.max())) for cells in channels], axis=1)
    return Content(
        x=windows,
        y=None if described.unlabelled else np.asarray(y).astype(np.str_),
        group=None,
        channels=tuple(f"c{n}" for n in range(len(channels))),
        label="class",
        group_name="",
        task="classification",
        lengths=None if (lengths == lengths[0]).all() else lengths,
    )


def _stacked(cells: list[NDArray[np.float64]], length: int) -> NDArray[np.float64]:
    return np.stack([np.pad(cell, (0, length - len(cell))) for cell in cells])


def _loaded(name: str, side: str) -> tuple[Any, Any]:
    from sktime.datasets import load_UCR_UEA_dataset

    place = None if _inside_sktime(name) else home()
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    try:
        return load_UCR_UEA_dataset(  # type: ignore[no-any-return]
            name,
            split=side,
            return_type="nested_univ",
            extract_path=None if place is None else str(place),
        )
    except Exception as error:  # sktime passes on what requests, zipfile and its parser raise
        raise DataError(
            f"{PREFIX}{name} cannot be had: "
            f"{str(error).splitlines()[0][:160] if str(error) else error!r}",
            where=str(place or "sktime"),
            mend=f"look whether the network is there, or put {name}_TRAIN.ts and {name}_TEST.ts "
            f"into {home() / name}",
        ) from None


def _inside_sktime(name: str) -> bool:
    import sktime.datasets

    return (Path(sktime.datasets.__file__).parent / "data" / name).is_dir()
