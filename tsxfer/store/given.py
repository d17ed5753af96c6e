"""Weights that were made elsewhere, as a workspace keeps them: cleaned files beside a card.

``given/<name>/card.json`` says where they come from and what they were trained on, as far as that
is known; ``given/<name>/<stem>.safetensors`` are float32 tensors under the names that they came
with. A trial whose data set is such a name is started from and never run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tsxfer.core.building import from_plain
from tsxfer.core.cautions import Caution
from tsxfer.core.names import is_given
from tsxfer.core.specs import Trial
from tsxfer.errors import SpecError, StoreError
from tsxfer.keys import content_key, plain
from tsxfer.store.checkpoints import DIGEST, digest
from tsxfer.store.workspace import Workspace, write_whole

FOLDER, CARD, ANY = "given", "card.json", "any"
Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is known of weights that were made elsewhere.

    Attributes:
        name: Versioned, e.g. ``encoder+weights@3f9a2c1b``.
        origin: File or address that they came from, without its folder.
        files: Hash of the tensors of each file, by its stem: ``any-0``, ``tcn-2``.
        model: Backbone that they are of, where that is known.
        trained_on: Names of data sets that they have learned from; empty where nobody said.
        words: What they have learned from, in a few words; "" where nobody said.
        simulated: Made, in part at least, from simulated data.
        channels: That their first kernel reads; 0 where not known.
        licence: Of the weights, where known.
    """

    name: str
    origin: str
    files: dict[str, str] = field(default_factory=dict)
    model: str = ""
    trained_on: tuple[str, ...] = ()
    words: str = ""
    simulated: bool = False
    channels: int = 0
    licence: str = ""

    @property
    def digest(self) -> str:
        """Hash of all tensors and of what is said of them, as 16 hexadecimal digits."""
        return content_key([self.files, list(self.trained_on)])

    @property
    def said(self) -> str:
        """What they have learned from, in a sentence without its end."""
        known = self.words or ", ".join(self.trained_on)
        return f"{self.name} was trained on {known or 'data that nobody has named'}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Labels of every row that starts from them."""
        made = (Caution.SIMULATED,) if self.simulated else ()
        return (*made, Caution.PRETRAINED.of(self.said))

    def count(self, model: str) -> int:
        """How many trainings there are of a backbone."""
        return sum(stem.rpartition("-")[0] in (model, ANY) for stem in self.files)


def read(name: str, workspace: Workspace) -> Given:
    """The card of weights in a workspace.

    Raises:
        SpecError: If they are not there.
        StoreError: If the card is damaged.
    """
    path = workspace.root / FOLDER / name / CARD
    try:
        return from_plain(Given, json.loads(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        raise SpecError(
            f"the weights {name} are not in this workspace",
            where=str(workspace.root),
            mend="name the file, address or zoo:NAME itself as the source",
        ) from None
    except (OSError, ValueError, SpecError) as error:
        raise StoreError(
            f"the card of weights cannot be read: {error}",
            where=str(path),
            mend="delete its folder and name the file again",
        ) from None


def of_trial(workspace: Workspace, trial: Trial) -> list[Given]:
    """Cards of all weights made elsewhere that a trial or an ancestor starts from."""
    return [read(name, workspace) for name in trial.datasets if is_given(name)]


def warnings(workspace: Workspace, trial: Trial) -> tuple[str, ...]:
    """Labels of the weights made elsewhere that a trial starts from."""
    return tuple(label for card in of_trial(workspace, trial) for label in card.warnings)


def keep(given: Given, tensors: Mapping[str, Tensors], workspace: Workspace) -> None:
    """Write files and then the card, which says that they are whole; what is there stays.

    Raises:
        StoreError: If they cannot be written.
    """
    folder = workspace.root / FOLDER / given.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stem, held in tensors.items():
            _write(folder / f"{stem}.safetensors", held)
        write_whole(folder / CARD, json.dumps(plain(given), indent=1) + "\n")
    except OSError as error:
        raise StoreError(
            f"weights cannot be written: {error.strerror}",
            where=str(folder),
            mend="free space or choose another --workspace",
        ) from None


def _write(path: Path, held: Tensors) -> None:
    if path.exists():
        return
    from safetensors.numpy import save  # most commands that read need none of it

    write_whole(path, save(dict(held), {DIGEST: digest(held)}))


def weights_of(workspace: Workspace, origin: Trial) -> Path:
    """The file that holds the weights of a trial that others start from."""
    if not origin.given:
        return workspace.weights(origin.key)
    folder = workspace.root / FOLDER / origin.dataset
    alone = folder / f"{ANY}-{origin.repeat}.safetensors"
    return alone if alone.exists() else folder / f"{origin.model}-{origin.repeat}.safetensors"


def digests(workspace: Workspace) -> dict[str, str]:
    """The hash of all weights made elsewhere that lie in a workspace, by name."""
    found = {}
    for card in sorted((workspace.root / FOLDER).glob(f"*/{CARD}")):
        try:
            found[card.parent.name] = read(card.parent.name, workspace).digest
        except (SpecError, StoreError):
            continue  # who uses it is told
    return found


def channels_of(tensors: Tensors) -> int:
    """Channels that the first kernel ``(filter, channel, time)`` reads; 0 if there is none.

    Other tensors may have three axes, such as a table of places ``(1, place, width)``.
    """
    kernels = [
        held.shape[1]
        for name, held in sorted(tensors.items(), key=_naturally)
        if held.ndim == 3 and name.rpartition(".")[2] in ("weight", "kernel")
    ]
    return int(kernels[0]) if kernels else 0


def _naturally(item: tuple[str, NDArray[Any]]) -> list[tuple[int, str]]:
    """``blocks.2`` before ``blocks.10``."""
    parts = item[0].split(".")
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
