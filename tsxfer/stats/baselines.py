"""Networks against baselines: scratch and transfer beside other uses of the same labels."""

from __future__ import annotations

from collections.abc import Iterable

from tsxfer.core.specs import NO_BACKBONE, Trial
from tsxfer.stats.cells import Pairs, treatment


def joined(trials: Iterable[Trial]) -> dict[tuple[str, str], Pairs]:
    """Each baseline with each network of the same data set, size, repeat and profile.

    Networks are the plain transfers and their scratch twins; a baseline of a backbone meets its
    own backbone alone.

    Returns:
        ``(baseline, network)`` of each repeat, by the keys of both without their repeat.
    """
    trials = list(trials)
    baselines = [trial for trial in trials if trial.baseline]
    networks: dict[object, dict[str, Trial]] = {}
    if not baselines:
        return {}  # a study without any pays for none: keys of its networks are hashes
    for transfer in (t for t in trials if t.reuse and not t.control):
        for network in (transfer.twin(), transfer):
            networks.setdefault(_terms(network), {})[network.key] = network
    found: dict[tuple[str, str], Pairs] = {}
    for baseline in baselines:
        for network in networks.get(_terms(baseline), {}).values():
            if baseline.model in (NO_BACKBONE, network.model):
                key = (treatment(baseline).key, treatment(network).key)
                found.setdefault(key, []).append((baseline, network))
    return found


def _terms(trial: Trial) -> object:
    return trial.dataset, trial.size, trial.repeat, trial.profile
