"""Checkpoints as sources: what is brought in, and what is refused with words that help."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as given_examples
from hypothesis import settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from tsxfer.errors import DataError, SpecError, TsxferError
from tsxfer.own import weights
from tsxfer.own.checkpoints import read
from tsxfer.store import given
from tsxfer.store.workspace import Workspace

KERNEL = np.arange(24, dtype=np.float32).reshape(4, 2, 3)


def _file(place: Path, name: str = "x.safetensors", **tensors: np.ndarray) -> Path:
    save_file(tensors or {"conv.weight": KERNEL}, place / name)
    return place / name


def test_a_file_is_named_by_its_tensors_and_what_is_said_of_them(tmp_path: Path) -> None:
    """Equal numbers have one name under any header; others, or another word for them, another."""
    place = Workspace(tmp_path / "ws")
    first = weights.bring(str(_file(tmp_path)), (), place)
    save_file({"conv.weight": KERNEL}, tmp_path / "x.safetensors", {"epoch": "7"})
    again = weights.bring(str(tmp_path / "x.safetensors"), (), place)
    said = weights.bring(str(tmp_path / "x.safetensors"), ("speech",), place)
    other = weights.bring(str(_file(tmp_path, **{"conv.weight": KERNEL + 1})), (), place)
    assert first == again == given.read(first.name, place)
    assert len({first.name, said.name, other.name}) == 3
    assert (first.channels, first.trained_on, said.trained_on) == (2, (), ("speech",))
    assert "nobody has named" in first.said


def test_numbers_of_other_kinds_become_float32(tmp_path: Path) -> None:
    """Half precision is widened, counts are left out, and no number is changed in silence."""
    path = _file(tmp_path, a=KERNEL.astype(np.float16), n=np.array([3], np.int64))
    assert list(read(path).tensors) == ["a"]
    assert np.array_equal(read(path).tensors["a"], KERNEL)


BAD = {
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:-4]), "no whole safetensors file"),
    "empty": (lambda p: p.write_bytes(b""), "is empty"),
    "text": (lambda p: p.write_text("weights and more"), "no whole safetensors file"),
    "page": (lambda p: p.write_text("\n<!DOCTYPE html>"), "is a web page"),
    "answer": (lambda p: p.write_text('{"error": "gone"}'), 'not the file itself: {"error"'),
    "pointer": (lambda p: p.write_text("version https://git-lfs.github.com"), "pointer of Git LFS"),
    "pickle": (lambda p: p.write_bytes(b"PK\x03\x04"), "a file of PyTorch under another ending"),
    "missing": (lambda p: p.unlink(), "no file"),
    "nan": (lambda p: _file(p.parent, a=KERNEL * np.nan), "24 of 24 numbers that are NaN"),
    "nothing": (lambda p: save_file({}, p), "holds no weights"),
    "optimiser": (lambda p: _file(p.parent, **{"0.exp_avg": KERNEL}), "state of an optimiser"),
    "quantised": (
        lambda p: _file(p.parent, a=KERNEL.astype(np.int8), b=KERNEL[:, 0, 0]),
        "whole numbers, as of a quantised network: a",
    ),
    "no kernel": (lambda p: _file(p.parent, b=KERNEL[:, 0, 0]), "no kernel, only tensors of one"),
    "counts alone": (lambda p: _file(p.parent, n=np.array([3])), "holds no weights"),
    "constant": (lambda p: _file(p.parent, a=np.zeros((2, 2, 2), np.float32)), "constant"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_files_are_refused(fault: str, tmp_path: Path) -> None:
    """Each gets words that tell it, and nothing is kept."""
    spoil, words = BAD[fault]
    spoil(_file(tmp_path))
    with pytest.raises(DataError, match=words):
        weights.bring(str(tmp_path / "x.safetensors"), (), Workspace(tmp_path / "ws"))
    assert not (tmp_path / "ws").exists()


@settings(max_examples=60)
@given_examples(st.binary(max_size=40), st.integers(0, 400), st.booleans())
def test_a_hostile_file_is_read_or_refused(junk: bytes, at: int, grow: bool) -> None:
    """Whatever bytes a file holds: weights of finite numbers, or a message; never anything else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        save_file({"a.weight": KERNEL, "n": np.array([3])}, path, {"trained_on": "emg,speech"})
        held = path.read_bytes()
        path.write_bytes(held[:at] + junk + held[at + (0 if grow else len(junk)) :])
        said = ""
        with suppress(TsxferError):
            said = weights.bring(str(path), (), Workspace(Path(folder) / "ws")).said
        assert said.isprintable()


def test_what_a_header_says_steers_no_terminal(tmp_path: Path) -> None:
    """Names are a stranger's: shown without control characters, and only so many."""
    facts = {"trained_on": "\x1b[2Jemg," + ",".join(f"set{i}" for i in range(999))}
    save_file({"a": KERNEL}, tmp_path / "x.safetensors", facts)
    card = weights.bring(str(tmp_path / "x.safetensors"), (), Workspace(tmp_path / "ws"))
    assert card.said.isprintable()
    assert len(card.trained_on) == 50
    odd = {"tsxfer.row": '{"trial": {"model": 7, "dataset": [1], "reuse": {"source": 3}}}'}
    save_file({"a": KERNEL}, tmp_path / "x.safetensors", odd)
    assert weights.bring(str(tmp_path / "x.safetensors"), (), Workspace(tmp_path / "ws"))


def test_a_folder_is_refused_with_what_lies_in_it(tmp_path: Path) -> None:
    """One that `fit` or a publisher made is a source; of another, a file has to be named."""
    path = _file(tmp_path)
    assert weights.is_checkpoint(str(tmp_path))
    with pytest.raises(DataError) as caught:
        weights.bring(str(tmp_path), (), Workspace(tmp_path / "ws"))
    assert f"name a file in it: {path}" in str(caught.value)
    path.rename(tmp_path / "model.safetensors")
    assert weights.bring(str(tmp_path), (), Workspace(tmp_path / "ws")).channels == 2


def test_the_advice_for_a_pickle_converts_it(tmp_path: Path) -> None:
    """A pickle is never opened; the command that the message shows makes a file that is read."""
    import torch

    turned = torch.from_numpy(KERNEL).transpose(0, 2)  # safetensors wants it in order
    step = {"state": {0: {"exp_avg": turned}}}
    saved = {"state_dict": {"module.w": turned}, "optimizer_states": [step], "optimizer": step}
    torch.save({**saved, "epoch": 3, "hyper_parameters": {"lr": 0.1}}, tmp_path / "old.pt")
    with pytest.raises(DataError, match="pickled") as caught:
        weights.bring(str(tmp_path / "old.pt"), (), Workspace(tmp_path / "ws"))
    command = shlex.split(caught.value.mend.partition(": ")[2])
    exec(command[2], {})  # noqa: S102  (in another process it takes seconds)
    found = load_file(tmp_path / "old.safetensors")
    assert list(found) == ["state_dict.module.w"]
    assert np.array_equal(found["state_dict.module.w"], KERNEL.transpose(2, 1, 0))


def test_the_advice_for_onnx_converts_it(tmp_path: Path) -> None:
    """Its tensors under their own names, where the package is there."""
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    initializer = onnx.numpy_helper.from_array(KERNEL, "conv.weight")
    graph = onnx.helper.make_graph([], "g", [], [], [initializer])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "net.onnx")
    with pytest.raises(DataError, match="network of ONNX") as caught:
        weights.bring(str(tmp_path / "net.onnx"), (), Workspace(tmp_path / "ws"))
    exec(shlex.split(caught.value.mend)[2], {})  # noqa: S102
    assert np.array_equal(load_file(tmp_path / "net.safetensors")["conv.weight"], KERNEL)


def test_networks_in_other_forms_are_no_data(tmp_path: Path) -> None:
    """Known by ending, and a network of Keras by what it holds; data in HDF5 stays data."""
    keras, data = tmp_path / "net.h5", tmp_path / "data.h5"
    keras.write_bytes(b"\x89HDF\r\n\x1a\n keras_version")
    data.write_bytes(b"\x89HDF\r\n\x1a\n data")
    assert not weights.is_checkpoint(str(data))
    for path in (keras, tmp_path / "net.keras", tmp_path / "net.tflite"):
        path.touch()
        assert weights.is_checkpoint(str(path))
        with pytest.raises(DataError, match="only safetensors are read"):
            weights.bring(str(path), (), Workspace(tmp_path / "ws"))


def test_a_folder_of_a_pickle_alone_is_told_as_one(tmp_path: Path) -> None:
    """As older models are published; beside data, a folder stays data."""
    _file(tmp_path, "sound.bin")
    (tmp_path / "config.json").write_text("{}")
    assert weights.is_checkpoint(str(tmp_path))
    with pytest.raises(DataError, match="is a safetensors file under another"):
        weights.bring(str(tmp_path), (), Workspace(tmp_path / "ws"))
    (tmp_path / "p1.csv").touch()
    assert not weights.is_checkpoint(str(tmp_path))


def test_parts_of_a_large_file_are_one_source(tmp_path: Path) -> None:
    """By the folder or its index, the same weights as in one file; a missing part is named."""
    place, folder = Workspace(tmp_path / "ws"), tmp_path / "large"
    folder.mkdir()
    whole = weights.bring(str(_file(tmp_path, a=KERNEL, b=KERNEL + 1)), (), place)
    _file(folder, "model-00001-of-00002.safetensors", a=KERNEL)
    with pytest.raises(DataError, match="1 of 2 parts") as caught:
        weights.bring(str(folder), (), place)
    assert "model-00002-of-00002.safetensors" in caught.value.mend
    _file(folder, "model-00002-of-00002.safetensors", a=KERNEL)
    with pytest.raises(DataError, match="hold the same tensor"):
        weights.bring(str(folder), (), place)
    _file(folder, "model-00002-of-00002.safetensors", b=KERNEL + 1)
    (folder / "model.safetensors.index.json").write_text("{}")
    for named in (folder, folder / "model.safetensors.index.json"):
        assert weights.bring(str(named), (), place).files == whole.files


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a traceback, whatever its ending."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    for name in ("x.safetensors", "x.pt", "x.h5"):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=f"{name} cannot be read: Permission denied"):
            weights.bring(str(tmp_path / name), (), Workspace(tmp_path / "ws"))


def test_names_that_are_no_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma in a file's name divides nothing; a hash behind a path and a hub's name say why."""
    from tsxfer.api.weights import bring_all

    monkeypatch.chdir(tmp_path)
    _file(tmp_path, "a,b.safetensors")
    (name,) = bring_all(["a,b.safetensors"], (), Workspace(tmp_path / "ws"))
    assert name.startswith("a_b+weights@")
    (tmp_path / "empty").mkdir()
    (tmp_path / "half" / ".cache").mkdir(parents=True)
    (tmp_path / "half" / "config.json").write_text("{}")
    bad = {
        "x.safetensors#sha256=0": "a hash behind it",
        "Lab/Model-1": r"no file or folder Lab(.|\n)*hf download Lab/Model-1 --local-dir",
        "./Model-1": r"no file or folder ./M(.|\n)*hf download OWNER/NAME --local-dir",
        "Model-1": "data set 'Model-1', and no file or folder of that name(.|\n)*.safetensors file",
        "empty": "empty holds no model.safetensors",
        "half": "half holds no model.safetensors",
    }
    for named, words in bad.items():
        with pytest.raises(SpecError, match=words):
            bring_all([named], (), Workspace(tmp_path / "ws"))


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    """Not even to see whether it is one: the ending is enough."""
    (tmp_path / "old.ckpt").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(DataError, match="can run any program"):
        weights.bring(str(tmp_path / "old.ckpt"), (), Workspace(tmp_path / "ws"))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The folder of a test, served on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.mark.enable_socket
def test_an_address_is_fetched_where_its_hash_is_right(tmp_path: Path, server: str) -> None:
    """The file is the one that a path would give; another hash, no hash or no file is refused."""
    place, path = Workspace(tmp_path / "ws"), _file(tmp_path)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    fetched = weights.bring(f"{server}/x.safetensors#sha256={sha}", (), place)
    assert fetched == weights.bring(str(path), (), place)
    bad: dict[str, tuple[str, type[TsxferError]]] = {
        f"{server}/x.safetensors#sha256={'0' * 64}": ("differs from the one", DataError),
        f"{server}/none.safetensors#sha256={sha}": ("could not be downloaded: .* 404", DataError),
        f"{server}/x.safetensors": ("without the sha256", SpecError),
        f"file://{path}#sha256={sha}": ("no http or https", DataError),
    }
    for address, (words, kind) in bad.items():
        with pytest.raises(kind, match=words) as caught:
            weights.bring(address, (), place)
        assert "tsxfer-" not in str(caught.value)  # the folder of the download, which is gone
