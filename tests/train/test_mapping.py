"""Names of a stranger's weights: found behind a prefix, or both sides are listed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tsxfer.errors import SpecError
from tsxfer.models.base import build
from tsxfer.train import reuse
from tsxfer.train.mapping import complete, mapped

MODEL = build("convnetquake", channels=3, length=64, extra=0, outputs=2, seed=1)
OWN = reuse.tensors(build("convnetquake", channels=1, length=900, extra=1, outputs=5, seed=2))
BACKBONE = {n: t for n, t in OWN.items() if n.startswith("backbone.")}


@pytest.mark.parametrize("prefix", ["", "backbone.", "module.", "model.encoder.", "_orig_mod."])
def test_a_prefix_is_found(prefix: str) -> None:
    """Whatever stands before the names, each tensor goes where it belongs; heads are left out."""
    held = {prefix + name.removeprefix("backbone."): tensor for name, tensor in BACKBONE.items()}
    found = mapped({**held, "head.weight": torch.ones(5, 9)}, MODEL)
    assert found.weights.keys() == BACKBONE.keys()
    assert all(torch.equal(found.weights[name], BACKBONE[name]) for name in BACKBONE)
    assert found.unused == ("head.weight",)
    assert f"{len(BACKBONE)} tensors" in found.words


def test_a_file_of_part_of_a_network_is_found_and_its_rest_is_missed() -> None:
    """What is there is mapped; who needs more is told what the file has, and a way out."""
    part = {f"net.{n}": t for n, t in BACKBONE.items() if ".0." in n or ".1." in n}
    found = mapped(part, MODEL)
    complete(found, list(found.weights), MODEL)
    with pytest.raises(SpecError) as caught:
        complete(found, reuse.transferred(MODEL), MODEL)
    assert "lack backbone.convolutions.2.weight" in str(caught.value)
    assert "net.backbone.convolutions.0.weight (32, 1, 3)" in str(caught.value)
    assert "--strategy first_2" in str(caught.value)


def test_other_names_or_shapes_are_refused_with_both_sides() -> None:
    """Nothing is guessed from order or size."""
    renamed = {name.replace("convolutions", "kernels"): tensor for name, tensor in BACKBONE.items()}
    wider = {name: torch.cat([tensor, tensor]) for name, tensor in BACKBONE.items()}
    for held in (renamed, wider):
        with pytest.raises(SpecError, match="no tensor in common") as caught:
            mapped(held, MODEL)
        assert "in the file:" in str(caught.value)
        assert "backbone.convolutions.8.bias (32,)" in str(caught.value)


def _mended(held: reuse.Weights, words: str, made: str) -> reuse.Weights:
    """What the command of a refusal makes of a file."""
    save_file({n: t.detach().contiguous().clone() for n, t in held.items()}, "FILE.safetensors")
    with pytest.raises(SpecError, match=words) as caught:
        mapped(held, MODEL)
    command = shlex.split("python -c" + caught.value.mend.partition("python -c")[2])
    exec(command[2], {})  # noqa: S102  (in another process it takes seconds)
    return load_file(made)


def test_two_networks_in_one_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A moving average beside the weights: which is meant is said by a command that keeps it."""
    monkeypatch.chdir(tmp_path)
    twice = {f"{side}.{n}": t for side in ("model", "ema") for n, t in BACKBONE.items()}
    kept = mapped(_mended(twice, "fit in 2 ways", "one.safetensors"), MODEL)
    assert kept.prefix == "model.backbone."


def test_kernels_in_the_order_of_keras_are_told_and_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``(time, channel, filter)`` is no other network: a command turns it into ours."""
    monkeypatch.chdir(tmp_path)
    turned = {n: t.permute(2, 1, 0) if t.ndim == 3 else t for n, t in BACKBONE.items()}
    found = mapped(_mended(turned, "no tensor in common", "turned.safetensors"), MODEL)
    assert all(torch.equal(found.weights[name], BACKBONE[name]) for name in BACKBONE)
