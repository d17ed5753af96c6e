"""Foundation models: another interpreter, weights on disk, no download, and one clear message."""

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.baselines.made import ran, scratch
from tsxfer.baselines import foundations
from tsxfer.baselines.embeddings import embed
from tsxfer.core.specs import NO_BACKBONE, Trial
from tsxfer.errors import SpecError
from tsxfer.running.fingerprints import fingerprints
from tsxfer.stats.cells import SAME_LABELS, unequal
from tsxfer.store.workspace import Workspace

# A stand-in for `mantis-tsfm` and `momentfm`: their entry points, one small tensor, no network.
MANTIS = """
import os
import torch
from pathlib import Path
from safetensors.torch import load_file

assert os.environ["HF_HUB_OFFLINE"] == "1"

class MantisV1(torch.nn.Module):
    def __init__(self, device):
        super().__init__()
        self.mix = torch.nn.Parameter(torch.randn(512, 3))
    def from_pretrained(self, folder, local_files_only):
        assert local_files_only
        held = load_file(str(Path(folder) / "model.safetensors"))
        self.load_state_dict(held, strict=False)  # as the hub's mixin does
        return self
    def forward(self, x):
        assert x.shape[1:] == (1, 512) and not self.training
        return x[:, 0] @ self.mix

class Mantis8M(MantisV1):
    pass
"""
MOMENT = """
import torch
from pathlib import Path
from types import SimpleNamespace
from safetensors.torch import load_file

class MOMENTPipeline(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Parameter(torch.randn(512, 3))
        self.task = "reconstruction"
    @classmethod
    def from_pretrained(cls, folder, model_kwargs, local_files_only):
        assert local_files_only and model_kwargs == {"task_name": "embedding"}
        made = cls()
        made.load_state_dict(load_file(str(Path(folder) / "model.safetensors")), strict=False)
        return made
    def init(self):
        self.task = "embedding"
    def forward(self, *, x_enc, input_mask):
        assert self.task == "embedding" and x_enc.shape[1:] == (1, 512)
        assert input_mask.shape == (len(x_enc), 512)
        return SimpleNamespace(embeddings=(x_enc[:, 0] * input_mask) @ self.mix)
"""


def _python(folder: Path) -> Path:
    """An interpreter that finds the stand-ins, and nothing of ours."""
    packages = folder / "packages"
    (packages / "mantis").mkdir(parents=True)
    (packages / "mantis" / "__init__.py").write_text("")
    (packages / "mantis" / "architecture.py").write_text(MANTIS)
    (packages / "momentfm.py").write_text(MOMENT)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec {sys.executable} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return python


def _weights(folder: Path, seed: int, name: str = "mix") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    mix = np.random.default_rng(seed).normal(size=(512, 3)).astype(np.float32)
    save_file({name: mix}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights and an interpreter for both models."""
    python = _python(tmp_path)
    for name in ("mantis", "moment"):
        monkeypatch.setenv(foundations.variable(name), str(_weights(tmp_path / name, 1)))
        monkeypatch.setenv(f"{foundations.variable(name)}_PYTHON", str(python))
    return tmp_path


@pytest.mark.parametrize("name", ["mantis", "moment"])
def test_each_channel_is_embedded_alone(models: Path, name: str, tmp_path: Path) -> None:
    """Channels lie side by side, short and long windows are brought to 512 samples."""
    mix = np.random.default_rng(1).normal(size=(512, 3)).astype(np.float32)
    place = Workspace(tmp_path / "w")
    x = np.random.default_rng(2).normal(size=(5, 2, 512)).astype(np.float32)
    found = embed(name, place, 1, x)
    assert np.allclose(found, np.hstack([x[:, 0] @ mix, x[:, 1] @ mix]), atol=1e-3)
    assert embed(name, place, 1, x[:, :, :60]).shape == (5, 6)
    assert embed(name, place, 1, np.repeat(x, 3, axis=2)).shape == (5, 6)


def test_embeddings_are_kept_by_content(models: Path, tmp_path: Path) -> None:
    """The same windows and weights are not embedded twice; other weights or windows are."""
    place = Workspace(tmp_path / "w")
    x = np.random.default_rng(2).normal(size=(5, 1, 80)).astype(np.float32)
    first = embed("mantis", place, 1, x)
    (models / "python").write_text("#!/bin/sh\nexit 9\n")
    assert np.array_equal(embed("mantis", place, 1, x), first)
    with pytest.raises(SpecError, match="gave no embeddings"):
        embed("mantis", place, 1, x + 1)
    _weights(models / "mantis", 2)
    with pytest.raises(SpecError, match="gave no embeddings"):
        embed("mantis", place, 1, x)
    assert not list((place.root / "embeddings").glob(".*"))


@pytest.mark.parametrize("name", ["mantis", "moment"])
def test_a_foundation_model_is_a_baseline_like_the_others(
    models: Path, name: str, place: Workspace
) -> None:
    """Terms of scratch, the hash of the weights on the row and among what it was made from."""
    row = ran(place, "emg+sim@1", name)  # type: ignore[arg-type]
    assert unequal(row, scratch(place, "emg+sim@1"), SAME_LABELS) == []
    digest = foundations.digest(name)
    assert row.labels == ("simulated", f"foundation weights: {name} {digest}")
    assert row.data[f"{name} weights"] == digest
    assert row.data == fingerprints(place, row.trial)
    _weights(models / name, 3)
    assert row.data != fingerprints(place, row.trial)


def test_what_is_missing_is_said_with_its_mend(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variable, folder, interpreter, package, and weights of another model: one message each."""
    place, x = Workspace(tmp_path / "w"), np.zeros((2, 1, 20), np.float32)

    def refused(variable: str, value: str) -> SpecError:
        with monkeypatch.context() as patched:
            patched.setenv(variable, value)
            with pytest.raises(SpecError) as caught:
                embed("mantis", place, 1, x)
        assert caught.value.mend
        return caught.value

    assert "export TSXFER_MANTIS=FOLDER" in refused("TSXFER_MANTIS", "").mend
    assert "holds no config.json" in refused("TSXFER_MANTIS", str(tmp_path / "no")).problem
    assert "does not start" in refused("TSXFER_MANTIS_PYTHON", str(tmp_path / "no")).problem
    bare = refused("TSXFER_MANTIS_PYTHON", sys.executable)
    assert "cannot load mantis-tsfm" in bare.problem
    assert "-m pip install mantis-tsfm" in bare.mend
    _weights(models / "mantis", 1, name="other")
    assert "tensors do not fit" in refused("UNUSED", "").problem


def test_a_study_asks_for_weights_before_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing weights are told from the trials alone, and only where one asks for them."""
    monkeypatch.delenv("TSXFER_MANTIS", raising=False)
    trial = Trial("emg@1", NO_BACKBONE, "100", 0, baseline="mantis")
    with pytest.raises(SpecError, match="needs weights"):
        foundations.check([trial])
    foundations.check([Trial("emg@1", NO_BACKBONE, "100", 0, baseline="summary")])
    assert foundations.fingerprint(trial) == {}


@pytest.mark.skipif(
    "TSXFER_MANTIS" not in os.environ,
    reason="no Mantis: set TSXFER_MANTIS and TSXFER_MANTIS_PYTHON",
)
def test_mantis_itself_embeds(tmp_path: Path) -> None:
    """The true package loads the named weights and gives a vector for each channel."""
    x = np.random.default_rng(2).normal(size=(3, 2, 80)).astype(np.float32)
    found = embed("mantis", Workspace(tmp_path), 1, x)
    assert found.shape[0] == 3
    assert found.shape[1] % 2 == 0
    assert len(np.unique(found.round(6), axis=0)) == 3
