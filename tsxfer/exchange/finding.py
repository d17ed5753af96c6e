"""What a word means as a result set: ``real@1``, a study run here, a file, a folder, an address."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from tsxfer import __version__
from tsxfer.core.results import Result
from tsxfer.errors import SpecError, StoreError, nearest
from tsxfer.exchange import packed
from tsxfer.exchange.remote import download, is_address
from tsxfer.exchange.sets import Part, ResultSet, refuse_unread
from tsxfer.stats.lock import FILE
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

INSTALLED = Path(__file__).parent.parent / "_suites"  # where the wheel puts what follows
COMMITTED = Path(__file__).parent.parent.parent / "experiments"
ROWS = "rows.parquet"
SUITES = {"real@1": "real"}  # suite with its version, and its folder


def find(named: str | Path, workspace: Workspace) -> ResultSet:
    """The result set that a word means.

    Args:
        named: A suite (``real@1``), a study run in the workspace, a ``.parquet`` or ``.jsonl``
            file, a folder (a workspace, or one that holds rows), or ``https://...#sha256=...``.
        workspace: Where studies are looked for.

    Raises:
        TsxferError: If it means nothing, or cannot be read.
    """
    if not isinstance(named, (str, Path)):
        raise SpecError(
            f"a result set is named by text, not {type(named).__name__} ({named!r:.60})",
            mend=nearest("", [*SUITES, *workspace.studies()]),
        )
    named = str(named)
    if is_address(named):
        name, content = download(named)
        return ResultSet(name, _of_bytes(name, content, named.partition("#")[0]))
    path = suite_file(named) if named in SUITES else Path(named)
    if path.is_dir():
        return ResultSet(path.resolve().name, _of_folder(path))
    if path.is_file():
        name = named if named in SUITES else path.name
        return ResultSet(name, _of_bytes(path.name, path.read_bytes(), str(path), path.parent))
    if named in workspace.studies():
        return ResultSet(named, (_of_study(workspace.results(named), workspace),))
    if named in SUITES:
        raise StoreError(
            f"the rows of {named} are missing from this installation",
            where=str(path),
            mend="install tsxfer again: python -m pip install --force-reinstall tsxfer",
        )
    _refuse_other_version(named)
    known = [*SUITES, *workspace.studies()]
    raise SpecError(f"no result set, study, file or folder {named!r}", mend=nearest(named, known))


def is_set(named: str) -> bool:
    """Whether a word can only mean a set, and no study of a workspace."""
    suite = _is_suite(named)
    return suite or named.endswith((".parquet", ".jsonl")) or is_address(named)


def _is_suite(named: str) -> bool:
    """Whether a word is the name of a suite with a version, also one that does not exist."""
    name, at, _ = named.partition("@")
    return bool(at) and name in SUITES.values()


def _refuse_other_version(named: str) -> None:
    """Refuse a suite in a version that this tsxfer does not bring."""
    if not _is_suite(named):
        return
    name = named.partition("@")[0]
    there = [suite for suite, folder in SUITES.items() if folder == name]
    raise SpecError(
        f"tsxfer {__version__} comes with {', '.join(there)}, not with {named}",
        mend=f"name {there[-1]}; or install the version that brings {named}: "
        "python -m pip install -U tsxfer",
    )


def suite_file(named: str) -> Path:
    """Rows of a suite: in the repository where it is used from there, else in the installation."""
    return suite_folder(named) / ROWS


def suite_folder(named: str) -> Path:
    """Folder of a suite's rows and of what was made from them."""
    places = [folder / SUITES[named] for folder in (INSTALLED, COMMITTED)]
    return next((folder for folder in places if (folder / ROWS).is_file()), places[0])


def _of_bytes(
    name: str, content: bytes, where: str, beside: Path | None = None
) -> tuple[Part, ...]:
    if name.endswith(".parquet"):
        return packed.unpack(content, where)
    if name.endswith(".jsonl"):
        return (_of_lines(content, where, beside),)
    raise SpecError(
        f"{name} is no result set",
        where=where,
        mend="name a .parquet or .jsonl file of rows, or a folder that holds some",
    )


def _of_lines(content: bytes, where: str, beside: Path | None) -> Part:
    """Rows of one file; its study file is looked for beside it."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows.jsonl").write_bytes(content)
        store = Store(Path(folder))
        rows = _rows(store, where)
    if beside is not None and (beside / "study.toml").is_file():
        return replace(_of_study(beside, None, rows), unknown=store.unknown)
    return Part(study="", study_toml="", lock_toml="", rows=rows, hashes={}, unknown=store.unknown)


def _of_folder(path: Path) -> tuple[Part, ...]:
    """A workspace, the folder of a study, or a folder with a parquet file of rows."""
    studies = sorted(p.parent for p in path.glob("results/*/study.toml"))
    if (path / "study.toml").is_file():
        studies = [path]
    if studies:
        return tuple(_of_study(folder, None) for folder in studies)
    if (path / ROWS).is_file():
        return packed.unpack((path / ROWS).read_bytes(), str(path / ROWS))
    raise StoreError(
        "the folder holds no results: no results/STUDY/study.toml, study.toml or rows.parquet",
        where=str(path),
        mend="name a workspace, the folder of a study in it, or a file of rows",
    )


def _of_study(
    folder: Path, workspace: Workspace | None, rows: tuple[Result, ...] | None = None
) -> Part:
    store = Store(folder, workspace)
    if rows is None:
        rows = _rows(store, str(folder))
    kept = folder / PREDICTIONS
    return Part(
        study=_text(folder / "study.toml") and _name(folder),
        study_toml=_text(folder / "study.toml"),
        lock_toml=_text(folder / FILE),
        rows=rows,
        hashes=dict(_hashes(rows, kept)),
        predictions=kept if kept.is_dir() else None,
        unknown=store.unknown,
    )


def _rows(store: Store, where: str) -> tuple[Result, ...]:
    rows = store.rows()
    refuse_unread([*store.damaged, *store.foreign], where, __version__)
    return tuple(rows.values())


def _name(folder: Path) -> str:
    from tsxfer.core.study_files import read_study

    return read_study(folder / "study.toml").name


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _hashes(rows: tuple[Result, ...], folder: Path) -> Iterator[tuple[str, str]]:
    for row in rows:
        found = predictions_hash(folder / f"{row.key}.npz")
        if found:
            yield row.key, found


def predictions_hash(path: Path) -> str:
    """Hash of what was predicted, of which windows; empty where no whole file lies there."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            parts = [np.ascontiguousarray(kept[name]) for name in ("rows", "truth", "predicted")]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, json.JSONDecodeError):
        return ""
    return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]
