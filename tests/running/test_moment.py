"""MOMENT as a backbone that is trained: features of its package, its folder, a scratch twin.

Real weights are 150 MB and more, so that all of this is of a tiny network in the same layout.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.small import filled, job
from tsxfer.core.models_index import REGISTRY
from tsxfer.core.plugins import PLUGINS
from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import named
from tsxfer.errors import SpecError
from tsxfer.models.base import build
from tsxfer.own import weights
from tsxfer.running.given import check, fitting
from tsxfer.running.runner import run
from tsxfer.store.workspace import Workspace
from tsxfer.testing import check_backbone
from tsxfer.train import reuse

FOLDER = Path(__file__).resolve().parents[2] / "experiments/foundations"
TINY = (16, 2, 2, 24)  # width, blocks, heads, hidden units
BESIDE = (  # in a published file, and read by nothing here
    "patch_embedding.mask_embedding",
    "patch_embedding.position_embedding.pe",
    "encoder.embed_tokens.weight",
    "head.linear.weight",
    "head.linear.bias",
)
PUBLISHED = {"small": 37.9, "base": 113.5, "large": 346.3}  # millions of numbers of MOMENT-1
EXPECTED: dict[int, list[float]] = {  # features 14 to 19 by momentfm 0.1.4, of `_filled` weights
    512: [0.02807, 0.205818, 0.0, 0.032024, -0.019703, -0.028875],
    300: [0.028583, 0.206005, 0.0, 0.012053, 0.005333, -0.010121],
    50: [0.042087, 0.208981, 0.0, 0.03634, -0.06522, -0.241561],
    20: [0.026094, 0.20481, 0.0, 0.361575, -0.170559, -0.189654],
}
CONFIG = {
    "task_name": "reconstruction",
    "model_name": "MOMENT",
    "transformer_type": "encoder_only",
    "d_model": None,
    "seq_len": 512,
    "patch_len": 8,
    "patch_stride_len": 8,
    "transformer_backbone": "google/flan-t5-small",
    "t5_config": {
        "d_model": 16,
        "d_kv": 64,
        "d_ff": 24,
        "num_layers": 2,
        "num_heads": 2,
        "vocab_size": 32,
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.1,
        "is_encoder_decoder": False,
        "model_type": "t5",
    },
}


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plugin's file, with a tiny size beside the published ones."""
    monkeypatch.setenv(PLUGINS, str(FOLDER / "moment.py"))
    loaded: ModuleType = REGISTRY.load("moment")
    monkeypatch.setitem(loaded.SIZES, "tiny", TINY)
    monkeypatch.setattr(loaded, "SIZE", "tiny")
    return loaded


def _filled(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The same numbers everywhere, without a random stream."""
    waves = {
        n: 0.3 * torch.sin(torch.arange(torch.Size(s).numel()) * (1.7 + i))
        for i, (n, s) in enumerate(sorted(shapes.items()))
    }
    return {n: wave.reshape(shapes[n]) for n, wave in waves.items()}


def _windows(length: int) -> Tensor:
    """Two windows of two channels."""
    time = torch.arange(length) / 9
    return torch.stack([torch.sin(time * k) + 0.1 * k * time for k in (1, 2, 3, 4)]).view(2, 2, -1)


def _network(plugin: ModuleType) -> torch.nn.Module:
    network: torch.nn.Module = plugin.Moment(*TINY)
    state = _filled({n: tuple(t.shape) for n, t in network.state_dict().items()})
    network.load_state_dict(state)
    return network.eval()


def _folder(plugin: ModuleType, place: Path) -> dict[str, Tensor]:
    """A folder as published; its tensors."""
    shapes = {n: tuple(t.shape) for n, t in _network(plugin).state_dict().items()}
    shapes |= dict(zip(BESIDE, [(16,), (1, 50, 16), (32, 16), (8, 16), (8,)], strict=True))
    held = _filled(shapes)
    place.mkdir()
    save_file(held, place / "model.safetensors")
    (place / "config.json").write_text(json.dumps(CONFIG))
    return held


@pytest.mark.parametrize("length", EXPECTED)
def test_features_are_those_of_its_package(plugin: ModuleType, length: int) -> None:
    """Of windows as long as it reads, shorter, and of no whole number of patches."""
    with torch.no_grad():
        features = _network(plugin)(_windows(length))
    assert features.shape == (2, 32)
    assert torch.allclose(features[1, 14:20], torch.tensor(EXPECTED[length]), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("length", [512, 300, 50, 8])
def test_features_are_those_of_the_package_that_is_here(plugin: ModuleType, length: int) -> None:
    """All of them, to 1e-5, with the weights loaded by the package itself."""
    reason = "needs momentfm (pip install --no-deps momentfm) beside transformers"
    momentfm = pytest.importorskip("momentfm", reason=reason, exc_type=ImportError)
    theirs = momentfm.MOMENT({**CONFIG, "task_name": "embedding"}, model_kwargs={}).eval()
    theirs.load_state_dict(_network(plugin).state_dict(), strict=False)
    windows, missing = _windows(length), 512 - length
    series = torch.nn.functional.pad(windows.reshape(-1, 1, length), (missing, 0))
    mask = (torch.arange(512) >= missing).float().expand(len(series), -1)
    with torch.no_grad():
        wanted = theirs.embed(x_enc=series, input_mask=mask).embeddings.reshape(2, -1)
        assert torch.allclose(_network(plugin)(windows), wanted, atol=1e-5)


@pytest.mark.parametrize("size", PUBLISHED)
def test_each_size_has_the_published_number_of_weights(
    plugin: ModuleType, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the table of words and the places, which a published file holds too."""
    for start in ("orthogonal_", "normal_", "kaiming_uniform_"):  # so that no memory is touched
        monkeypatch.setattr(torch.nn.init, start, lambda *_, **__: None)
    width = plugin.SIZES[size][0]
    network = plugin.Moment(*plugin.SIZES[size])
    count = sum(t.numel() for t in network.parameters()) + (32_128 + 5000) * width
    assert count / 1e6 == pytest.approx(PUBLISHED[size], abs=0.06)


@pytest.mark.usefixtures("plugin")
def test_it_keeps_the_contract_of_a_backbone() -> None:
    """Windows longer and shorter than it reads; one that holds no patch is refused."""
    from tsxfer.models.base import backbone_in

    kind = backbone_in(vars(REGISTRY.load("moment")), "moment")
    for length in (600, 30):
        check_backbone(kind, 2, length)
    with pytest.raises(SpecError, match="patches of 8 samples, a window has 7"):
        kind(2, 7)


def test_a_published_folder_is_a_source(plugin: ModuleType, tmp_path: Path) -> None:
    """All that it reads is copied; scratch is the same network, afresh, and so are controls."""
    place = filled(Workspace(tmp_path / "ws"), 120, ("emg+sim",))
    held = _folder(plugin, tmp_path / "MOMENT-1-tiny")
    card = weights.bring(str(tmp_path / "MOMENT-1-tiny"), (), place)
    origin = Trial(card.name, "moment", "all", 0)
    mapping = fitting(origin, "emg+sim@1", place)
    assert set(mapping.unused) == set(BESIDE)
    assert card.channels == 0  # it has none: its table of places is no kernel
    assert all(torch.equal(t, held[mapping.names[n]]) for n, t in mapping.weights.items())
    plain = Trial("emg+sim@1", "moment", "n=40", 0, Recipe(epochs=1), reuse=Reuse(origin))
    starts = ("weights", "permuted", "untrained")
    reuses = [Reuse(origin, start=start) for start in starts]  # type: ignore[arg-type]
    transfers = [replace(plain, reuse=one) for one in reuses]
    rows: list[Result] = [run(job(place, trial)) for trial in (*transfers, plain.twin())]
    assert [row.status for row in rows] == ["done"] * 4
    assert len({row.begin for row in rows}) == 4
    assert len(rows[0].audit["copied"]) == len(mapping.weights)
    assert {*rows[0].audit["copied"], *rows[0].audit["renewed"]} == {*rows[3].audit["renewed"]}
    assert "moment" in check([plain], place)[0]


@pytest.mark.usefixtures("plugin")
def test_the_embedding_of_patches_is_its_first_block() -> None:
    """What stands before all numbered layers is copied, thawed and slowed down as the first."""
    model = build("moment", channels=1, length=64, extra=0, outputs=2, seed=0)
    first, second, third, *_ = reuse.blocks(reuse.transferred(model))
    assert first == ["backbone.net.patch_embedding.value_embedding.weight"]
    assert {n.split(".")[4] for n in second} == {"0"}
    assert {n.split(".")[4] for n in third} == {"1"}
    (copied,) = reuse.chosen(model, reuse.tensors(model), named("first_1"))
    assert copied == first


def test_another_size_is_refused_with_both_sides(plugin: ModuleType, tmp_path: Path) -> None:
    """A file of another width fits nowhere, and the shapes say why."""
    place = filled(Workspace(tmp_path / "ws"), 60, ("emg+sim",))
    _folder(plugin, tmp_path / "tiny")
    card = weights.bring(str(tmp_path / "tiny"), (), place)
    plugin.SIZES["tiny"] = (32, 2, 2, 24)
    with pytest.raises(SpecError, match="no tensor in common by name and shape") as caught:
        fitting(Trial(card.name, "moment", "all", 0), "emg+sim@1", place)
    assert "value_embedding.weight (16, 8)" in str(caught.value)
    assert "value_embedding.weight (32, 8)" in str(caught.value)
