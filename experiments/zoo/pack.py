"""Write what was trained as files of the package: backbones, cards, and what they have seen."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.data import foreign
from tsxfer.data.marks import marks
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import draw, prepared
from tsxfer.keys import plain
from tsxfer.own.weights import DECLARED
from tsxfer.store.checkpoints import DIGEST, digest
from tsxfer.store.rows import row_of
from tsxfer.store.workspace import Workspace
from tsxfer.zoo.shelf import INDEX, Entry, Trained

LARGEST = 12_000_000  # bytes of all files: what a wheel may take
MOST_MARKS = 12_000  # channels times windows: the wheel stays small
COMMAND = "python experiments/zoo/make.py DATA --only {name}/{model}/{number}"
PREPROCESSING = (
    "resampled to rate_hz and cut to length by the reader; each channel without its mean, the "
    "window divided by its largest absolute value (profile strict, scaling peak)"
)


def pack(
    planned: Iterable[tuple[str, int, str, Trial]], workspace: Workspace, out: Path
) -> list[str]:
    """Write every training that is done and fits beside those before it, and the index.

    Args:
        planned: Name, version and words of the data, and the trial, of each training.
        workspace: Where weights lie.
        out: Folder of the files; what is there already and no longer planned goes.

    Returns:
        Trainings that would take the wheel past `LARGEST` bytes.
    """
    shutil.rmtree(out, ignore_errors=True)
    cards: dict[str, Entry] = {}
    left_out: list[str] = []
    for name, version, holds, trial in planned:
        row = row_of(workspace.weights(trial.key))
        if row is None:
            continue
        if name not in cards:
            cards[name] = _card(name, version, holds, row, prepared(workspace, trial.dataset))
            _seen(prepared(workspace, trial.dataset), trial, out / name)
        stem = f"{trial.model}-{trial.repeat}"
        path = out / name / f"{stem}.safetensors"
        made = _trained(cards[name], stem, row, workspace, path)
        if sum(file.stat().st_size for file in out.rglob("*.*")) > LARGEST:
            path.unlink()
            left_out.append(f"{name}/{stem}")
            continue
        cards[name].trainings[stem] = made
    index = {name: plain(card) for name, card in cards.items()}
    (out / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return left_out


def _card(name: str, version: int, holds: str, row: Result, data: Prepared) -> Entry:
    card = data.card
    return Entry(
        name=name,
        version=version,
        dataset=card.name,
        holds=holds,
        counts=row.sizes,
        groups=f"{sum(row.split['groups'].values())} ({card.group})",
        task=card.task,
        classes=data.classes,
        channels=card.channels,
        rate_hz=card.rate_hz,
        length=card.length,
        preprocessing=PREPROCESSING,
        metric=row.metric,
        higher_is_better=metrics.get(row.metric).higher_is_better,
        fingerprint=data.fingerprint,
        licence=card.licence,
        cite=card.cite,
    )


def _trained(card: Entry, stem: str, row: Result, workspace: Workspace, path: Path) -> Trained:
    """Write the backbone of one training; its head is of its own labels, and is left out."""
    held = load_file(workspace.weights(row.key))
    backbone = {name: t for name, t in held.items() if name.startswith("backbone.")}
    facts = {
        DIGEST: digest(backbone),
        DECLARED: card.dataset,
        "zoo": f"{card.name}@{card.version} {stem}",
        "licence": card.licence,
        "cite": card.cite,
    }
    path.write_bytes(_same_bytes(save(backbone), facts))
    model, _, number = stem.rpartition("-")
    return Trained(
        digest=facts[DIGEST],
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        bytes=path.stat().st_size,
        score=round(row.scores[row.metric], 6),
        blind=round(row.chance[row.metric], 6),
        key=row.key,
        command=COMMAND.format(name=card.name, model=model, number=number),
        versions=row.environment,
    )


def _same_bytes(made: bytes, facts: dict[str, str]) -> bytes:
    """The file with facts in its header, whose names safetensors itself writes in any order."""
    size = int.from_bytes(made[:8], "little")
    header = {**json.loads(made[8 : 8 + size]), "__metadata__": facts}
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + made[8 + size :]


def _seen(data: Prepared, trial: Trial, folder: Path) -> None:
    """Marks and groups of what all trainings of a name have learned from or were selected on."""
    folder.mkdir(parents=True)
    parts, _ = draw(data, trial)
    rows = np.sort(np.concatenate([parts.train, parts.validation]))
    channels = max(1, min(len(data.card.channels), MOST_MARKS // len(rows)))
    of_events = data.card.unit == "magnitude"
    kept = foreign.Seen(
        length=data.card.length,
        marks=marks(np.asarray(data.array("x")[rows])[:, :channels]),
        groups=np.unique(np.asarray(data.array("group"))[rows]),
        time=np.asarray(data.array("start"))[rows],
        magnitude=np.asarray(data.array("y"))[rows] if of_events else np.zeros(0),
    )
    foreign.write(folder / foreign.FILE, kept)
