"""The fast forms give what the plain layers give: outputs and gradients."""

import pytest
import torch
from torch import nn

from bench.plain import Plain
from tsxfer.models.base import build
from tsxfer.models.draws import Streams
from tsxfer.models.layers import own_stream, same_padding

MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn")


@pytest.mark.parametrize(("length", "sides"), [(8, (0, 1)), (9, (1, 1)), (1, (1, 1)), (2, (0, 1))])
def test_same_padding_is_tensorflows(length: int, sides: tuple[int, int]) -> None:
    """The odd sample goes to the right (kernel 3, stride 2)."""
    assert same_padding(length, 3, 2) == sides


@pytest.mark.parametrize("length", [50, 161, 300, 1000])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_fast_and_plain_forms_agree(name: str, channels: int, length: int) -> None:
    """Within the rounding of sums in another order, for odd and even lengths."""
    model = build(name, channels=channels, length=length, extra=1, outputs=3, seed=1)
    plain = Plain(model)
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    torch.manual_seed(0)
    x, extra = torch.randn(6, channels, length), torch.randn(6, 1)
    found = []
    for forward in (model, plain):
        model.zero_grad()
        out = forward(x, extra)
        out.square().sum().backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append((out.detach(), gradient))
    assert sum(p.grad is not None for p in model.parameters()) == len(list(model.parameters()))
    (fast, fast_gradient), (slow, slow_gradient) = found
    assert torch.allclose(fast, slow, rtol=1e-4, atol=1e-5)
    assert (fast_gradient - slow_gradient).norm() < 1e-4 * slow_gradient.norm()


def test_a_step_of_a_tcn_reads_only_what_its_receptive_field_holds() -> None:
    """The first sample of a window as long as the field matters, one before it does not."""
    field = 1 + 2 * 7 * (2**9 - 1)
    model = build("tcn", channels=1, length=field + 1, extra=0, outputs=1, seed=0)
    x = torch.randn(1, 1, field + 1, requires_grad=True)
    model(x, torch.zeros(1, 0)).sum().backward()
    assert x.grad is not None
    assert x.grad[0, 0, 0] == 0
    assert x.grad[0, 0, -field:].abs().sum() > 0


def test_dropout_of_a_plugin_draws_in_a_stack_what_it_draws_alone() -> None:
    """Behind layers that are PyTorch's own, elements are drawn in the order that they lie in."""
    x = torch.ones(2, 3, 4, 5)  # replica, batch, patch, width
    net = nn.Sequential(nn.Dropout(0.5))
    alone = []
    for seed, one in enumerate(x):
        own_stream(net, seed, one.device)
        alone.append(net(one))
    each = tuple(torch.Generator().manual_seed(seed) for seed in range(len(x)))
    net[0].generator = Streams(each)  # type: ignore[assignment]
    assert torch.equal(torch.func.vmap(net)(x), torch.stack(alone))
