"""Files named on the command line become data sets of the workspace before a study is settled."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

from tsxfer.cli.own_flags import given
from tsxfer.core.names import is_own as is_own_name
from tsxfer.core.specs import Recipe
from tsxfer.core.study import Study
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import SpecError
from tsxfer.inspection.facts import facts_of
from tsxfer.inspection.text import short, warned
from tsxfer.own import importing, sizes
from tsxfer.own.description import Description
from tsxfer.own.readers import endings, is_own
from tsxfer.store.workspace import Workspace

# Fewer optimiser steps leave a network at chance, however few its labels.
STEPS, QUICK_STEPS = 500, 200


def bring_all(names: list[str], described: Description, workspace: Workspace) -> list[str]:
    """Names with each file replaced by the data set that it was brought in as.

    Raises:
        SpecError: If flags describe more than one file.
    """
    split = [part.strip() for item in names for part in item.split(",") if part.strip()]
    for name in split:
        _refuse_ending(name)
    files = [name for name in split if is_own(name)]
    said = given(described)
    if len(files) > 1 and said:
        raise SpecError(
            f"{', '.join(said)} describe one file, {len(files)} are given",
            mend=f"put them into a card beside each, e.g. {Path(files[0]).with_suffix('.toml')}",
        )
    return [bring(name, described, workspace).card.id if is_own(name) else name for name in split]


def _refuse_ending(name: str) -> None:
    if not is_own(name) and Path(name).is_file():
        raise SpecError(
            f"{name} is a file whose ending is not known",
            mend=f"save it as one of: {', '.join(endings())}",
        )


def bring(name: str, described: Description, workspace: Workspace) -> Prepared:
    """Bring one file in, and say how it was read."""
    made = importing.bring(Path(name), described, workspace)
    sys.stderr.write(f"{name}: {summary(made)}\n")
    for note in made.notes:
        sys.stderr.write(f"{name}: NOTE {note}\n")
    if importing.UNGROUPED in made.card.warnings:
        sys.stderr.write(
            f"{name}: WARNING: {importing.UNGROUPED}; name what must stay together with --group\n"
        )
    return made


def refuse_own_flags(name: str, described: Description) -> None:
    """Flags that describe an own file have no effect on a data set of the framework.

    Raises:
        SpecError: With the path of the folder of that name, where there is one.
    """
    if said := given(described):
        beside = f"for the folder write ./{name}" if Path(name).is_dir() else "leave them out"
        raise SpecError(
            f"{name} is a data set, and {', '.join(said)} describe an own file", mend=beside
        )


def prepare_own(name: str, described: Description, workspace: Workspace) -> None:
    """``tsxfer prepare FILE``: bring it in without training, and print what was read.

    Raises:
        TsxferError: If it cannot be read, or cannot be split into parts that share no group.
    """
    tell(importing.bring(Path(name), described, workspace))


def tell(made: Prepared) -> None:
    """Print what a prepared data set holds.

    Raises:
        DataError: If it cannot be split into parts that share no group.
    """
    facts = facts_of(made)
    sys.stdout.write("\n".join([*short(made, facts), *warned(made, facts)]) + "\n")
    sys.stdout.write(f"licence: {made.card.licence}; cite: {made.card.cite}\n")
    sizes.refuse_misfit(made, "strict", "all")


def summary(made: Prepared) -> str:
    """How a file was read, in one line."""
    card = made.card
    what = (
        f"{card.label} is one of {len(made.classes)} classes: {', '.join(made.classes[:6])}"
        if made.classes
        else f"{card.label} is a number"
    )
    return (
        f"{made.count:,} windows of {len(card.channels)} x {card.length}; {what}; "
        f"groups: {card.group}; judged by {card.metric}, margin {card.margin:g} -> {card.id}"
    )


def fitted(study: Study, chosen: bool, workspace: Workspace) -> Study:
    """The study with label budgets that its own files can give.

    Args:
        study: With data sets settled.
        chosen: The user named the sizes; then one that does not fit is an error.
        workspace: Where the files were brought to.

    Raises:
        DataError: If a chosen size is larger than what there is.
    """
    sets = [prepared(workspace, name) for name in study.targets if is_own_name(name)]
    if not sets:
        return study
    if chosen:
        for made in sets:
            for size in study.sizes:
                sizes.refuse_misfit(made, study.profile, size, study.repeats)
        return study
    fitting = study.sizes
    for made in sets:
        sizes.refuse_misfit(made, study.profile, "all", study.repeats)
        fitting = sizes.sizes_that_fit(made, study.profile, fitting, study.repeats)
    return _shrunk(study, fitting or ("all",))


def with_enough_steps(study: Study, steps: int, workspace: Workspace) -> Study:
    """The study with a recipe of enough steps on the smallest budget of its own files.

    Both arms hold the same recipe, so that the comparison stays on equal terms. The paper profile
    keeps the study's own.
    """
    if study.profile == "paper":
        return study
    counts = [
        sizes.windows_to_learn(prepared(workspace, name), study.profile, size)
        for name in study.targets
        if is_own_name(name)
        for size in study.sizes
    ]
    recipe = longer(study.recipe, min(counts), steps) if counts else study.recipe
    return replace(study, recipe=recipe)


def longer(recipe: Recipe, windows: int, steps: int) -> Recipe:
    """A recipe of at least so many steps on so many windows: smaller batches, more epochs."""
    if recipe.epochs * math.ceil(windows / recipe.batch) >= steps:
        return recipe
    batch = min(recipe.batch, 16)
    epochs = max(recipe.epochs, math.ceil(steps / math.ceil(windows / batch)))
    sys.stderr.write(f"few windows: batches of {batch} and up to {epochs} epochs\n")
    return replace(
        recipe,
        batch=batch,
        epochs=epochs,
        patience=max(recipe.patience, epochs // 4),
        plateau_patience=max(recipe.plateau_patience, epochs // 8),
    )


def _shrunk(study: Study, sizes: tuple[str, ...]) -> Study:
    left_out = [size for size in study.sizes if size not in sizes]
    if left_out:
        sys.stderr.write(
            f"left out: {', '.join(left_out)} labels, more than there are to learn and select "
            f"from; used: {', '.join(sizes)}\n"
        )
    return replace(study, sizes=sizes)


def source_fitted(study: Study, chosen: bool, workspace: Workspace) -> Study:
    """The study with a budget of pretraining that its prepared sources can give.

    Args:
        study: With data sets settled.
        chosen: The user named the budget; then one that does not fit is an error.
        workspace: Where data is prepared.

    Raises:
        DataError: If a chosen budget is larger than what there is.
    """
    for name in study.sources:
        if not (workspace.data(name) / "meta.json").exists():
            continue
        made = prepared(workspace, name)
        if sizes.sizes_that_fit(made, study.profile, (study.source_size,)):
            continue
        if chosen:
            sizes.refuse_misfit(made, study.profile, study.source_size)
        sys.stderr.write(f"{name} has no {study.source_size} labels to pretrain on: all are used\n")
        study = replace(study, source_size="all")
    return study
