"""The state of a training between two epochs: kept in a file, taken up again, bit for bit.

A file holds one hash over all that follows and then safetensors, so it is whole or not used; no
object is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tsxfer.errors import StoreError
from tsxfer.store.workspace import write_whole
from tsxfer.train.loop import Fit, Run

FACTS = "facts"
HASH = 64  # hexadecimal digits at the start of the file
Tensors = dict[str, Tensor]


class Midway:
    """Keeps the state of a pack every so often, at the end of an epoch, and takes it up again.

    Args:
        path: The file.
        seconds: Between two states.
        fits: What must be the same when a state is taken up, by name; what the networks start
            from is added to it.
        refused: Why nothing may be kept of this pack; empty: it may.
        clock: Seconds of a steady clock.

    Attributes:
        spent: Seconds that went into the state that was taken up.
        said: What a row says of all this; empty where nothing happened.
    """

    def __init__(
        self,
        path: Path,
        seconds: float,
        fits: Mapping[str, str],
        refused: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.spent, self.said = 0.0, ""
        self._path, self._seconds, self._fits = path, seconds, dict(fits)
        self._refused, self._clock = refused, clock
        self._began = self._last = clock()
        self._runs: Sequence[Run] = ()

    def take_up(self, runs: Sequence[Run]) -> None:
        """Put these fresh runs where the file left them, if it is there, whole, and fits."""
        self._runs = runs
        if self._refused:
            return
        self._fits |= start_of(runs)
        found = self._read()
        if found is None:
            return
        tensors, facts = found
        other = sorted(
            n for n in self._fits.keys() | facts["fits"].keys() if self._differs(n, facts)
        )
        if other:
            self._say(f"state on disk not used: of other {', '.join(other)}")
            return
        for place, (run, told) in enumerate(zip(runs, facts["runs"], strict=True)):
            restore(run, _part(tensors, f"{place}."), told)
        self.spent = float(facts["spent"])
        epochs = max(run.out.steps // run.per_epoch for run in runs)
        self._say(f"resumed after epoch {epochs}")

    def epoch_done(self) -> None:
        """Keep the state, if it is time; a disk that refuses it ends no training."""
        if self._clock() - self._last < self._seconds:
            return
        self._last = self._clock()
        if self._refused:
            self._say(f"no state kept: {self._refused}")
            return
        try:
            self._write()
        except (OSError, SafetensorError) as error:
            self._say(f"no state kept: {_why(error)}")

    def _differs(self, name: str, facts: Mapping[str, Any]) -> bool:
        return bool(self._fits.get(name) != facts["fits"].get(name))

    def _say(self, words: str) -> None:
        if words not in self.said:
            self.said = f"{self.said}; {words}" if self.said else words

    def _read(self) -> tuple[Tensors, dict[str, Any]] | None:
        try:
            return unpack(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, StoreError) as error:
            self._say(f"state on disk not used: {_why(error)}")
            return None

    def _write(self) -> None:
        tensors: Tensors = {}
        told = []
        for place, run in enumerate(self._runs):
            held, facts = state(run)
            tensors |= {f"{place}.{name}": tensor for name, tensor in held.items()}
            told.append(facts)
        spent = self.spent + self._clock() - self._began
        write_whole(self._path, pack(tensors, {"fits": self._fits, "spent": spent, "runs": told}))


def state(run: Run) -> tuple[Tensors, dict[str, Any]]:
    """All that a training has changed since its start, as tensors and as plain data."""
    model = run.replica.model
    adam = run.optimiser.state_dict()["state"]
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in run.best_state.items()}
    tensors |= {f"adam.{n}.{what}": t for n, held in adam.items() for what, t in held.items()}
    tensors["random"] = run.random.get_state()
    fit = run.out
    facts = {
        "counters": run.counters(),
        "samples": fit.samples,
        "monitor": fit.monitor,
        "metric": fit.metric,
        "best": fit.best,
        "steps": fit.steps,
        "diverged": fit.diverged,
        "order": run.replica.order.bit_generator.state,
        "learning": [n for n, p in model.named_parameters() if p.requires_grad],
    }
    plain = torch.contiguous_format  # safetensors takes no other, and none that share memory
    return {n: t.detach().cpu().clone(memory_format=plain) for n, t in tensors.items()}, facts


def restore(run: Run, tensors: Tensors, facts: Mapping[str, Any]) -> None:
    """Put a fresh run of the same training where another was; the inverse of `state`."""
    model = run.replica.model
    model.load_state_dict(_part(tensors, "model."))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in facts["learning"])
    device = run.replica.train.x.device
    run.best_state = {n: t.to(device) for n, t in _part(tensors, "best.").items()}
    _restore_adam(run.optimiser, _part(tensors, "adam."))
    run.random.set_state(tensors["random"])
    run.replica.order.bit_generator.state = facts["order"]
    names = ("samples", "monitor", "metric", "best", "steps", "diverged")
    run.out = Fit(**{name: facts[name] for name in names})
    run.go_on(facts["counters"])


def _restore_adam(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Moments get the layout of their parameters, which the fused step reads both in."""
    held = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    adam: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        number, what = name.split(".")
        like = held[int(number)]
        moment = tensor if what == "step" else torch.empty_like(like).copy_(tensor)
        adam.setdefault(int(number), {})[what] = moment
    optimiser.load_state_dict(optimiser.state_dict() | {"state": adam})


def start_of(runs: Sequence[Run]) -> dict[str, str]:
    """What fresh runs start from: their weights, and how these do on both parts of the data."""
    total = hashlib.sha256()
    for run in runs:
        for name, tensor in run.replica.model.state_dict().items():
            total.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
            total.update(tensor.detach().cpu().numpy().tobytes())
    first = [(run.out.monitor[0], run.out.metric[0], run.counters()["_first"]) for run in runs]
    return {"starting weights": total.hexdigest()[:16], "scores before training": repr(first)}


def pack(tensors: Tensors, facts: Mapping[str, Any]) -> bytes:
    """One file: a hash, then safetensors with the facts among the tensors."""
    text = torch.frombuffer(bytearray(json.dumps(facts).encode()), dtype=torch.uint8)
    body = save({**tensors, FACTS: text})
    return hashlib.sha256(body).hexdigest().encode() + body


def unpack(whole: bytes) -> tuple[Tensors, dict[str, Any]]:
    """The inverse of `pack`.

    Raises:
        StoreError: If the file is cut, bent, or no such file.
    """
    body = whole[HASH:]
    if hashlib.sha256(body).hexdigest().encode() != whole[:HASH]:
        raise StoreError("damaged")
    try:
        tensors = load(body)
        facts: dict[str, Any] = json.loads(tensors.pop(FACTS).numpy().tobytes())
    except (SafetensorError, KeyError, ValueError):
        raise StoreError("no state of a training") from None
    return tensors, facts


def _why(error: Exception) -> str:
    """Without the name of the file, which differs each time."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _part(tensors: Tensors, start: str) -> Tensors:
    return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
