"""GBC: minus the overlap of classes as Gaussians (Pándy et al. 2022, CVPR, arXiv 2111.12780).

Diagonal covariances, on the first 64 principal components of the features.
"""

import numpy as np

from tsxfer.ranking.rankers import ranker

COMPONENTS = 64


@ranker(higher_is_better=True, what="minus the Bhattacharyya overlap of classes in the features")
def gbc(seen):
    """Of numbers, the overlap of quartiles."""
    return score(seen.features, seen.target.codes)


def score(features, codes):
    """Of ``(n, d)`` and ``(n,)``: from minus the number of ordered pairs of classes up to 0."""
    centred = features - features.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    z = centred @ axes[:COMPONENTS].T
    parts = [z[codes == c] for c in np.unique(codes)]
    means = [part.mean(axis=0) for part in parts]
    spreads = [part.var(axis=0) + 1e-6 * max(z.var(), 1e-12) for part in parts]
    both = [(i, j) for i in range(len(parts)) for j in range(len(parts)) if i != j]
    away = [distance(means[i], means[j], spreads[i], spreads[j]) for i, j in both]
    return -float(np.sum(np.exp(-np.array(away))))


def distance(a, b, spread_a, spread_b):
    """Bhattacharyya's, of two Gaussians with these variances."""
    mean = (spread_a + spread_b) / 2
    shape = np.log(mean) - (np.log(spread_a) + np.log(spread_b)) / 2
    return float(np.sum((a - b) ** 2 / mean) / 8 + np.sum(shape) / 2)
