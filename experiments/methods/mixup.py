"""mixup: windows and their losses are mixed in pairs (Zhang et al. 2018, ICLR, arXiv 1710.09412).

It needs no source: compare it with the control `untrained`, which gets it too.
"""

from tsxfer.train.method import Method, Step, method


@method()
class Mixup(Method):
    """Each step learns from mixed windows, in shares of Beta(1, 1), on the labels of both."""

    def loss(self, step):
        """The loss on both labels in the shares of the mixture; of numbers, up to a constant."""
        order, share = step.uniform(len(step.x)).argsort(), step.uniform(1)
        x = share * step.x + (1 - share) * step.x[order]
        extra = share * step.extra + (1 - share) * step.extra[order]
        mixed = Step(step.model, x, extra, step.y, step.random, step.kind)
        return (share * mixed.plain() + (1 - share) * mixed.plain(step.y[order])).sum()
