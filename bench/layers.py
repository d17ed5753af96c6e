"""Which way trains a layer of several replicas fastest: forward and backward, layer by layer.

Run: python -m bench.layers [--device cuda] [--replicas 7]

A way gives the outputs of all replicas from stacked weights; each is checked against one after the
other in plain layers before it is timed. ``-``: the way does not exist for that layer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional

from tsxfer.models.layers import convolve, halve, same_padding

BATCH = 64
Weights = dict[str, Tensor]
Way = Callable[[nn.Module, Weights, Tensor], Tensor | Sequence[Tensor]]
"""A layer, its weights ``(replica, ...)`` and input ``(replica, batch, ...)`` to the outputs."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the four architectures.

    Attributes:
        make: Builds one.
        shape: Of one instance of input.
        run: Plain forward of one replica.
        fast: tsxfer's forward of one replica, where it has its own.
        stacked: Forward of all replicas at once, by name of the way.
    """

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    run: Callable[[nn.Module, Tensor], Tensor]
    fast: Callable[[nn.Module, Tensor], Tensor] | None
    stacked: dict[str, Way]


def _conv(layer: nn.Conv1d, x: Tensor) -> Tensor:
    padded = functional.pad(x, _padding(layer, x.shape[-1]))
    return functional.relu(
        functional.conv1d(padded, layer.weight, layer.bias, layer.stride, 0, layer.dilation)
    )


def _padding(layer: nn.Conv1d, length: int) -> tuple[int, int]:
    if layer.dilation[0] > 1:
        return (layer.dilation[0] * (layer.kernel_size[0] - 1), 0)
    return same_padding(length, layer.kernel_size[0], layer.stride[0])


def _convolve(layer: nn.Conv1d, x: Tensor) -> Tensor:
    return functional.relu(convolve(x, layer, _padding(layer, x.shape[-1])))


def _grouped(layer: nn.Conv1d, weights: Weights, x: Tensor) -> Tensor:
    """All replicas as groups of one wide convolution."""
    count, batch, channels, length = x.shape
    wide = x.transpose(0, 1).reshape(batch, count * channels, length)
    wide = functional.pad(wide, _padding(layer, length))
    kernel, bias = weights["weight"].flatten(0, 1), weights["bias"].flatten()
    y = functional.conv1d(wide, kernel, bias, layer.stride, 0, layer.dilation, groups=count)
    return functional.relu(y.view(batch, count, -1, y.shape[-1]).transpose(0, 1))


def _products(layer: nn.Conv1d, weights: Weights, x: Tensor) -> Tensor:
    """Windows laid out, then one batched matrix product."""
    count, batch, _, length = x.shape
    x = functional.pad(x, _padding(layer, length))
    reach = layer.dilation[0] * (layer.kernel_size[0] - 1) + 1
    windows = x.unfold(-1, reach, layer.stride[0])[..., :: layer.dilation[0]]
    steps = windows.shape[3]
    columns = windows.permute(0, 1, 3, 2, 4).reshape(count, batch * steps, -1)
    y = torch.baddbmm(weights["bias"][:, None], columns, weights["weight"].flatten(2).mT)
    return functional.relu(y.view(count, batch, steps, -1).transpose(2, 3))


def _norm_wide(layer: nn.BatchNorm1d, weights: Weights, x: Tensor) -> Tensor:
    """Replicas as further channels of one normalisation."""
    count, batch, channels, length = x.shape
    wide = x.transpose(0, 1).reshape(batch, count * channels, length)
    y = functional.batch_norm(
        wide,
        None,
        None,
        weights["weight"].flatten(),
        weights["bias"].flatten(),
        True,
        0.0,
        layer.eps,
    )
    return y.view(batch, count, channels, length).transpose(0, 1)


def _dense(layer: nn.Linear, weights: Weights, x: Tensor) -> Tensor:
    del layer
    return torch.baddbmm(weights["bias"][:, None], x, weights["weight"].mT)


def _lstm(layer: nn.LSTM, weights: Weights, x: Tensor) -> Tensor:
    """Gates of all replicas as batched products, step by step."""
    hidden = layer.hidden_size
    bias = (weights["bias_ih_l0"] + weights["bias_hh_l0"])[:, None, None]
    reads = torch.einsum("rbtc,rgc->rbtg", x, weights["weight_ih_l0"]) + bias
    back = weights["weight_hh_l0"].mT
    state = cell = x.new_zeros(*x.shape[:2], hidden)
    for step in range(x.shape[2]):
        entry, forget, fresh, out = (reads[:, :, step] + state @ back).chunk(4, dim=-1)
        cell = forget.sigmoid() * cell + entry.sigmoid() * fresh.tanh()
        state = out.sigmoid() * cell.tanh()
    return state


def _last(layer: nn.LSTM, x: Tensor) -> Tensor:
    return layer(x)[1][0][0]


def _normalise(layer: nn.BatchNorm1d, x: Tensor) -> Tensor:
    return functional.batch_norm(x, None, None, layer.weight, layer.bias, True, 0.0, layer.eps)


CONVOLUTIONS = {"grouped": _grouped, "bmm": _products}
LAYERS: dict[str, Layer] = {
    "conv 32>32 k3 stride 2, 300": Layer(
        lambda: nn.Conv1d(32, 32, 3, 2), (32, 300), _conv, lambda m, x: halve(x, m), CONVOLUTIONS
    ),
    "conv 24>24 k8 dilated 4, 300": Layer(
        lambda: nn.Conv1d(24, 24, 8, dilation=4), (24, 300), _conv, _convolve, CONVOLUTIONS
    ),
    "conv 128>256 k5, 300": Layer(
        lambda: nn.Conv1d(128, 256, 5), (128, 300), _conv, _convolve, CONVOLUTIONS
    ),
    "batch norm 128, 300": Layer(
        lambda: nn.BatchNorm1d(128), (128, 300), _normalise, None, {"grouped": _norm_wide}
    ),
    "LSTM 32>100, 19 steps": Layer(
        lambda: nn.LSTM(32, 100, batch_first=True), (19, 32), _last, None, {"bmm": _lstm}
    ),
    "dense 96>96": Layer(
        lambda: nn.Linear(96, 96), (96,), lambda m, x: m(x), None, {"bmm": _dense}
    ),
}


class _Called(nn.Module):
    """A forward as a module, so that its weights can be given from outside."""

    def __init__(self, layer: nn.Module, run: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self._run = layer, run

    def forward(self, x: Tensor) -> Tensor:
        return self._run(self.layer, x)


def _vmapped(run: Callable[[nn.Module, Tensor], Tensor]) -> Way:
    def way(layer: nn.Module, weights: Weights, x: Tensor) -> Tensor:
        called = _Called(layer, run)
        named = {f"layer.{name}": value for name, value in weights.items()}
        return vmap(lambda w, one: functional_call(called, w, (one,)))(named, x)

    return way


def _in_turn(run: Callable[[nn.Module, Tensor], Tensor]) -> Way:
    def way(layer: nn.Module, weights: Weights, x: Tensor) -> list[Tensor]:
        called = _Called(layer, run)
        return [
            functional_call(called, {f"layer.{n}": v[i] for n, v in weights.items()}, (x[i],))
            for i in range(len(x))
        ]

    return way


def ways(layer: Layer) -> dict[str, Way]:
    """All ways of a layer; the first is the bar."""
    made = {"in turn, plain": _in_turn(layer.run)}
    if layer.fast:
        made["in turn, tsxfer"] = _in_turn(layer.fast)
    return {**made, "vmap": _vmapped(layer.run), **layer.stacked}


def _timed(body: Callable[[], None], device: str) -> float:
    """Least seconds of six."""
    taken = []
    for _ in range(6):
        began = time.perf_counter()
        body()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _slanted(out: Tensor) -> Tensor:
    """A number whose gradient no normalisation cancels."""
    slope = torch.linspace(-1, 1, out.shape[-1], device=out.device)
    return (out * slope).square().sum()


def measure(layer: Layer, count: int, device: str) -> dict[str, float | str]:
    """Milliseconds of one replica's forward and backward by way; a reason where there is none."""
    torch.manual_seed(0)
    module = layer.make().to(device)
    weights = {
        name: (torch.randn(count, *value.shape, device=device) * 0.1).requires_grad_()
        for name, value in module.named_parameters()
    }
    x = torch.randn(count, BATCH, *layer.shape, device=device, requires_grad=True)
    leaves, found = [x, *weights.values()], dict[str, float | str]()
    truth: Sequence[Tensor] = ()
    for name, way in ways(layer).items():

        def body(way: Way = way) -> tuple[Tensor, ...]:
            out = way(module, weights, x)
            loss = torch.stack([_slanted(one) for one in out]).sum()
            return loss, *torch.autograd.grad(loss, leaves)

        try:
            got = body()
        except RuntimeError as error:
            found[name] = str(error).splitlines()[0]
            continue
        truth = truth or got
        for a, b in zip(truth, got, strict=True):
            assert (a - b).norm() < 1e-3 * a.norm(), f"{name} gives other numbers"
        found[name] = _timed(lambda b=body: b() and None, device) / count * 1000
    return found


def main() -> None:
    """Print one line a layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--replicas", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    names = ("in turn, plain", "in turn, tsxfer", "vmap", "grouped", "bmm")
    print("ms a replica, forward and backward of a batch of 64".ljust(30))
    print(f"{'layer':30}" + "".join(f"{name:>16}" for name in names))
    notes = list[str]()
    for name, layer in LAYERS.items():
        found = measure(layer, chosen.replicas, chosen.device)
        cells = [found.get(way, "-") for way in names]
        shown = [f"{c:>16.3f}" if isinstance(c, float) else f"{'-':>16}" for c in cells]
        print(f"{name:30}" + "".join(shown), flush=True)
        notes += [f"{name}, {way}: {why}" for way, why in found.items() if isinstance(why, str)]
    print("\n".join(notes))


if __name__ == "__main__":
    main()
