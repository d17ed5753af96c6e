"""A user's weights as float32 arrays: safetensors alone, since a pickle runs what it likes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from tsxfer.errors import DataError

ENDING = ".safetensors"
PICKLED = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib")
FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}  # beside BF16
COUNTS = ("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")  # e.g. batches tracked
CONVERT = (
    "import torch; from safetensors.torch import save_file; "
    "w = torch.load({old!r}, weights_only=True, map_location='cpu'); "
    "w = w.get('state_dict', w); "
    "save_file({{n: t.clone() for n, t in w.items() if torch.is_tensor(t)}}, {new!r})"
)


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
    refuse_pickled(path)
    if path.is_dir():
        inside = ", ".join(sorted(p.name for p in path.glob(f"*{ENDING}"))[:9])
        raise DataError(
            f"{path} is a folder, not a file of weights", mend=f"name a file in it: {inside}"
        )
    try:
        held = path.read_bytes()
        named = deserialize(held)  # type: ignore[no-untyped-call,unused-ignore]
        facts = json.loads(held[8 : 8 + int.from_bytes(held[:8], "little")])
    except FileNotFoundError:
        raise DataError(f"no file {path}", mend="check the path") from None
    except (SafetensorError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(
            f"{path.name} is no whole safetensors file ({len(held):,} bytes): {error}",
            where=str(path),
            mend="copy or download it again; a file of another kind has to be saved as safetensors",
        ) from None
    tensors = {
        name: found for name, facts in named if (found := _array(name, facts, path)) is not None
    }
    _refuse_nothing(tensors, path)
    return Checkpoint(tensors, dict(facts.get("__metadata__") or {}))


def refuse_pickled(path: Path) -> None:
    """Refuse files of PyTorch's and Python's pickles, and say how they are converted.

    Raises:
        DataError: Then; nothing of the file is read. One that is not there is left to the reader.
    """
    if path.suffix.lower() in PICKLED and path.exists():
        new = str(path.with_suffix(ENDING))
        raise DataError(
            f"{path.name} is pickled, and opening a pickle can run any program",
            where=str(path),
            mend="convert it where you trust it: "
            f'python -c "{CONVERT.format(old=str(path), new=new)}"',
        )


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


def _refuse_nothing(tensors: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Refuse a file without numbers, or in which nothing was learned.

    Raises:
        DataError: Then.
    """
    size = sum(held.size for held in tensors.values())
    if not size:
        raise DataError(
            f"{path.name} holds no weights", where=str(path), mend="save the network's state_dict"
        )
    if not any(np.ptp(held) for held in tensors.values() if held.ndim > 1):
        raise DataError(
            f"in {path.name} every kernel is constant, so that it is no trained network",
            where=str(path),
            mend="save the network after it was trained",
        )
