"""A user's own file as a prepared data set: described by flags or a card, named by content.

``mine.csv`` becomes ``mine+own@3f9a2c1b``: the version is a hash of the file and its description,
so a changed file is another data set, trained anew, and rows of the two never mix.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.building import from_plain
from tsxfer.core.names import OWN
from tsxfer.data.card import Card, Dataset
from tsxfer.data.catalogue import CARD, read_card
from tsxfer.data.prepare import Prepared, load, prepare
from tsxfer.data.series import Series
from tsxfer.errors import DataError, SpecError, nearest
from tsxfer.keys import canonical
from tsxfer.own import files
from tsxfer.own.content import Content, Description
from tsxfer.store.workspace import Workspace

UNGROUPED = "no groups given: leakage not excluded"
METRICS = {
    "classification": ("macro_f1", "weighted_f1", "accuracy"),
    "regression": ("mae", "rmse", "r2", "medae"),
}
MOST_CLASSES = 20  # integers with more distinct values are taken as numbers


def is_file(name: str) -> bool:
    """Whether a name means a file of the user's own, by its ending."""
    return Path(name).suffix.lower() in files.READERS


def bring(path: Path, flags: Description, workspace: Workspace) -> Prepared:
    """The prepared data set of a file; read and checked only when file or description are new.

    Raises:
        TsxferError: If the file, its card or the flags do not make a data set.
    """
    if not path.is_file():
        raise SpecError(f"no file {path}", mend="check the path")
    described = described_by(path, flags)
    version = _version(path, described)
    known = workspace.data(f"{plain_name(path.stem)}{OWN}@{version}")
    if (known / CARD).exists():
        kept = load(Dataset(read_card(known)), known)
        if kept is not None:
            return kept
    return _import(path, described, version, workspace)


def described_by(path: Path, flags: Description) -> Description:
    """The card beside the file, overruled by what flags say.

    Raises:
        SpecError: For a card with unknown names or wrong types.
    """
    beside = path.with_suffix(".toml")
    if not beside.exists():
        return flags
    try:
        data = tomllib.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(
            f"the card cannot be read: {error}", where=str(beside), mend="edit that line"
        ) from None
    card, blank = from_plain(Description, data, where=str(beside)), Description()
    said = {
        f.name: getattr(flags, f.name)
        for f in fields(Description)
        if getattr(flags, f.name) != getattr(blank, f.name)
    }
    return replace(card, **said)


def plain_name(stem: str) -> str:
    """A file's stem as the name of a data set."""
    return re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_") or "data"


def _version(path: Path, described: Description) -> str:
    digest = hashlib.sha256(canonical(described).encode())
    with path.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:8]


def _import(path: Path, described: Description, version: str, workspace: Workspace) -> Prepared:
    content = files.read(path, described.label, described.group, described.ignore)
    series, card = checked(path.name, content, described)
    named = replace(card, name=f"{plain_name(path.stem)}{OWN}", version=version)
    workspace.make()
    folder = workspace.data(named.id)
    made = prepare(Dataset(named), [series], folder)
    (folder / CARD).write_text(json.dumps(asdict(named), indent=1), encoding="utf-8")
    return made


def checked(name: str, content: Content, described: Description) -> tuple[Series, Card]:
    """Windows with labels and groups, and the card that they imply.

    Raises:
        DataError: For NaN, one class, duplicates, or labels that do not suit the task.
    """
    count = len(content.x)
    if count == 0 or content.x.shape[2] == 0:
        raise DataError(f"{name} holds no window", mend="write at least a few windows to it")
    uid = np.array([f"{name} row {row + 1}" for row in range(count)])
    y, task = _labels(content, described, name)
    series = Series(
        x=np.ascontiguousarray(content.x, np.float32),
        y=y,
        group=uid if content.group is None else content.group,
        uid=uid,
        rate_hz=described.rate or 1.0,
    )
    _refuse_duplicates(series, name)
    if task == "classification":
        _refuse_few_classes(series, name)
    return series, _card(series, content, described, task, name)


def _labels(
    content: Content, described: Description, name: str
) -> tuple[Any, Literal["classification", "regression"]]:
    y = content.y
    if y.dtype.kind == "O" and all(isinstance(v, (int, float)) for v in y):
        y = y.astype(np.float64)
    empty = np.array([str(v).strip() in ("", "nan", "None", "<NA>") for v in y.tolist()])
    if empty.any():
        raise DataError(
            f"{int(empty.sum())} of {len(y)} windows have no label",
            where=f"first in {name} row {int(np.argmax(empty)) + 1}",
            mend="fill the label in, or remove those rows",
        )
    task = described.task or content.task or _task(y)
    if task == "regression":
        return _as_numbers(y, name), "regression"
    whole = y.dtype.kind == "f" and bool(np.all(y == np.round(y)))
    return np.array([str(v) for v in (y.astype(np.int64) if whole else y).tolist()]), (
        "classification"
    )


def _task(y: NDArray[Any]) -> str:
    if y.dtype.kind not in "iuf":
        return "classification"
    few = len(np.unique(y)) <= min(MOST_CLASSES, len(y) // 2)
    return "classification" if few and bool(np.all(y == np.round(y))) else "regression"


def _as_numbers(y: NDArray[Any], name: str) -> NDArray[np.float32]:
    try:
        return y.astype(np.float32)
    except ValueError as error:
        raise DataError(
            f"labels of a regression are not numbers: {error}",
            where=name,
            mend="correct them, or say --task classification",
        ) from None


def _refuse_duplicates(series: Series, name: str) -> None:
    """The same window in two groups would be on two sides of the split."""
    seen: dict[bytes, int] = {}
    twice = []
    for row, window in enumerate(series.x):
        digest = hashlib.blake2b(window.tobytes(), digest_size=16).digest()
        first = seen.setdefault(digest, row)
        if first != row and series.group[first] != series.group[row]:
            twice.append((first + 1, row + 1))
    if twice:
        raise DataError(
            f"{len(twice)} window(s) occur twice, and could be on both sides of the split",
            where=f"{name}, rows {twice[0][0]} and {twice[0][1]}",
            mend="remove the duplicates, or put them into one group",
        )


def _refuse_few_classes(series: Series, name: str) -> None:
    names, counts = np.unique(series.y, return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"one class only: {names[0]}",
            where=name,
            mend="add windows of another class, or name another column with --label",
        )
    rare = [f"{n} ({c})" for n, c in zip(names, counts, strict=True) if c < 3]
    if rare:
        raise DataError(
            f"classes with fewer than 3 windows: {', '.join(rare[:8])}",
            where=name,
            mend="add windows, remove the class, or say --task regression if labels are numbers",
        )


def _card(
    series: Series,
    content: Content,
    described: Description,
    task: Literal["classification", "regression"],
    name: str,
) -> Card:
    metric = described.metric or METRICS[task][0]
    if metric not in METRICS[task]:
        raise SpecError(f"metric {metric} is not for {task}", mend=nearest(metric, METRICS[task]))
    return Card(
        name="own",
        version=0,
        title=f"own file {name}",
        domain=described.domain,
        task=task,
        label=content.label,
        unit="" if task == "classification" else described.unit or "unit of the label",
        rate_hz=series.rate_hz,
        channels=content.channels,
        length=series.x.shape[2],
        group=content.group_name or "window",
        metric=metric,
        extra_metrics=tuple(n for n in METRICS[task][:3] if n != metric),
        margin=described.margin or _margin(series, metric),
        licence=described.licence,
        cite=described.cite,
        warnings=() if content.group is not None else (UNGROUPED,),
    )


def _margin(series: Series, metric: str) -> float:
    """Two points of a share; a twentieth of the labels' sd of an error, to two digits."""
    if metric in (*METRICS["classification"], "r2"):
        return 0.02
    return float(f"{float(np.std(series.y.astype(np.float64))) / 20:.2g}")
