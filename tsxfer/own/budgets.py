"""A study's label budgets and optimiser steps, as far as few windows can give them.

What is changed comes back as sentences beside the study; who calls tells them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from tsxfer.core.names import is_own
from tsxfer.core.sizes import parts_of_class, per_class
from tsxfer.core.specs import PROFILES, Recipe
from tsxfer.core.study import Study
from tsxfer.data.task import prepared
from tsxfer.own.sizes import refuse_misfit, sizes_that_fit, windows_to_learn
from tsxfer.store.workspace import Workspace

# Fewer optimiser steps leave a network at chance, however few its labels.
STEPS, QUICK_STEPS = 500, 200

Told = tuple[Study, tuple[str, ...]]


def fitted(study: Study, chosen: bool, workspace: Workspace) -> Told:
    """The study with label budgets that its own files can give, and what was left out.

    Args:
        study: With data sets settled.
        chosen: The user named the sizes; then one that does not fit is an error.
        workspace: Where the files were brought to.

    Raises:
        DataError: If a chosen size is larger than what there is.
    """
    sets = [prepared(workspace, name) for name in study.targets if is_own(name)]
    if not sets:
        return study, ()
    under = list(itertools.product(sets, study.protocols))
    if chosen:
        for (made, profile), size in itertools.product(under, study.sizes):
            refuse_misfit(made, profile, size, study.repeats)
        return study, ()
    fitting = study.sizes
    for made, profile in under:
        refuse_misfit(made, profile, "all", study.repeats)
        fitting = sizes_that_fit(made, profile, fitting, study.repeats)
    return _shrunk(study, fitting or ("all",))


def _shrunk(study: Study, sizes: tuple[str, ...]) -> Told:
    left_out = [size for size in study.sizes if size not in sizes]
    said = (
        f"left out: {', '.join(left_out)} labels, more than there are to learn and select from; "
        f"used: {', '.join(sizes)}"
    )
    return replace(study, sizes=sizes), ((said,) if left_out else ())


def source_fitted(study: Study, chosen: bool, workspace: Workspace) -> Told:
    """The study with a budget of pretraining that its prepared sources can give.

    Args:
        study: With data sets settled.
        chosen: The user named the budget; then one that does not fit is an error.
        workspace: Where data is prepared.

    Raises:
        DataError: If a chosen budget is larger than what there is.
    """
    said: list[str] = []
    for name in study.sources:
        if not workspace.has(name):
            continue
        made = prepared(workspace, name)
        tight = [p for p in study.protocols if not sizes_that_fit(made, p, (study.source_size,))]
        if not tight:
            continue
        if chosen:
            refuse_misfit(made, tight[0], study.source_size)
        said.append(f"{name} has no {study.source_size} labels to pretrain on: all are used")
        study = replace(study, source_size="all")
    return study, tuple(said)


def with_enough_steps(study: Study, steps: int, workspace: Workspace) -> Told:
    """The study with a recipe of enough steps on its own files, and on few labels of each class.

    Both arms hold the same recipe, so that the comparison stays on equal terms. The paper profile
    keeps the study's own; of several protocols the first one counts, since all hold one recipe.
    """
    if study.profile == "paper":
        return study, ()
    counts = [
        _windows(name, study.profile, size, workspace)
        for name, size in itertools.product(study.targets, study.sizes)
        if is_own(name) or per_class(size) is not None
    ]
    recipe = longer(study.recipe, min(counts), steps) if counts else study.recipe
    return replace(study, recipe=recipe), lengthened(study.recipe, recipe)


def _windows(name: str, profile: str, size: str, workspace: Workspace) -> int:
    """What a trial learns from; of a data set that does not lie here yet, as if of two classes."""
    if workspace.has(name):
        return windows_to_learn(prepared(workspace, name), profile, size)
    return 2 * parts_of_class(per_class(size) or 1, PROFILES[profile].validation_share)[0]


def longer(recipe: Recipe, windows: int, steps: int) -> Recipe:
    """A recipe of at least so many steps on so many windows: smaller batches, more epochs."""
    if recipe.epochs * math.ceil(windows / recipe.batch) >= steps:
        return recipe
    batch = min(recipe.batch, 16)
    epochs = max(recipe.epochs, math.ceil(steps / math.ceil(windows / batch)))
    return replace(
        recipe,
        batch=batch,
        epochs=epochs,
        patience=max(recipe.patience, epochs // 4),
        plateau_patience=max(recipe.plateau_patience, epochs // 8),
    )


def lengthened(before: Recipe, after: Recipe) -> tuple[str, ...]:
    """What is to be said where `longer` gave another recipe."""
    if before == after:
        return ()
    return (f"few windows: batches of {after.batch} and up to {after.epochs} epochs",)
