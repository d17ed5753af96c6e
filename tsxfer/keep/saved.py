"""Models on disk: sources found by name or path, and fitted models as a folder with a card.

``model/weights.safetensors`` holds the network, ``model/card.json`` what it is and how it was made;
``model/model.onnx`` is there where it was asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, from_numpy

from tsxfer.core.names import DatasetName, is_simulated
from tsxfer.data import foreign
from tsxfer.errors import SpecError, StoreError
from tsxfer.keep.fit import Fitted, scaler_facts, scaler_of
from tsxfer.own import checkpoints, other_weights
from tsxfer.store.rows import row_of
from tsxfer.store.workspace import Workspace, environment
from tsxfer.train import weights
from tsxfer.zoo import shelf

WEIGHTS, CARD, ONNX = "weights.safetensors", "card.json", "model.onnx"
WHOLE = "the file is damaged: copy it again from where it came from"


@dataclass(frozen=True, slots=True)
class Source:
    """Weights to start from.

    Attributes:
        corpus: What they were trained on, e.g. ``speech@1``; "not stated" where nothing says so.
        simulated: Made, in part at least, from simulated data.
        path: The file.
        weights: By tensor name.
        seen: Marks of the windows that they learned from, where no data is needed to know them.
    """

    corpus: str
    simulated: bool
    path: Path
    weights: dict[str, Tensor]
    seen: foreign.Seen | None = None


def find_source(named: str, model: str, workspace: Workspace) -> Source:
    """The source that a path or the name of a data set means.

    A name finds the pretrainings of a workspace: real data before simulated, more windows before
    fewer.

    Args:
        named: A ``.safetensors`` file, a folder that `save` made, weights of the zoo
            (``zoo:NAME``, their first training), or a data set, e.g. ``speech``.
        model: The backbone that is to start from it.
        workspace: Where pretrainings lie.

    Raises:
        TsxferError: If there is none, or it was trained with another backbone.
    """
    path = Path(named)
    other_weights.refuse(path)
    if path.suffix == other_weights.ENDING or (path / WEIGHTS).is_file():
        named_file = source_at(path / WEIGHTS if path.is_dir() else path, model)
        checkpoints.read(named_file.path)  # refuses what is whole, and yet no trained network
        return named_file
    if shelf.is_zoo(named):
        return _of_zoo(shelf.find(named), model, workspace)
    found = []
    for file in sorted((workspace.root / "weights").glob("*.safetensors")):
        row = row_of(file)
        if row is None or row.trial.model != model or not row.trial.plain_pretraining:
            continue
        corpus = DatasetName.parse(row.trial.dataset)
        if corpus.means(named):
            found.append((not corpus.simulated, row.sizes.get("train", 0), file))
    if not found:
        raise SpecError(
            f"no {model} pretrained on {named!r}",
            where=str(workspace.root / "weights"),
            mend=f"tsxfer run --source {named} --model {model} ..., or name a .safetensors file"
            + _also(named, model, workspace),
        )
    return source_at(max(found)[2], model)


def _also(named: str, model: str, workspace: Workspace) -> str:
    """That the zoo has weights of a real data set; "" where it has not."""
    entry = shelf.of_dataset(named)
    there = entry is not None and shelf.here(entry, model, workspace)
    return f" or {shelf.PREFIX}{entry.name}" if entry and there else ""


def _of_zoo(entry: shelf.Entry, model: str, workspace: Workspace) -> Source:
    stem = next(iter(entry.stems(model)), f"{model}-0")
    held = shelf.tensors(entry, stem, workspace)
    return Source(
        corpus=entry.id,
        simulated=False,
        path=shelf.FILES / entry.name / f"{stem}.safetensors",
        weights={name: from_numpy(tensor.copy()) for name, tensor in held.items()},
        seen=foreign.read(shelf.FILES / entry.name),
    )


def source_at(path: Path, model: str) -> Source:
    """The source in a file.

    Raises:
        TsxferError: If there is none, or it was trained with another backbone.
    """
    if not path.is_file():
        raise SpecError(f"no file {path}", mend="check the path")
    facts: Any = weights.row(path) or {}
    trial = facts.get("trial", {})
    made_with = trial.get("model") or facts.get("model") or model
    if made_with != model:
        raise SpecError(
            f"the source was trained as {made_with}, not as {model}",
            where=str(path),
            mend=f"use the model {made_with}",
        )
    corpus = trial.get("dataset") or facts.get("target") or "not stated"
    simulated = bool(facts.get("simulated")) or is_simulated(corpus)
    return Source(corpus, simulated, path, weights.load(path, WHOLE))


def save(fitted: Fitted, folder: Path, facts: dict[str, Any], onnx: bytes = b"") -> None:
    """Write a fitted model with its card; a folder that holds one already is left alone.

    Args:
        fitted: The model.
        folder: Made where it is not there.
        facts: What the card says beside the model's own facts; ``channels`` names them.
        onnx: What `tsxfer.keep.onnx` made of it, to lie beside; empty for nothing.

    Raises:
        StoreError: If the folder holds a model, or cannot be written.
    """
    refuse_taken(folder)
    own = {
        "model": fitted.model,
        "length": fitted.length,
        "classes": list(fitted.classes),
        "metric": fitted.metric,
        "validation_score": fitted.score,
        "windows": {"train": fitted.trained, "validation": fitted.validated},
        "samples_seen": fitted.samples,
        "scaling": scaler_facts(fitted.scaler),
        "audit": fitted.audit,
        "taken_off": list(fitted.taken_off),
        "channels_apart": fitted.apart,
        "precision": fitted.precision,
        "environment": environment(),
    }
    card = json.dumps({**facts, **own}, indent=1, allow_nan=False)
    try:
        weights.save(folder / WEIGHTS, fitted.weights, card)
        if onnx:
            (folder / ONNX).write_bytes(onnx)
        (folder / CARD).write_text(card + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the model cannot be written: {error.strerror}",
            where=str(folder),
            mend="choose another --out, or free space",
        ) from None


def refuse_taken(folder: Path) -> None:
    """Refuse to write over a model.

    Raises:
        StoreError: If there is one.
    """
    if (folder / CARD).exists() or folder.is_file():
        raise StoreError(f"{folder} is there already", mend="choose another --out, or move it away")


def load(folder: Path) -> tuple[Fitted, dict[str, Any]]:
    """A fitted model and its card.

    Raises:
        StoreError: If the folder holds none, or it is damaged.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        fitted = Fitted(
            model=card["model"],
            channels=len(card["channels"]),
            length=card["length"],
            classes=tuple(card["classes"]),
            scaler=scaler_of(card["scaling"], card["length"]),
            weights=weights.load(folder / WEIGHTS, WHOLE),
            metric=card["metric"],
            score=card["validation_score"],
            trained=card["windows"]["train"],
            validated=card["windows"]["validation"],
            samples=card["samples_seen"],
            audit=card["audit"],
            taken_off=tuple(card.get("taken_off", ())),
            apart=bool(card.get("channels_apart", False)),
            precision=str(card.get("precision", "float32")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = (
            "there is no card.json"
            if isinstance(error, FileNotFoundError)
            else f"{type(error).__name__}: {error}"
        )
        raise StoreError(
            f"no fitted model can be read: {said}",
            where=str(folder),
            mend="name a folder that `tsxfer fit --out` wrote",
        ) from None
    try:
        fitted.network()
    except RuntimeError as error:
        raise StoreError(
            f"weights and card do not belong together: {str(error).splitlines()[0]}",
            where=str(folder),
            mend="fit the model again",
        ) from None
    return fitted, card
