"""A kept model as ONNX gives what the kept model gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.test_own_run import write_waves
from tests.study import tsxfer
from tsxfer.data.scale import Scaler
from tsxfer.errors import SpecError
from tsxfer.keep.fit import Fitted
from tsxfer.models.base import build

for _module in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(_module, reason='pip install "tsxfer[onnx]" onnxruntime')

CLOSE = 1e-4
FLAGS = ("--target", "mine.csv", "--label", "y", "--group", "who", "--rate", "50", "--quick")


def _fitted(
    name: str,
    channels: int,
    length: int,
    *,
    classes: int,
    relative: bool = False,
    apart: bool = False,
) -> Fitted:
    """A model with drawn weights and normalisation that has seen something."""
    scaler = Scaler(
        kind="peak",
        amplitude=True,
        channels=tuple(range(channels)),
        mask=np.zeros((channels, length), np.float32),
        extra_mean=0.4,
        extra_sd=1.3,
        y_mean=2.0,
        y_sd=3.0,
        relative=relative,
    )
    model = build(
        name,
        channels=channels,
        length=length,
        extra=1,
        outputs=classes or 1,
        seed=3,
        apart=apart,
    ).train()
    drawn = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, channels, length, generator=drawn), torch.zeros(8, 1))
    names = tuple(f"c{i}" for i in range(classes))
    return Fitted(
        model=name,
        channels=channels,
        length=length,
        classes=names,
        scaler=scaler,
        weights=model.state_dict(),
        metric="macro_f1",
        score=0.5,
        trained=8,
        validated=0,
        samples=8,
        audit={},
        apart=apart,
    )


def _windows(count: int, channels: int, length: int) -> np.ndarray:
    """Windows of several levels and sizes, one of them flat."""
    draw = np.random.default_rng(count)
    level, size = draw.uniform(-50, 50, (count, channels, 1)), draw.uniform(0.01, 99, (count, 1, 1))
    x = level + size * draw.normal(size=(count, channels, length))
    x[0] = 7.0
    return x.astype(np.float32)


def _answer(file: bytes, x: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"windows": x})
    return found


@pytest.mark.parametrize(
    ("name", "channels"),
    [("convnetquake", 3), ("convnetquake", 1), ("magnet", 3), ("mlstm_fcn", 3), ("tcn", 1)],
)
def test_raw_windows_give_the_same_probabilities(name: str, channels: int) -> None:
    """Within 1e-4 for batches of one, several and many windows, of odd and even length."""
    from tsxfer.keep.onnx import exported

    if name == "magnet" and torch.__version__.startswith(("2.9.", "2.10.")):
        pytest.skip("the exporter of PyTorch 2.9 and 2.10 gives a bidirectional LSTM a wrong shape")
    length = 97 if channels == 1 else 128
    fitted = _fitted(name, channels, length, classes=4)
    file = exported(fitted, {})
    for count in (1, 2, 33):
        x = _windows(count, channels, length)
        assert np.abs(_answer(file, x) - fitted.probabilities(x)).max() < CLOSE


@pytest.mark.parametrize("name", ["convnetquake", "tcn"])
def test_channels_apart_come_out_the_same_and_are_kept(name: str, tmp_path: Path) -> None:
    """A model that takes each channel alone is written, read back and exported as it is."""
    from tsxfer.keep.onnx import exported
    from tsxfer.keep.saved import load, save

    fitted = _fitted(name, 3, 96, classes=4, apart=True)
    save(fitted, tmp_path / "m", {"channels": ["a", "b", "c"]})
    again, _ = load(tmp_path / "m")
    x, file = _windows(7, 3, 96), exported(fitted, {})
    assert again.apart
    assert np.array_equal(again.probabilities(x), fitted.probabilities(x))
    assert np.abs(_answer(file, x) - fitted.probabilities(x)).max() < CLOSE


@pytest.mark.parametrize("relative", [False, True])
def test_numbers_come_out_in_the_unit_of_the_labels(relative: bool) -> None:
    """Of a regression, relative to the last sample of the window or not."""
    from tsxfer.keep.onnx import exported

    fitted = _fitted("convnetquake", 2, 64, classes=0, relative=relative)
    x = _windows(5, 2, 64)
    found = _answer(exported(fitted, {}), x)
    assert found.shape == (5,)
    np.testing.assert_allclose(found, fitted.numbers(x), rtol=CLOSE, atol=CLOSE)


def test_a_network_that_cannot_be_exported_gives_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It names the model and the cause, and says what is left."""
    from tsxfer.keep import onnx

    class Twisted(onnx.Whole):
        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(np.sort(windows.detach().numpy()))

    monkeypatch.setattr(onnx, "Whole", Twisted)
    with pytest.raises(SpecError, match="tcn cannot be exported to ONNX") as caught:
        onnx.exported(_fitted("tcn", 1, 64, classes=2), {})
    assert "kept as safetensors" in str(caught.value)
    assert len(caught.value.problem.splitlines()) == 1


def test_fit_writes_the_file_that_its_card_describes(tmp_path: Path) -> None:
    """From the command line: names, shapes and predictions agree, and simulated data is told."""
    import onnx

    write_waves(tmp_path / "mine.csv", 150)
    done = tsxfer(tmp_path, "fit", *FLAGS, "--onnx", "--out", "model")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    said = json.loads((tmp_path / "model/card.json").read_text())["onnx"]
    file = (tmp_path / "model" / said["file"]).read_bytes()
    made = onnx.load_from_string(file)
    assert [v.name for v in made.graph.input] == [said["input"]["name"]] == ["windows"]
    assert [v.name for v in made.graph.output] == [said["output"]["name"]] == ["probabilities"]
    carried = json.loads({p.key: p.value for p in made.metadata_props}["tsxfer"])
    assert carried["classes"] == ["fast", "slow"]
    assert carried["simulated"] is False
    assert tsxfer(tmp_path, "predict", "model", "mine.csv").returncode == 0
    table = np.genfromtxt(tmp_path / "mine.csv", delimiter=",", skip_header=1, usecols=range(64))
    ours = np.genfromtxt(tmp_path / "predictions.csv", delimiter=",", skip_header=1)[:, 2:]
    assert np.abs(_answer(file, table[:, None, :].astype(np.float32)) - ours).max() < CLOSE


def test_a_model_is_kept_where_its_export_fails(tmp_path: Path) -> None:
    """Exit code 2 and one message; the folder holds weights and a card that says so."""
    write_waves(tmp_path / "mine.csv", 90)
    (tmp_path / "odd.py").write_text(ODD)
    done = tsxfer(
        tmp_path, "fit", *FLAGS, "--plugins", ".", "--model", "odd", "--onnx", "--out", "m"
    )
    assert done.returncode == 2
    assert "odd cannot be exported to ONNX" in done.stderr
    assert "Traceback" not in done.stderr
    assert "refused" in json.loads((tmp_path / "m/card.json").read_text())["onnx"]
    assert not (tmp_path / "m/model.onnx").exists()
    assert tsxfer(tmp_path, "predict", "m", "mine.csv", "--plugins", ".").returncode == 0


ODD = '''
import torch
from torch import nn
from tsxfer.models import backbone


class Fourier(nn.Module):
    """Sorted by NumPy, which no exporter can follow."""

    def __init__(self, channels):
        super().__init__()
        self.mix = nn.Conv1d(channels, 4, 1)

    def forward(self, x):
        order = torch.from_numpy(x.detach().cpu().numpy().argsort(axis=2))
        return self.mix(x.gather(2, order)).mean(dim=2)


@backbone(transferred=("mix.",))
def odd(channels, length):
    return Fourier(channels)
'''


def test_the_callers_setting_can_still_be_read_after_an_export() -> None:
    """PyTorch's older flag holds afterwards what it held, and asking for it is no error."""
    from tsxfer.keep import onnx

    before = torch.backends.cudnn.allow_tf32
    with onnx._quiet():
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_without_the_extra_nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named with the command that installs it."""
    from tsxfer.keep import onnx

    monkeypatch.setattr(onnx, "NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(SpecError, match="needs no_such_package"):
        onnx.refuse_missing()
