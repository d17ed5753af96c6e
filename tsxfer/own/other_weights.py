"""Files of weights in other forms than safetensors: known by name and first bytes, never opened."""

from __future__ import annotations

import shlex
from pathlib import Path

from tsxfer.errors import DataError

ENDING = ".safetensors"
PICKLED = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib")
FOREIGN = {
    ".onnx": "ONNX",
    ".keras": "Keras",
    ".tflite": "TensorFlow Lite",
    ".pb": "TensorFlow",
    ".gguf": "GGUF",
    ".msgpack": "Flax",
    ".pdparams": "Paddle",
}
BESIDE = (".json", ".txt", ".md", ".yaml", ".yml", "")  # in a folder as published
LOOKED_AT = 1 << 20  # bytes in which Keras writes its version

AGAIN = "copy or download it again"
CONVERT = (
    "import torch; from safetensors.torch import save_file; "
    "f = lambda v, p='': {{p: v.detach().clone(memory_format=torch.contiguous_format)}} "
    "if torch.is_tensor(v) else {{k: t for n, x in v.items() if not str(n).startswith('optim') "
    "for k, t in f(x, p + '.' * bool(p) + str(n)).items()}} if isinstance(v, dict) else {{}}; "
    "save_file(f(torch.load({old!r}, weights_only=True, map_location='cpu')), {new!r})"
)
OF_ONNX = (
    "import onnx; from onnx.numpy_helper import to_array; from safetensors.numpy import save_file; "
    "save_file({{t.name: to_array(t).copy() for t in onnx.load({old!r}).graph.initializer}}, "
    "{new!r})"
)


def is_other(path: Path) -> bool:
    """Whether a name means a network in another form; a folder, where nothing else lies in it."""
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file()]
        weights = [file for file in files if is_other(file)]
        rest = {file.suffix.lower() for file in files if file not in weights}
        return bool(weights) and rest <= {*BESIDE}
    return path.suffix.lower() in (*PICKLED, *FOREIGN) or _is_keras(path)


def _is_keras(path: Path) -> bool:
    """Whether an HDF5 file is a network of Keras, and no data."""
    if path.suffix.lower() not in (".h5", ".hdf5") or not path.is_file():
        return False
    return path.name.endswith(".weights.h5") or b"keras_version" in _start(path, LOOKED_AT)


def _start(path: Path, count: int) -> bytes:
    """The first bytes of a file.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> DataError:
    """What is said of a file that is there and cannot be read."""
    return DataError(
        f"{path.name} cannot be read: {error.strerror}",
        where=str(path),
        mend="copy it to where you may read it",
    )


def refuse(path: Path) -> None:
    """Refuse a file in another form, and say how it is converted where that can be said.

    Raises:
        DataError: Then; of the file only its first bytes are read. One that is not there is left to
            the reader.
    """
    if not path.is_file():
        return
    start = _start(path, 256)
    if path.suffix.lower() in PICKLED:
        _refuse_misnamed(path, start)
        _refuse_text(path, start)
        raise _pickled(path)
    kind = FOREIGN.get(path.suffix.lower()) or ("Keras" if _is_keras(path) else "")
    if kind:
        raise DataError(
            f"{path.name} is a network of {kind}, and only safetensors are read",
            where=str(path),
            mend=_of_foreign(kind, path),
        )


def refuse_damaged(path: Path, start: bytes, size: int, why: str) -> None:
    """Refuse what is called safetensors and is none.

    Args:
        path: The file.
        start: Its first bytes.
        size: In bytes.
        why: What the reader of safetensors said.

    Raises:
        DataError: In any case.
    """
    _refuse_text(path, start)
    if start.startswith((b"PK\x03\x04", b"\x80\x02")):
        raise _misnamed(path, "a file of PyTorch", path.with_suffix(".pt"))
    raise DataError(
        f"{path.name} is no whole safetensors file ({size:,} bytes): {why}",
        where=str(path),
        mend=f"{AGAIN}; a file of another kind has to be saved as safetensors",
    )


def _pickled(path: Path) -> DataError:
    code = CONVERT.format(old=str(path), new=str(path.with_suffix(ENDING)))
    return DataError(
        f"{path.name} is pickled, and opening a pickle can run any program",
        where=str(path),
        mend="convert it where you trust it (if that fails, it holds more than tensors; save its "
        f'state_dict() with safetensors in the code that made it): python -c "{code}"',
    )


def _of_foreign(kind: str, path: Path) -> str:
    if kind == "ONNX":
        code = OF_ONNX.format(old=str(path), new=str(path.with_suffix(ENDING)))
        return f'python -c "{code}"  (needs the package onnx)'
    return (
        "write its network in PyTorch as a plugin (`tsxfer new model NAME`), copy the weights into "
        "it there, and save its state_dict() with safetensors.torch.save_file"
    )


def _refuse_misnamed(path: Path, start: bytes) -> None:
    """Refuse safetensors under the ending of a pickle: a header's length, then JSON."""
    length = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and 8 + length <= path.stat().st_size:
        raise _misnamed(path, "a safetensors file", path.with_suffix(ENDING))


def _misnamed(path: Path, what: str, new: Path) -> DataError:
    names = " ".join(map(shlex.quote, map(str, (path, new))))
    return DataError(
        f"{path.name} is {what} under another ending",
        where=str(path),
        mend=f"rename it: mv {names}; and name that",
    )


def _refuse_text(path: Path, start: bytes) -> None:
    """Refuse what servers and tools leave in place of a file."""
    words = ""
    if not start:
        words, mend = "is empty", AGAIN
    elif start.startswith(b"version https://git-lfs"):
        words, mend = "is a pointer of Git LFS, not the file itself", "git lfs pull in its folder"
    elif start.lstrip()[:1] == b"<":
        words = "is a web page, such as of a sign-in or an error, not the file itself"
        mend = f"{AGAIN}; on Hugging Face its address has /resolve/ in it, not /blob/"
    elif start[:1] == b"{":
        words, mend = (
            f"is a text, not the file itself: {start[:80].decode(errors='replace')}",
            AGAIN,
        )
    if words:
        raise DataError(f"{path.name} {words}", where=str(path), mend=mend)
