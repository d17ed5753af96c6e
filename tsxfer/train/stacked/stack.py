"""One stack: tensors of replicas of one form, side by side, and what is computed with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from tsxfer.models.base import Model
from tsxfer.models.draws import Chance, Streams
from tsxfer.models.layers import LSTM, Dropout, plainly
from tsxfer.train import norms
from tsxfer.train.batch import Batch
from tsxfer.train.loop import Run
from tsxfer.train.objectives import Anchored, Objective
from tsxfer.train.precision import autocast
from tsxfer.train.stacked import form
from tsxfer.train.stacked.adam import Adam

AT_ONCE = 64  # windows of a replica in one pass of evaluation
MORE_AT_ONCE = 256  # on a GPU: without gradients they hold no more than a step on 64


@dataclass(slots=True)
class Memory:
    """What Adam knew of the parameters of a run when its stack was taken apart, by name."""

    moments: dict[str, tuple[Tensor, ...]] = field(default_factory=dict)


class _Losses(nn.Module):
    """Calls an objective where `functional_call` can put a replica's tensors in."""

    def __init__(self, model: Model, goal: Objective, penalty: bool) -> None:
        super().__init__()
        self.model, self.goal, self.penalty = model, goal, penalty

    def forward(self, part: Batch, chance: Chance) -> Tensor:
        """The loss of one replica."""
        rows = torch.arange(len(part.x), device=part.x.device)
        loss = self.goal(self.model, part, rows, chance)
        return loss + self.model.penalty() if self.penalty else loss


class _Penalty(nn.Module):
    """The penalty of a network where `functional_call` can put a replica's tensors in."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self) -> Tensor:
        """Of one replica."""
        return self.model.penalty()


class Stack:
    """Replicas of one form. Their networks' tensors become views into the stack's.

    Attributes:
        runs: The replicas.
        flat: All that learns: one stretch a parameter, in it one stretch a replica.
        at_once: Windows of a replica in one pass of evaluation.
    """

    def __init__(self, runs: Sequence[Run], memories: Sequence[Memory]) -> None:
        self.runs, self._memories = list(runs), list(memories)
        self._models = [run.replica.model for run in runs]
        learning = {n: p for n, p in self._models[0].named_parameters() if p.requires_grad}
        penalised = form.penalised(runs[0])
        # Penalised kernels first: their term is one stretch of the gradient.
        self._names = sorted(learning, key=lambda name: name not in penalised)
        self._shapes = [learning[name].shape for name in self._names]
        self._sizes = [len(runs) * shape.numel() for shape in self._shapes]
        self._penalised = sum(self._sizes[: len(penalised)])
        self._weight = self._models[0].backbone.kernel_l2
        self.flat = self._gathered(dict(m.named_parameters()) for m in self._models)
        self.flat.requires_grad_()
        counts = [shape.numel() for shape in self._shapes for _ in runs]
        self.adam = Adam(self.flat.detach(), counts)
        self._fixed = self._stacked_rest()
        self._goal, self._anchors = self._goals()
        self._streams = Streams(tuple(run.random for run in runs))
        self.at_once = MORE_AT_ONCE if self.flat.is_cuda else AT_ONCE
        self._best = self._gathered([run.best_state for run in runs])
        self._best_buffers = self._buffers()
        self._attach()
        self._remember()

    def _gathered(self, states: Iterator[dict[str, Tensor]] | list[dict[str, Tensor]]) -> Tensor:
        held = list(states)
        parts = [torch.stack([state[n].detach() for state in held]) for n in self._names]
        return torch.cat([part.flatten() for part in parts])

    def _stacked_rest(self) -> dict[str, Tensor]:
        """Parameters that stay and buffers, ``(replica, ...)`` by name."""
        first = self._models[0]
        names = [n for n, _ in (*first.named_parameters(), *first.named_buffers())]
        held = [dict(m.named_parameters()) | dict(m.named_buffers()) for m in self._models]
        rest = [name for name in names if name not in self._names]
        return {name: torch.stack([one[name].detach() for one in held]) for name in rest}

    def _buffers(self) -> dict[str, Tensor]:
        """Buffers at the best state of each replica; a parameter that stays needs no copy."""
        kept = self.runs[0].best_state.keys() & dict(self._models[0].named_buffers()).keys()
        return {n: torch.stack([run.best_state[n] for run in self.runs]) for n in sorted(kept)}

    @torch.no_grad()
    def keep(self, better: Sequence[bool]) -> None:
        """The best state of these replicas is that of now; one masked copy, on the device."""
        mask = torch.tensor(better, device=self.flat.device)
        of = mask.repeat(len(self._names))[self.adam.of]
        torch.where(of, self.flat, self._best, out=self._best)
        for name, best in self._best_buffers.items():
            mine = mask.view(-1, *[1] * (best.ndim - 1))
            torch.where(mine, self._fixed[name], best, out=best)

    def _goals(self) -> tuple[Objective, Tensor | None]:
        """The objective that all share, and where anchored parameters were, laid out as `flat`."""
        goals = [run.replica.objective for run in self.runs]
        first = goals[0]
        if not isinstance(first, Anchored):
            return first, None
        before = [
            {n: b for n, (_, b) in zip(g.names, g.pairs, strict=True)}
            for g in goals
            if isinstance(g, Anchored)
        ]
        shapes = zip(self._names, self._shapes, strict=True)
        blank = {name: self.flat.new_full(shape, torch.nan) for name, shape in shapes}
        return first.inner, self._gathered([blank | one for one in before])

    @torch.no_grad()
    def _attach(self) -> None:
        """Make each network's tensors views: what a step changes, the network has."""
        views = self._views(self.flat.detach())
        for run in self.runs:
            run.held = True
        for place, model in enumerate(self._models):
            for name, parameter in model.named_parameters():
                held = views[name] if name in views else self._fixed[name]
                parameter.data = held[place]
            for name, _ in list(model.named_buffers()):
                _replace(model, name, self._fixed[name][place])

    @torch.no_grad()
    def release(self) -> None:
        """Give each network and best state tensors of its own, and keep what Adam knew."""
        best = self._views(self._best) | self._best_buffers
        for place, run in enumerate(self.runs):
            run.held = False
            run.best_state |= {name: tensor[place].clone() for name, tensor in best.items()}
        for model in self._models:
            for parameter in model.parameters():
                parameter.data = parameter.data.clone()
            for name, buffer in list(model.named_buffers()):
                _replace(model, name, buffer.clone())
        mean, square = self._views(self.adam.mean), self._views(self.adam.square)
        ages = self.adam.ages.view(len(self._names), -1)
        for place, memory in enumerate(self._memories):
            for name, age in zip(self._names, ages, strict=True):
                known = mean[name][place], square[name][place], age[place]
                memory.moments[name] = tuple(tensor.clone() for tensor in known)

    @torch.no_grad()
    def _remember(self) -> None:
        """What Adam knew of each parameter before; one that was frozen until now begins anew."""
        mean, square = self._views(self.adam.mean), self._views(self.adam.square)
        ages = self.adam.ages.view(len(self._names), -1)
        for place, memory in enumerate(self._memories):
            for name, age in zip(self._names, ages, strict=True):
                if name in memory.moments:
                    known = mean[name][place], square[name][place], age[place]
                    for now, before in zip(known, memory.moments[name], strict=True):
                        now.copy_(before)

    def schedule(self) -> None:
        """Each replica's rates, as its plateau schedule has them now."""
        rates = [run.rates() for run in self.runs]
        self.adam.set_rates([one[name] for name in self._names for one in rates])

    def _views(self, flat: Tensor) -> dict[str, Tensor]:
        """Stretches of a flat tensor as ``(replica, *shape)``, by name."""
        parts = torch.split(flat, self._sizes)
        count = len(self.runs)
        return {
            name: part.view(count, *shape)
            for name, part, shape in zip(self._names, parts, self._shapes, strict=True)
        }

    def gradient(self, rows: Tensor) -> Tensor:
        """The gradient of one step, laid out as `flat`.

        Args:
            rows: ``(replica, batch)`` training instances.
        """
        recipe, device = self.runs[0].rules.recipe, self.flat.device
        part = self._batches(rows)
        penalty = bool(self._weight) and not self._penalised and form.product_learns(self.runs[0])
        call = _Losses(self._models[0], self._goal, penalty)
        held = {f"model.{n}": t for n, t in (self._views(self.flat) | self._fixed).items()}

        def one(tensors: dict[str, Tensor], *arrays: Tensor) -> Tensor:
            found: Tensor = functional_call(call, tensors, (Batch(*arrays), self._streams))
            return found

        with self._alike(), autocast(recipe.precision, device):
            losses = vmap(one)(held, part.x, part.extra, part.y)
        (grad,) = torch.autograd.grad(losses.float().sum(), self.flat)
        return self._decoupled(grad)

    @torch.no_grad()
    def _decoupled(self, grad: Tensor) -> Tensor:
        """Terms that need no graph: of the kernels' L2, and of anchors where there are some."""
        kernels = slice(self._penalised)
        grad[kernels].add_(self.flat[kernels], alpha=2 * self._weight)
        if self._anchors is not None:
            weight = getattr(self.runs[0].replica.objective, "weight")  # noqa: B009
            grad.add_((self.flat - self._anchors).nan_to_num(), alpha=weight)
        return grad

    def step(self, rows: Tensor) -> None:
        """One step of all replicas on ``(replica, batch)`` training instances."""
        self.adam.step(self.flat.detach(), self.gradient(rows))

    def _batches(self, rows: Tensor) -> Batch:
        """``(replica, batch, ...)`` of each array; one gather where replicas share their data."""
        parts = [run.replica.train for run in self.runs]
        return Batch(
            _taken([p.x for p in parts], rows),
            _taken([p.extra for p in parts], rows),
            _taken([p.y for p in parts], rows),
        )

    @property
    def by_chance(self) -> bool:
        """Whether evaluation draws random numbers (the study's dropout): each alone, then."""
        backbone = self._models[0].backbone
        return self.runs[0].rules.always_drop and backbone.dropout_in_study

    @torch.no_grad()
    def outputs(self, most: int | None = None) -> Tensor:
        """Raw validation output of all replicas ``(replica, n, outputs)``, in evaluation mode.

        Args:
            most: Windows, from the first; all where None.
        """
        parts = [run.replica.validation for run in self.runs]
        held = self._views(self.flat.detach()) | self._fixed
        model, kind = self._models[0], self.runs[0].rules.recipe.precision

        def one(tensors: dict[str, Tensor], *arrays: Tensor) -> Tensor:
            output: Tensor = functional_call(model, tensors, arrays)
            return output

        model.eval()
        found = []
        with self._alike(), autocast(kind, self.flat.device):
            for at in range(0, most or len(parts[0].x), self.at_once):
                few = slice(at, at + min(most or self.at_once, self.at_once))
                x = torch.stack([part.x[few] for part in parts])
                extra = torch.stack([part.extra[few] for part in parts])
                found.append(vmap(one)(held, x, extra).float())
        norms.train_mode(model)
        return torch.cat(found, dim=1)

    @torch.no_grad()
    def penalties(self) -> Tensor | None:
        """``(replica,)`` of the kernels as they are now; None where there is none."""
        if not self._weight:
            return None
        call = _Penalty(self._models[0])
        held = {f"model.{n}": t for n, t in (self._views(self.flat) | self._fixed).items()}

        def one(tensors: dict[str, Tensor]) -> Tensor:
            found: Tensor = functional_call(call, tensors, ())
            return found

        return vmap(one)(held)

    @contextmanager
    def _alike(self) -> Iterator[None]:
        """The first network computes for all: chance comes from each one's stream."""
        model = self._models[0]
        drops = [layer for layer in model.modules() if isinstance(layer, Dropout)]
        recurrent = [layer for layer in model.modules() if isinstance(layer, LSTM)]
        before = [layer.generator for layer in drops]
        for layer in drops:
            layer.generator = self._streams
        for one in recurrent:
            one.several = True
        try:
            with plainly():
                yield
        finally:
            for layer, stream in zip(drops, before, strict=True):
                layer.generator = stream
            for one in recurrent:
                one.several = False

    def state(self) -> list[Tensor]:
        """All that a step changes, the streams left out."""
        return [self.flat.detach(), *self._fixed.values(), *self.adam.state()]


def _replace(model: nn.Module, name: str, tensor: Tensor) -> None:
    parent, _, leaf = name.rpartition(".")
    model.get_submodule(parent)._buffers[leaf] = tensor


def _taken(arrays: list[Tensor], rows: Tensor) -> Tensor:
    """``arrays[r][rows[r]]`` for each replica, without a copy of any array as a whole."""
    first = arrays[0]
    if all(array is first for array in arrays):
        return first[rows]
    return torch.stack([array[mine] for array, mine in zip(arrays, rows, strict=True)])
