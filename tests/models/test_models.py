"""The four architectures against the study's published parameter counts."""

import pytest
import torch

from tsxfer.errors import SpecError
from tsxfer.models.base import REGISTRY, Backbone, build
from tsxfer.testing import check_backbone
from tsxfer.train.reuse import take_over, transferred

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


def test_resnets_count_is_that_of_its_reference() -> None:
    """506,818 with one channel and two classes, as in the authors' Keras code (dl-4-tsc)."""
    model = build("resnet", channels=1, length=96, extra=0, outputs=2, seed=0)
    running = sum(b.numel() for n, b in model.named_buffers() if "running" in n)
    assert sum(p.numel() for p in model.parameters()) + running == 506_818


def test_inception_times_count_is_that_of_its_reference() -> None:
    """420,192 trainable numbers with one channel and no first bottleneck, 491,008 with eight."""
    one = build("inception_time", channels=1, length=96, extra=0, outputs=2, seed=0).backbone
    narrow, kernels = 1 * 32, 32 * (40 + 20 + 10)
    bottleneck = narrow + 32 * kernels - 1 * kernels  # what our first bottleneck adds
    assert sum(p.numel() for p in one.parameters()) - bottleneck == 420_192
    eight = build("inception_time", channels=8, length=96, extra=0, outputs=2, seed=0).backbone
    modules = 8 * 32 + 32 * kernels + 8 * 32 + 5 * (2 * 128 * 32 + 32 * kernels)
    shortcuts, norms = 8 * 128 + 128 * 128, (6 + 2) * 2 * 128
    assert sum(p.numel() for p in eight.parameters()) == modules + shortcuts + norms


@pytest.mark.parametrize(("name", "blocks"), [("resnet", 3), ("inception_time", 6)])
def test_the_first_number_in_a_name_is_the_block(name: str, blocks: int) -> None:
    """Layers are distinguished by it where only the first ones are copied, shortcuts included."""
    model = build(name, channels=3, length=60, extra=0, outputs=2, seed=0)
    numbers = [
        next(int(word) for word in n.split(".") if word.isdigit())
        for n, _ in model.backbone.named_parameters()
    ]
    assert set(numbers) == set(range(blocks))
    ends = {n.split(".")[1] for n, _ in model.backbone.named_parameters() if "shortcuts" in n}
    assert ends == ({"0", "1"} if name == "resnet" else {"2", "5"})


@pytest.mark.parametrize("name", ["resnet", "inception_time"])
def test_transfer_copies_convolutions_between_channel_counts(name: str) -> None:
    """From one channel to eight every named tensor has one to copy; normalisation stays fresh."""
    source = build(name, channels=1, length=200, extra=1, outputs=5, seed=1)
    target = build(name, channels=8, length=60, extra=1, outputs=2, seed=2)
    given = {n: p.detach() for n, p in source.named_parameters()}
    audit = take_over(target, given).audit
    assert all("norms" in n or "around" in n or "head" in n for n in audit["renewed"])
    last = [
        n for n in audit["copied"] if given[n].shape == dict(target.named_parameters())[n].shape
    ]
    assert len(last) > len(audit["copied"]) / 2
    assert all(torch.equal(dict(target.named_parameters())[n], given[n]) for n in last)


def test_residual_blocks_do_what_their_papers_draw() -> None:
    """With convolutions at zero, ResNet passes its normalised input on, InceptionTime ReLU(0)."""
    for name in ("resnet", "inception_time"):
        backbone = build(name, channels=128, length=30, extra=0, outputs=2, seed=0).backbone.eval()
        with torch.no_grad():
            for parameter_name, p in backbone.named_parameters():
                if p.ndim == 3 or parameter_name.endswith("bias"):
                    p.zero_()
            assert torch.equal(backbone(torch.randn(2, 128, 30)), torch.zeros(2, 128))


@pytest.mark.parametrize("name", [*COUNTS, "resnet", "inception_time"])
def test_backbones_keep_the_contract(name: str) -> None:
    """Each backbone passes the check that users run on their own."""
    kinds = [
        v
        for v in vars(REGISTRY.load(name)).values()
        if isinstance(v, type) and issubclass(v, Backbone) and v is not Backbone
    ]
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
