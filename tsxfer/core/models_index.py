"""Names and one-line summaries of the models, known without importing torch."""

from __future__ import annotations

from pathlib import Path

import tsxfer
from tsxfer.core.registry import Registry

REGISTRY = Registry(
    "model",
    Path(tsxfer.__file__).parent / "models",
    "tsxfer.models",
    ("Backbone", "backbone"),
    "tsxfer.models",
)


def model_names() -> list[str]:
    """All registered backbones."""
    return REGISTRY.names()
