"""Check the rows of a study by reading alone: nothing is trained, torch is not imported."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tsxfer import metrics
from tsxfer.checks import bound, drawn
from tsxfer.checks.agreement import tolerance
from tsxfer.checks.held import Check, Held, read_held, words
from tsxfer.core.results import Result
from tsxfer.data import prepare
from tsxfer.stats import baselines
from tsxfer.stats.cells import EQUAL, SAME_LABELS, unequal
from tsxfer.store.checkpoints import header
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.workspace import Workspace


def verify(name: str, workspace: Workspace, most_bytes: int = 1 << 30) -> list[Check]:
    """All checks of a study that was run in this workspace.

    Prepared data sets of more than `most_bytes` are not hashed; 0 hashes all.
    """
    held = read_held(name, workspace, most_bytes)
    return [check(held) for check in CHECKS]


def _lines(held: Held) -> Check:
    count = len(held.all) + len(held.damaged) + len(held.mismatched)
    note = "rows of another version of tsxfer"
    return Check("lines", "every line is a whole row", count, held.damaged, held.foreign, note)


def _keys(held: Held) -> Check:
    what = "every row's key is the hash of its trial"
    return Check("keys", what, len(held.all) + len(held.mismatched), held.mismatched)


def _cells(held: Held) -> Check:
    """Declared trials without a finished row; imported studies never had pretraining rows."""
    imported = not any("tsxfer" in row.environment for row in held.done)
    wanted = [t for t in held.trials if not (imported and held.done and t.key in held.sources)]
    faults = []
    for trial in wanted:
        row = held.rows.get(trial.key)
        if row is None or row.status == "failed":
            state = "has not run" if row is None else f"failed: {row.error}"
            faults.append(f"{words(trial)} {state}")
    return Check(
        "cells",
        "every declared trial has a finished row",
        len(wanted),
        tuple(faults),
        len(held.trials) - len(wanted),
        "pretrainings of an imported study",
    )


def _data(held: Held) -> Check:
    """Rows of one data set made from different files must not stand in one table."""
    seen: dict[str, dict[str, int]] = {}
    for row in held.done:
        for name, fingerprint in row.data.items():
            counts = seen.setdefault(name, {})
            counts[fingerprint] = counts.get(fingerprint, 0) + 1
    faults = [
        f"{name}: {', '.join(f'{n} row(s) from {f}' for f, n in counts.items())}"
        for name, counts in seen.items()
        if len(counts) > 1
    ]
    none = sum(not row.data for row in held.done)
    return Check(
        "data",
        "all rows of a data set were made from the same files",
        len(seen),
        tuple(faults),
        none,
        "rows that name no prepared data",
    )


def _arrays(held: Held) -> Check:
    """Prepared arrays are hashed again, which finds what a disk did to them."""
    faults, count, skipped = list[str](), 0, 0
    for name in dict.fromkeys(n for row in held.done for n in row.data):
        folder = held.workspace.data(name)
        meta = held.workspace.fingerprints().get(name)
        size = sum(path.stat().st_size for path in folder.glob("*.npy"))
        if meta is None or (size > held.most_bytes > 0):
            skipped += 1
            continue
        count += 1
        try:
            found = prepare.fingerprint(folder)
        except (OSError, ValueError) as error:
            faults.append(f"{name}: an array cannot be read: {error}")
            continue
        if found != meta:
            faults.append(f"{name}: prepared as {meta}, its arrays give {found}: delete {folder}")
    what = "prepared arrays still have their fingerprint"
    note = "data sets that are not here, or large: --data hashes those too"
    return Check("arrays", what, count, tuple(faults), skipped, note)


def _pairs(held: Held) -> Check:
    transfers = [row for row in held.done if row.trial.reuse]
    faults = [fault for row in transfers for fault in _pair_faults(row, held)]
    what = "every transfer has its scratch twin: same subset, split, budget and test"
    return Check("pairs", what, len(transfers), tuple(faults))


def _pair_faults(row: Result, held: Held) -> Iterator[str]:
    twin = held.rows.get(row.trial.twin().key)
    if twin is None or twin.status == "failed":
        yield f"{words(row.trial)}: its scratch twin {row.trial.twin().key} is not done"
        return
    terms = unequal(row, twin, (*EQUAL, "split"))
    if terms:
        yield f"{words(row.trial)}: {', '.join(terms)} differ from those of {twin.key}"


def _baselines(held: Held) -> Check:
    """Baselines take no steps, so their ledger is their own; labels and test are the twins'."""
    pairs = [pair for group in baselines.joined(held.trials).values() for pair in group]
    rows = [(held.rows.get(b.key), held.rows.get(n.key)) for b, n in pairs if not n.reuse]
    whole = [(b, n) for b, n in rows if b and n and b.status == n.status == "done"]
    faults = [
        f"{words(b.trial)}: {', '.join(terms)} differ from those of {n.key}"
        for b, n in whole
        if (terms := unequal(b, n, (*SAME_LABELS, "split")))
    ]
    what = "every baseline has the subset, split and test of its scratch runs"
    return Check("baselines", what, len(whole), tuple(faults))


def _twice(held: Held) -> Check:
    """Two workers may do one trial; their numbers must then agree."""
    first: dict[tuple[str, str], Result] = {}
    faults, count = [], 0
    for row in (r for r in held.all if r.status == "done"):
        other = first.setdefault((row.key, json.dumps(row.data, sort_keys=True)), row)
        if other is not row:
            count += 1
            apart = abs(row.scores[row.metric] - other.scores[row.metric])
            if apart > tolerance(row):
                faults.append(f"{words(row.trial)}: two rows are {apart:.3g} apart")
    return Check("repeats", "rows of one trial agree", count, tuple(faults))


def _predictions(held: Held) -> Check:
    """Scores are computed again from the predictions that lie beside the rows."""
    folder = held.folder / PREDICTIONS
    made = [r for r in held.done if r.key not in held.sources]
    rows = [r for r in made if r.alignment and not _came_without(r, folder)]
    faults = [fault for row in rows for fault in _prediction_faults(row, folder)]
    what = "predictions are there and give the rows' scores"
    note = "rows made without any, or merged from elsewhere without them"
    return Check("predictions", what, len(rows), tuple(faults), len(made) - len(rows), note)


def _came_without(row: Result, folder: Path) -> bool:
    """Predictions of merged rows may have stayed where they were made."""
    return bool(row.origin) and not (folder / f"{row.key}.npz").exists()


def _prediction_faults(row: Result, folder: Path) -> Iterator[str]:
    try:
        path = folder / f"{row.key}.npz"
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            truth, predicted, where = kept["truth"], kept["predicted"], kept["rows"]
    except FileNotFoundError:
        yield f"{words(row.trial)}: predictions are missing"
        return
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        yield f"{words(row.trial)}: predictions cannot be read: {error}"
        return
    aligned = hashlib.sha256(where.tobytes() + truth.tobytes()).hexdigest()[:16]
    if aligned != row.alignment:
        yield f"{words(row.trial)}: predictions are of other test instances"
        return
    for name, score in row.scores.items():
        again = metrics.get(name).score(truth, predicted)
        if not np.isclose(again, score, rtol=1e-9, atol=1e-12):
            said = f"{name} is {score:.6g} in the row, {again:.6g} computed again"
            yield f"{words(row.trial)}: {said}"


def _weights(held: Held) -> Check:
    """Weights may be deleted, and are then trained again; those that lie there must fit."""
    rows = [held.rows[k] for k in held.sources if k in held.rows and held.rows[k].status == "done"]
    there = [row for row in rows if held.workspace.weights(row.key).exists()]
    faults = [fault for row in there for fault in _weights_faults(row, held.workspace)]
    return Check(
        "weights",
        "weights are whole, and their headers hold the rows",
        len(there),
        tuple(faults),
        len(rows) - len(there),
        "pretrainings whose weights are not there (trained again if needed)",
    )


def _weights_faults(row: Result, workspace: Workspace) -> Iterator[str]:
    found = header(workspace.weights(row.key))
    if found is None or not found.intact:
        yield f"{words(row.trial)}: weights are damaged: delete {workspace.weights(row.key)}"
        return
    unequal = bound.edited(row, found.row)
    if unequal:
        yield f"{words(row.trial)}: {', '.join(unequal)} in the weights' header differ"


CHECKS: Sequence[Callable[[Held], Check]] = (
    _lines,
    _keys,
    _cells,
    _data,
    _arrays,
    _pairs,
    _baselines,
    _twice,
    *drawn.CHECKS,
    _predictions,
    _weights,
    *bound.CHECKS,
)


def passed(checks: Iterable[Check]) -> bool:
    """Whether nothing is wrong."""
    return not any(check.faults for check in checks)
