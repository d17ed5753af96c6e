"""Names in a stranger's weights as names of a backbone: found by a prefix, shown, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from tsxfer.errors import SpecError, printable
from tsxfer.models.base import Model
from tsxfer.train import channels, reuse

OURS = ("backbone.net.", "backbone.")  # before a plugin's names, and before those of our models
TURN = (
    "the file's kernels are (time, channel, filter), as those of Keras are: turn them: python -c "
    '"import numpy as np; from safetensors.numpy import load_file, save_file; save_file({n: '
    "np.ascontiguousarray(t.T) for n, t in load_file('FILE.safetensors').items()}, "
    "'turned.safetensors')\""
)
KEEP = (
    'keep one of them, such as {prefix}*: python -c "from safetensors.numpy import load_file, '
    "save_file; save_file({{n: t for n, t in load_file('FILE.safetensors').items() if "
    "n.startswith('{prefix}')}}, 'one.safetensors')\""
)
MOST = 40  # names that a refusal lists of each side


@dataclass(frozen=True, slots=True)
class Mapping:
    """Weights under a model's names.

    Attributes:
        weights: Tensors of the file that the model knows, by the model's names.
        names: What each is called in the file.
        prefix: What stands before the names in the file.
        ours: What stands before them in the model.
        unused: Names in the file that the model does not know, such as a head.
    """

    weights: reuse.Weights
    names: dict[str, str]
    prefix: str
    ours: str
    unused: tuple[str, ...]

    @property
    def words(self) -> str:
        """The mapping in a line."""
        shown = f"{self.prefix or '(nothing)'}* -> {self.ours}*"
        names = "the same names" if self.prefix == self.ours else shown
        rest = f"; not used: {', '.join(self.unused[:6])}" if self.unused else ""
        more = f" and {len(self.unused) - 6} more" if len(self.unused) > 6 else ""
        return printable(f"{len(self.weights)} tensors, {names}{rest}{more}")


def mapped(held: reuse.Weights, model: Model) -> Mapping:
    """A file's tensors under the names of a model, whose names they may have behind a prefix.

    Args:
        held: Tensors by the names in the file.
        model: Of the target's shape; channels alone may differ.

    Raises:
        SpecError: If no prefix, or more than one, makes names and shapes agree; both sides are
            listed.
    """
    own = {n: t for n, t in reuse.tensors(model).items() if n.startswith("backbone.")}
    found = [m for ours, prefix in _prefixes(held, model) if (m := _under(held, own, prefix, ours))]
    most = max((_told(m, model) for m in found), default=0)
    best = list({tuple(m.names.items()): m for m in found if _told(m, model) == most}.values())
    if not most:
        turned = TURN if _turned(held, own) else ""
        raise _unlike(held, own, "have no tensor in common by name and shape", turned)
    if len(best) > 1:
        ways = " or ".join(f"{m.prefix or '(nothing)'}*" for m in best)
        first = max((m.prefix for m in best), key=len)
        keep = KEEP.format(prefix=first)
        raise _unlike(held, own, f"fit in {len(best)} ways: {ways}", keep)
    return best[0]


def _prefixes(held: reuse.Weights, model: Model) -> list[tuple[str, str]]:
    """What may stand before the model's names on both sides: ours, and the file's."""
    found: dict[tuple[str, str], None] = {}
    names = reuse.transferred(model)
    for ours in (*OURS, *_shared(names)):
        for name in names:
            if not name.startswith(ours):
                continue
            plain = name.removeprefix(ours)
            for other in held:
                if other == plain or other.endswith(f".{plain}"):
                    found[(ours, other.removesuffix(plain))] = None
    return list(found)


def _shared(names: Sequence[str]) -> list[str]:
    """What stands before all names, such as that of a plugin's attribute, up to a word.

    Never up to a number: ``convolutions.0`` and ``kernels.0`` are other layers.
    """
    parts = [name.split(".") for name in names]
    same = [set(words) for words in zip(*parts, strict=False)]
    depth = next((i for i, words in enumerate(same) if len(words) > 1), 0)
    cut = [".".join(parts[0][:i]) + "." for i in range(1, depth + 1)] if parts else []
    return [p for p in cut if not any(n.removeprefix(p)[:1].isdigit() for n in names)]


def _under(held: reuse.Weights, own: reuse.Weights, prefix: str, ours: str) -> Mapping | None:
    """The mapping of one pair of prefixes; None where a shape differs in more than channels."""
    taken: dict[str, str] = {}
    for name in own:
        other = prefix + name.removeprefix(ours)
        if name.startswith(ours) and other in held:
            taken[name] = other
    pairs = {name: held[other] for name, other in taken.items()}
    odd = [name for name, tensor in pairs.items() if not _fits(tensor, own[name])]
    if odd or not pairs:
        return None
    unused = tuple(name for name in held if name not in taken.values())
    return Mapping(pairs, taken, prefix, ours, unused)


def _fits(given: Tensor, wanted: Tensor) -> bool:
    return given.shape == wanted.shape or channels.differs(given, wanted)


def _told(mapping: Mapping, model: Model) -> int:
    """How many of the tensors that transfer copies are there."""
    return sum(name in mapping.weights for name in reuse.transferred(model))


def complete(mapping: Mapping, wanted: Sequence[str], model: Model) -> None:
    """Refuse weights that lack some of what is to be copied.

    Raises:
        SpecError: With what is missing, and both sides.
    """
    missing = [name for name in wanted if name not in mapping.weights]
    if not missing:
        return
    blocks = reuse.blocks(reuse.transferred(model))
    whole = next(
        (i for i, names in enumerate(blocks) if any(n not in mapping.weights for n in names)), 0
    )
    part = f"--strategy first_{whole} copies the first layers, which are whole; or " * (whole > 0)
    own = {n: t for n, t in reuse.tensors(model).items() if n.startswith("backbone.")}
    held = {mapping.names[name]: tensor for name, tensor in mapping.weights.items()}
    error = _unlike(held, own, f"lack {', '.join(missing[:6])}")
    raise SpecError(error.problem, mend=f"{part}{error.mend}")


def _turned(held: reuse.Weights, own: reuse.Weights) -> bool:
    """Whether a kernel of the file is one of the model with its axes in the other order."""
    kernels = [(n.partition("backbone.")[2].removeprefix("net."), t) for n, t in own.items()]
    return any(
        f".{other}".endswith(f".{plain}") and _fits(given.permute(2, 1, 0), wanted)
        for plain, wanted in kernels
        for other, given in held.items()
        if given.ndim == wanted.ndim == 3 and not _fits(given, wanted)
    )


def _unlike(held: reuse.Weights, own: reuse.Weights, why: str, mend: str = "") -> SpecError:
    return SpecError(
        f"the weights and the model {why}\nin the file:\n{_listed(held)}\n"
        f"in the model:\n{_listed(own)}",
        mend=mend
        or "choose the --model that they are of; for a network of your own, write its module "
        "as a plugin (`tsxfer new model NAME`) and add --plugins FOLDER --model NAME",
    )


def _listed(side: reuse.Weights) -> str:
    lines = [f"  {name} {tuple(tensor.shape)}" for name, tensor in side.items()]
    more = [f"  and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return "\n".join([*lines[:MOST], *more])
