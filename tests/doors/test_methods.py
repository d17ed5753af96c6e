"""A method of fine-tuning in a user's file: what its hooks do, and that its faults harm nobody."""

from __future__ import annotations

import numpy as np
import pytest

from tests.doors.conftest import TRIAL, Write, rows, transfer
from tsxfer.core.strategy import named
from tsxfer.errors import SpecError
from tsxfer.running.fingerprints import fingerprints
from tsxfer.store.workspace import Workspace
from tsxfer.train import graphs, watched

HEAD = "import torch\nfrom torch import nn\nfrom tsxfer.train.method import Method, method\n\n"


def test_a_method_without_hooks_gives_the_numbers_of_its_parts(
    place: Workspace, write: Write
) -> None:
    """What goes through the door trains as the package's own way does, to the bit."""
    write("mine", HEAD + '@method(copied="backbone")\nclass Mine(Method):\n    """M."""\n')
    ours, users = rows(place, transfer("full"))[0], rows(place, transfer("mine"))[0]
    assert users.status == "done", users.error
    assert (users.scores, users.curve) == (ours.scores, ours.curve)
    assert users.audit == ours.audit
    assert users.trial.key != ours.trial.key
    assert "method mine.py" in users.data
    assert "method mine.py" not in ours.data


EVERY_HOOK = '''
@method(copied="backbone", rate_decay=0.9)
class Mine(Method):
    """All hooks."""

    def __init__(self):
        self.seen = []

    def start(self, source):
        self.seen.append("start")
        return {n: 0.5 * t for n, t in source.items()}

    def head(self, width, outputs):
        return nn.Sequential(nn.Linear(width, 8), nn.ReLU(), nn.Linear(8, outputs))

    def begin(self, given):
        assert given.train.x.shape[0] == 48 and given.copied and given.source
        self.first = given.model.backbone.state_dict()
        next(given.model.backbone.parameters()).requires_grad_(False)

    def rates(self, given):
        return {"head.0.weight": 0.1}

    def thaws(self, given):
        return {"head.2.weight": 1}

    def loss(self, step):
        return step.plain() + 1e-3 * step.features.square().mean() * step.uniform(1).mean()

    def after_step(self, model):
        self.steps = getattr(self, "steps", 0) + 1

    def after_epoch(self, model, epoch):
        assert self.steps == epoch
        self.kept = model.head[0].weight.clone()

    def finish(self, model):
        model.head[0].weight.copy_(0.5 * (model.head[0].weight + self.kept))
'''


def test_every_hook_is_called_and_audited(place: Workspace, write: Write) -> None:
    """Start, head, begin, rates, thawing, loss, steps, epochs and end all take part in a row."""
    write("mine", HEAD + EVERY_HOOK)
    row, again = rows(place, transfer("mine"))[0], rows(place, transfer("mine"))[0]
    assert row.status == "done", row.error
    assert len(row.audit["frozen"]) == 1
    assert "head.2.weight" in row.audit["renewed"]
    assert row.digest == again.digest


def test_parts_join_a_method_and_an_edit_makes_its_rows_undone(
    place: Workspace, write: Write
) -> None:
    """`mine+spread` has that name; other code is another fingerprint, and the twin keeps its."""
    path = write("mine", HEAD + "@method()\nclass Mine(Method):\n    pass\n")
    assert named("mine+spread+rescale").words == "mine+spread+rescale"
    before, twin = (fingerprints(place, t) for t in (transfer("mine"), TRIAL))
    path.write_text(path.read_text() + "# edited\n")
    assert fingerprints(place, transfer("mine")) != before
    assert fingerprints(place, TRIAL) == twin


def test_a_mistyped_method_gets_near_names(write: Write) -> None:
    """A user's names and the package's own are suggested alike."""
    write("delta", HEAD + "@method()\nclass Delta(Method):\n    pass\n")
    for typed, meant in (("detla", "delta"), ("fozen", "frozen")):
        with pytest.raises(SpecError, match="unknown strategy") as caught:
            named(typed)
        assert meant in caught.value.mend


FAULTS = {
    "raises": ("def loss(self, step):\n        return step.plain() / zero", "NameError", 10),
    "shape": ("def loss(self, step):\n        return step.output", "no scalar", 7),
    "nan": ("def loss(self, step):\n        return step.plain() * float('nan')", "not finite", 7),
    "chance": (
        "def loss(self, step):\n        return step.plain() + 0 * torch.rand(1).sum()",
        "PyTorch's global stream",
        7,
    ),
    "head": (
        "def head(self, width, outputs):\n        return nn.Linear(width, 1)",
        "head gives",
        7,
    ),
    "frozen": (
        "def begin(self, given):\n        given.model.requires_grad_(False)",
        "nothing that learns",
        7,
    ),
    "rates": ("def rates(self, given):\n        return {'hd.weight': 2.0}", "no parameter", 7),
    "numpy": (
        "def after_epoch(self, model, epoch):\n        import numpy; numpy.random.rand()",
        "NumPy's global stream",
        7,
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_faulty_method_is_named_and_other_rows_are_unharmed(
    place: Workspace, write: Write, kind: str
) -> None:
    """The failed row says file and line; scratch and another method train on."""
    body, said, line = FAULTS[kind]
    path = write("bad", f'{HEAD}\n@method()\nclass Bad(Method):\n    """B."""\n    {body}\n')
    row = rows(place, transfer("bad"))[0]
    assert row.status == "failed"
    assert said in row.error
    assert f"{path}, line {line}" in row.error, row.error


def test_test_data_is_out_of_reach(place: Workspace, write: Write) -> None:
    """A method that opens prepared data or predictions is refused, by file and line."""
    folder = place.root / "data" / "emg+sim@1"
    path = write(
        "peek",
        f"{HEAD}import numpy\n\n@method()\nclass Peek(Method):\n    def begin(self, given):\n"
        f"        numpy.load({str(folder / 'y.npy')!r})\n",
    )
    row = rows(place, transfer("peek"))[0]
    assert "opens y.npy" in row.error
    assert f"{path}, line 10" in row.error
    np.load(folder / "y.npy")  # outside of it, anybody may


def test_one_of_a_pack_fails_alone(place: Workspace, write: Write) -> None:
    """A method that fails on one repeat leaves the others of its pack their rows."""
    write(
        "some",
        f"{HEAD}@method()\nclass Some(Method):\n    def begin(self, given):\n"
        "        if given.random.initial_seed() % 2:\n            raise ValueError('odd')\n",
    )
    found = rows(place, *(transfer("some", repeat) for repeat in range(4)))
    assert {row.status for row in found} == {"done", "failed"}


def test_what_cannot_be_recorded_says_so(write: Write) -> None:
    """One attribute sends packs to steps in turns, and the reason names the method."""
    write("eager", f"{HEAD}@method()\nclass Eager(Method):\n    recordable = False\n")
    assert "eager" in watched.unrecordable(transfer("eager").reuse)
    assert not watched.unrecordable(transfer("copy").reuse)
    assert graphs.Graphs(refused="no").refused == "no"
