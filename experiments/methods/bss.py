"""BSS: the smallest singular values of a batch's features are pressed down (Chen et al. 2019).

NeurIPS 2019, "Catastrophic forgetting meets negative transfer": what the source left in the
weakest directions of the features transfers worst.
"""

import torch

from tsxfer.train.method import Method, method

WEIGHT, SMALLEST = 1e-3, 1  # eta and k


def shrinkage(features, count=SMALLEST):
    """Sum of the squares of the smallest singular values of ``(batch, feature)``."""
    return torch.linalg.svdvals(features.float())[-count:].square().sum()


@method(copied="backbone")
class Bss(Method):
    """Adds batch spectral shrinkage to the loss."""

    recordable = False  # LAPACK and cuSOLVER report to the host

    def loss(self, step):
        """The plain loss and the penalty."""
        return step.plain() + WEIGHT * shrinkage(step.features)
