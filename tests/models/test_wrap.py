"""Any module is a backbone: wrapped, it keeps the contracts of ours."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tsxfer.core.plugins import PLUGINS
from tsxfer.errors import SpecError
from tsxfer.models import backbone
from tsxfer.models.base import Model, build
from tsxfer.testing import check_backbone
from tsxfer.train import reuse


def _convolutions(channels: int, length: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(channels, 8, 5),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
    )


def test_a_module_of_torch_becomes_a_backbone() -> None:
    """Its width is found, gradients flow, and transfer copies what was named."""
    kind = backbone(transferred=("0.",))(_convolutions)
    check_backbone(kind)
    target, source = Model(kind(3, 40), 1, 2), Model(kind(1, 90), 1, 5)
    audit = reuse.take_over(target, source.state_dict()).audit
    assert audit["copied"] == ["backbone.net.0.weight", "backbone.net.0.bias"]
    given = source.state_dict()["backbone.net.0.weight"]
    assert torch.equal(target.state_dict()["backbone.net.0.weight"], given.expand(8, 3, 5))
    assert target.training


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Conv1d(3, 4, 3)], r"gives \(2, 4, 78\)"),
        ([nn.Linear(7, 4)], "cannot read windows of 3 x 80"),
    ],
)
def test_a_module_that_gives_no_features_is_told(layers: list[nn.Module], message: str) -> None:
    """The message names the shape and the mend."""
    kind = backbone()(lambda *_: nn.Sequential(*layers))
    with pytest.raises(SpecError, match=message) as refused:
        kind(3, 80)
    assert refused.value.mend


def test_a_plugin_is_built_as_ours_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same weights; a subclass of Backbone is found, too."""
    (tmp_path / "plain.py").write_text(
        "from torch import nn\n"
        "from tsxfer.models import Backbone\n"
        "class Plain(Backbone):\n"
        "    transferred = ('net.',)\n"
        "    def __init__(self, channels, length):\n"
        "        super().__init__()\n"
        "        self.net, self.features = nn.Linear(channels * length, 6), 6\n"
        "    def forward(self, x):\n"
        "        return self.net(x.flatten(1))\n"
    )
    monkeypatch.setenv(PLUGINS, str(tmp_path))
    made = [
        build("plain", channels=2, length=9, extra=1, outputs=3, seed=seed) for seed in (5, 5, 6)
    ]
    weights = [m.state_dict()["backbone.net.weight"] for m in made]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
