"""Verifying: a sound study passes, and each kind of damage fails its own check and no other."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.study import NAME, tsxfer
from tsxfer.checks.verify import verify
from tsxfer.core.results import Result
from tsxfer.store.rows import Store, to_line
from tsxfer.store.workspace import Workspace


def _failing(place: Workspace) -> set[str]:
    return {check.name for check in verify(NAME, place) if check.faults}


def _rewrite(place: Workspace, change: Callable[[Result], Result | None]) -> None:
    """All rows again, each changed or left out."""
    rows = list(Store(place.results(NAME)).rows().values())
    for file in place.results(NAME).glob("*.jsonl"):
        file.unlink()
    kept = [row for row in map(change, rows) if row is not None]
    (place.results(NAME) / "all.jsonl").write_text("".join(to_line(r) + "\n" for r in kept))


def test_a_sound_study_passes(place: Workspace) -> None:
    """Every check looks at something and finds no fault; unchecked things are counted."""
    checks = {check.name: check for check in verify(NAME, place)}
    assert not [check for check in checks.values() if check.faults]
    counted = {name: check.checked for name, check in checks.items()}
    assert counted == {
        "lines": 5,
        "keys": 5,
        "cells": 5,
        "data": 2,
        "arrays": 2,
        "pairs": 2,
        "baselines": 0,
        "repeats": 0,
        "splits": 5,
        "subsets": 5,
        "predictions": 4,
        "weights": 1,
        "rows": 4,
        "lock": 5,
        "margins": 5,
        "labels": 5,
        "chance": 5,
        "curves": 5,
        "overlap": 5,
    }


def _garbage(place: Workspace) -> None:
    with next(place.results(NAME).glob("*.jsonl")).open("a") as file:
        file.write('{"key": "torn')


def _edited(place: Workspace) -> None:
    file = next(place.results(NAME).glob("*.jsonl"))
    lines = file.read_text().splitlines()
    extra = lines[-1].replace('"repeat": 1', '"repeat": 7')
    assert extra != lines[-1]
    file.write_text("\n".join([*lines, extra]) + "\n")


def _gap(place: Workspace) -> None:
    _rewrite(place, lambda r: None if r.trial.reuse and r.trial.repeat == 1 else r)


def _no_twin(place: Workspace) -> None:
    _rewrite(place, lambda r: None if "finance" in r.trial.dataset and not r.trial.reuse else r)


def _mixed_data(place: Workspace) -> None:
    def change(row: Result) -> Result:
        late = row.trial.repeat == 1 and "finance" in row.trial.dataset
        return replace(row, data=row.data | {"finance+sim@1": "0" * 16}) if late else row

    _rewrite(place, change)


def _unequal(place: Workspace) -> None:
    _rewrite(place, lambda r: replace(r, ledger=r.ledger | {"steps": 9}) if r.trial.reuse else r)


def _contradicting(place: Workspace) -> None:
    row = next(r for r in Store(place.results(NAME)).rows().values() if r.trial.reuse)
    other = replace(row, scores=row.scores | {"mae": 99.0})
    (place.results(NAME) / "zzz.jsonl").write_text(to_line(other) + "\n")


def _overlap(place: Workspace) -> None:
    split = {"shared_groups": 2}
    _rewrite(place, lambda r: replace(r, split=r.split | split) if "emg" in r.trial.dataset else r)


def _other_subset(place: Workspace) -> None:
    _rewrite(place, lambda r: replace(r, subset="f" * 16))


def _no_predictions(place: Workspace) -> None:
    next((place.results(NAME) / "predictions").glob("*.npz")).unlink()


def _wrong_predictions(place: Workspace) -> None:
    path = next((place.results(NAME) / "predictions").glob("*.npz"))
    with np.load(path) as kept:
        arrays = dict(kept)
    arrays["predicted"] = arrays["predicted"] + 1
    np.savez_compressed(path, **arrays)


def _torn_predictions(place: Workspace) -> None:
    path = next((place.results(NAME) / "predictions").glob("*.npz"))
    path.write_bytes(path.read_bytes()[:200])


def _flipped_weights(place: Workspace) -> None:
    path = next((place.root / "weights").iterdir())
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def _swapped_weights(place: Workspace) -> None:
    _rewrite(place, lambda r: replace(r, scores=r.scores | {"macro_f1": 0.9}))


def _bent_array(place: Workspace) -> None:
    """A bit changes while size and time stay, as on a failing disk."""
    path = place.data("finance+sim@1") / "x.npy"
    then, content = path.stat(), bytearray(path.read_bytes())
    content[-3] ^= 1
    path.unlink()  # the copy only links to it
    path.write_bytes(content)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))


def _better_curves(place: Workspace) -> None:
    def change(row: Result) -> Result:
        return replace(row, curve=row.curve | {"score": [v + 0.3 for v in row.curve["score"]]})

    _rewrite(place, change)


def _no_chance_no_labels(place: Workspace) -> None:
    def change(row: Result) -> Result:
        return replace(row, chance=dict.fromkeys(row.chance, 0.0), labels=())

    _rewrite(place, change)


def _margins(place: Workspace) -> None:
    _rewrite(place, lambda r: replace(r, margin=r.margin / 10))


def _no_lock(place: Workspace) -> None:
    (place.results(NAME) / "analysis.lock.toml").unlink()


def _other_lock(place: Workspace) -> None:
    path = place.results(NAME) / "analysis.lock.toml"
    path.write_text(path.read_text().replace("level = 0.05", "level = 0.2"))


def _no_overlap(place: Workspace) -> None:
    def change(row: Result) -> Result:
        return replace(row, overlap=tuple(replace(one, seen=0) for one in row.overlap))

    _rewrite(place, change)


def _edited_with_predictions(place: Workspace) -> None:
    """A row edited together with the hash beside its predictions: what can be told still is."""
    _no_chance_no_labels(place)
    for row in Store(place.results(NAME)).rows().values():
        path = place.results(NAME) / "predictions" / f"{row.key}.npz"
        if path.exists():
            with np.load(path) as kept:
                arrays = dict(kept)
            np.savez_compressed(path, **(arrays | {"row": np.array(row.digest)}))


DAMAGE: dict[str, tuple[Callable[[Workspace], None], set[str]]] = {
    "garbage": (_garbage, {"lines"}),
    "edited": (_edited, {"keys"}),
    "gap": (_gap, {"cells"}),
    "no twin": (_no_twin, {"cells", "pairs"}),
    "mixed data": (_mixed_data, {"data", "rows"}),
    "unequal": (_unequal, {"pairs", "rows"}),
    "contradicting": (_contradicting, {"repeats"}),
    "shared group": (_overlap, {"splits", "subsets", "weights"}),
    "other subset": (_other_subset, {"subsets", "rows", "weights"}),
    "no predictions": (_no_predictions, {"predictions"}),
    "wrong predictions": (_wrong_predictions, {"predictions"}),
    "torn predictions": (_torn_predictions, {"predictions"}),
    "bent array": (_bent_array, {"arrays", "chance", "overlap"}),
    "flipped weights": (_flipped_weights, {"weights"}),
    "better curves": (_better_curves, {"rows", "weights"}),
    "no chance, no labels": (_no_chance_no_labels, {"rows", "weights", "chance", "labels"}),
    "margins": (_margins, {"rows", "weights", "margins"}),
    "no lock": (_no_lock, {"lock"}),
    "other lock": (_other_lock, {"lock"}),
    "no overlap": (_no_overlap, {"rows", "weights", "overlap"}),
    "edited with predictions": (_edited_with_predictions, {"weights", "chance", "labels"}),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_each_damage_fails_its_check(place: Workspace, case: str) -> None:
    """What is wrong is said by the check that is there for it."""
    spoil, failing = DAMAGE[case]
    spoil(place)
    assert _failing(place) == failing


def test_a_header_that_contradicts_the_row_fails(place: Workspace) -> None:
    """Weights whose header holds other scores than the row are named."""
    _swapped_weights(place)
    assert "weights" in _failing(place)


def test_absent_weights_and_data_are_counted_not_blamed(place: Workspace) -> None:
    """What is not there cannot be checked, and says so; weights may be deleted."""
    next((place.root / "weights").iterdir()).unlink()
    (place.data("emg+sim@1") / "meta.json").unlink()
    checks = {check.name: check for check in verify(NAME, place)}
    assert not any(check.faults for check in checks.values())
    assert (checks["weights"].skipped, checks["subsets"].skipped) == (1, 1)


def test_an_imported_study_lacks_no_pretraining(place: Workspace) -> None:
    """Others' results come without rows of the sources; that is counted, not blamed."""
    _rewrite(place, lambda r: replace(r, environment={"made by": "others"}) if r.alignment else r)
    _rewrite(place, lambda r: r if "finance" in r.trial.dataset else None)
    cells = next(check for check in verify(NAME, place) if check.name == "cells")
    assert (cells.checked, cells.faults, cells.skipped) == (4, (), 1)


def test_the_command_says_it_with_its_exit_code(copy: Path, place: Workspace) -> None:
    """0 and 1 as promised, JSON with every check, and no torch."""
    code = "import sys; sys.modules['torch'] = None\nfrom tsxfer.cli import main\nmain()"
    words = [sys.executable, "-c", code, "verify", NAME]
    fine = subprocess.run(words, cwd=copy, capture_output=True, text=True, env=os.environ.copy())
    assert fine.returncode == 0, fine.stderr
    assert "all 19 checks passed" in fine.stdout
    _garbage(place)
    bad = tsxfer(copy, "verify", NAME, "--json")
    assert bad.returncode == 1
    assert not json.loads(bad.stdout)["passed"]
    assert "no study called" in tsxfer(copy, "verify", "nothing").stderr
