"""TransRate: mutual information of features and classes by coding rates (Huang et al. 2022, ICML).

arXiv 2106.09362, features scaled to a trace of 1. Larger is better; numbers are compared by the
quartile that each lies in. As there, features are centred over all windows and not again within
classes: it likes classes in directions of their own.
"""

import numpy as np

from tsxfer.ranking.rankers import ranker

DISTORTION = 1e-4  # epsilon squared


def rate(features):
    """Nats that code ``(n, d)`` centred features up to the distortion."""
    kernel = features.T @ features / (len(features) * DISTORTION)
    return 0.5 * float(np.linalg.slogdet(np.eye(len(kernel)) + kernel)[1])


@ranker(higher_is_better=True, what="coding rate of features less that within classes")
def transrate(seen):
    """R(Z) - R(Z | Y)."""
    return score(seen.features, seen.target.codes)


def score(features, codes):
    """Of features ``(n, d)`` and class codes ``(n,)``; from 0."""
    z = features - features.mean(axis=0)
    z = z / max(np.sqrt(np.square(z).sum() / len(z)), 1e-12)
    within = [np.mean(codes == c) * rate(z[codes == c]) for c in np.unique(codes)]
    return rate(z) - float(np.sum(within))
