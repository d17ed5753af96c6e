"""Named recipes, for fine-tuning and its scratch twin alike; measured in experiments/starts."""

from __future__ import annotations

from collections.abc import Mapping

from tsxfer.core.specs import Recipe
from tsxfer.errors import SpecError, nearest

RECIPES: Mapping[str, Recipe] = {
    "usual": Recipe(),
    # Four times as many steps an epoch, for the same passes over the labels.
    "small_batch": Recipe(batch=16),
    # The rate is cut three times before patience ends; `usual` stops at its second cut.
    "patient": Recipe(epochs=200, patience=40, plateau_patience=10, plateau_factor=0.5),
}


def recipe_named(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        SpecError: If there is none.
    """
    if name not in RECIPES:
        raise SpecError(f"unknown recipe {name!r}", mend=nearest(name, RECIPES))
    return RECIPES[name]
