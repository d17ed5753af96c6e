"""What the zoo holds: ``zoo:speech_test_list@1`` is a name of weights for several backbones.

``files/index.json`` has the card of each name, ``files/<name>/<model>-<number>.safetensors`` the
tensors of a backbone without its head, ``files/<name>/seen.npz`` what tells whether a target's test
part was learned from. Some files are in a release and not in the wheel, which stays small.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.building import from_plain
from tsxfer.core.names import ZOO, DatasetName
from tsxfer.data.fetch import fetch_file
from tsxfer.data.foreign import FILE, read, write
from tsxfer.errors import SpecError, StoreError, nearest
from tsxfer.own import checkpoints
from tsxfer.own.other_weights import ENDING
from tsxfer.store.checkpoints import digest
from tsxfer.store.given import FOLDER, Given, keep
from tsxfer.store.workspace import Workspace

FILES = Path(__file__).with_name("files")
INDEX = "index.json"
PREFIX = "zoo:"
RELEASE = "https://github.com/tsxfer/tsxfer/releases/download/zoo-1"
ADDRESS = "TSXFER_ZOO"  # environment variable: another place that holds the files of a release


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One training of a backbone.

    Attributes:
        digest: Hash of its tensors.
        sha256: Of its file.
        bytes: Of its file.
        score: Of its own head, which is not kept, on the sealed test part of its data set.
        blind: Score of the best prediction that ignores the window, on the same part.
        key: Of the trial that made it.
        command: Makes it again.
        versions: Python, packages, platform and instruction set that made it.
    """

    digest: str
    sha256: str
    bytes: int
    score: float
    blind: float
    key: str
    command: str
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The card of one name.

    Attributes:
        name: Without version; never that of a full data set.
        version: Raised when weights change.
        dataset: Name of the data set whose source it is used as where none is prepared.
        holds: The data that was learned from.
        counts: Instances of the training, validation and test parts.
        groups: What a group is, and how many there are.
        task: classification or regression.
        classes: Names, or empty.
        channels: Names.
        rate_hz: Of the windows.
        length: Samples of a window.
        preprocessing: What was done to a window before a network read it.
        metric: Of the scores.
        higher_is_better: Direction of the metric.
        fingerprint: Of the prepared data.
        licence: Of the data.
        cite: What to cite.
        trainings: By stem of their files, e.g. ``tcn-0``.
    """

    name: str
    version: int
    dataset: str
    holds: str
    counts: dict[str, int]
    groups: str
    task: str
    channels: tuple[str, ...]
    rate_hz: float
    length: int
    preprocessing: str
    metric: str
    higher_is_better: bool
    fingerprint: str
    licence: str
    cite: str
    classes: tuple[str, ...] = ()
    trainings: dict[str, Trained] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Versioned name of the source, e.g. ``speech_test_list+zoo@1``."""
        return str(DatasetName(self.name, ZOO, str(self.version)))

    @property
    def models(self) -> tuple[str, ...]:
        """Backbones that there are."""
        return tuple(dict.fromkeys(stem.rpartition("-")[0] for stem in self.trainings))

    def stems(self, model: str) -> list[str]:
        """Its trainings of a backbone, in order."""
        return sorted(stem for stem in self.trainings if stem.rpartition("-")[0] == model)

    def blind(self, stem: str) -> bool:
        """Whether a training is no better than a prediction that ignores the window."""
        one = self.trainings[stem]
        sign = 1 if self.higher_is_better else -1
        return sign * one.score <= sign * one.blind

    @property
    def given(self) -> Given:
        """Its card as a source."""
        return Given(
            name=self.id,
            origin=f"{PREFIX}{self.name}@{self.version}",
            files={stem: one.digest for stem, one in self.trainings.items()},
            trained_on=(self.dataset,),
            words=self.holds,
            channels=len(self.channels),
            licence=self.licence,
        )


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Every card by name.

    Raises:
        StoreError: If the package is damaged.
    """
    path = FILES / INDEX
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {name: from_plain(Entry, facts, f"{path}: {name}") for name, facts in held.items()}
    except (OSError, ValueError, AttributeError, SpecError) as error:
        raise StoreError(
            f"the index of the zoo cannot be read: {error}",
            where=str(path),
            mend="install tsxfer again",
        ) from None


def is_zoo(named: str) -> bool:
    """Whether a source is ``zoo:NAME``, ``zoo:NAME@V`` or ``NAME+zoo@V``."""
    return named.startswith(PREFIX) or DatasetName.parse(named).kind == ZOO


def find(named: str) -> Entry:
    """The card that a name with or without version means.

    Raises:
        SpecError: If there is none (near ones are suggested), or only another version.
    """
    if not isinstance(named, str):
        raise SpecError(
            f"weights of the zoo are named by text, not {type(named).__name__} ({named!r:.60})",
            mend=nearest("", [f"{PREFIX}{name}" for name in entries()]),
        )
    said = DatasetName.parse(named.removeprefix(PREFIX))
    entry = entries().get(said.base) or of_dataset(said.base)
    if entry is None:
        known = [f"{PREFIX}{name}" for name in entries()]
        raise SpecError(
            f"the zoo has no {said.base!r}", mend=nearest(f"{PREFIX}{said.base}", known)
        )
    if said.version not in ("", str(entry.version)):
        raise SpecError(
            f"the zoo of this tsxfer has {entry.name}@{entry.version}, not @{said.version}",
            mend=f"name {PREFIX}{entry.name}@{entry.version}, or install the tsxfer that had it",
        )
    return entry


def of_dataset(dataset: str) -> Entry | None:
    """What stands for a real data set as a source; None for one that the zoo lacks."""
    return next((e for e in entries().values() if e.dataset == dataset), None)


def here(entry: Entry, model: str, workspace: Workspace) -> int:
    """How many trainings of a backbone, from number 0 on, need no download."""
    stems = entry.stems(model)
    missing = (i for i, stem in enumerate(stems) if _place(entry, stem, workspace) is None)
    return next(missing, len(stems))


def bring(entry: Entry, models: Iterable[str], workspace: Workspace) -> tuple[Given, int]:
    """Put the weights of some backbones into a workspace.

    Returns:
        Their card, and how many trainings of each backbone are there.

    Raises:
        SpecError: If there are none of a backbone here; it is said what fetches them.
        StoreError: If a file is damaged.
    """
    count = None
    for model in models:
        there = here(entry, model, workspace)
        if not there:
            raise nothing(entry, model)
        count = there if count is None else min(there, count)
        for stem in entry.stems(model)[:there]:
            _put(entry, stem, _place(entry, stem, workspace), workspace)
    keep(entry.given, {}, workspace)
    seen = read(FILES / entry.name)
    if seen is not None and not (_folder(entry, workspace) / FILE).exists():
        write(_folder(entry, workspace) / FILE, seen)
    return entry.given, count or 1


def fetch(entry: Entry, workspace: Workspace) -> list[str]:
    """Download what the wheel lacks; stems of what was fetched.

    Raises:
        DataError: If a server fails, or a file is another than the index says.
    """
    missing = [s for s in entry.trainings if _place(entry, s, workspace) is None]
    address = os.environ.get(ADDRESS) or RELEASE
    for stem in missing:
        url = f"{address.rstrip('/')}/{entry.name}-{stem}.safetensors"
        folder = workspace.root / "downloads" / PREFIX.rstrip(":")
        folder.mkdir(parents=True, exist_ok=True)
        _put(entry, stem, fetch_file(url, entry.trainings[stem].sha256, folder), workspace)
    return missing


def load(entry: Entry, stem: str, place: Path) -> checkpoints.Checkpoint:
    """Tensors of a training, whose hash is that of its card.

    Raises:
        StoreError: If they are others.
    """
    held = checkpoints.read(place)
    if digest(held.tensors) != entry.trainings[stem].digest:
        raise StoreError(
            f"the weights {stem} of {entry.id} are not those of its card",
            where=str(place),
            mend="install tsxfer again, or fetch them again",
        )
    return held


def tensors(entry: Entry, stem: str, workspace: Workspace) -> dict[str, NDArray[np.float32]]:
    """Tensors of a training that is here, by the names that they have in a model.

    Raises:
        SpecError: If it is not here.
        StoreError: If its file is damaged.
    """
    place = _place(entry, stem, workspace)
    if place is None:
        raise nothing(entry, stem.rpartition("-")[0])
    return load(entry, stem, place).tensors


def _folder(entry: Entry, workspace: Workspace) -> Path:
    return workspace.root / FOLDER / entry.id


def _place(entry: Entry, stem: str, workspace: Workspace) -> Path | None:
    """Where the file of a training lies: in the package or fetched; None where it is not here."""
    shipped = FILES / entry.name / f"{stem}{ENDING}"
    fetched = _folder(entry, workspace) / f"{stem}{ENDING}"
    return next((path for path in (shipped, fetched) if path.is_file()), None)


def _put(entry: Entry, stem: str, place: Path | None, workspace: Workspace) -> None:
    if place is None or place.parent == _folder(entry, workspace):
        return
    keep(entry.given, {stem: load(entry, stem, place).tensors}, workspace)


def nothing(entry: Entry, model: str) -> SpecError:
    """That there is no training of a backbone here, and what helps."""
    if model not in entry.models:
        return SpecError(
            f"the zoo has {entry.id} of {', '.join(entry.models)}, not of {model}",
            mend=f"--model {entry.models[0]}, or prepare {entry.dataset} and pretrain {model}",
        )
    return SpecError(
        f"no {model} of {entry.id} lies in this package",
        mend=f"tsxfer prepare {PREFIX}{entry.name} fetches what it has in its release",
    )
