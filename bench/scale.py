"""Time and peak memory of everything that reads a large store; its rows are simulated.

    python bench/scale.py --datasets 17 --repeats 11 --folder /tmp/scale     # 102,136 rows
    python bench/scale.py --datasets 50 --repeats 13 --folder /tmp/scale     # 1,041,200 rows

Each step runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tsxfer.api.training import finished
from tsxfer.checks.verify import verify
from tsxfer.cli.report import gathered
from tsxfer.cli.show import show_plan, show_status
from tsxfer.core.expansion import expand, trials_of
from tsxfer.core.registry import Registry
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.core.study_files import read_study, study_toml
from tsxfer.data import catalogue
from tsxfer.data.card import Dataset
from tsxfer.data.task import draw, prepared
from tsxfer.report import files
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, environment

MODELS = tuple(f"model{number}" for number in range(8))
SIZES = ("n=500", "n=1500", "n=4500", "n=9000")
TENSORS = [f"backbone.convolutions.{n}.{kind}" for n in range(9) for kind in ("weight", "bias")]
CARD = '''"""As many instances and groups as real data sets have, in short windows."""
import numpy as np
from tsxfer.data import Series, synthetic

@synthetic(
    version=1, count=30_000, domain="none", task="classification", label="class", rate_hz=1.0,
    channels=("a",), length=4, group="group", metric="macro_f1", margin=0.02, licence="none",
    cite="none",
)
def {name}(count, rng):
    """A data set of the benchmark."""
    number = np.arange(count)
    names = np.char.add("w", number.astype(str))
    y, group = rng.choice(["a", "b"], count), np.char.add("g", (number // 10).astype(str))
    return Series(rng.normal(size=(count, 1, 4)).astype(np.float32), y, group, names, 1.0)
'''


def make(folder: Path, datasets: int, repeats: int) -> Study:
    """Data sets, a study and a finished row for each of its trials."""
    names = tuple(f"d{number:02}" for number in range(datasets))
    ids = tuple(f"{name}@1" for name in names)
    study = Study(name="big", sources=ids, targets=ids, models=MODELS, sizes=SIZES, repeats=repeats)
    place = Workspace(folder / "ws")
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / "cards" / f"{name}.py").write_text(CARD.format(name=name))
    catalogue.REGISTRY = _cards(folder)
    store = Store(place.results("big"))
    store.folder.mkdir(parents=True, exist_ok=True)
    (store.folder / "study.toml").write_text(study_toml(study))
    rows = _rows(study, place)
    while chunk := list(islice(rows, 10_000)):
        store.extend(chunk)
    return study


def _rows(study: Study, place: Workspace) -> Iterator[Result]:
    """A row as long as real ones are, with the split and the subset that its trial has."""
    rng, made = np.random.default_rng(0), environment()
    samples = [float(1200 * epoch) for epoch in range(13)]
    terms = cache(lambda dataset, size, repeat: _terms(place, Trial(dataset, "", size, repeat)))
    for trial in trials_of(study):
        gain = 0.05 if trial.reuse else 0.0
        scores = rng.normal(0.6 + gain, 0.02, 3).round(17).tolist()
        curve = rng.normal(0.5, 0.05, 13).round(6).tolist()
        audit = {"copied": TENSORS, "renewed": ["head.0.weight"], "frozen": []}
        sizes, data, proof, subset = terms(trial.dataset, trial.size, trial.repeat)
        source = trial.reuse.source if trial.reuse else trial
        origin = terms(source.dataset, source.size, source.repeat)[1]
        yield Result(
            trial=trial,
            status="done",
            metric="macro_f1",
            margin=0.02,
            scores=dict(zip(("macro_f1", "weighted_f1", "accuracy"), scores, strict=True)),
            chance={"macro_f1": 0.1},
            curve={"samples": samples, "score": curve},
            sizes=sizes,
            data=data | origin,
            split=proof,
            subset=subset,
            alignment=f"a{trial.repeat}",
            loss="cross-entropy",
            audit=audit if trial.reuse else {},
            ledger={"steps": 240, "batch": 64, "tries": 1},
            cost={"seconds": 1.5, "steps": 240, "samples": 15_600, "device": "cpu"},
            labels=("simulated",),
            environment=made,
        )


def _terms(place: Workspace, trial: Trial) -> tuple[dict[str, int], dict[str, str], Any, str]:
    """Sizes, fingerprint, split proof and subset of a trial."""
    data = prepared(place, trial.dataset)
    parts, drawn = draw(data, trial)
    counts = {n: len(i) for n, i in (("train", drawn.train), ("validation", drawn.validation))}
    proof = parts.proof(data.array("group"))
    sizes = counts | {"test": len(parts.test)}
    return sizes, {trial.dataset: data.fingerprint}, proof, drawn.digest


def _read(place: Workspace) -> int:
    return len(Store.of(place, "big").rows())


def _expand(place: Workspace) -> int:
    return sum(1 for _ in trials_of(_study(place)))


def _resume(place: Workspace) -> int:
    return len(finished(Store.of(place, "big"), expand(_study(place)), place))


def _status(place: Workspace) -> int:
    return _said(lambda: show_status(place, as_json=True))


def _plan(place: Workspace) -> int:
    return _said(lambda: show_plan(_study(place), place, as_json=True))


def _report(place: Workspace) -> int:
    return len(files.table_csv(gathered("big", place, partial=False)))


def _verify(place: Workspace) -> int:
    """Predictions of simulated rows do not lie there; each is found missing."""
    return sum(check.checked for check in verify("big", place))


def _said(show: Callable[[], None]) -> int:
    out = io.StringIO()
    with redirect_stdout(out):
        show()
    return len(out.getvalue())


def _study(place: Workspace) -> Study:
    return read_study(place.results("big") / "study.toml")


STEPS = {
    "expand": _expand,
    "read": _read,
    "resume": _resume,
    "status": _status,
    "plan": _plan,
    "report": _report,
    "verify": _verify,
}


def _cards(folder: Path) -> Registry[Dataset]:
    return Registry("data set", folder / "cards", "tsxfer.datasets", ("synthetic",))


def step(name: str, folder: Path) -> None:
    """Run one step and print what it took as JSON."""
    catalogue.REGISTRY = _cards(folder)
    began, used = time.perf_counter(), time.process_time()
    gave = STEPS[name](Workspace(folder / "ws"))
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    print(
        json.dumps(
            {
                "step": name,
                "seconds": round(seconds, 1),
                "cpu": round(cpu, 1),
                "MB": round(peak),
                "gave": gave,
            }
        )
    )


def main() -> None:
    """Make the store where there is none, then measure the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--datasets", type=int, default=17)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        step(given.one, given.folder)
        return
    folder = given.folder / f"{given.datasets}x{given.repeats}"
    if not folder.exists():
        began = time.perf_counter()
        make(folder, given.datasets, given.repeats)
        print(f"written in {time.perf_counter() - began:.0f} s")
    size = sum(path.stat().st_size for path in folder.rglob("*.jsonl"))
    print(f"{size / 1e9:.2f} GB of rows")
    for name in given.steps.split(","):
        again = [sys.executable, __file__, "--folder", str(folder), "--one", name]
        subprocess.run(again, check=True)  # noqa: S603  (this file)


if __name__ == "__main__":
    main()
