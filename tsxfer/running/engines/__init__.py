"""Adapters that run a study on a Ray or Slurm cluster, behind ``--engine``."""

from enum import StrEnum


class EngineName(StrEnum):
    """Who places the packs."""

    LOCAL = "local"
    RAY = "ray"
    SLURM = "slurm"
