"""Published methods, rankers and an objective, each with the sanity case of its paper."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from tests.doors.conftest import METHODS, rows, transfer
from tsxfer.core.doors import DOORS
from tsxfer.core.plugins import PLUGINS
from tsxfer.store.workspace import Workspace
from tsxfer.testing.doors import CHECKS
from tsxfer.train import watched
from tsxfer.train.batch import Batch
from tsxfer.train.method import Given, Step

NAMES = {
    "method": ("delta", "bss", "bi_tuning", "bitfit", "wise_ft", "mixup"),
    "ranker": ("transrate", "nce", "gbc"),
    "objective": ("next_step",),
}
SLOW = pytest.mark.slow  # its filters are silenced one by one
METHOD_NAMES = [pytest.param(n, marks=SLOW) if n == "delta" else n for n in NAMES["method"]]
ALL = [
    pytest.param(door, name, marks=SLOW if name == "delta" else ())
    for door, names in NAMES.items()
    for name in names
]


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLUGINS, str(METHODS))


def _module(door: str, name: str) -> ModuleType:
    loaded = DOORS[door].load(name)
    assert isinstance(loaded, ModuleType)
    return loaded


@pytest.mark.parametrize(("door", "name"), ALL)
def test_each_is_a_short_file_that_keeps_its_contract(door: str, name: str) -> None:
    """At most 60 lines, deterministic, finite, and named like its file."""
    file = METHODS / f"{name}.py"
    assert len(file.read_text().splitlines()) <= 60
    assert CHECKS[door](name).startswith(name)


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_each_method_makes_a_row(place: Workspace, name: str) -> None:
    """A trial of it ends with scores beside those of the package's own ways."""
    row = rows(place, transfer(f"{name}+spread"))[0]
    assert row.status == "done", row.error
    assert f"method {name}.py" in row.data


def test_delta_weighs_filters_that_the_target_needs() -> None:
    """Attention is largest where a filter alone tells the classes, and sums to 1."""
    torch.manual_seed(0)
    layer = nn.Conv1d(2, 2, 1, bias=False)
    layer.weight.data = torch.eye(2)[:, :, None]
    net = nn.Sequential(layer, nn.AdaptiveAvgPool1d(1), nn.Flatten()).requires_grad_(False)
    y = torch.arange(60) % 2
    x = torch.randn(60, 2, 8) + 3 * torch.stack([y, 0 * y], dim=1)[:, :, None]
    found = _module("method", "delta").attention(net, layer, x, nn.functional.one_hot(y).float())
    assert float(found.sum()) == pytest.approx(1)
    assert found[0] > found[1]
    assert torch.equal(layer.weight.data, torch.eye(2)[:, :, None])


def test_bss_presses_the_smallest_singular_value_alone() -> None:
    """Descent on the penalty shrinks the weakest direction and leaves the others."""
    shrinkage = _module("method", "bss").shrinkage
    features = torch.diag(torch.tensor([3.0, 2.0, 0.5])).requires_grad_()
    loss = shrinkage(features)
    assert float(loss.detach()) == pytest.approx(0.25)
    loss.backward()
    values = torch.linalg.svdvals((features - 0.5 * features.grad).detach())
    assert values.tolist() == pytest.approx([3, 2, 0], abs=1e-6)


def test_bi_tuning_contrasts_less_where_classes_lie_together() -> None:
    """The contrast is small where keys of a window's class are near it, and large where far."""
    contrast = _module("method", "bi_tuning").contrast
    keys, of = torch.eye(4), torch.tensor([0, 0, 1, 1])
    near, far = contrast(keys, of, keys, of), contrast(keys, 1 - of, keys, of)
    assert float(near) < float(far)


def test_bitfit_moves_biases_and_the_head_alone(place: Workspace) -> None:
    """All copied kernels keep the source's bits; something of the backbone still learns."""
    audit = rows(place, transfer("bitfit"))[0].audit
    left = set(audit["copied"]) - set(audit["frozen"])
    assert audit["frozen"]
    assert not any("bias" in name for name in audit["frozen"])
    assert any("bias" in name for name in left)


def _line() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def test_wise_ft_ends_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is the mean of the start and of what training chose."""
    made = watched.of(transfer("wise_ft").reuse.strategy).inner
    model = _line()
    nothing = Batch(torch.zeros(1, 1, 1), torch.zeros(1, 0), torch.zeros(1).long())
    given = Given(model, {}, (), nothing, torch.Generator(), 5, 2)
    made.begin(given)
    before = model.weight.detach().clone()
    with torch.no_grad():
        model.weight += 4
        made.after_epoch(model, 3)  # past the head's own epochs: the start stays
        made.finish(model)
    assert torch.allclose(model.weight, before + 2)


class _Flat(nn.Module):
    """A network whose features are the window, for losses by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _line()

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)


def test_mixup_of_equal_windows_is_the_plain_loss() -> None:
    """Where all windows and labels are the same there is nothing to mix."""
    made = watched.of(transfer("mixup").reuse.strategy).inner
    x, y = torch.ones(6, 1, 3), torch.ones(6).long()
    step = Step(_Flat(), x, torch.zeros(6, 0), y, torch.Generator().manual_seed(0))
    assert float(made.loss(step).detach()) == pytest.approx(float(step.plain().detach()))


def _classes(apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Three classes, each so far out in a direction of its own."""
    draw, codes = np.random.default_rng(0), np.arange(210) % 3
    return draw.normal(size=(210, 3)) + apart * np.eye(3)[codes], codes


@pytest.mark.parametrize("name", ["transrate", "gbc"])
def test_rankers_like_classes_that_lie_apart(name: str) -> None:
    """The score rises with the distance of classes."""
    score = _module("ranker", name).score
    found = [score(*_classes(apart)) for apart in (0.0, 2.0, 8.0)]
    assert found == sorted(found)
    assert found[2] > found[0] + 0.1


def test_gbc_counts_pairs_of_equal_classes() -> None:
    """Classes of the same features overlap wholly: minus one for each ordered pair."""
    features = np.tile(np.random.default_rng(0).normal(size=(50, 3)), (3, 1))
    found = _module("ranker", "gbc").score(features, np.repeat([0, 1, 2], 50))
    assert found == pytest.approx(-6)


def test_nce_is_zero_where_source_classes_tell_the_target() -> None:
    """A function of the source's class leaves no entropy; independence leaves all of it."""
    score, target = _module("ranker", "nce").score, np.arange(100) % 2
    assert score(target + 1, target) == pytest.approx(0)
    assert score(np.arange(100) // 2 % 2, target) == pytest.approx(-np.log(2))


def test_transrate_knows_no_unit() -> None:
    """Features in another unit get the same score; those without classes get nearly none."""
    score, (features, codes) = _module("ranker", "transrate").score, _classes(3.0)
    assert score(1000 * features, codes) == pytest.approx(score(features, codes))
    assert score(*_classes(0.0)) < 0.1


def test_next_step_learns_waves_and_not_noise() -> None:
    """A linear reader of the window tells a sine's next samples, and nothing of noise."""
    kind = _module("objective", "next_step").NextStep
    draw, errors = torch.Generator().manual_seed(0), []
    phase = torch.rand(300, 1, 1, generator=draw) * 6.3
    wave = torch.sin(0.4 * torch.arange(64) + phase)
    for x in (wave, torch.randn(300, 1, 64, generator=draw)):
        part = Batch(x, torch.zeros(300, 1), torch.zeros(300).long())
        asked, come = kind(1, 64).asked(part)
        flat = asked.x.flatten(1)
        weights = torch.linalg.lstsq(flat[:150], come[:150], driver="gelsd").solution
        _, score, blind = kind(1, 64).pretext(part, 0)
        errors.append(score((flat @ weights).numpy())[1] / blind)
    assert errors[0] < 0.01
    assert errors[1] > 0.7
