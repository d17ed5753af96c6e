"""The zoo: what the package ships is what its cards say, and loads as a module."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tsxfer.cli.prepare import prepare_zoo
from tsxfer.cli.show import show_list, show_one
from tsxfer.data import foreign
from tsxfer.data.marks import Windows, marks
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.store import given
from tsxfer.store.workspace import Workspace
from tsxfer.zoo import shelf

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 12_000_000  # bytes in the wheel
ALL = [(name, stem) for name, entry in shelf.entries().items() for stem in entry.trainings]


def test_the_wheel_stays_small_and_holds_nothing_unknown() -> None:
    """At most 12 MB; each file is that of a card."""
    files = [path for path in shelf.FILES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST
    known = {f"{name}/{stem}.safetensors" for name, stem in ALL}
    known |= {f"{name}/seen.npz" for name in shelf.entries()} | {shelf.INDEX}
    assert {str(path.relative_to(shelf.FILES)) for path in files} <= known


@pytest.mark.parametrize(("name", "stem"), ALL)
def test_every_file_is_the_one_of_its_card(name: str, stem: str) -> None:
    """Tensors have their hash; the card has data, counts, licence, scores, versions, a command."""
    entry = shelf.entries()[name]
    path = shelf.FILES / name / f"{stem}.safetensors"
    held = shelf.load(entry, stem, path)
    assert path.stat().st_size == entry.trainings[stem].bytes
    assert all(tensor.dtype == np.float32 for tensor in held.tensors.values())
    assert all(entry.counts[part] for part in ("train", "validation", "test"))
    assert all((entry.holds, entry.licence, entry.cite, entry.preprocessing, entry.fingerprint))
    one = entry.trainings[stem]
    assert f"--only {name}/{stem.replace('-', '/')}" in one.command
    assert {"torch", "numpy", "cpu", "threads"} <= one.versions.keys()
    assert entry.blind(stem) == (
        (one.score <= one.blind) if entry.higher_is_better else (one.score >= one.blind)
    )


def test_no_name_passes_for_a_full_set(capsys: pytest.CaptureFixture[str]) -> None:
    """None is called as a data set is; the list and the cards say what is held."""
    from tsxfer.data import catalogue

    assert not set(shelf.entries()) & set(catalogue.names())
    show_list(Workspace(Path("nowhere")), False)
    listed = capsys.readouterr().out
    assert all(entry.holds in listed for entry in shelf.entries().values())
    assert "convnetquake (3), tcn" in listed  # trained three times, and once
    show_one("zoo:fr_aseaf_60_events", Workspace(Path("nowhere")), False)
    assert "NO BETTER THAN BLIND on its own test" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("named", "words"),
    [("zoo:speach", "did you mean"), ("zoo:openeew_14_events@9", "has openeew_14_events@1")],
)
def test_unknown_names_and_versions_are_refused(named: str, words: str) -> None:
    """With what there is."""
    with pytest.raises(SpecError) as caught:
        shelf.find(named)
    assert words in str(caught.value)


def test_a_module_is_the_file(tmp_path: Path) -> None:
    """`load_pretrained` gives the tensors of the file, in evaluation mode, for any length."""
    import torch

    import tsxfer

    entry = shelf.find("uci_emg")
    net = tsxfer.load_pretrained("uci_emg", length=200, workspace=str(tmp_path))
    held = shelf.tensors(entry, "convnetquake-0", Workspace(tmp_path))
    state = net.state_dict()
    assert all(np.array_equal(state[n[9:]].numpy(), tensor) for n, tensor in held.items())
    assert not net.training
    assert net(torch.zeros(3, 8, 200)).shape == (3, net.features)
    for said in ({"model": "resnet"}, {"number": 9}):
        with pytest.raises(SpecError, match=r"resnet|number = 9"):
            tsxfer.load_pretrained("uci_emg", **said)


def test_windows_that_weights_have_seen_are_found() -> None:
    """A copy up to factor, offset and rounding is found by its marks; other windows are not."""
    draw = np.random.default_rng(1)
    seen, new = draw.normal(size=(2, 90, 2, 60))
    kept = foreign.Seen(60, marks(seen)[:, :1], np.array(["a"]), np.zeros(90), np.zeros(0))
    x = np.concatenate([new[:40], seen[:10] * 3 + 7]).astype(np.float32)
    assert foreign.found(kept, Windows(x, marks(x), np.arange(50))) == 10
    assert foreign.found(kept, Windows(x, marks(x), np.arange(40))) == 0
    longer = np.pad(x, ((0, 0), (0, 0), (0, 4)))
    assert foreign.found(kept, Windows(longer, marks(longer), np.arange(50))) == 0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A zoo whose files lie in a release on loopback and not in the package."""
    package, served = tmp_path / "package", tmp_path / "served"
    served.mkdir()
    (package / "openeew_14_events").mkdir(parents=True)
    shutil.copy(shelf.FILES / shelf.INDEX, package)
    for path in (shelf.FILES / "openeew_14_events").glob("*.safetensors"):
        shutil.copy(path, served / f"openeew_14_events-{path.name}")
    monkeypatch.setattr(shelf, "FILES", package)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(served))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(shelf.ADDRESS, f"http://127.0.0.1:{server.server_port}")
        yield served
        server.shutdown()


@pytest.mark.enable_socket
def test_what_the_wheel_lacks_is_fetched(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only when asked; then it is there, and a file that is another is refused."""
    place, entry = Workspace(tmp_path / "ws"), shelf.find("openeew")
    with pytest.raises(SpecError, match="lies in this package") as caught:
        shelf.bring(entry, ("convnetquake",), place)
    assert "tsxfer prepare zoo:openeew_14_events" in caught.value.mend
    prepare_zoo("zoo:openeew_14_events", place)
    assert "fetched: convnetquake-0" in capsys.readouterr().out
    card, count = shelf.bring(entry, ("convnetquake",), place)
    assert count == len(entry.stems("convnetquake"))
    assert given.read(card.name, place) == card
    prepare_zoo("zoo:openeew_14_events", place)
    assert "all of its files are here" in capsys.readouterr().out
    (release / "openeew_14_events-convnetquake-0.safetensors").write_bytes(b"other")
    with pytest.raises(DataError, match="differs"):
        shelf.fetch(entry, Workspace(tmp_path / "ws2"))


def test_a_damaged_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that is no index, or weights that are not those of their card."""
    entry = shelf.find("openeew")
    other = shelf.FILES / "uci_emg_14_subjects" / "convnetquake-0.safetensors"
    with pytest.raises(StoreError, match="not those of its card"):
        shelf.load(entry, "convnetquake-0", other)
    shelf.entries.cache_clear()
    monkeypatch.setattr(shelf, "FILES", tmp_path)
    (tmp_path / shelf.INDEX).write_text(json.dumps({"a": {"name": "a"}}))
    with pytest.raises(StoreError, match="install tsxfer again"):
        shelf.entries()
    shelf.entries.cache_clear()


@pytest.mark.slow
def test_a_file_comes_back_bit_for_bit(real_data: Path, tmp_path: Path) -> None:
    """The command of a card makes the very file again, on the kind of machine that it names."""
    import torch

    entry = shelf.entries()["uci_emg_14_subjects"]
    one = entry.trainings["convnetquake-0"]
    if one.versions["cpu"] != torch.backends.cpu.get_cpu_capability():
        pytest.skip(f"made on {one.versions['cpu']}")
    words = [str(real_data), "--only", f"{entry.name}/convnetquake/0", "--out", str(tmp_path / "o")]
    script = ROOT / "experiments/zoo/make.py"
    made = subprocess.run(
        [sys.executable, str(script), *words, "--workspace", str(tmp_path / "ws")],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    path = f"{entry.name}/convnetquake-0.safetensors"
    assert (tmp_path / "o" / path).read_bytes() == (shelf.FILES / path).read_bytes()
