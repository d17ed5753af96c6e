"""DELTA: feature maps stay near the source's where needed (Li et al. 2019, arXiv 1901.09229)."""

import copy

import torch
from torch import nn

from tsxfer.train.method import Method, method

WEIGHT, HEAD, FEW = 0.01, 0.01, 128  # alpha, beta; windows that the probe sees


@method(copied="backbone")
class Delta(Method):
    """Adds the attention-weighted squared distance of feature maps, and decay of the head."""

    recordable = False  # feature maps pass through lists

    def begin(self, given):
        """Keep the source's network, and weigh its filters."""
        self.teacher = copy.deepcopy(given.model.backbone).eval().requires_grad_(False)
        x, y = given.train.x[:FEW], given.train.y[:FEW]
        target = y[:, None] if y.is_floating_point() else nn.functional.one_hot(y).float()
        layers = [m for m in self.teacher.modules() if isinstance(m, nn.Conv1d)]
        self.weights = [attention(self.teacher, layer, x, target) for layer in layers]
        self.ours, self.theirs = listen(given.model.backbone, True), listen(self.teacher, False)

    def loss(self, step):
        """The plain loss, the distance of maps and the decay of the head."""
        self.ours.clear(), self.theirs.clear()
        plain = step.plain()
        self.teacher(step.x)
        pairs = zip(self.weights, self.ours, self.theirs, strict=True)
        away = sum((w * (a - b).square().mean(dim=(0, 2))).sum() for w, a, b in pairs)
        decay = sum(p.square().sum() for p in step.model.head.parameters())
        return plain + WEIGHT * away + HEAD * decay


def listen(backbone, training):
    """A list that each pass in that mode fills with feature maps."""
    heard = []

    def hear(own, _, y):
        return heard.append(y) if own.training == training else None

    _ = [m.register_forward_hook(hear) for m in backbone.modules() if isinstance(m, nn.Conv1d)]
    return heard


@torch.no_grad()
def attention(teacher, layer, x, target):
    """Softmax of what the silence of each filter adds to a linear probe's loss: ``(filter,)``."""
    whole, lost = teacher(x), []
    probe = torch.linalg.pinv(whole, rtol=1e-3) @ target
    for place in range(layer.out_channels):
        kept = [p[place].clone() for p in layer.parameters()]
        _ = [p[place].zero_() for p in layer.parameters()]
        lost.append((teacher(x) @ probe - target).square().mean())
        _ = [p[place].copy_(k) for p, k in zip(layer.parameters(), kept, strict=True)]
    return torch.stack(lost).softmax(0)
