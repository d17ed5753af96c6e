"""Bi-Tuning: windows are contrasted, beside classes (Zhong et al. 2020, arXiv 2011.06182)."""

import copy

import torch
from torch import nn
from torch.nn.functional import normalize

from tsxfer.train.method import Method, method

TEMPERATURE, WIDTH, KEYS, MOMENTUM = 0.07, 128, 8, 0.999  # keys are of each class


@method("bi_tuning", copied="backbone")
class BiTuning(Method):
    """Adds both contrasts; for classes alone."""

    recordable = False  # how many windows of a class a batch holds is up to the data

    def begin(self, given):
        """A projector that learns, its slow copy with the encoder, and a queue of keys."""
        if given.train.y.is_floating_point():
            raise ValueError("Bi-Tuning contrasts classes; the labels are numbers")
        device = given.train.x.device
        given.model.projector = nn.Linear(given.model.head[0].in_features, WIDTH).to(device)
        self.slow = copy.deepcopy(given.model).requires_grad_(False)
        rows = [torch.where(given.train.y == c)[0] for c in range(given.outputs)]
        some = torch.cat([r[torch.arange(KEYS, device=device) % len(r)] for r in rows])
        self.queue = keys_of(self.slow, given.train.x[some], given.train.extra[some])
        self.of = torch.arange(given.outputs, device=device).repeat_interleave(KEYS)

    def loss(self, step):
        """Both contrasts, beside the plain loss."""
        windows = (step.output / TEMPERATURE).log_softmax(dim=0)
        across = -windows.gather(1, step.y[:, None]).mean()
        self.fresh, self.y = keys_of(self.slow, step.x, step.extra), step.y
        z = normalize(step.model.projector(torch.cat([step.features, step.extra], dim=1)), dim=1)
        return step.plain() + across + contrast(z, step.y, self.queue, self.of)

    def after_step(self, model):
        """The slow encoder follows; each class's queue takes its latest window's key."""
        [
            a.lerp_(b, 1 - MOMENTUM)
            for a, b in zip(self.slow.parameters(), model.parameters(), strict=True)
        ]
        for label in range(len(self.queue) // KEYS):
            latest = self.fresh[self.y == label][-KEYS:]
            held = self.queue[label * KEYS : (label + 1) * KEYS]
            held.copy_(torch.cat([held, latest])[-KEYS:].clone())


def keys_of(slow, x, extra):
    """Projections of length 1, which learn nothing by themselves."""
    return normalize(slow.projector(torch.cat([slow.features(x), extra], dim=1)), dim=1)


def contrast(z, y, keys, of):
    """Supervised contrast of ``(batch, width)`` with keys ``(key, width)`` of classes `of`."""
    near, same = (z @ keys.T / TEMPERATURE).log_softmax(dim=1), (y[:, None] == of).float()
    return -((near * same).sum(dim=1) / same.sum(dim=1)).mean()
