"""Backbones of the zoo as modules of PyTorch."""

from __future__ import annotations

import torch

from tsxfer.errors import SpecError
from tsxfer.models.base import Backbone, build
from tsxfer.store.workspace import Workspace
from tsxfer.zoo import shelf


def load_pretrained(
    name: str,
    model: str = "convnetquake",
    number: int = 0,
    *,
    length: int = 0,
    workspace: str | None = None,
) -> Backbone:
    """A backbone that was trained on real data, in evaluation mode.

    Its input is float32 ``(batch, channel, time)`` with the channels of its card, at the card's
    rate; each channel without its mean, and each window divided by its largest absolute value.
    Its output is ``(batch, feature)``; ``backbone.features`` is the width. The head that it was
    trained with is not part of it. ``tsxfer show zoo:NAME`` prints the card: data, counts,
    licence, and the score on its own sealed test part beside that of a blind prediction.

    Args:
        name: Of the zoo or of a data set: ``speech_test_list``, ``zoo:speech_test_list@1``,
            ``speech``.
        model: Backbone, e.g. ``tcn``.
        number: Which of its trainings, from 0.
        length: Samples of your windows, where they are others than those of its card.
        workspace: Where what `tsxfer prepare zoo:NAME` fetched lies.

    Returns:
        A `torch.nn.Module`; the same for the same arguments.

    Raises:
        SpecError: If the zoo has no such weights here.
        StoreError: If their file is damaged.
    """
    entry = shelf.find(name)
    place = Workspace.at(workspace)
    there = shelf.here(entry, model, place)
    if not there:
        raise shelf.nothing(entry, model)
    if not 0 <= number < there:
        raise SpecError(
            f"number = {number}, but of {entry.id} as {model} there are {there} here",
            mend=f"number from 0 to {there - 1}",
        )
    tensors = shelf.tensors(entry, f"{model}-{number}", place)
    network = build(
        model,
        channels=len(entry.channels),
        length=length or entry.length,
        extra=0,
        outputs=1,
        seed=0,
    )
    state = {n.removeprefix("backbone."): torch.from_numpy(t) for n, t in tensors.items()}
    own = network.backbone.state_dict()
    network.backbone.load_state_dict({**own, **state})
    return network.backbone.eval()
