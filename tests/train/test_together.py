"""What a stack does for all replicas at once: scores, best states, whole epochs."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.running.test_runner import SCRATCH
from tests.train.test_stacked import RECIPE, _replica, _trained
from tsxfer.core.specs import Recipe
from tsxfer.data.scale import Scaled, Scaler
from tsxfer.models.base import build
from tsxfer.running.scoring import score_of
from tsxfer.running.steppers import recordings
from tsxfer.train import loop
from tsxfer.train.batch import Batch
from tsxfer.train.judging import BY_CLASS, BY_ERROR, Judge, Question
from tsxfer.train.loop import Replica, Rules, Run, fit, turns
from tsxfer.train.stacked import play
from tsxfer.train.stacked import stack as stacks
from tsxfer.train.stacked.scores import Judges, refusal
from tsxfer.train.stacked.stack import Memory, Stack
from tsxfer.train.stacked.stepper import Stacked

COUNT, CLASSES = 31, 5
EXACT, SUMMED, LOSS = 0.0, 1e-12, 1e-5  # tolerances that `tsxfer.train.stacked.scores` states


def _task(metric: str, number: int, relative: bool) -> Any:
    """A validation part; one class is not in it, and is predicted all the same."""
    draw = np.random.default_rng(number)
    classes = metric in BY_CLASS
    truth = draw.integers(0, CLASSES - 1, COUNT) if classes else draw.normal(size=COUNT)
    scaler = Scaler("peak", True, (0,), np.zeros((1, 4), np.float32), 0, 1, 0.3, 2.5, relative)
    facts = draw.normal(2, 0.2, (2, COUNT)).astype(np.float32)
    return SimpleNamespace(
        prepared=SimpleNamespace(
            card=SimpleNamespace(metric=metric), classes=tuple("abcde") if classes else ()
        ),
        truth=truth if classes else truth.astype(np.float32),
        validation_y=truth if classes else draw.normal(size=COUNT).astype(np.float32),
        validation=Scaled(np.zeros((COUNT, 1, 4), np.float32), facts[:0].T, *facts),
        scaler=scaler,
    )


def _asked(metric: str, profile: str, kind: str) -> tuple[list[Any], list[Judge]]:
    trial: Any = replace(SCRATCH, profile=profile, recipe=Recipe(loss=kind))  # type: ignore[arg-type]
    runs, judges = [], []
    for number in range(3):
        task = _task(metric, number, relative=number > 0)
        model = build("convnetquake", channels=1, length=32, extra=0, outputs=1, seed=number)
        judge = score_of(task, trial, model)
        part = SimpleNamespace(x=torch.zeros(1), y=torch.from_numpy(task.validation_y))
        runs.append(
            SimpleNamespace(replica=SimpleNamespace(train=part, validation=part, score=judge))
        )
        judges.append((judge, model))
    penalty = torch.stack([model.penalty().detach() for _, model in judges])
    return runs, [judge for judge, _ in judges], penalty


CASES = [
    *((name, "strict", "task", EXACT) for name in BY_CLASS),
    *((name, "strict", "task", SUMMED) for name in BY_ERROR),
    ("weighted_f1", "paper", "task", EXACT),
    ("weighted_f1", "paper", "squared", LOSS),
    ("mae", "paper", "task", LOSS),
]


@pytest.mark.parametrize(("metric", "profile", "kind", "near"), CASES)
def test_a_device_makes_the_scores_of_the_host(
    metric: str, profile: str, kind: str, near: float
) -> None:
    """Each metric that cards name and each way to choose a checkpoint, of three replicas."""
    runs, judges, penalty = _asked(metric, profile, kind)
    assert refusal(runs, anywhere=True) == ""
    outputs = CLASSES if metric in BY_CLASS else 1
    raw = torch.randn(3, COUNT, outputs, generator=torch.Generator().manual_seed(1))
    device = Judges(runs)
    found = device.answers(device.terms(raw, penalty if device.by_loss else None).numpy())
    for one, judge, output in zip(found, judges, raw.numpy(), strict=True):
        assert one == pytest.approx(judge(output), rel=near, abs=0)


@pytest.mark.parametrize("metric", ["macro_f1", "mae", "medae", "r2"])
def test_outputs_that_are_no_numbers_are_scored_as_by_the_host(metric: str) -> None:
    """One NaN in a class output, or in an answer: the same score, or NaN."""
    runs, judges, _ = _asked(metric, "strict", "task")
    raw = torch.randn(3, COUNT, CLASSES if metric in BY_CLASS else 1)
    raw[1, 4, -1] = torch.nan
    device = Judges(runs)
    found = device.answers(device.terms(raw, None).numpy())
    for one, judge, output in zip(found, judges, raw.numpy(), strict=True):
        assert one == pytest.approx(judge(output), rel=SUMMED, nan_ok=True)


def test_constant_truth_has_nothing_to_explain() -> None:
    """R2 of it is 0 from sums too."""
    asked = Question("r2", "metric", "task", np.ones(3, np.float32))
    assert asked._by_error(0.5) == 0.0


def test_other_scores_stay_with_the_host() -> None:
    """A function of its own, replicas that are scored in other ways, and a CPU, which says so."""
    runs = _asked("mae", "strict", "task")[0]
    assert "on the cpu" in refusal(runs)
    runs[0].replica.score = runs[0].replica.score.function
    assert "function of its own" in refusal(runs, anywhere=True)
    others = [_asked(name, "strict", "task")[0][0] for name in ("mae", "rmse")]
    assert "in other ways" in refusal(others, anywhere=True)


def _judged(number: int, name: str = "mlstm_fcn") -> Replica:
    """A replica whose score says what it is made of."""
    plain = _replica(name, number)
    truth = plain.validation.y.numpy()

    def accuracy(output: NDArray[np.float32]) -> tuple[float, float]:
        share = float(np.mean(truth == output.argmax(axis=1)))
        return share, share

    return replace(plain, score=Judge(accuracy, Question("accuracy", "metric", "task", truth)))


LONG = Rules(replace(RECIPE, epochs=6, rate=1e-2, patience=2))


def _fitted(stepper: loop.Stepper) -> tuple[list[loop.Fit], list[torch.Tensor]]:
    pack = [_judged(number, "convnetquake") for number in range(3)]
    fits = fit(pack, LONG, stepper)
    return fits, [_flat(one.model) for one in pack]


def _flat(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([t.flatten().double() for t in model.state_dict().values()])


def test_scores_and_best_states_of_a_pack_without_the_host() -> None:
    """Made on the device, a training is bit for bit that with scores made by the host."""
    here, there = Stacked(), Stacked(anywhere=True)
    found, expected = _fitted(there), _fitted(here)
    assert there.host == ""
    assert "as it is" in here.host
    assert len({one.best for one in found[0]}) > 1
    assert [len(one.monitor) for one in found[0]] == [len(one.monitor) for one in expected[0]]
    for a, b in zip(found[0], expected[0], strict=True):
        assert (a.monitor, a.best, a.steps) == (b.monitor, b.best, b.steps)
    assert all(torch.equal(a, b) for a, b in zip(found[1], expected[1], strict=True))


def test_few_numbers_leave_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each replica 2 · class + 1 of them, where raw output has class · window."""
    read: list[tuple[int, ...]] = []
    real = Judges.answers

    def seen(self: Judges, terms: NDArray[np.float64]) -> list[tuple[float, float]]:
        read.append(terms.shape)
        return real(self, terms)

    monkeypatch.setattr(Judges, "answers", seen)
    found = _fitted(Stacked(anywhere=True))[0]
    assert set(read) <= {(3, 5), (2, 5), (1, 5)}
    assert len(read) == max(len(one.monitor) for one in found) - 1  # those before training


def _stack() -> tuple[Stack, list[Run]]:
    runs = [Run(_judged(number), LONG) for number in range(3)]
    for run in runs:
        run.begin_epoch()
        loop.norms.train_mode(run.replica.model)
    stack = Stack(runs, [Memory() for _ in runs])
    stack.schedule()
    return stack, runs


def test_a_best_state_is_kept_where_a_replica_improved_and_nowhere_else() -> None:
    """Weights and statistics of normalisation, those of others stay: a stopped one's, say."""
    stack, runs = _stack()
    before = [dict(run.best_state) for run in runs]
    rows = torch.arange(8).repeat(3, 1)
    stack.step(rows)
    stack.keep([True, False, False])
    first = {n: t.clone() for n, t in runs[0].replica.model.state_dict().items()}
    stack.step(rows)
    stack.keep([False, False, True])
    last = {n: t.clone() for n, t in runs[2].replica.model.state_dict().items()}
    stack.step(rows)
    stack.release()
    for run, expected in zip(runs, (first, before[1], last), strict=True):
        assert run.best_state.keys() == expected.keys()
        assert all(torch.equal(run.best_state[n], t) for n, t in expected.items())
        assert not run.held
    mean = "backbone.norms.0.running_mean"
    assert not torch.equal(first[mean], before[0][mean])


def test_a_network_with_one_layer_under_two_names_trains_in_turns() -> None:
    """One of one's own may tie layers; the reason is said and the numbers are those in turns."""
    stepper = Stacked()
    found = []
    for way in (stepper, turns):
        replica = _judged(0, "convnetquake")
        replica.model.again = replica.model.head
        found.append((fit([replica], SHORT, way), _flat(replica.model)))
    assert "a parameter with two names" in stepper.refused
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


BY_VALUE = ("mul", "add", "sub", "div")  # a kernel is given a number of the host as an argument


class _Elsewhere(TorchDispatchMode):
    """Notes operations between the host and the device in whose place ``meta`` stands."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: list[str] = []
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation; on ``meta`` reading a number or an array fails by itself."""
        made = func(*args, **(kwargs or {}))
        touched = [t for t in tree_leaves((args, kwargs, made)) if isinstance(t, torch.Tensor)]
        between = len({tensor.device.type for tensor in touched}) > 1
        number = func.overloadpacket.__name__ in BY_VALUE and made.device.type == "meta"
        self.count += 1
        if between and not number:
            self.odd.append(str(func))
        return made


def _there(part: Batch) -> Batch:
    return Batch(*(tensor.to("meta") for tensor in (part.x, part.extra, part.y)))


def _moved(stack: Stack) -> Stack:
    """The stack with all that it computes with on ``meta``."""
    stack.flat = stack.flat.detach().to("meta").requires_grad_()
    stack._fixed = {name: tensor.to("meta") for name, tensor in stack._fixed.items()}
    for name in ("_rates", "mean", "square", "ages", "of"):
        setattr(stack.adam, name, getattr(stack.adam, name).to("meta"))
    for run in stack.runs:
        one = run.replica
        run.replica = replace(one, train=_there(one.train), validation=_there(one.validation))
    return stack


def _moved_judges(runs: Any) -> Judges:
    judges = Judges(runs)
    meta = torch.device("meta")
    judges._device, judges._truth, judges._y = meta, judges._truth.to(meta), judges._y.to(meta)
    if judges._scale is not None:
        judges._scale = tuple(tensor.to(meta) for tensor in judges._scale)
    return judges


def test_nothing_that_is_recorded_touches_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """No copy from the host and no number read: a step, an evaluation, scores of each metric."""
    monkeypatch.setattr(stacks, "autocast", lambda *_: nullcontext())  # ``meta`` has none
    runs = [Run(_replica("convnetquake", number), LONG) for number in range(3)]
    for run in runs:
        run.begin_epoch()
        loop.norms.train_mode(run.replica.model)
    stack = _moved(Stack(runs, [Memory() for _ in runs]))
    rows = torch.zeros(3, 8, dtype=torch.int64, device="meta")
    mode = _Elsewhere()
    with mode:
        stack.step(rows)
        stack.outputs()
        penalties = stack.penalties()
    for metric, profile, kind, _ in CASES:
        judges = _moved_judges(_asked(metric, profile, kind)[0])
        raw = torch.zeros(3, COUNT, CLASSES if metric in BY_CLASS else 1, device="meta")
        with mode:
            judges.terms(raw, penalties if judges.by_loss else None)
    assert mode.odd == []
    assert mode.count > 300


def _by_hand(log: list[str]) -> Any:
    """A recorder that plays, and says when."""

    def record(bodies: Any, *_: object) -> tuple[Any, object]:
        place = len([word for word in log if word.startswith("recorded")])
        log.append(f"recorded {place}")

        def replay() -> None:
            log.append(f"replay {place}")
            bodies[0]()

        return replay, None

    return record


FULL, LAST, EVALUATION, EPOCH = (f"replay {place}" for place in range(4))
SHORT = Rules(replace(RECIPE, epochs=3))


def test_a_whole_epoch_is_one_replay() -> None:
    """From the second on, its incomplete last batch with it; the first stops to evaluate."""
    log: list[str] = []
    stepper = Stacked(_by_hand(log), epochs=True)
    found = _trained(stepper, "magnet", SHORT)
    replays = [word for word in log if word.startswith("replay")]
    assert replays[-4:] == [EPOCH, EVALUATION] * 2
    assert replays[:-4].count(FULL) == 2  # 20 windows: two batches of 8 and one of 4
    assert replays[:-4].count(LAST) == 1
    assert stepper.told == {"graph": "epoch", "scores": "raw output is on the cpu as it is"}
    assert found[0] == _trained(Stacked(), "magnet", SHORT)[0]


def test_an_epoch_that_costs_more_than_it_saves_stays_a_replay_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By what recording a step took; and what cannot be recorded at once stays so too."""
    monkeypatch.setattr(play, "GAP", 0.0)
    log: list[str] = []
    stepper = Stacked(_by_hand(log))
    found = _trained(stepper, "magnet", SHORT)
    assert "step: recording an epoch takes" in recordings(stepper)["graph"]
    assert log.count(FULL) == 2 * 3
    assert found[0] == _trained(turns_stacked := Stacked(), "magnet", SHORT)[0]
    assert turns_stacked.told == {}


def test_an_epoch_that_cannot_be_recorded_is_taken_step_by_step() -> None:
    """With the recorder's reason; the numbers are the same."""
    log: list[str] = []
    right = _by_hand(log)

    def record(bodies: Any, *rest: object) -> tuple[Any, object]:
        if "recorded 2" in log:
            raise RuntimeError("too many nodes")
        found: tuple[Any, object] = right(bodies, *rest)
        return found

    stepper = Stacked(record, epochs=True)
    found = _trained(stepper, "magnet", SHORT)
    assert (stepper.told["graph"], stepper.refused) == ("step: too many nodes", "")
    assert found[0] == _trained(Stacked(), "magnet", SHORT)[0]
    assert found[0][0].samples == _trained(turns, "magnet", SHORT)[0][0].samples
