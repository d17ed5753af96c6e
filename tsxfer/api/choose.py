"""From flags or a file to a study whose data set names are settled."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from tsxfer.api import weights
from tsxfer.api.asked import Flags
from tsxfer.api.own import bring_all
from tsxfer.api.settling import resolve
from tsxfer.core.doors import OBJECTIVES as DOOR_OF_OBJECTIVES
from tsxfer.core.names import DatasetName, is_given
from tsxfer.core.options import bare
from tsxfer.core.published import MULTIPLIERS, RECIPE
from tsxfer.core.recipes import recipe_named
from tsxfer.core.specs import (
    BASELINES,
    CONTROLS,
    FOUNDATIONS,
    LABELS,
    OBJECTIVES,
    OF_NORMALISATION,
    PROFILES,
)
from tsxfer.core.strategy import STRATEGIES, named
from tsxfer.core.study import COMBINATIONS, OVERLAPS, DataMode, Study, quick
from tsxfer.core.study_files import read_study
from tsxfer.errors import SpecError, nearest
from tsxfer.own import budgets
from tsxfer.store.workspace import Workspace

STUDIED = ("global_eq", "local_eq", "local_eq_ir", "speech", "emg", "finance")
TUNE = (0.1, 0.3, 1.0)  # what --tune tries, in both arms
MODES = ("auto", "real", "simulated")
USUAL_MODELS = ("convnetquake",)
USUAL_BASELINES = tuple(b for b in BASELINES if b not in (*FOUNDATIONS, *OF_NORMALISATION))


def study_from(named: str | None, flags: Flags, workspace: Workspace) -> Study:
    """The study that a file or flags mean, with data sets resolved to versioned names.

    Raises:
        SpecError: For unknown names, or flags that contradict.
    """
    axes = [f for f in ("source", "target", "model", "size") if getattr(flags, f)]
    if named is not None:
        if axes:
            raise SpecError(
                f"--{axes[0]} and the study {named!r} were both given",
                mend="edit the study file, or leave it out",
            )
        study = _with_files(_named(named, workspace), flags, workspace)
    else:
        study = _flagged(_brought(flags, workspace))
    resolved = resolve(_changed(study, flags), workspace)
    shrunk = _quickened(resolved, flags) if flags.quick else resolved
    written = bool(named) and not flags.quick
    chosen = written or bool(flags.source_size), written or bool(flags.size)
    shrunk = tell(budgets.source_fitted(shrunk, chosen[0], workspace))
    study = tell(budgets.fitted(shrunk, chosen[1], workspace))
    steps = budgets.QUICK_STEPS if flags.quick else budgets.STEPS
    if named is not None:
        return study
    return tell(budgets.with_enough_steps(study, steps, workspace))


def tell(changed: budgets.Told) -> Study:
    """The study, once it is said what was changed in it."""
    study, said = changed
    sys.stderr.writelines(f"{line}\n" for line in said)
    return study


def _quickened(study: Study, flags: Flags) -> Study:
    """The study shrunk, but for what flags name; it is said what became smaller."""
    small = quick(study)
    said = {
        "sizes": bool(flags.size),
        "repeats": flags.repeats is not None,
        "source_size": bool(flags.source_size),
    }
    kept = {name: getattr(study, name) for name, named in said.items() if named}
    small = replace(small, **kept)
    trained = (
        f"{small.pretrainings} pretraining of {small.recipe.epochs} epochs or less on "
        f"{small.source_size} labels; "
    )
    given_alone = all(map(is_given, small.sources))
    sys.stderr.write(
        f"--quick: sizes {', '.join(small.sizes)}; {small.repeats} repeats; "
        f"{trained * (not given_alone)}enough to try things, too little to decide\n"
    )
    return small


def _changed(study: Study, flags: Flags) -> Study:
    """The study with what flags say beside its axes."""
    if flags.repeats is not None:
        study = replace(study, repeats=flags.repeats)
    if flags.source_size:
        study = replace(study, source_size=flags.source_size)
    if flags.profile is not None:
        study = replace(study, profile="strict", profiles=_profiles(flags))
    if flags.data is not None:
        if flags.data not in MODES:
            raise SpecError(f"--data {flags.data!r} is not known", mend=nearest(flags.data, MODES))
        study = replace(study, data=cast("DataMode", flags.data))
    if flags.recipe:
        study = _with_recipe(study, flags)
    if flags.tune:
        study = replace(study, name=f"{study.name}-tuned", recipe=replace(study.recipe, tune=TUNE))
    return _with_strategies(_judged(study, flags), flags)


def _judged(study: Study, flags: Flags) -> Study:
    """The study with another head, split or metric than models and cards name."""
    if flags.head:
        study = replace(study, recipe=replace(study.recipe, head=flags.head))
    if flags.split:
        study = replace(study, split=flags.split)
    named_targets = not all(DatasetName.parse(name).own for name in study.targets)
    if flags.described.metric and named_targets:  # the card of an own file has it already
        study = replace(study, metric=flags.described.metric)
    return study


def _with_strategies(study: Study, flags: Flags) -> Study:
    if flags.strategy:
        strategies = tuple(map(named, _split(flags.strategy, STRATEGIES)))
        study = replace(study, strategies=strategies)
    return _beside(_with_classes(study, flags), flags)


def _with_classes(study: Study, flags: Flags) -> Study:
    """The study whose zero-shot answers know which class of a source stands for which."""
    if not flags.classes:
        return study
    classes = dict(map(_pair, _split(flags.classes, ())))
    if all(one.learn != "zero_shot" for one in study.strategies):
        raise SpecError(
            f"--classes {','.join(flags.classes)} without a zero-shot answer",
            mend="add --strategy copy,zero_shot, or leave --classes out",
        )
    named = (
        replace(one, classes=classes) if one.learn == "zero_shot" else one
        for one in study.strategies
    )
    return replace(study, strategies=tuple(named))


def _pair(text: str) -> tuple[str, str]:
    source, sign, target = text.partition("=")
    if not (source.strip() and sign):
        raise SpecError(
            f"--classes {text!r} is no SOURCE=TARGET",
            mend="e.g. --classes fist=closed,flat=open; names with a comma or = go into a study "
            'file: {copied = "backbone", learn = "zero_shot", classes = {"a,b" = "c"}}',
        )
    return source.strip(), target.strip()


def _with_recipe(study: Study, flags: Flags) -> Study:
    """The study with a named recipe for both arms, under a name of its own."""
    recipe = recipe_named(flags.recipe)
    if flags.quick or study.profile == "paper":
        other = "--quick" if flags.quick else "the paper profile"
        raise SpecError(
            f"--recipe {flags.recipe} and {other} both say how to train",
            mend="leave one of them out",
        )
    return replace(study, name=f"{study.name}-{flags.recipe}", recipe=recipe)


def _beside(study: Study, flags: Flags) -> Study:
    """The study with what flags put beside each transfer and twin, and with other sources."""
    names = _split(flags.controls, ())
    if "none" in names and len(names) > 1:
        raise SpecError(
            f"--controls {','.join(names)} wants none and some", mend="leave none or the others out"
        )
    if names == ("none",):
        study, flags = replace(study, controls=(), check_start=False), replace(flags, controls=[])
    asked: dict[str, Any] = {
        "controls": _known("control", flags.controls, CONTROLS),
        "objectives": _objectives(flags),
        "combine": _known("combination", flags.combine, COMBINATIONS),
        "baselines": _known("baseline", flags.baselines, BASELINES, USUAL_BASELINES),
    }
    return _bound(replace(study, **{axis: names for axis, names in asked.items() if names}), flags)


def _objectives(flags: Flags) -> tuple[str, ...]:
    """What sources are to learn; options beside a name are looked at with the whole study."""
    names = _split(flags.pretrain, OBJECTIVES)
    _known("objective", [bare(name) for name in names], (LABELS, *DOOR_OF_OBJECTIVES.names()))
    return names


def _bound(study: Study, flags: Flags) -> Study:
    """The study with what flags say of its declaration."""
    if flags.overlap is not None:
        if flags.overlap not in OVERLAPS:
            raise SpecError(
                f"--overlap {flags.overlap!r} is not known", mend=nearest(flags.overlap, OVERLAPS)
            )
        study = replace(study, overlap=flags.overlap)
    if flags.looks:
        study = replace(study, looks=tuple(sorted(set(flags.looks))))
    return study


def _known(
    what: str, given: list[str], known: tuple[str, ...], everything: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Names that are known; ``all`` means `everything`, or all that are known."""
    names = _split(given, everything or known)
    for name in names:
        if name not in known:
            raise SpecError(f"unknown {what} {name!r}", mend=nearest(name, known))
    return names


def _brought(flags: Flags, workspace: Workspace) -> Flags:
    """Flags whose files are data sets, or weights, of the workspace."""
    sources = weights.bring_all(flags.source, flags.trained_on, workspace)
    names = bring_all([*sources, *flags.target], flags.described, workspace)
    return replace(flags, source=names[: len(sources)], target=names[len(sources) :])


def _with_files(study: Study, flags: Flags, workspace: Workspace) -> Study:
    sources = weights.bring_all(study.sources, flags.trained_on, workspace)
    names = bring_all([*sources, *study.targets], flags.described, workspace)
    count = len(sources)
    return replace(study, sources=tuple(names[:count]), targets=tuple(names[count:]))


def _named(named: str, workspace: Workspace) -> Study:
    path = Path(named)
    if not path.exists() and named in workspace.studies():
        path = workspace.results(named) / "study.toml"
    elif path.suffix != ".toml" and not path.exists():
        raise SpecError(f"no study called {named!r}", mend=nearest(named, workspace.studies()))
    return read_study(path)


def _flagged(flags: Flags) -> Study:
    if not flags.source or not flags.target:
        missing = "--source" if not flags.source else "--target"
        raise SpecError(
            f"{missing} is missing", mend="e.g. tsxfer run --source global_eq --target local_eq"
        )
    from tsxfer.core.models_index import model_names

    sources, targets = _split(flags.source, STUDIED), _split(flags.target, STUDIED)
    models = _split(flags.model, model_names()) or USUAL_MODELS
    for model in models:
        if model not in model_names():
            raise SpecError(f"unknown model {model!r}", mend=nearest(model, model_names()))
    sizes = _split(flags.size, ("all",)) or ("1500", "9000")
    name = f"{_joined(sources)}-to-{_joined(targets)}"
    if models != USUAL_MODELS:  # another table of its own, beside that of the usual model
        name = f"{name}-{'+'.join(models)}"
    several = _profiles(flags)
    if len(several) > 1:
        name = f"{name}-{'+'.join(several)}"
    if several != ("paper",):
        return Study(name=name, sources=sources, targets=targets, models=models, sizes=sizes)
    # The study's own budget, its grid, and its one pretrained model a source.
    return Study(
        name=f"{name}-paper",
        sources=sources,
        targets=targets,
        models=models,
        sizes=sizes,
        pretrainings=1,
        rate_multipliers=MULTIPLIERS,
        recipe=RECIPE,
        pretraining=RECIPE,
    )


def _profiles(flags: Flags) -> tuple[str, ...]:
    """Protocols that are asked for, the one of the tables first."""
    return _known("profile", [flags.profile or ""], tuple(PROFILES))


def _split(given: list[str], everything: Iterable[str]) -> tuple[str, ...]:
    """``a,b`` and ``--x a --x b`` become ``(a, b)``; ``all`` becomes everything."""
    names = [part.strip() for item in given for part in item.split(",") if part.strip()]
    return tuple(everything) if names == ["all"] else tuple(dict.fromkeys(names))


def _joined(names: tuple[str, ...]) -> str:
    return "all" if set(names) == set(STUDIED) else "+".join(map(_in_a_study_name, names))


def _in_a_study_name(name: str) -> str:
    """A study is a folder; an own file is known by its version alone."""
    named = DatasetName.parse(name)
    plain = named.base if named.own else named.plain
    return f"{plain}-{named.version}" if named.version else plain
