"""The paper profile trained on the study's very series, beside the study's own runs."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from tsxfer.core.results import Result
from tsxfer.core.study import Study
from tsxfer.data import catalogue, prepare
from tsxfer.running.runner import Job, run
from tsxfer.store.workspace import Workspace

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "paper" / "sp500.py"
LAST_DAY = "2018-11-27"  # of the study's series


def _script() -> object:
    spec = spec_from_file_location("sp500", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _prepared(real_data: Path, folder: Path) -> Workspace:
    """The index as the study had it: the kit's file goes on for five years."""
    source = real_data / "finance" / "gspc_yahoo" / "^GSPC.csv"
    if not source.is_file():
        pytest.skip(f"no {source}")
    head, *days = source.read_text().splitlines()
    (folder / "files").mkdir()
    kept = [head, *(day for day in days if day[:10] <= LAST_DAY)]
    (folder / "files" / "^GSPC.csv").write_text("\n".join(kept) + "\n")
    place = Workspace(folder / "ws")
    place.make()
    dataset = catalogue.find("finance")
    prepare.prepare(dataset, dataset.read(folder / "files"), place.data(dataset.card.id))
    return place


@pytest.mark.slow
def test_scratch_lands_where_the_study_did(
    real_data: Path, published: tuple[Study, list[Result]], tmp_path: Path
) -> None:
    """Three ConvNetQuake scratch runs at 1,500 labels: their median lies within the study's six."""
    script = _script()
    place = _prepared(real_data, tmp_path)
    asked = script.trials("convnetquake", "", 3)  # type: ignore[attr-defined]
    rows = [run(Job(t, str(place.root), "paper", "cpu", False, 1)) for t in asked]
    here = script.by_arm(rows)["convnetquake", ""]  # type: ignore[attr-defined]
    study = script.by_arm(published[1])["convnetquake", ""]  # type: ignore[attr-defined]
    there = [score for repeat, score in study.items() if repeat < script.VALID]  # type: ignore[attr-defined]
    assert len(there) == 6
    assert min(there) <= np.median(list(here.values())) <= max(there)
    assert max(here.values()) < 1.5 * max(there)


def test_the_table_reads_the_study(published: tuple[Study, list[Result]]) -> None:
    """Of the study's own rows all six valid runs are inside of themselves, at a ratio of 1."""
    script = _script()
    valid = [row for row in published[1] if row.trial.repeat < 6]
    lines = list(script.table(valid, published[1]))  # type: ignore[attr-defined]
    assert len(lines) == 2 + 4 * 6  # four models, scratch and five sources
    assert all("| 6 of 6 | 1.00 |" in line for line in lines[2:])
