"""The precision of a recipe holds wherever its network computes, and nowhere else."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.func import functional_call, vmap

from tests.running.test_runner import SCRATCH, place
from tests.small import job
from tsxfer.core.specs import Recipe
from tsxfer.data.card import Card
from tsxfer.data.task import load_task
from tsxfer.keep import fit as keeping
from tsxfer.keep.saved import load, save
from tsxfer.models import layers
from tsxfer.models.base import build
from tsxfer.running import checkup
from tsxfer.running.ending import open_test, unseen, windows_of
from tsxfer.running.runner import run
from tsxfer.running.setup import fresh
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, low_rank, precision, reuse
from tsxfer.train.batch import on_device

__all__ = ["place"]  # a fixture


def _seen(patch: pytest.MonkeyPatch, name: str) -> list[tuple[str, object]]:
    """Of each call of a function of `loop`: float32 products meanwhile, and its precision."""
    real, found = getattr(loop, name), list[tuple[str, object]]()
    part: Any = torch.backends.cudnn.conv

    def seen(*given: Any, **how: Any) -> Any:
        found.append((part.fp32_precision, how.get("precision")))
        return real(*given, **how)

    patch.setattr(loop, name, seen)
    return found


@pytest.mark.filterwarnings("ignore:Please use the new API")  # PyTorch 2.9, of its older flags
def test_the_callers_settings_come_back(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a training, in exact products, PyTorch's older flags hold what they held before."""
    inside = _seen(monkeypatch, "fit")
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = (cudnn.allow_tf32, torch.get_float32_matmul_precision(), matmul.fp32_precision)
    run(job(place, replace(SCRATCH, size="n=60", recipe=Recipe(epochs=1))))
    assert before == (
        cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
        matmul.fp32_precision,
    )
    assert inside == [("ieee", None)]


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


def test_validation_is_shown_in_the_recipes_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before training too: what is monitored and the loss on training windows."""
    shown = _seen(monkeypatch, "predict")
    replica = checkup._replica("cpu", "convnetquake", "labels", 0, lambda _: (0.0, 0.0))
    loop.Run(replica, loop.Rules(Recipe(precision="bf16")))
    assert [kind for _, kind in shown] == ["bf16"] * 2


def test_an_objective_without_labels_is_tested_as_it_learned(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its test windows too are shown in the recipe's precision."""
    recipe = Recipe(precision="bf16", objective="masked")
    trial = replace(SCRATCH, size="n=60", recipe=recipe)
    task = load_task(place, trial)
    model = fresh(trial, task.train, task.outputs)
    shown = _seen(monkeypatch, "predict")
    unseen(trial, task, model, "cpu")
    assert [kind for _, kind in shown] == ["bf16"]


def test_a_kept_model_answers_in_the_precision_that_it_learned_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved, loaded and used in a fresh process, it gives what was validated."""
    learned, shown = (_seen(monkeypatch, name) for name in ("fit", "predict"))
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
    assert {products for products, _ in (*learned, *shown)} == {"ieee"}


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


def test_an_lstm_of_stacked_replicas_is_not_either() -> None:
    """Autocast is off in it, so that it computes as each replica's own does."""
    lstm = layers.LSTM(4, 3, batch_first=True)
    x = torch.randn(2, 2, 5, 4)
    held = {name: torch.stack([p.detach()] * 2) for name, p in lstm.named_parameters()}
    exact = torch.stack([lstm(one)[0] for one in x])
    lstm.several = True
    with torch.autocast("cpu", torch.bfloat16):
        found = vmap(lambda tensors, one: functional_call(lstm, tensors, (one,))[0])(held, x)
    assert torch.allclose(found, exact, atol=1e-6)


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
