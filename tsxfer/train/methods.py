"""The package's own methods of fine-tuning: what each copies, and how that learns.

All are made of parts (`tsxfer.core.strategy.Strategy`) that any method may name. A trial holds the
parts of these, so that keys of rows stay what they were before methods had names.
"""

from tsxfer.train.method import Method, method


@method()
class Copy(Method):
    """The study's: convolutions are copied, and everything learns (Otović et al. 2022)."""


@method(copied="backbone")
class Full(Method):
    """Every tensor of the backbone is copied, statistics of normalisation layers included."""


@method(learn="frozen")
class Frozen(Method):
    """Copied convolutions stay as they are."""


@method("probe", copied="backbone", learn="probe")
class Probe(Method):
    """No gradient step: a ridge head in closed form on features that stay."""


@method("zero_shot", copied="backbone", learn="zero_shot")
class ZeroShot(Method):
    """No label of the target: the source's own head answers, where the classes are the same."""


@method("lp_ft", copied="backbone", learn="head_first")
class LpFt(Method):
    """The head learns first, then everything (LP-FT, Kumar et al. 2022)."""


@method(copied="backbone", learn="gradual")
class Gradual(Method):
    """One more block learns every other epoch, the last one first (Howard and Ruder 2018)."""


@method("rate_decay", copied="backbone", rate_decay=0.7)
class RateDecay(Method):
    """Each block learns at 0.7 times the rate of the one above it (Howard and Ruder 2018)."""


@method("l2_sp", copied="backbone", anchor=0.01)
class L2Sp(Method):
    """Copied tensors are drawn back to where they started (L2-SP, Li et al. 2018)."""


@method(copied="backbone", learn="frozen", renormalised=True)
class Renorm(Method):
    """Frozen, with statistics of normalisation layers from the target (AdaBN, Li et al. 2017)."""


@method(copied="backbone", learn="low_rank")
class Lora(Method):
    """Copied kernels stay; a product of two small matrices is learned beside (Hu et al. 2022)."""
