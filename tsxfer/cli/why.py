"""Look inside a transfer: layers of the source, the start and the end, beside those of scratch."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tsxfer.checks.found import find
from tsxfer.cli.report import gathered
from tsxfer.core.plugins import with_plugins
from tsxfer.core.results import Result
from tsxfer.errors import SpecError
from tsxfer.report.columns import signed
from tsxfer.report.figures.inside import picture
from tsxfer.report.figures.picture import mark
from tsxfer.report.section import name
from tsxfer.report.tables.inside import CLOSE
from tsxfer.running.device import device_of, refuse_device
from tsxfer.stats.why import Explained, Layer, keep
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole

LINE = "{:24} {:>5} {:>6} {:>7} {:>7} {:>7} {:>8} {:>6} {:>7} {:>8} {:>8}\n"
ABOVE = ("", "", "", "source", "start", "source", "scratch", "both", "", "travel", "gain of")
BELOW = ("layer", "block", "copied", *["~start", "~end", "~end", "~end", "ends"], "travel")
HEADER = (ABOVE, (*BELOW, "scratch", "blocks"))


def show_why(
    wanted: str, workspace: Workspace, device: str, figure: Path | None, as_json: bool
) -> None:
    """Train a transfer and its twin again, print what their layers show, keep it for the report.

    Args:
        wanted: Key of a transfer's row, or the name of a study: its clearest comparison then.
        workspace: Of the study.
        device: To train on.
        figure: An SVG file to write.
        as_json: Print facts for machines.
    """
    from tsxfer.checks.inside import look_inside

    refuse_device(device)
    study, key = _chosen(wanted, workspace)
    rows = Store.of(workspace, study).rows()
    scratch = _twin(rows[key], rows, study)
    sys.stderr.write(f"training {key} and its scratch twin {scratch.key} again ...\n")
    why = look_inside(rows[key], scratch, workspace, device_of(device))
    keep(why, workspace.results(study))
    report = gathered(study, workspace, partial=True)
    mine = next((e for e in report.explained if e.why == why), None)
    if mine is None:
        raise SpecError(
            f"row {key} is in no comparison of study {study}",
            mend="give a key of transfer_keys in `tsxfer report STUDY --format csv`",
        )
    facts = asdict(why) | {"gain_of_first_blocks": mine.first}
    sys.stdout.write(json.dumps(facts, indent=1) + "\n" if as_json else _text(mine))
    if figure is not None:
        write_whole(figure, picture(mine).svg(mark(report)))


def _chosen(wanted: str, workspace: Workspace) -> tuple[str, str]:
    """A study and the key of a transfer in it."""
    if wanted not in workspace.studies():
        found = find([wanted], workspace)[0][0]
        return found.study, found.row.key
    report = gathered(wanted, workspace, partial=True)
    if not report.comparisons:
        raise SpecError(
            f"study {wanted} has no complete pair to look into",
            mend=f"run it: {with_plugins(f'tsxfer run {wanted}')}",
        )
    clearest = min(report.comparisons, key=lambda c: 1.0 if c.p is None else c.p)
    sys.stderr.write(f"of {wanted} the comparison with the smallest p: {name(clearest)}\n")
    return wanted, clearest.keys[0][1]


def _twin(row: Result, rows: Mapping[str, Result], study: str) -> Result:
    twin = rows.get(row.trial.twin().key)
    if row.trial.reuse is None or twin is None or twin.status != "done":
        what = "is a scratch run" if row.trial.reuse is None else "has no finished scratch twin"
        raise SpecError(
            f"row {row.key} {what}",
            where=f"study {study}",
            mend="give the key of a transfer, or finish the study: "
            + with_plugins(f"tsxfer run {study}"),
        )
    return twin


def _text(e: Explained) -> str:
    lines = "".join(LINE.format(*_cells(layer, e)) for layer in e.why.layers)
    head = "".join(LINE.format(*titles) for titles in HEADER)
    return f"{name(e.comparison)}, repeat {e.why.repeat}\n\n{head}{lines}\n{_legend(e)}"


def _cells(layer: Layer, e: Explained) -> tuple[str, ...]:
    alike = (layer.source_start, layer.start_end, layer.source_end, layer.scratch, layer.ends)
    numbers = ("n/a" if value is None else f"{value:.2f}" for value in alike)
    far = (layer.travel, layer.scratch_travel)
    went = ("n/a" if value is None else f"{value:.2g}" for value in far)
    gain = signed(e.first[layer.block]) if layer.block in e.first else "not run"
    copied = "yes" if layer.copied else "no"
    return (layer.name[-24:], str(layer.block or "none"), copied, *numbers, *went, gain)


def _legend(e: Explained) -> str:
    ran = "" if e.first else "; for the last column run --strategy copy,first_1,first_2,... too"
    distance = e.why.distance
    same = (
        "the validation curves are those of the rows"
        if distance <= CLOSE
        else f"trained again, the curves lie up to {distance:.2g} margins from those of the rows"
    )
    blank = any(v is None for layer in e.why.layers for v in (layer.start_end, layer.scratch))
    still = all(layer.travel == 0 for layer in e.why.layers)
    notes = [
        "n/a: a layer that says the same of all windows, before or after.\n" * blank,
        "The transfer never had a better validation score than before training: its end is its "
        "start.\n" * still,
    ]
    return (
        f"~ is the likeness of a layer on {e.why.windows} training windows of the target "
        "(debiased linear\nCKA: 1 the same up to rotation and scale, 0 nothing in common); travel "
        "is how far weights went,\nrelative to their size at the start; gain of blocks: mean gain "
        "of copying the\n"
        f"blocks so far alone{ran}.\n{''.join(notes)}One repeat, no test; {same}.\n"
    )
