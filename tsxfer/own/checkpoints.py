"""A user's weights as float32 arrays: safetensors alone, since a pickle runs what it likes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from tsxfer.errors import DataError
from tsxfer.own import other_weights
from tsxfer.own.other_weights import ENDING

FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}  # beside BF16
COUNTS = ("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")  # e.g. batches tracked
OPTIMISERS = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file of weights holds.

    Attributes:
        tensors: float32, by the names in the file.
        facts: The texts of its header.
    """

    tensors: dict[str, NDArray[np.float32]]
    facts: dict[str, str]


def read(path: Path) -> Checkpoint:
    """The weights of a file; integers, such as counts of batches, are left out.

    Raises:
        DataError: If it is pickled, missing, a folder, damaged, empty or holds no finite numbers.
    """
    other_weights.refuse(path)
    if path.is_dir():
        inside = ", ".join(sorted(str(p) for p in path.glob(f"*{ENDING}"))[:9])
        raise DataError(
            f"{path} is a folder, not a file of weights",
            mend=f"name a file in it: {inside}" if inside else "name a file of weights",
        )
    try:
        held = path.read_bytes()
        named = deserialize(held)  # type: ignore[no-untyped-call,unused-ignore]
        facts = json.loads(held[8 : 8 + int.from_bytes(held[:8], "little")])
    except FileNotFoundError:
        raise DataError(f"no file {path}", mend="check the path") from None
    except OSError as error:
        raise other_weights.unreadable(path, error) from None
    except (SafetensorError, ValueError, OverflowError, RecursionError) as error:
        other_weights.refuse_damaged(path, held[:256], len(held), str(error))
    tensors = {
        name: found for name, facts in named if (found := _array(name, facts, path)) is not None
    }
    whole = [n for n, f in named if f["dtype"] in COUNTS and len(f["shape"]) > 1]
    _refuse_nothing(tensors, whole, path)
    return Checkpoint(tensors, dict(facts.get("__metadata__") or {}))


def read_parts(paths: Sequence[Path]) -> Checkpoint:
    """The weights of one file, or of the parts in which a large one is published.

    Raises:
        DataError: As `read`; or if two parts hold one tensor.
    """
    parts = [read(path) for path in paths]
    tensors = {name: held for part in parts for name, held in part.tensors.items()}
    if len(tensors) < sum(len(part.tensors) for part in parts):
        raise DataError(
            "two parts of the weights hold the same tensor",
            where=", ".join(map(str, paths[:9])),
            mend="download the folder again, into an empty one",
        )
    return Checkpoint(tensors, parts[0].facts)


def _array(name: str, facts: Mapping[str, Any], path: Path) -> NDArray[np.float32] | None:
    """A tensor as float32; None for integers."""
    kind, raw = facts["dtype"], bytes(facts["data"])
    if kind in COUNTS:
        return None
    if kind == "BF16":  # the upper half of a float32
        held = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
    elif kind in FLOATS:
        with np.errstate(over="ignore"):
            held = np.frombuffer(raw, FLOATS[kind]).astype(np.float32)
    else:
        raise DataError(
            f"tensor {name} has numbers of kind {kind}",
            where=str(path),
            mend="save it as float32",
        )
    if not np.isfinite(held).all():
        bad = int((~np.isfinite(held)).sum())
        raise DataError(
            f"tensor {name} holds {bad:,} of {held.size:,} numbers that are NaN or infinite",
            where=str(path),
            mend="that training diverged, or was saved in the middle: take another checkpoint",
        )
    return held.reshape(facts["shape"])


def _refuse_nothing(
    tensors: Mapping[str, NDArray[np.float32]], whole: Sequence[str], path: Path
) -> None:
    """Refuse a file without a network's numbers, or in which nothing was learned.

    Args:
        tensors: Its floats.
        whole: Names of its kernels of whole numbers.
        path: The file.

    Raises:
        DataError: Then.
    """
    words = ""
    kernels = [held for held in tensors.values() if held.ndim > 1]
    if tensors and all(name.rpartition(".")[2] in OPTIMISERS for name in tensors):
        words = f"{path.name} holds the state of an optimiser, and no network"
        mend = "save the network's state_dict"
    elif not any(np.ptp(held) for held in kernels if held.size) and whole:
        words = f"in {path.name} kernels are whole numbers, as of a quantised network: {whole[0]}"
        mend = "save the network before it is quantised"
    elif not sum(held.size for held in tensors.values()):
        words, mend = f"{path.name} holds no weights", "save the network's state_dict"
    elif not kernels:
        names = ", ".join(list(tensors)[:6])
        words = f"{path.name} holds no kernel, only tensors of one axis: {names}"
        mend = "save the whole state_dict of the network"
    elif not any(np.ptp(held) for held in kernels if held.size):
        words = f"in {path.name} every kernel is constant, so that it is no trained network"
        mend = "save the network after it was trained"
    if words:
        raise DataError(words, where=str(path), mend=mend)
