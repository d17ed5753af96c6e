"""Contracts shipped for users: data sets and backbones here, all else in `tsxfer.testing.doors`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tsxfer import metrics
from tsxfer.data.card import Card, Dataset
from tsxfer.data.series import Series
from tsxfer.errors import DataError, SpecError
from tsxfer.keys import stream
from tsxfer.models.base import Backbone
from tsxfer.models.layers import own_stream


def check_card(card: Card) -> None:
    """Check that a card's facts agree with each other.

    Raises:
        SpecError: For the first that do not.
    """
    faults = {
        f"metric {card.metric} is for another task": metrics.get(card.metric).task != card.task,
        f"margin {card.margin} is negative": card.margin < 0,
        f"length {card.length} or rate {card.rate_hz} is not above 0": card.length < 1
        or card.rate_hz <= 0,
        "no channel is named": not card.channels,
        "a channel is named twice": len(set(card.channels)) < len(card.channels),
        "a regression label has no unit": card.task == "regression" and not card.unit,
        "licence or citation is empty": not (card.licence and card.cite),
        "paper_channels name channels that are not there": any(
            c >= len(card.channels) for c in card.paper_channels
        ),
    }
    for fault, present in faults.items():
        if present:
            raise SpecError(f"{card.name}: {fault}", mend="correct the card")


def check_dataset(dataset: Dataset, folder: Path | None = None) -> list[Series]:
    """Check a data set: its card, and that reading twice gives the same blocks.

    Args:
        dataset: Real (needs `folder`) or simulated.
        folder: Files in their original format.

    Returns:
        The blocks.

    Raises:
        TsxferError: With the first fault.
    """
    check_card(dataset.card)
    first, second = _blocks(dataset, folder), _blocks(dataset, folder)
    if not first:
        raise DataError(
            f"{dataset.card.name}: the reader finds nothing to read",
            where=str(folder),
            mend="check the folder, and the names of files that the reader looks for",
        )
    for a, b in zip(first, second, strict=True):
        same = (
            np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y) and np.array_equal(a.uid, b.uid)
        )
        if not same:
            raise DataError(
                f"{dataset.card.name}: reading twice gives different blocks",
                mend="sort the files, and draw chance from the generator given",
            )
    _check_blocks(dataset.card, first)
    return first


def _blocks(dataset: Dataset, folder: Path | None) -> list[Series]:
    if dataset.simulate is not None:
        return [dataset.simulate(400, stream("check", dataset.card.id))]
    if dataset.read is None or folder is None:
        raise SpecError(f"{dataset.card.name} has files to read, but no folder was given")
    return list(dataset.read(folder))


def _check_blocks(card: Card, blocks: list[Series]) -> None:
    uids = np.concatenate([block.uid for block in blocks])
    numeric = all(block.y.dtype.kind == "f" for block in blocks)
    rate = card.file_rate_hz or card.rate_hz
    faults = {
        "an uid occurs twice": len(np.unique(uids)) < len(uids),
        "all instances are in one group": len(np.unique(np.concatenate([b.group for b in blocks])))
        < 2,
        "labels are numbers, the task is classification": numeric and card.task == "classification",
        "labels are names, the task is regression": not numeric and card.task == "regression",
        f"channels are not the card's {len(card.channels)}": any(
            b.x.shape[1] != len(card.channels) for b in blocks
        ),
        f"the rate is not the card's {rate:g} Hz": any(
            not np.isclose(b.rate_hz, rate) for b in blocks
        ),
        "the card splits in time, but a block has no times": card.split == "time"
        and any(b.time_start is None or b.time_end is None for b in blocks),
    }
    for fault, present in faults.items():
        if present:
            raise DataError(f"{card.name}: {fault}", mend="correct the reader or the card")


def check_backbone(kind: type[Backbone], channels: int = 3, length: int = 80) -> None:
    """Check a backbone: output width, tensors for transfer to copy, gradients, and its chance.

    Raises:
        SpecError: For the first fault.
    """
    torch.manual_seed(0)
    backbone = kind(channels, length)
    x = torch.randn(4, channels, length)
    out = backbone(x)
    names = [n for n, _ in backbone.named_parameters()]
    moved = [n for n in names if n.startswith(tuple(backbone.transferred))]
    if tuple(out.shape) != (4, backbone.features):
        raise SpecError(
            f"{kind.__name__}: output is {tuple(out.shape)}, features says (4, "
            f"{backbone.features})",
            mend="set features to the width of the output",
        )
    if not moved:
        raise SpecError(
            f"{kind.__name__}: no parameter starts with {backbone.transferred}",
            mend=f"name prefixes of: {', '.join(names)}",
        )
    out.square().sum().backward()
    still = [n for n, p in backbone.named_parameters() if p.grad is None]
    if still:
        raise SpecError(
            f"{kind.__name__}: no gradient reaches {', '.join(still)}", mend="use or drop them"
        )
    if not torch.equal(_drawn(backbone, x, 1), _drawn(backbone, x, 2)):
        raise SpecError(
            f"{kind.__name__}: it draws from PyTorch's global stream while training, which its "
            "neighbours in a pack would change",
            mend="use nn.Dropout, or tsxfer.models.layers.Dropout, for all chance",
        )


def _drawn(backbone: Backbone, x: torch.Tensor, chance: int) -> torch.Tensor:
    """Output in training, with the model's own stream the same and the global one given."""
    own_stream(backbone.train(), 0, x.device)
    torch.manual_seed(chance)
    return backbone(x)  # type: ignore[no-any-return]
