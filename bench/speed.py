"""Trainings per hour against what a user would write instead, in one run, as one table.

Run: python -m bench.speed [--device cuda] [--case MODEL,CHANNELS,LENGTH,SIZE ...]
"""

from __future__ import annotations

import argparse
import platform
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import arms
from bench.arms import Case, Timed
from tsxfer.models.base import build

BUDGET = 30  # epochs of a training: the default recipe
EPOCHS = 988_907  # of the study's 17,136 trainings
STUDY = {
    "the study's grid, 17,136 trainings": EPOCHS,
    "2,016 trainings at one multiplier, in proportion": EPOCHS * 2016 / 17_136,
}
REPLICAS = 42  # 6 starts × 7 repeats of one target, model and size
CASES = {
    "cpu": [
        Case("convnetquake", 3, 300, 1500, REPLICAS, 4),
        Case("convnetquake", 1, 1000, 1500, REPLICAS, 4),
        Case("magnet", 3, 300, 1500, REPLICAS, 3),
        Case("mlstm_fcn", 3, 300, 1500, REPLICAS, 2),
        Case("tcn", 3, 300, 1500, REPLICAS, 2),
    ],
    "cuda": [
        Case(model, channels, length, size, REPLICAS, epochs)
        for size, epochs in ((1500, 3), (9000, 2))
        for model, channels, length in (
            ("convnetquake", 3, 6000),
            ("magnet", 3, 6000),
            ("mlstm_fcn", 1, 8000),
            ("tcn", 3, 6000),
        )
    ],
}
Arm = Callable[[Case], Timed]


def arms_of(device: str) -> dict[str, Arm]:
    """Name and function of each arm on a device; the first two are the bars."""
    one_by_one = {
        "(a) DataLoader loop": arms.loader,
        "(b) loop, data on device": arms.resident,
        "(c) Lightning": arms.lightning,
        "tsxfer, one replica": arms.turns,
    }
    made: dict[str, Arm] = {
        name: partial(_alone, device=device, train=train) for name, train in one_by_one.items()
    }
    if device == "cuda":
        return {**made, f"tsxfer, pack of {REPLICAS}": partial(_packed, count=REPLICAS)}
    workers = arms.cores()
    return {**made, f"tsxfer, {workers} processes": partial(_pooled, workers=workers)}


def _alone(case: Case, device: str, train: Callable[..., None]) -> Timed:
    return arms.alone(case, device, 1, train)


def _packed(case: Case, count: int) -> Timed:
    return arms.packed(case, "cuda", count)


def _pooled(case: Case, workers: int) -> Timed:
    return arms.pooled(case, "cpu", workers)


def measure(case: Case, device: str, rounds: int) -> dict[str, Timed]:
    """Each arm in turn, `rounds` times over; the quickest of each counts (noise only adds)."""
    found: dict[str, Timed] = {}
    for _ in range(rounds):
        for name, arm in arms_of(device).items():
            timed = _try(arm, case, device)
            if device == "cuda" and timed.note:
                raise SystemExit(f"{name}, {case.model}: {timed.note}: no time here is a graph's")
            if name not in found or timed.epoch < found[name].epoch:
                found[name] = timed
    return found


def _try(arm: Arm, case: Case, device: str) -> Timed:
    """On a CPU in a process of its own, so that threads and memory are its own."""
    if device == "cuda" or "pooled" in str(arm):
        return arm(case)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(arm, case).result()


def check() -> list[str]:
    """A pack on the GPU gives the validation scores of single trainings, for each architecture.

    Raises:
        AssertionError: If it does not, or was not recorded; then no time means anything.
    """
    said = []
    for model in ("convnetquake", "magnet", "mlstm_fcn", "tcn"):
        case = Case(model, 3, 300, 640, 8, 3)
        single, pack = arms.alone(case, "cuda", 1, arms.turns), arms.packed(case, "cuda", 8)
        apart = max(abs(a - b) for a, b in zip(single.scores, pack.scores, strict=True))
        assert not pack.note, f"{model}: {pack.note}"
        assert apart < 1e-4, f"{model}: scores of a pack are {apart:.2g} from those of one"
        said.append(f"{model}: a pack of 8 is {apart:.1g} from one alone {pack.note}")
    return said


def peak(device: str) -> float:
    """FLOP a second of the largest float32 matrix product: the floor's divisor."""
    size = 8192 if device == "cuda" else 2048
    a, b = torch.randn(2, size, size, device=device)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(4):
            c = a @ b
        float(c[0, 0])  # waits for the device
        best = max(best, 8 * size**3 / (time.perf_counter() - began))
    return best


def flops(case: Case) -> float:
    """Counted FLOPs of one training instance, forward and backward, in tsxfer's form."""
    model = build(
        case.model, channels=case.channels, length=case.length, extra=1, outputs=1, seed=0
    )
    counter = FlopCounterMode(display=False)
    warnings.filterwarnings("ignore", message="TF32 acceleration on top of oneDNN")
    # Without oneDNN, an LSTM is made of products that the counter knows.
    with torch.backends.mkldnn.flags(enabled=False), counter:
        model(torch.randn(2, case.channels, case.length), torch.zeros(2, 1)).sum().backward()
    return counter.get_total_flops() / 2


def overhead(arm: Arm, case: Case, device: str) -> float:
    """Microseconds a step on windows of 16 samples, where there is next to nothing to compute."""
    tiny = replace(case, channels=1, length=16, size=1500, epochs=3)
    return _try(arm, tiny, device).epoch / (1200 / 64) * 1e6


def lines(case: Case, found: dict[str, Timed], device: str, floor: float) -> list[str]:
    """The table of one case."""
    count = case.size * 4 // 5
    work = flops(case)
    bars = list(found.values())[:2]
    out = [
        f"\n{case.model}, {case.channels}×{case.length}, {case.size:,} labels, "
        f"{case.replicas} trainings of {BUDGET} epochs; {work / 1e6:.1f} MFLOP an instance",
        f"{'arm':26}{'finish':>10}{'to (a)':>8}{'to (b)':>8}{'per hour':>10}{'samples/s':>11}"
        f"{'of floor':>9}{'host µs':>9}{'memory':>9}  last score",
    ]
    for name, timed in found.items():
        total = _finish(case, timed)
        ratios = [_finish(case, bar) / total for bar in bars]
        rate = count / timed.epoch
        host = overhead(arms_of(device)[name], case, device)
        out.append(
            f"{name:26}{total:>8,.0f} s{ratios[0]:>8.2f}{ratios[1]:>8.2f}"
            f"{case.replicas / total * 3600:>10,.0f}{rate:>11,.0f}{rate * work / floor:>8.0%} "
            f"{host:>8,.0f}{timed.memory / 2**20:>6,.0f} MB  {timed.scores[-1]:.6f} {timed.note}"
        )
    return out


def _finish(case: Case, timed: Timed) -> float:
    return timed.start + BUDGET * case.replicas * timed.epoch


def extrapolate(cases: dict[Case, dict[str, Timed]], floor: float) -> list[str]:
    """Hours of the study's grid: epochs spread evenly over the cases at 9,000 and 1,500 labels."""
    if not cases:
        return []
    mean = sum(list(found.values())[-1].epoch for found in cases.values()) / len(cases)
    bound = sum(flops(case) * case.size * 0.8 / floor for case in cases) / len(cases)
    return [
        f"{name}: {epochs * mean / 3600:,.1f} h, arithmetic floor {epochs * bound / 3600:,.1f} h"
        for name, epochs in STUDY.items()
    ]


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    found = known.read_text().splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in found if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> None:
    """Print one table a case, and the hours of the whole study from them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--case", action="append", help="MODEL,CHANNELS,LENGTH,SIZE")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=540, help="no case starts later")
    chosen, began = parser.parse_args(), time.perf_counter()
    if chosen.device == "cuda":
        print("\n".join(check()), flush=True)
    cases = [_case(text) for text in chosen.case or ()] or CASES[chosen.device]
    floor = peak(chosen.device)
    name = torch.cuda.get_device_name() if chosen.device == "cuda" else _processor()
    print(f"{name}, {arms.cores()} cores, torch {torch.__version__}, {floor / 1e9:,.0f} GFLOP/s")
    done: dict[Case, dict[str, Timed]] = {}
    for case in cases:
        if time.perf_counter() - began > chosen.seconds:
            print(f"\n{case.model}, {case.length}, {case.size}: no time left for it")
            continue
        done[case] = measure(case, chosen.device, chosen.rounds)
        print("\n".join(lines(case, done[case], chosen.device, floor)), flush=True)
    print("\n" + "\n".join(extrapolate(done, floor)))


def _case(text: str) -> Case:
    model, channels, length, size = text.split(",")
    return Case(model, int(channels), int(length), int(size), REPLICAS, 3)


if __name__ == "__main__":
    main()
