"""Runs that began blind, and runs that never left their start: what a loss may be made of."""

from __future__ import annotations

from collections.abc import Sequence

from tsxfer.core.results import Result

MENDS = "--strategy copy+rescale, and --baselines rescaled for scratch alike"

STEPS = (
    "--recipe small_batch or patient, which take more steps in both arms, or --strategy renorm "
    "with --baselines renormalised, which begin with statistics of the training windows"
)


def stuck(rows: Sequence[Result]) -> int:
    """How many never left their start: their loss stayed that of a constant answer."""
    return sum(row.learned is not None and row.learned.stuck for row in rows)


def mostly_stuck(count: int, runs: int) -> bool:
    """Whether so many runs did not train that their mean says nothing of what was copied."""
    return runs > 0 and 2 * count >= runs


def alarms(rows: Sequence[Result], arm: str) -> list[str]:
    """Sentences for the notes of a comparison.

    Args:
        rows: Of one arm, a row for each repeat.
        arm: What it is called.
    """
    found, still, n = [], stuck(rows), len(rows)
    blind = [row.begin for row in rows if row.begin is not None and row.begin.blind]
    if blind:
        most = max(begin.deviation for begin in blind)
        by = f"differ between windows by {most:.0e} of their size or less"
        found.append(
            f"{arm} began blind in {len(blind)} of {n} runs: its last features "
            f"{by if most else 'are the same for all windows'}; try {MENDS}"
        )
    late = [row.learned.lag for row in rows if row.learned is not None and row.learned.lagging]
    if late:
        found.append(
            f"{arm} was judged before its normalisation had caught up in {len(late)} of {n} runs: "
            f"running variances are off by a factor of up to {max(late):.3g} where the checkpoint "
            f"was taken, so that it answers otherwise than it learned; try {STEPS}"
        )
    if still:
        found.append(f"{arm} never left its start in {still} of {n} runs (training loss flat)")
    return found
