"""Contracts of what goes through a door (`tsxfer.core.doors`), each tried on made-up numbers.

Every check raises with the first fault, by file and line, and returns a line of what was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsxfer import metrics
from tsxfer.core.doors import DOORS, METRICS, OBJECTIVES, facts
from tsxfer.core.guard import broken
from tsxfer.core.registry import Registry
from tsxfer.core.specs import PROFILES, Recipe
from tsxfer.core.strategy import Strategy
from tsxfer.data import catalogue, rules, scale
from tsxfer.errors import SpecError, nearest
from tsxfer.keys import seed, stream
from tsxfer.models import heads
from tsxfer.models.base import Model, build
from tsxfer.models.layers import own_stream
from tsxfer.ranking import rankers
from tsxfer.ranking.seen import Part, Seen
from tsxfer.running import methods
from tsxfer.stats import statistics
from tsxfer.train import loop, pretext, reuse, watched
from tsxfer.train.batch import Batch
from tsxfer.train.method import Given

COUNT, CHANNELS, LENGTH, CLASSES = 48, 2, 64, 3  # of the windows that methods are tried on


def check_method(name: str) -> str:
    """Train two epochs twice: to the same bits, with something learned, and finite."""
    first, second = _fine_tuned(name), _fine_tuned(name)
    if any(not torch.equal(first[n], second[n]) for n in first):
        raise _told(DOORS["method"], name, "gives other weights when it trains again", CHANCE)
    return f"{name}: two epochs on {COUNT} windows, twice to the same bits; its loss is finite"


CHANCE = "draw from step.random, step.uniform or given.random alone"


def _fine_tuned(name: str) -> dict[str, Tensor]:
    strategy = Strategy(method=name)
    how = watched.of(strategy)
    source, model, train = reuse.tensors(_model(1)), _model(2), _windows(0)
    start = reuse.take_over(
        model, how.start(source), strategy=watched.parts_of(strategy, how), seed=0
    )
    given = Given(
        model=model,
        source=source,
        copied=tuple(start.audit["copied"]),
        train=train,
        random=torch.Generator().manual_seed(0),
        epochs=2,
        outputs=CLASSES,
    )
    start = methods.begun(how, given, start, seed("check"))
    replica = loop.Replica(
        model=model,
        train=train,
        validation=_windows(1),
        score=lambda output: (-float(np.square(output).mean()), 0.0),
        order=stream("check"),
        dropout=0,
        rates=start.rates(1.0) | how.rates(given),
        thaws=start.thaws(2) | how.thaws(given),
        objective=watched.objective(how, "task", augment=False, moved=True),
        method=how,
    )
    loop.fit([replica], loop.Rules(Recipe(batch=16, epochs=2)))
    reuse.check_frozen(model, start)
    return reuse.tensors(model)


def _model(start: int) -> Model:
    return build("tcn", channels=CHANNELS, length=LENGTH, extra=1, outputs=CLASSES, seed=start)


def _windows(number: int) -> Batch:
    draw = stream("check", number)
    x, extra = draw.normal(size=(COUNT, CHANNELS, LENGTH)), draw.random((COUNT, 1))
    y = torch.arange(COUNT) % CLASSES
    return Batch(torch.tensor(x).float(), torch.tensor(extra).float(), y)


def check_objective(name: str) -> str:
    """A step has a loss that weights learn from; the pretext task is the same when made again."""
    losses = [_step(name) for _ in range(2)]
    if losses[0] != losses[1]:
        door = DOORS["objective"]
        raise _told(door, name, "gives another loss when asked again", "draw from random alone")
    told = facts(OBJECTIVES, name)
    if told.get("metric") not in METRICS.names():
        mend = nearest(str(told.get("metric")), METRICS.names())
        raise _told(OBJECTIVES, name, f"is scored on {told.get('metric')!r}, no metric", mend)
    return f"{name}: loss {losses[0][0]:.3g}, pretext task {losses[0][1]:.3g}, the same when redone"


def _step(name: str) -> tuple[float, float]:
    """Loss of a step, and score of the pretext task, of a fresh network."""
    made, model, part = pretext.of(name, CHANNELS, LENGTH), _model(0), _windows(0)
    torch.manual_seed(0)
    model.head = made.head(model.width)
    random = own_stream(model, 0, part.x.device)
    loss = made.objective()(model, part, torch.arange(16), random)
    loss.backward()  # type: ignore[no-untyped-call]
    asked, score, _ = made.pretext(part, 0)
    output = loop.predict(model, asked.x, asked.extra)
    return float(loss.detach()), score(output)[1]


def check_metric(name: str) -> str:
    """It stays within its span, gives the same when asked again, and likes the truth best."""
    one, draw = metrics.get(name), stream("check", name)
    truth, guess = _answers(one.task, draw), _answers(one.task, draw)
    values = one.score(truth, guess), one.score(truth, guess), one.score(truth, truth)
    if values[0] != values[1]:
        raise _told(METRICS, name, "gives another score when asked again", "draw no chance")
    if one.sign * (values[2] - values[0]) < 0:
        mend = "turn higher_is_better around, or the arguments: truth comes first"
        raise _told(METRICS, name, "likes a random answer better than the truth", mend)
    return f"{name}: the truth scores {values[2]:.3g}, a random answer {values[0]:.3g}"


def _answers(task: str, draw: np.random.Generator) -> NDArray[np.generic]:
    return draw.integers(CLASSES, size=90) if task == "classification" else draw.normal(size=90)


def check_ranker(name: str) -> str:
    """A number or None, the same when asked again, also where the source's data is not here."""
    one, seen = rankers.get(name), _seen(True)
    values = one.score(seen), one.score(seen), one.score(_seen(False))
    if values[0] != values[1]:
        mend = "draw from tsxfer.keys.stream(name)"
        raise _told(DOORS["ranker"], name, "gives another score when asked again", mend)
    shown = ["none" if value is None else f"{value:.3g}" for value in values]
    return f"{name}: {shown[0]} on made-up features, {shown[2]} without the source's data"


def _seen(whole: bool) -> Seen:
    """Features in which classes lie apart, with or without what the source's data gives."""
    card, draw = catalogue.find("emg+sim").card, stream("check", "seen")
    x = draw.normal(size=(COUNT, len(card.channels), card.length)).astype(np.float32)
    codes = np.arange(COUNT) % CLASSES
    scaler = scale.fit(x, codes, card, PROFILES["strict"])
    part = Part(
        card=card,
        classes=("a", "b", "c"),
        windows=scaler.windows(x),
        learned=codes,
        truth=codes,
        group=np.array([f"g{i // 8}" for i in range(COUNT)]),
        scaler=scaler,
    )
    features = draw.normal(size=(COUNT, 8)) + codes[:, None]
    likely = draw.dirichlet(np.ones(4), COUNT)
    return Seen(part, part if whole else None, features, likely if whole else None, 100, False)


def check_split(name: str) -> str:
    """Sides of made-up instances: all three, no group on two, the same when asked again."""
    profile = PROFILES["strict"]
    found = [rules.partition(_instances(labels), profile, name) for labels in (True, False)]
    counts = [len(part) for part in (found[0].train, found[0].validation, found[0].test)]
    return f"{name}: {counts[0]} to learn from, {counts[1]} to select on, {counts[2]} to test"


def _instances(labelled: bool) -> rules.Instances:
    time = np.arange(120, dtype=np.float64)
    return rules.Instances(
        dataset="made-up@1",
        group=np.array([f"device{i // 40}-session{i // 10}" for i in range(120)]),
        start=time,
        end=time + 0.5,
        labels=np.arange(120) % CLASSES if labelled else None,
        part=None,
        shares=PROFILES["strict"].shares,
        grouped=True,
    )


def check_head(name: str) -> str:
    """The shape that is asked for, the same start from the same seed, gradients everywhere."""
    for width, outputs in ((7, CLASSES), (33, 1)):
        made = [_head(name, width, outputs) for _ in range(2)]
        pairs = zip(made[0].parameters(), made[1].parameters(), strict=True)
        if any(not torch.equal(a, b) for a, b in pairs):
            mend = "draw from PyTorch's global stream, which is set for it"
            raise _told(DOORS["head"], name, "starts otherwise when made again", mend)
        made[0](torch.randn(4, width)).square().sum().backward()
        still = [n for n, p in made[0].named_parameters() if p.grad is None]
        if still:
            raise _told(DOORS["head"], name, f"leaves {still[0]} without a gradient", "use it")
    return f"{name}: reads 7 and 33 features, gives {CLASSES} and 1; gradients reach all"


def _head(name: str, width: int, outputs: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return heads.make(name, width, outputs)


def check_statistic(name: str) -> str:
    """A finite number of three pairs and more, the same when asked again."""
    one, draw = statistics.get(name), stream("check", name)
    for count in (3, 7, 40):
        scratch, transfer = draw.random(count), draw.random(count)
        values = one.of(scratch, transfer), one.of(scratch, transfer)
        if values[0] != values[1]:
            mend = "draw from tsxfer.keys.stream(name)"
            raise _told(DOORS["statistic"], name, "gives another number when asked again", mend)
    return f"{name}: {values[0]:.3g} of 40 made-up pairs, finite for 3 and 7"


def _told(door: Registry, name: str, fault: str, mend: str) -> SpecError:
    return broken(f"{door.noun} {name}", door.place(name), fault, mend)


CHECKS: Mapping[str, Callable[[str], str]] = {
    "method": check_method,
    "objective": check_objective,
    "metric": check_metric,
    "ranker": check_ranker,
    "split": check_split,
    "head": check_head,
    "statistic": check_statistic,
}
