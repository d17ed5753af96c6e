"""A source's whole network answers for a target: nothing is fitted to any of its labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tsxfer.errors import SpecError
from tsxfer.models.base import Model
from tsxfer.train import loop
from tsxfer.train.reuse import Takeover, Weights

HEAD = "head."


class Adopted(nn.Module):
    """A source's head whose outputs stand in the target's order of classes.

    Where several classes of the source stand for one, their probabilities are added: the
    log-sum-exp of their outputs, since a head that learned by cross-entropy gives logarithms.
    """

    order: Tensor

    def __init__(self, head: nn.Module, places: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.head, self.counts = head, [len(group) for group in places]
        self.register_buffer("order", torch.tensor([place for group in places for place in group]))

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, feature)`` to ``(batch, outputs)``."""
        outputs: Tensor = self.head(features)[:, self.order]
        if max(self.counts) == 1:
            return outputs
        groups = torch.split(outputs, self.counts, dim=1)
        return torch.stack([group.logsumexp(dim=1) for group in groups], dim=1)


def adopt(
    model: Model, head: nn.Module, source: Weights, start: Takeover, places: Sequence[Sequence[int]]
) -> None:
    """Give `model` the source's head, once its backbone was copied.

    Args:
        model: Changed in place.
        head: Fresh, of the kind that the source has and of the width of `model`.
        source: Weights, those of its head among them.
        start: What was taken over.
        places: Of each class of the target, its places among the source's.

    Raises:
        SpecError: If a layer or the head does not fit the target's windows.
    """
    fresh = [name for name in start.audit["renewed"] if name.startswith("backbone.")]
    held = {n.removeprefix(HEAD): t for n, t in source.items() if n.startswith(HEAD)}
    wanted = head.state_dict()
    odd = [f"{HEAD}{n}" for n, t in wanted.items() if n not in held or held[n].shape != t.shape]
    if fresh or odd:
        raise SpecError(
            f"zero_shot needs the source's whole network, and {', '.join((fresh + odd)[:4])} of it "
            "does not fit windows of the target's channels and length",
            mend="cut both to windows of one length and the same channels, or leave zero_shot out "
            "of --strategy",
        )
    head.load_state_dict({name: held[name] for name in wanted})
    device = next(model.parameters()).device
    model.head = Adopted(head, places).to(device).requires_grad_(False)
    own = [f"{HEAD}{name}" for name in wanted]
    start.audit["copied"] = [*start.audit["copied"], *own]
    start.audit["renewed"] = []


def judged(replica: loop.Replica) -> loop.Fit:
    """The network as it is; its validation value is kept for the record and chooses nothing."""
    part = replica.validation
    value, metric = replica.score(loop.predict(replica.model, part.x, part.extra))
    return loop.Fit([0.0], [value], [metric])
