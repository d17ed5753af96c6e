"""Adam without PyTorch's compiler is Adam."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from tsxfer.train.optimiser import Adam

STEPS = 5
STUDY = """
import sys
from pathlib import Path
from tests import study
from tsxfer.cli import main
Path("tiny.toml").write_text(study.text())
sys.argv = ["tsxfer", "run", "tiny.toml", "--data", "simulated", "--workers", "1"]
try:
    main()
except SystemExit as end:
    assert not end.code
from tsxfer.train.optimiser import Adam
import torch
adam = Adam([torch.nn.Parameter(torch.ones(2))])
adam.load_state_dict(adam.state_dict())  # what a training that is kept midway does
assert "torch._dynamo" not in sys.modules
"""


def _stepped(kind: type[torch.optim.Adam]) -> list[torch.Tensor]:
    """Weights and moments after steps of two groups whose rates change on the way."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    groups = [
        {"params": net[0].parameters(), "lr": 1e-2, "weight_decay": 0.1},
        {"params": net[2].parameters(), "lr": 3e-2},
    ]
    adam = kind(groups, eps=1e-7, fused=True)
    for step in range(STEPS):
        adam.param_groups[1]["lr"] = 3e-2 / (step + 1)
        adam.zero_grad(set_to_none=True)
        net(torch.randn(8, 4)).square().sum().backward()
        adam.step()
        if step == STEPS // 2:
            adam.load_state_dict(adam.state_dict())
    moments = [tensor for state in adam.state.values() for tensor in state.values()]
    return [p.detach() for p in net.parameters()] + moments


def test_steps_are_adams_to_the_bit() -> None:
    """Decay, several groups, changed rates and a restored state give the same weights, moments."""
    ours, theirs = _stepped(Adam), _stepped(torch.optim.Adam)
    assert len(ours) == len(theirs) == 16
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_steps_keep_no_graph() -> None:
    """A step is outside of autograd, whoever calls it."""
    weight = torch.nn.Parameter(torch.ones(2))
    adam = Adam([weight])
    (weight * 2).sum().backward()
    adam.step()
    assert weight.is_leaf
    assert weight.requires_grad


def test_a_study_never_loads_the_compiler(tmp_path: Path) -> None:
    """Neither a whole study nor a state that is kept loads it: a second of CPU time a process."""
    root = Path(__file__).parents[2]
    env = os.environ | {"PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", STUDY], cwd=tmp_path, env=env, check=True)
