"""Train rows again and say whether their numbers come back."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from tsxfer.checks.found import find
from tsxfer.errors import SpecError, StoreError
from tsxfer.running.device import device_of, refuse_device
from tsxfer.stats.reproduced import Rerun, keep
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    from tsxfer.checks.reproduce import Reproduced, RerunOptions


def reproduce_rows(
    keys: Sequence[str], workspace: Workspace, options: RerunOptions, as_json: bool
) -> int:
    """Check that all rows can be made again, then train; 1 if the numbers of any differ."""
    from tsxfer.checks.reproduce import fitting, reproduce

    groups = [fitting(rows, workspace, options) for rows in find(keys, workspace)]
    made: list[Reproduced] = []
    for place, rows in enumerate(groups, start=1):
        sys.stderr.write(f"[{place}/{len(groups)}] training {rows[0].row.key} again ...\n")
        fresh = reproduce(rows, workspace, options)
        made += fresh
        _keep(fresh, workspace, options.times)
        if not as_json:
            sys.stdout.write("".join(_text(one) for one in fresh))
            sys.stdout.flush()
    if as_json:
        sys.stdout.write(json.dumps([_facts(one) for one in made], indent=1) + "\n")
    else:
        sys.stdout.write(_summary(made))
    return 1 if any(one.agreement.verdict == "differs" for one in made) else 0


def _keep(fresh: Sequence[Reproduced], workspace: Workspace, times: int) -> None:
    """Leave what was found to the studies' reports; a store that may only be read keeps nothing."""
    for one in fresh:
        row, said = one.found.row, one.agreement
        whole = one.floor is None or isfinite(one.floor)  # it is infinite where one of them failed
        distance, floor = (said.largest, one.floor) if whole else (None, None)
        score = row.scores[row.metric]
        again = Rerun(
            key=row.key,
            score=score,
            verdict=said.verdict,
            device=one.device,
            distance=distance,
            floor=floor,
            times=times,
        )
        try:
            keep([again], workspace.results(one.found.study))
        except StoreError as error:
            sys.stderr.write(f"{error}\n")


def options(
    device: str, ancestors: bool, times: int, deterministic: bool, tolerance: float | None
) -> RerunOptions:
    """Flags as options of a rerun.

    Raises:
        SpecError: For an unknown device or a count below 1.
    """
    from tsxfer.checks.reproduce import RerunOptions

    refuse_device(device)
    if times < 1 or (tolerance is not None and tolerance < 0):
        raise SpecError(f"--times {times} --tolerance {tolerance}", mend="use 1 or more, 0 or more")
    chosen = "" if device == "auto" else device_of(device)
    return RerunOptions(chosen, ancestors, times, deterministic, tolerance)


def _text(one: Reproduced) -> str:
    row, said = one.found.row, one.agreement
    trial = row.trial
    start = f"{trial.source} → " if trial.reuse else "scratch "
    now = "none" if one.score is None else f"{one.score:.6g}"
    lines = [
        f"{row.key}  {said.verdict}",
        f"  trial    {start}{trial.dataset}, {trial.model}, {trial.size}, repeat {trial.repeat} "
        f"({one.found.study})",
        f"  {row.metric:8} {row.scores[row.metric]:.6g} in the row, {now} now",
        f"  largest  {_number(said.largest)} on score and curve; tolerance {said.tolerance:.3g}",
        f"  effect   {_effect(one)}",
    ]
    if one.floor is not None:
        lines.append(f"  floor    {one.floor:.3g} between trainings of now")
    effect = one.found.effect
    if effect and said.largest and said.largest > abs(effect.difference):
        lines.append("  note     the distance is larger than the effect of its comparison")
    if said.causes:
        lines.append(f"  made by  {'; '.join(said.causes)}")
    return "\n".join(lines) + "\n"


def _effect(one: Reproduced) -> str:
    effect = one.found.effect
    if effect is None:
        return "none: the row is in no whole pair"
    return f"{effect.difference:+.4g} over {effect.pairs} pair(s): {effect.words}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _summary(made: Sequence[Reproduced]) -> str:
    said = [one.agreement.verdict for one in made]
    counts = [f"{said.count(v)} {v}" for v in dict.fromkeys(said)]
    return f"{len(made)} row(s) trained again: {', '.join(counts)}\n"


def _facts(one: Reproduced) -> dict[str, Any]:
    row = one.found.row
    return {
        "key": row.key,
        "study": one.found.study,
        "metric": row.metric,
        "in_row": row.scores[row.metric],
        "now": one.score,
        **asdict(one.agreement),
        "largest": one.agreement.largest,
        "effect": asdict(one.found.effect) if one.found.effect else None,
        "floor": one.floor,
    }
