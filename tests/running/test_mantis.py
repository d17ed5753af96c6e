"""Mantis as a backbone that is trained: its published layout, a scratch twin of the same network.

The package is stood in for by modules of the same names and far fewer numbers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.small import filled, job
from tsxfer.core.plugins import PLUGINS
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.errors import SpecError
from tsxfer.own import weights
from tsxfer.running.given import fitting
from tsxfer.running.runner import run
from tsxfer.store.workspace import Workspace

FOLDER = Path(__file__).resolve().parents[2] / "experiments/foundations"


class Mantis8M(nn.Module):
    """Names and shapes of input and output as in mantis-tsfm 1.1; 8 features in place of 256."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.tokgen_unit = nn.Module()
        self.tokgen_unit.convs = nn.ModuleList([nn.Conv1d(1, 8, 17) for _ in range(2)])
        self.vit_unit = nn.Module()
        self.vit_unit.cls_token = nn.Parameter(torch.randn(8))
        self.prj = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8))
        self.to(device)

    def forward(self, x: Tensor) -> Tensor:
        """Series ``(n, 1, 512)`` to features."""
        assert x.shape[1:] == (1, 512)
        first, second = (layer(x).mean(dim=2) for layer in self.tokgen_unit.convs)
        return first + second + self.vit_unit.cls_token


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin's folder, and a package of that name."""
    monkeypatch.setenv(PLUGINS, str(FOLDER))
    package, architecture = ModuleType("mantis"), ModuleType("mantis.architecture")
    package.architecture = architecture  # type: ignore[attr-defined]
    architecture.Mantis8M = Mantis8M  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mantis", package)
    monkeypatch.setitem(sys.modules, "mantis.architecture", architecture)


@pytest.mark.usefixtures("plugin")
def test_a_published_folder_is_a_source(tmp_path: Path) -> None:
    """All of its tensors but the projector are copied; scratch is the same network, afresh."""
    place = filled(Workspace(tmp_path / "ws"), 120, ("emg+sim",))
    published = {n: t.clone() for n, t in Mantis8M("cpu").state_dict().items()}
    (tmp_path / "Mantis-8M").mkdir()
    save_file(published, tmp_path / "Mantis-8M" / "model.safetensors")
    (tmp_path / "Mantis-8M" / "config.json").write_text("{}")
    card = weights.bring(str(tmp_path / "Mantis-8M"), (), place)
    origin = Trial(card.name, "mantis", "all", 0)
    mapping = fitting(origin, "emg+sim@1", place)
    assert {n for n in published if not n.startswith("prj.")} == set(mapping.names.values())
    assert all(torch.equal(t, published[mapping.names[n]]) for n, t in mapping.weights.items())
    transfer = Trial("emg+sim@1", "mantis", "n=40", 0, Recipe(epochs=1), reuse=Reuse(origin))
    rows = [run(job(place, trial)) for trial in (transfer, transfer.twin())]
    assert [row.status for row in rows] == ["done", "done"]
    assert {*rows[0].audit["copied"], *rows[0].audit["renewed"]} == {*rows[1].audit["renewed"]}
    assert len(rows[0].audit["copied"]) == 5


def test_without_the_package_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    from tsxfer.models.base import build

    monkeypatch.setenv(PLUGINS, str(FOLDER))
    monkeypatch.setitem(sys.modules, "mantis", None)
    with pytest.raises(SpecError, match="needs the package mantis-tsfm") as caught:
        build("mantis", channels=1, length=64, extra=0, outputs=2, seed=0)
    assert "pip install mantis-tsfm" in caught.value.mend
