"""The four architectures against the study's published parameter counts."""

import pytest
import torch

from tsxfer.errors import SpecError
from tsxfer.models.base import REGISTRY, Backbone, build
from tsxfer.testing import check_backbone
from tsxfer.train.reuse import transferred

# length, amplitude fed, outputs: LOMAX, LEN-DB, STEAD, speech, EMG, S&P 500
TARGETS = ((1001, 1, 1), (540, 1, 1), (6000, 0, 1), (8000, 1, 35), (80, 1, 4), (50, 1, 1))
COUNTS = {
    "convnetquake": (25_152, (29_508, 29_508, 173_377, 306_824, 26_410, 26_308)),
    "magnet": (6_816, (114_218, 114_218, 114_217, 121_086, 114_824, 114_218)),
    "mlstm_fcn": (265_728, (310_474, 295_722, 470_441, 539_134, 281_416, 280_042)),
    "tcn": (79_440, (79_466, 79_466, 79_465, 80_350, 79_544, 79_466)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts_are_the_studys(name: str) -> None:
    """Transferred and total counts equal those computed from the original for all six targets."""
    moved, totals = COUNTS[name]
    for (length, extra, outputs), total in zip(TARGETS, totals, strict=True):
        model = build(name, channels=3, length=length, extra=extra, outputs=outputs, seed=0)
        tensors = dict(model.named_parameters())
        running = sum(b.numel() for n, b in model.named_buffers() if "running" in n)
        assert sum(p.numel() for p in tensors.values()) + running == total
        assert sum(tensors[n].numel() for n in transferred(model)) == moved


@pytest.mark.parametrize("name", COUNTS)
def test_backbones_keep_the_contract(name: str) -> None:
    """Each backbone passes the check that users run on their own."""
    kinds = [
        v for v in vars(REGISTRY.load(name)).values()
        if isinstance(v, type) and issubclass(v, Backbone) and v is not Backbone
    ]  # fmt: skip
    check_backbone(kinds[0])
    check_backbone(kinds[0], channels=1, length=50)


def test_chance_outside_of_the_models_own_stream_is_refused() -> None:
    """A functional dropout draws from the global stream, where packs would change its numbers."""

    class Noisy(Backbone):
        transferred = ("layer.",)

        def __init__(self, channels: int, length: int) -> None:
            super().__init__()
            self.layer, self.features = torch.nn.Conv1d(channels, 4, 3), 4 * (length - 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(self.layer(x).flatten(1), 0.5, self.training)

    with pytest.raises(SpecError, match="global stream"):
        check_backbone(Noisy)


@pytest.mark.parametrize("name", COUNTS)
def test_the_seed_alone_decides_the_weights(name: str) -> None:
    """The same seed gives the same weights whatever was drawn before, and another one others."""
    shape = {"channels": 3, "length": 60, "extra": 1, "outputs": 2}
    first = build(name, **shape, seed=4).state_dict()
    torch.rand(7)
    second, third = (
        build(name, **shape, seed=4).state_dict(),
        build(name, **shape, seed=5).state_dict(),
    )
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert any(not torch.equal(first[k], third[k]) for k in first)


def test_a_zero_channel_leaves_the_lstms_state() -> None:
    """MLSTM-FCN skips an all-zero channel as Keras' Masking does."""
    model = build("mlstm_fcn", channels=3, length=20, extra=0, outputs=1, seed=0).backbone.eval()
    x = torch.randn(2, 3, 20)
    x[:, 2] = 0
    assert torch.allclose(model._remember(x), model._remember(x[:, :2]))


def test_an_unknown_model_is_refused_with_a_near_one() -> None:
    """A misspelt model suggests what was meant."""
    with pytest.raises(SpecError, match="magnet"):
        build("magnett", channels=1, length=8, extra=0, outputs=1, seed=0)
