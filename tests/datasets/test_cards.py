"""What holds for the card of every data set with files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[2] / "datasets"
NAMES = sorted(path.stem for path in DATASETS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_facts_that_every_card_has(load, name: str) -> None:
    """Metric, margin and unit follow the task, and licence, citation and manual are told."""
    card = load(name).card
    assert card.name == name
    assert card.title
    assert card.licence
    assert card.cite
    assert card.manual or card.simulated
    if card.task == "classification":
        assert (card.metric, card.unit) == ("macro_f1", "")
        assert card.extra_metrics == ("weighted_f1", "accuracy")
    else:
        assert card.metric == "mae"
        assert card.unit
        assert card.extra_metrics == ("medae", "rmse", "r2")
    assert set(card.paper_channels) <= set(range(len(card.channels)))


def test_cards_load_without_domain_libraries() -> None:
    """Loading all cards imports no library of a domain, and takes well under a second."""
    code = (
        "import importlib.util, json, sys, time\n"
        "start = time.perf_counter()\n"
        "for path in sys.argv[1:]:\n"
        "    name = path.rsplit('/', 1)[-1][:-3]\n"
        "    spec = importlib.util.spec_from_file_location(name, path)\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    sys.modules[name] = module\n"
        "    spec.loader.exec_module(module)\n"
        "heavy = {'h5py', 'pandas', 'librosa', 'yfinance', 'obspy', 'torch', 'sktime', 'scipy'}\n"
        "print(json.dumps([sorted(heavy & set(sys.modules)), time.perf_counter() - start]))\n"
    )
    paths = [str(DATASETS / f"{name}.py") for name in NAMES]
    root = str(DATASETS.parent)
    done = subprocess.run(
        [sys.executable, "-c", code, *paths],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={"PYTHONPATH": root},
    )
    heavy, seconds = json.loads(done.stdout)
    assert heavy == []
    assert seconds < 2
