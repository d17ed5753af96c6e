"""The precision of a recipe holds wherever its network computes, and nowhere else."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.running.test_runner import SCRATCH, place
from tests.small import job
from tsxfer.core.specs import Recipe
from tsxfer.data.card import Card
from tsxfer.data.task import load_task
from tsxfer.keep import fit as keeping
from tsxfer.keep.saved import load, save
from tsxfer.models import layers
from tsxfer.models.base import build
from tsxfer.running.ending import open_test, windows_of
from tsxfer.running.runner import run
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, low_rank, precision, reuse
from tsxfer.train.batch import on_device

__all__ = ["place"]  # a fixture


def test_the_callers_settings_come_back(place: Workspace) -> None:
    """After a training, PyTorch's older flags can still be read and hold what they held."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = (cudnn.allow_tf32, torch.get_float32_matmul_precision(), matmul.fp32_precision)
    run(job(place, replace(SCRATCH, size="n=60", recipe=Recipe(epochs=1))))
    assert before == (
        cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
        matmul.fp32_precision,
    )


def test_products_are_exact_inside_even_where_an_error_ends_it() -> None:
    """PyTorch's own default, TF32 in convolutions, is away inside and back afterwards."""
    part: Any = torch.backends.cudnn.conv
    before = part.fp32_precision
    with contextlib.suppress(KeyError), precision.products("float32"):
        assert part.fp32_precision == "ieee"
        raise KeyError
    with precision.products("tf32"):
        assert part.fp32_precision == "tf32"
    assert part.fp32_precision == before


def test_the_test_part_is_scored_as_validation_was(place: Workspace) -> None:
    """In bf16 a network's test output is what `predict` gives in bf16, not in float32."""
    trial = replace(SCRATCH, model="resnet", size="n=60", recipe=Recipe(precision="bf16"))
    task = load_task(place, trial)
    channels, length = task.train.x.shape[1:]
    model = build("resnet", channels=channels, length=length, extra=1, outputs=4, seed=0)
    found = open_test(model, task, windows_of(task, "cpu"), precision="bf16", always_drop=False)
    windows = task.scaler.windows(task.test.windows())
    part = on_device(windows, np.zeros(len(task.test), np.float32), "cpu")
    fine = loop.predict(model, part.x, part.extra)
    assert np.array_equal(found.output, loop.predict(model, part.x, part.extra, precision="bf16"))
    assert not np.array_equal(found.output, fine)


def test_a_kept_model_answers_in_the_precision_that_it_learned_in(tmp_path: Path) -> None:
    """Saved, loaded and used in a fresh process, it gives what was validated."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(40, 1, 64)).astype(np.float32), np.arange(40) % 2
    card = _card()
    data = keeping.Labelled(x, y, np.arange(40), ("a", "b"), card)
    recipe = Recipe(epochs=1, precision="bf16")
    fitted = keeping.fit(data, keeping.Terms(model="convnetquake", recipe=recipe))
    assert fitted.precision == "bf16"
    save(fitted, tmp_path / "m", {"channels": ["x"]})
    again, _ = load(tmp_path / "m")
    coarse, fine = again.output(x)[0], replace(again, precision="float32").output(x)[0]
    assert np.array_equal(coarse, fitted.output(x)[0])
    assert not np.array_equal(coarse, fine)


def _card() -> Card:
    from tsxfer.data import catalogue

    return replace(catalogue.find("emg+sim").card, channels=("x",))


def test_an_lstm_is_never_put_into_float16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where autocast would (on a GPU, whatever it was asked for), it computes in float32."""
    lstm = layers.LSTM(4, 3, batch_first=True)
    x = torch.randn(2, 5, 4)
    exact = lstm(x)[0]
    monkeypatch.setattr(layers, "halved", lambda _: True)
    with torch.autocast("cpu", torch.bfloat16):
        found = lstm(x.bfloat16().float())[0]
    assert found.dtype == torch.float32
    assert torch.allclose(found, exact, atol=1e-2)


def test_magnets_lstm_is_such_a_one() -> None:
    """Its weights keep their names and values."""
    model = build("magnet", channels=1, length=64, extra=0, outputs=2, seed=0)
    assert isinstance(model.get_submodule("backbone.lstm"), layers.LSTM)


def test_the_penalty_of_low_rank_kernels_is_of_what_they_have_become() -> None:
    """The product that learns is in the penalty, so that its L2 has a gradient."""
    model = build("convnetquake", channels=1, length=64, extra=0, outputs=2, seed=0)
    before = float(model.penalty().detach())
    low_rank.add(model, reuse.transferred(model), 2, seed=0)
    assert float(model.penalty().detach()) == pytest.approx(before)
    up = [p for name, p in model.named_parameters() if name.endswith(".up")]
    with torch.no_grad():
        for parameter in up:
            parameter.add_(0.1)
    penalty = model.penalty()
    penalty.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in up)
    expected = sum(
        float(layer.weight.detach().square().sum())
        for layer in model.modules()
        if isinstance(layer, torch.nn.Conv1d)
    )
    assert float(penalty.detach()) == pytest.approx(1e-3 * expected, rel=1e-5)
