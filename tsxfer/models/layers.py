"""Convolutions over time in the form that is fastest on a CPU; on a GPU, PyTorch's own.

Measured with ``python -m bench.layers``: on a CPU, PyTorch runs a one-dimensional convolution in a
layout that is up to twice as slow as the same sums over windows that hold their channels together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.nn import functional

from tsxfer.models import draws
from tsxfer.models.draws import Chance

_plain = False


@contextmanager
def plainly() -> Iterator[None]:
    """Convolutions on a CPU as on a GPU: PyTorch's own, which `torch.func.vmap` can batch."""
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before


class Dropout(nn.Dropout):
    """Dropout from its model's own stream, so that no other replica changes its numbers.

    Attributes:
        generator: The stream.
        together: What it reads holds its filters together on a CPU, as `convolve` leaves them; not
            so behind the layers of a plugin, whose dropout is PyTorch's own.
    """

    generator: Chance = None
    together = True

    def forward(self, x: Tensor) -> Tensor:
        """Any shape; what is kept is scaled up, as everywhere."""
        if not self.training or self.p == 0:
            return x
        kept = draws.kept(x, 1 - self.p, self.generator, self.together)
        return x * kept / (1 - self.p)


class LSTM(nn.LSTM):
    """An LSTM that stays in float32 on a GPU, where autocast has it in float16 and no other way.

    PyTorch's rule for cuDNN's recurrent layers (``_cudnn_rnn_cast_reflatten``) names float16
    whatever type autocast was asked for, so that large sums overflow under ``bf16``.
    """

    several = False

    def forward(self, x: Tensor, state: Any = None) -> Any:  # type: ignore[override]
        """As `torch.nn.LSTM`."""
        if self.several:
            return self._replica_by_replica(x)
        if not halved(x):
            return super().forward(x, state)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float(), state)

    def _replica_by_replica(self, x: Tensor) -> Any:
        # By name: the list of weights that PyTorch keeps is not what `functional_call` puts in.
        weights = [getattr(self, name) for name in self._flat_weights_names]
        apply: Callable[..., Any] = _Recurrent.apply
        with torch.autocast(x.device.type, enabled=False):
            output, state, cell = apply(self, x.float(), *weights)
        return output, (state, cell)


class _Recurrent(torch.autograd.Function):
    """An LSTM of stacked replicas, one after the other: `vmap` has no rule for it."""

    @staticmethod
    def forward(*_: Any) -> Tensor:
        """Never called: `vmap` calls the rule below."""
        raise RuntimeError("an LSTM of several replicas outside of a stack")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing to keep."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, layer: LSTM, *tensors: Tensor) -> Any:
        """Input and weights ``(replica, ...)`` to output and both states, likewise."""
        rows = [
            list(t.movedim(dim, 0)) if dim is not None else [t] * info.batch_size
            for t, dim in zip(tensors, in_dims[1:], strict=True)
        ]
        found = [_one(layer, x, list(weights)) for x, *weights in zip(*rows, strict=True)]
        return tuple(torch.stack(part) for part in zip(*found, strict=True)), (0, 0, 0)


def _one(layer: LSTM, x: Tensor, weights: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    nothing = x.new_zeros(count, x.shape[0 if layer.batch_first else 1], layer.hidden_size)
    shape = (layer.bias, layer.num_layers, 0.0, layer.training, layer.bidirectional)
    found: tuple[Tensor, Tensor, Tensor] = torch.lstm(
        x, (nothing, nothing), weights, *shape, layer.batch_first
    )
    return found


def halved(x: Tensor) -> bool:
    """Whether autocast would put a recurrent layer that reads `x` into float16."""
    return x.device.type != "cpu" and torch.is_autocast_enabled(x.device.type)


def own_stream(model: nn.Module, seed: int, device: torch.device) -> torch.Generator:
    """Give all dropout of a model one stream; a plain ``nn.Dropout`` becomes a `Dropout`."""
    generator = torch.Generator(device).manual_seed(seed)
    for parent in list(model.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.Dropout):
                dropout = Dropout(layer.p).train(layer.training)
                dropout.generator = generator
                dropout.together = isinstance(layer, Dropout) and layer.together
                setattr(parent, name, dropout)
    return generator


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Left and right padding of TensorFlow's 'same': the odd sample goes to the right."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def heard(layer: nn.Conv1d, x: Tensor, y: Tensor) -> Tensor:
    """Call the layer's forward hooks, as calling it would: its kernel is used without that."""
    for hook in layer._forward_hooks.values():
        hook(layer, (x,), y)
    return y


def pad_and_convolve(x: Tensor, layer: nn.Conv1d, padding: tuple[int, int]) -> Tensor:
    """Pad with zeros, then convolve with PyTorch's own: see `convolve` for shapes."""
    padded = functional.pad(x, padding)
    y = functional.conv1d(padded, layer.weight, layer.bias, layer.stride, 0, layer.dilation)
    return heard(layer, x, y)


def convolve(x: Tensor, layer: nn.Conv1d, padding: tuple[int, int]) -> Tensor:
    """Pad with zeros, then convolve; where the next layers are fast on the layout of its result.

    Args:
        x: ``(batch, channel, time)``.
        layer: Its stride and dilation hold, its own padding does not.
        padding: Zeros to the left and to the right.

    Returns:
        ``(batch, filter, time)``; on a CPU laid out with the filters of a time step together.
    """
    stride, dilation = layer.stride, layer.dilation
    if x.device.type != "cpu" or _plain:
        return pad_and_convolve(x, layer, padding)
    flat = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    flat = functional.pad(flat, padding)
    kernel = layer.weight.unsqueeze(2)
    y = functional.conv2d(flat, kernel, layer.bias, (1, *stride), 0, (1, *dilation)).squeeze(2)
    return heard(layer, x, y)


def halve(x: Tensor, layer: nn.Conv1d) -> Tensor:
    """Kernel 3, stride 2, 'same' padding and ReLU: ``(b, c, time)`` to ``(b, f, ceil(time / 2))``.

    On a CPU as one matrix product over windows (im2col), short windows being what these layers
    mostly see; plainly where the network is exported, for others to run.
    """
    if x.device.type != "cpu" or _plain or torch.compiler.is_exporting():
        return functional.relu(convolve(x, layer, same_padding(x.shape[-1], 3, 2)))
    apply: Callable[..., Tensor] = _Halving.apply
    y = apply(x.transpose(1, 2), layer.weight, layer.bias).transpose(1, 2)
    return heard(layer, x, y)


class _Halving(torch.autograd.Function):
    """`halve` on ``(batch, time, channel)``."""

    @staticmethod
    @custom_fwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        columns = _windows(x)
        kernel = weight.permute(2, 1, 0).reshape(columns.shape[1], -1)
        y = torch.addmm(bias, columns, kernel).relu_()
        ctx.save_for_backward(columns, kernel, y)
        ctx.shape = x.shape
        return y.view(len(x), -1, len(bias))

    @staticmethod
    @custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        columns, kernel, y = ctx.saved_tensors
        grad = torch.ops.aten.threshold_backward(grad.reshape(y.shape), y, 0)
        to_weight = torch.mm(columns.t(), grad).view(3, -1, y.shape[1]).permute(2, 1, 0)
        to_x = _scatter(torch.mm(grad, kernel.t()), ctx.shape) if ctx.needs_input_grad[0] else None
        return to_x, to_weight, grad.sum(0)


def _windows(x: Tensor) -> Tensor:
    """The three samples that each output reads: ``(batch · ceil(time / 2), 3 · channel)``."""
    batch, length, channels = x.shape
    count = -(-length // 2)
    windows = x.new_zeros(batch, count, 3, channels)
    if length % 2:  # one zero on either side
        windows[:, :, 1] = x[:, 0::2]
        windows[:, 1:, 0] = x[:, 1::2]
        windows[:, :-1, 2] = x[:, 1::2]
    else:  # one zero to the right
        windows[:, :, :2] = x.reshape(batch, count, 2, channels)
        windows[:, :-1, 2] = x[:, 2::2]
    return windows.view(batch * count, 3 * channels)


def _scatter(windows: Tensor, shape: torch.Size) -> Tensor:
    """The transpose of `_windows`."""
    batch, length, channels = shape
    windows = windows.view(batch, -1, 3, channels)
    x = windows.new_empty(shape)
    if length % 2:
        x[:, 0::2] = windows[:, :, 1]
        x[:, 1::2] = windows[:, 1:, 0] + windows[:, :-1, 2]
    else:
        x.view(batch, -1, 2, channels)[:] = windows[:, :, :2]
        x[:, 2::2] += windows[:, :-1, 2]
    return x
