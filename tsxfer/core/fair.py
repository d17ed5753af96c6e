"""Whether a start differs from scratch before anything was learned: an untrained source tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from tsxfer.core.sizes import place_in_order
from tsxfer.core.specs import Trial
from tsxfer.core.strategy import Strategy

# Of a check that nobody asked for: the fewest with an interval worth having. Of a study of seven
# repeats on real data 1 to 12 % of the time, where all would be 3 to 17 (experiments/starts).
CHECKED_REPEATS = 3


def smallest(sizes: Sequence[str]) -> str:
    """The smallest of several label budgets."""
    return min(sizes, key=place_in_order)


def unlike_scratch(transfer: Trial, channels: Mapping[str, int]) -> bool:
    """Whether an untrained source would begin, or learn, otherwise than scratch does.

    Where channels are the same and all learns at the same rate, an untrained source is scratch with
    another draw of its weights, and nothing is to be seen that scratch does not show.

    Args:
        transfer: A plain transfer.
        channels: Of each data set that is known, by versioned name.
    """
    reuse = transfer.reuse
    if reuse and reuse.source.given and not channels.get(reuse.source.dataset):
        return True  # how a stranger's network reads channels is not known
    if reuse is None or not {reuse.source.dataset, transfer.dataset} <= channels.keys():
        return False
    treated = {f.name for f in fields(Strategy)} - {"copied", "blocks", "channels"}
    plain = all(getattr(reuse.strategy, n) == getattr(Strategy(), n) for n in treated)
    as_scratch = plain and reuse.rate_multiplier == 1
    counts = channels[reuse.source.dataset], channels[transfer.dataset]
    return not as_scratch or counts[0] != counts[1] or _apart(reuse.strategy, counts)


def _apart(strategy: Strategy, counts: tuple[int, int]) -> bool:
    """Another network than scratch has: each channel alone."""
    return strategy.channels == "independent" and max(counts) > 1
