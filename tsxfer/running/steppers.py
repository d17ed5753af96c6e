"""Which way the steps of a pack are taken; ways differ in speed, not in numbers."""

from __future__ import annotations

from tsxfer.running.device import on_gpu
from tsxfer.train import loop
from tsxfer.train.graphs import Graphs
from tsxfer.train.stacked.stepper import Stacked


def stepper_of(way: str, device: str, refused: str = "") -> loop.Stepper:
    """The stepper of a pack.

    Args:
        way: ``turns``, ``recorded`` or ``stacked``; ``auto`` stacks on CUDA and takes turns
            elsewhere, where one replica keeps the device busy and rows keep their bits.
        device: Where.
        refused: Why steps are not to be recorded; empty: they are, on CUDA.
    """
    if way == "stacked" or (way == "auto" and on_gpu(device)):
        return Stacked(refused=refused)
    if way == "recorded" and on_gpu(device):
        return Graphs(refused=refused)
    return loop.turns


def named(stepper: loop.Stepper) -> str:
    """What a row says of how its steps were taken."""
    if isinstance(stepper, Stacked):
        return stepper.way
    if isinstance(stepper, Graphs):
        return "turns" if stepper.refused else "graphs"
    return "turns"


def refusals(stepper: loop.Stepper) -> dict[str, str]:
    """Why steps were not taken as they were meant to be, for a row; empty where they were."""
    why = stepper.refused if isinstance(stepper, Stacked | Graphs) else ""
    return {"refused": why} if why else {}


def recordings(stepper: loop.Stepper) -> dict[str, str]:
    """What is recorded of a stack, for a row: ``graph``, and ``scores`` where the host makes them.

    A graph is of a whole epoch or, with the reason, of a step.
    """
    return stepper.told if isinstance(stepper, Stacked) else {}
