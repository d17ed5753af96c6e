"""Names of a study's data sets settled: real, simulated, or weights that stand in for a source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tsxfer.api import weights
from tsxfer.core.doors import HEADS, METRICS, OBJECTIVES, SPLITS, canonical, facts
from tsxfer.core.guard import broken
from tsxfer.core.names import DatasetName, is_given
from tsxfer.core.options import bare
from tsxfer.core.specs import LABELS, Recipe
from tsxfer.core.strategy import settle
from tsxfer.core.study import Study
from tsxfer.data import catalogue
from tsxfer.errors import SpecError, nearest
from tsxfer.store.workspace import Workspace


def resolve(study: Study, workspace: Workspace) -> Study:
    """Settle real or simulated for the whole study; the two are never mixed silently.

    Raises:
        SpecError: If `real` data is not prepared, or `auto` finds some prepared and some not.
    """
    study = _through_doors(study)
    study = weights.settled(_with_zoo(study, workspace), workspace)
    names = tuple(n for n in dict.fromkeys((*study.sources, *study.targets)) if not is_given(n))
    for name in names:
        catalogue.find(name, workspace)
    open_names = [n for n in names if not DatasetName.parse(n).settled]
    ready = [n for n in open_names if _is_prepared(n, workspace)]
    missing = [n for n in open_names if n not in ready]
    mode = study.data
    # Only sources are missing: a real target is worth an answer, which their label says is
    # simulated.
    stood_in = not set(missing) & set(study.targets)
    if mode == "auto" and ready and missing and not stood_in:
        raise SpecError(
            f"prepared: {', '.join(ready)}; not prepared: {', '.join(missing)}",
            mend=f"tsxfer prepare {missing[0]} [--from FOLDER], or --data simulated for all",
        )
    if mode == "real" and missing:
        raise SpecError(
            f"--data real, but not prepared: {', '.join(missing)}",
            where=str(workspace.root),
            mend="; ".join(f"tsxfer prepare {n} [--from FOLDER]" for n in missing),
        )
    simulated = mode == "simulated" or (mode == "auto" and bool(missing))
    made_up = set(names if mode == "simulated" else missing) if simulated else set()
    settle = {n: _settled(n, n in made_up, workspace) for n in names}
    settle |= {name: name for name in study.given}
    return replace(
        study,
        sources=tuple(dict.fromkeys(settle[n] for n in study.sources)),
        targets=tuple(dict.fromkeys(settle[n] for n in study.targets)),
        name=study.name
        + ("-simulated" if simulated and not study.name.endswith("-simulated") else ""),
        data="simulated" if simulated else "real",
        channels=study.channels | _channels([settle[n] for n in names], workspace),
    )


def _channels(names: Iterable[str], workspace: Workspace) -> dict[str, int]:
    return {name: len(catalogue.find(name, workspace).card.channels) for name in names}


def _with_zoo(study: Study, workspace: Workspace) -> Study:
    """The study with the zoo's weights for sources that are not prepared, where targets are real.

    Raises:
        SpecError: For a name that means nothing.
    """
    if study.data != "auto" or not all(_is_real(name, workspace) for name in study.targets):
        return study
    stand_ins = {
        name: weights.stands_in(study, name, workspace)
        for name in study.sources
        if not DatasetName.parse(name).settled and not _is_prepared(name, workspace)
    }
    sources = dict.fromkeys(stand_ins.get(name) or name for name in study.sources)
    used = any(stand_ins.values())
    return replace(study, sources=tuple(sources), name=f"{study.name}-zoo" if used else study.name)


def _is_real(name: str, workspace: Workspace) -> bool:
    """Whether a target is a user's own file, or a data set that is prepared."""
    named = DatasetName.parse(name)
    if named.given:
        return False
    return named.own or (not named.simulated and _is_prepared(name, workspace))


def _through_doors(study: Study) -> Study:
    """The study with each name that goes through a door, and its options, in their one form.

    A name is refused before anything is trained; a report needs no code for most.

    Raises:
        SpecError: For an unknown name or option, or a value that an option cannot have.
    """
    for door, name in ((METRICS, study.metric), (SPLITS, study.split)):
        if name:
            door.refuse_unknown(name)
    return replace(
        study,
        strategies=tuple(map(settle, study.strategies)),
        objectives=tuple(map(_objective, study.objectives)),
        recipe=_headed(study.recipe),
        pretraining=_headed(study.pretraining),
    )


def _objective(text: str) -> str:
    """The one form of an objective; its rows are scored on the metric that it names."""
    if text == LABELS:
        return text
    name = canonical(OBJECTIVES, text)
    metric = facts(OBJECTIVES, name).get("metric")
    if metric not in METRICS.names():
        raise broken(
            f"objective {name}",
            OBJECTIVES.place(bare(name)),
            f"is scored on {metric!r}, which is no metric",
            nearest(str(metric), METRICS.names()),
        )
    return name


def _headed(recipe: Recipe) -> Recipe:
    return replace(recipe, head=canonical(HEADS, recipe.head)) if recipe.head else recipe


def _settled(name: str, simulated: bool, workspace: Workspace) -> str:
    named = DatasetName.parse(name)
    return catalogue.find(str(named.stand_in() if simulated else named), workspace).card.id


def _is_prepared(name: str, workspace: Workspace) -> bool:
    return workspace.has(catalogue.find(name).card.id)
