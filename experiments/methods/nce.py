"""NCE: minus the entropy of target classes given the source's (Tran et al. 2019, ICCV).

arXiv 1908.08142, with the source's own answer on a target window as its label there.
"""

import numpy as np

from tsxfer.ranking.rankers import ranker


@ranker(higher_is_better=True, what="minus conditional entropy of target given source classes")
def nce(seen):
    """None where the source, or the target, has no classes."""
    if seen.probabilities is None:
        return None
    return score(seen.probabilities.argmax(axis=1), seen.target.codes)


def score(source, target):
    """Of class codes ``(n,)`` each: from minus the target's entropy up to 0."""
    joint = np.zeros((source.max() + 1, target.max() + 1))
    np.add.at(joint, (source, target), 1 / len(source))
    given = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
    return float(np.sum(joint * np.log(np.where(joint > 0, given, 1.0))))
