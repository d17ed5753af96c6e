"""Damaged and hostile files of every data set: prepared, or refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.attacks.guard import LEVELS, attack, watched
from tests.attacks.made import GOOD, put
from tests.attacks.mutations import Damage, damage
from tsxfer.cli.prepare import prepare_dataset
from tsxfer.store.workspace import Workspace


@pytest.fixture(params=GOOD)
def name(request: pytest.FixtureRequest) -> str:
    """Each data set that has a reader."""
    if request.param == "fr_aseaf":
        pytest.importorskip("obspy")
    return str(request.param)


@pytest.mark.filterwarnings("ignore")
def test_good_files_are_prepared(name: str, tmp_path: Path) -> None:
    """The files that attacks start from are good ones, or the attacks would prove nothing."""
    put(GOOD[name](), tmp_path / "files")
    with watched(tmp_path):
        made = prepare_dataset(name, tmp_path / "files", Workspace(tmp_path / "ws"))
    assert made.count > 0


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_files_are_refused_in_words(name: str, level: int, tmp_path: Path) -> None:
    """Whatever bytes change in any file: prepared or a TsxferError, nothing written elsewhere."""
    good, folder = GOOD[name](), tmp_path / "files"
    put(good, folder)
    place = Workspace(tmp_path / "ws")

    def check(hit: tuple[str, Damage]) -> None:
        put(good | {hit[0]: hit[1].of(good[hit[0]])}, folder)
        made = prepare_dataset(name, folder, place)
        assert np.isfinite(made.array("x")).all()

    hits = st.sampled_from(sorted(good)).flatmap(
        lambda file: st.tuples(st.just(file), damage(good[file]))
    )
    attack(f"files of {name}", level, tmp_path, hits, check)
