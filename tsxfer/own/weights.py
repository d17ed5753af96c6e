"""A checkpoint named as a source: brought into the workspace under the hash of its tensors."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tsxfer.core.names import WEIGHTS, DatasetName, is_simulated
from tsxfer.data.fetch import fetch_file
from tsxfer.errors import DataError, SpecError, printable
from tsxfer.keys import content_key
from tsxfer.own import checkpoints, other_weights
from tsxfer.own.importing import plain_name
from tsxfer.own.other_weights import ENDING
from tsxfer.store.checkpoints import ROW, digest
from tsxfer.store.given import ANY, Given, channels_of, keep
from tsxfer.store.workspace import Workspace

KEPT = "weights.safetensors"  # in the folder of a model that `fit` kept
PUBLISHED = "model.safetensors"  # in a folder as foundation models are published
CONFIG = "config.json"  # beside it
INDEX = f"{ENDING}.index.json"
PART = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})\.safetensors")
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
SEALED = "#sha256"
HASH = re.compile(r"sha256[=:]([0-9a-fA-F]{64})")
MOST, LONGEST = 50, 120  # names that a header may tell, and letters of one
DECLARED = "trained_on"  # in the header of a stranger's file: names with commas between


def is_checkpoint(named: str) -> bool:
    """Whether a source is a file, folder or address of weights, and not a data set."""
    path = Path(named)
    if ADDRESS.match(named) or named.lower().partition(SEALED)[0].endswith((ENDING, INDEX)):
        return True
    return other_weights.is_other(path) or (path.is_dir() and any(path.glob(f"*{ENDING}")))


def is_hollow(folder: Path) -> bool:
    """Whether a folder is empty, or holds what is published beside weights and none of them."""
    files = [one for one in folder.iterdir() if not one.name.startswith(".")]
    kinds = {*other_weights.BESIDE} - {".txt"}  # which may be recordings
    beside = all(one.is_file() and one.suffix.lower() in kinds for one in files)
    return not files or (beside and (folder / CONFIG).is_file())


def bring(named: str, trained_on: Iterable[str], workspace: Workspace) -> Given:
    """Bring a checkpoint in.

    Args:
        named: A ``.safetensors`` file, a folder that `tsxfer fit` wrote, a folder with
            ``model.safetensors`` or its parts, or an address that ends in ``#sha256=HASH``.
        trained_on: Data sets that the user says it has learned from; empty: what the file says.
        workspace: Where it is kept.

    Raises:
        TsxferError: If it cannot be read, or is not what its hash says.
    """
    if not ADDRESS.match(named):
        _refuse_sealed(named)
        return _kept(_files_in(Path(named)), Path(named).name, tuple(trained_on), workspace)
    address, _, seal = named.partition("#")
    sha256 = _sha256(named, seal)
    with tempfile.TemporaryDirectory(prefix="tsxfer-") as place:
        try:
            path = fetch_file(address, sha256, Path(place))
            return _kept([path], path.name, tuple(trained_on), workspace)
        except DataError as error:  # the file will be gone: where it came from is what helps
            mend = error.mend.replace(f"{place}{os.sep}", "")
            raise DataError(error.problem, where=address, mend=mend) from None


def _refuse_sealed(named: str) -> None:
    """Refuse a hash behind a path: that of the tensors is taken of every file.

    Raises:
        SpecError: Then.
    """
    path, sign, _ = named.partition(SEALED)
    if sign and not Path(named).exists():
        raise SpecError(
            f"{named} is a path with a hash behind it, which is for addresses",
            mend=f"name {path} alone (sha256sum {path} prints its hash)",
        )


def _files_in(path: Path) -> list[Path]:
    """The file of weights that a path means, or the parts of one.

    Raises:
        DataError: If parts are missing.
    """
    path = path.parent if path.name.endswith(INDEX) else path
    inside = [path / name for name in (KEPT, PUBLISHED) if (path / name).is_file()]
    if inside or not path.is_dir():
        return inside[:1] or [path]
    if parts := _parts_in(path):
        return parts
    others = sorted(file for file in path.iterdir() if other_weights.is_other(file))
    return others[:1] if others and not any(path.glob(f"*{ENDING}")) else [path]


def _parts_in(folder: Path) -> list[Path]:
    """Parts of one published file, in order; none where there are none, or those of several.

    Raises:
        DataError: If some are missing.
    """
    found = [match for file in folder.iterdir() if (match := PART.fullmatch(file.name))]
    if len({(match[1], match[3]) for match in found}) != 1:
        return []
    stem, count = found[0][1], int(found[0][3])
    here = {int(match[2]) for match in found}
    missing = next((i for i in range(1, count + 1) if i not in here), 0)
    if missing:
        raise DataError(
            f"{folder} holds {len(here)} of {count} parts of the weights",
            where=str(folder),
            mend=f"put the others beside them, such as {stem}-{missing:05}-of-{count:05}{ENDING}",
        )
    return [folder / f"{stem}-{i:05}-of-{count:05}{ENDING}" for i in range(1, count + 1)]


def _sha256(named: str, seal: str) -> str:
    found = HASH.fullmatch(seal)
    if found is None:
        lacks = f"ends in {seal[:80]!r}, which is no sha256" if seal else "comes without the sha256"
        raise SpecError(
            f"the address {named.partition('#')[0]} {lacks} of the file",
            mend="write it behind the address, e.g. https://host/x.safetensors#sha256=64 digits "
            "(sha256sum FILE prints them)",
        )
    return found[1].lower()


def _kept(
    paths: Sequence[Path], called: str, trained_on: tuple[str, ...], workspace: Workspace
) -> Given:
    found = checkpoints.read_parts(paths)
    says = _says(found.facts)
    corpora = trained_on or says.trained_on
    held = digest(found.tensors)
    base = plain_name(Path(called).stem if called.lower().endswith(ENDING) else called)
    version = content_key([held, list(corpora)])[:8]
    given = Given(
        name=str(DatasetName(base, WEIGHTS, version)),
        origin=called,
        files={f"{ANY}-0": held},
        model=says.model,
        trained_on=corpora,
        simulated=says.simulated or any(map(is_simulated, corpora)),
        channels=channels_of(found.tensors),
    )
    keep(given, {f"{ANY}-0": found.tensors}, workspace)
    return given


@dataclass(frozen=True, slots=True)
class _Said:
    """What a header says of its weights."""

    model: str = ""
    trained_on: tuple[str, ...] = ()
    simulated: bool = False


def _says(facts: dict[str, str]) -> _Said:
    """Of a pretraining of ours, of a model that `fit` kept, or of a stranger's file."""
    if ROW not in facts:
        return _Said(trained_on=_names(facts.get(DECLARED, "").split(",")))
    try:
        record: Any = json.loads(facts[ROW])
        if "trial" in record:
            trial = record["trial"]
            return _Said(_name(trial["model"]), _names(_corpora(trial)))
        named = _names((record["target"], record.get("source", "none")))
        known = tuple(name for name in named if name not in ("none", "not stated"))
        return _Said(_name(record["model"]), known, bool(record.get("simulated")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _Said()


def _name(said: object) -> str:
    """A word of a header as a message may show it: a stranger wrote it."""
    return printable(str(said)).strip()[:LONGEST]


def _names(said: Iterable[object]) -> tuple[str, ...]:
    return tuple(filter(None, map(_name, islice(said, MOST))))


def _corpora(trial: dict[str, Any]) -> dict[str, None]:
    """Every data set in the record of a trial and of those that it started from."""
    found = dict.fromkeys([str(trial["dataset"]), *map(str, trial.get("pool", ()))])
    reuse = trial.get("reuse") or {}
    before = (trial.get("after"), reuse.get("source"), *reuse.get("also", ()))
    for origin in filter(None, before):
        found |= _corpora(origin)
    return found
