"""A study expands to ordered trials, ancestors first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tsxfer.core.fair import CHECKED_REPEATS, smallest, unlike_scratch
from tsxfer.core.names import is_given
from tsxfer.core.sizes import label_budget
from tsxfer.core.specs import (
    CONTROLS,
    NO_BACKBONE,
    NOISE,
    OF_A_BACKBONE,
    Control,
    Recipe,
    Reuse,
    Trial,
)
from tsxfer.core.strategy import Strategy
from tsxfer.core.study import AXES, HEADED, Combination, Study
from tsxfer.errors import SpecError

NOISE_LABELS = 5000  # a larger budget of the sources means all of the noise that there is
LARGEST = 10_000_000  # trials; ARCHITECTURE.md, section Scale
STRONG = (0.3, 1.0, 3.0)  # rates of all layers that the strong scratch baseline tries


def expand(study: Study) -> list[Trial]:
    """All trials: pretrainings, then for each repeat the scratch twin and the transfers from it.

    Each transfer is followed by its controls, each twin by its baselines; all start from the twin's
    subset and seeds. A data set is never its own source; a study in which nothing is left to
    compare is an error.
    """
    return list(trials_of(study))


def trials_of(study: Study) -> Iterator[Trial]:
    """As `expand`, one at a time: memory holds the pretrainings and what several transfers share.

    Raises:
        SpecError: If nothing is left to compare, or there are too many trials.
    """
    _refuse_endless(study)
    for number, protocol in enumerate(study.protocols):
        yield from _trials_under(study if not number else _plainly_under(study, protocol))


def _plainly_under(study: Study, protocol: str) -> Study:
    """Its plain transfers and twins alone under another protocol, with the same recipes."""
    return replace(study, profile=protocol, profiles=(), controls=(), baselines=())


def _trials_under(study: Study) -> Iterator[Trial]:
    """All trials under `Study.profile`, ancestors first."""
    first = _pretrainings(study)
    if not first and not any(map(is_given, study.sources)):
        raise SpecError(
            f"nothing to compare: {', '.join(study.sources)} is source and target",
            mend="name a source that is not the target",
        )
    yield from first.values()
    shared = set(first)  # a scratch trial can be one of them, and serves several transfers
    for trial in _comparable(study):
        if trial.reuse is None or trial.control:  # a plain transfer comes once; keys take time
            if trial.key in shared:
                continue
            shared.add(trial.key)
        yield trial


def _pretrainings(study: Study) -> dict[str, Trial]:
    """Every trial that another starts from, by key, ancestors first."""
    found: dict[str, Trial] = {}
    numbers = range(min(study.repeats, study.pretrainings))
    for number, model, target in itertools.product(numbers, study.models, study.targets):
        for start, strategy in itertools.product(
            _starts(study, number, model, target), study.strategies
        ):
            _add_with_ancestors(found, _fitted(start, strategy, study.channels).sources)
    if study.controls:  # the untrained source is that of its transfer
        for trial in _comparable(study):
            _add_with_ancestors(found, trial.origins)
    return found


def _add_with_ancestors(found: dict[str, Trial], trials: tuple[Trial, ...]) -> None:
    for trial in trials:
        if trial.key not in found and not trial.given:
            _add_with_ancestors(found, trial.origins)
            found[trial.key] = trial


def _comparable(study: Study) -> Iterator[Trial]:
    """Each scratch twin and its baselines, then transfers and their controls; shared ones again."""
    axes = itertools.product(range(study.repeats), study.models, study.targets, study.sizes)
    for repeat, model, target, size in axes:
        starts = _starts(study, repeat, model, target)
        if not starts:
            continue
        scratch = Trial(
            dataset=target,
            model=model,
            size=size,
            repeat=repeat,
            recipe=study.recipe,
            profile=study.profile,
            metric=study.metric,
            split=study.split,
        )
        loss = study.scratch_loss
        yield replace(scratch, reuse=replace(starts[0], twin_loss=loss)).twin()
        yield from _baselines(study, scratch)
        for start, multiplier, strategy in itertools.product(
            starts, study.rate_multipliers, study.strategies
        ):
            reuse = replace(
                _fitted(start, strategy, study.channels),
                rate_multiplier=multiplier,
                twin_loss=loss,
                strategy=strategy,
            )
            transfer = replace(scratch, reuse=reuse)
            yield transfer
            asked = _asked(study, transfer)
            if asked:
                yield from _controls(study, transfer, reuse, asked)


def _starts(study: Study, repeat: int, model: str, target: str) -> list[Reuse]:
    """What transfers to a target may start from: each source, then what several make together."""
    number = repeat % study.pretrainings
    names = [n for n in study.sources if n != target and not is_given(n)]
    found = [_given(study, repeat, model, n) for n in study.sources if is_given(n)]
    for objective in study.objectives:
        recipe = replace(study.pretraining, objective=objective)
        alone = [
            Trial(
                dataset=name,
                model=model,
                size=study.source_size,
                repeat=number,
                recipe=recipe,
                profile=study.profile,
            )
            for name in names
        ]
        found += [Reuse(origin) for origin in alone]
        ways = [how for how in study.combine if how != "pooled" or objective == "labels"]
        if len(alone) > 1:
            found += [_combined(alone, how) for how in ways]
    return found


def _fitted(start: Reuse, strategy: Strategy, channels: Mapping[str, int]) -> Reuse:
    """A start whose sources, where one continues from another, fit kernels as the transfer does.

    ``independent`` is a network of the target's; sources repeat for it.
    """
    way = "repeat" if strategy.channels == "independent" else strategy.channels
    if way == "repeat":
        return start

    def fitted(trial: Trial) -> Trial:
        if trial.after is None:
            return trial
        counts = {channels.get(trial.dataset), channels.get(trial.after.dataset)}
        same = len(counts) == 1 and None not in counts  # nothing is fitted, nor trained twice
        return replace(trial, after=fitted(trial.after), fitting="repeat" if same else way)

    return replace(start, source=fitted(start.source), also=tuple(map(fitted, start.also)))


def _given(study: Study, repeat: int, model: str, name: str) -> Reuse:
    """Weights that were made elsewhere: what the study says of pretraining is not of them."""
    number = repeat % study.given.get(name, 1)
    origin = Trial(dataset=name, model=model, size="all", repeat=number, profile=study.profile)
    return Reuse(origin)


def _combined(alone: list[Trial], how: Combination) -> Reuse:
    """Several pretrainings as one start; see `Study.combine`."""
    first, others = alone[0], alone[1:]
    if how == "pooled":
        return Reuse(replace(first, pool=tuple(t.dataset for t in others)))
    if how == "average":
        return Reuse(first, also=tuple(replace(t, after=first) for t in others))
    for trial in others:
        first = replace(trial, after=first)
    return Reuse(first)


def _baselines(study: Study, scratch: Trial) -> Iterator[Trial]:
    """Those without a backbone are the same for all models, and know no recipe."""
    for name in study.baselines:
        if name not in OF_A_BACKBONE:
            yield replace(scratch, model=NO_BACKBONE, recipe=Recipe(), baseline=name)
        elif name == "strong":
            recipe = replace(study.recipe, tune=STRONG, augment="light")
            yield replace(scratch, recipe=recipe, baseline=name)
        else:
            yield replace(scratch, baseline=name)


def _asked(study: Study, transfer: Trial) -> tuple[Control, ...]:
    """The controls of a transfer: those asked for, and the check of its start."""
    told = "untrained" in study.controls or not study.check_start or study.profile != "strict"
    late = transfer.repeat >= CHECKED_REPEATS
    if told or late or transfer.size != smallest(study.sizes):
        return study.controls
    unlike = unlike_scratch(transfer, study.channels)
    return ("untrained", *study.controls) if unlike else study.controls


def _controls(
    study: Study, transfer: Trial, reuse: Reuse, asked: tuple[Control, ...]
) -> list[Trial]:
    """The controls of one transfer; of several sources, those without a source are the same."""
    origin = reuse.source
    few = label_budget(study.source_size, 0, 0) <= NOISE_LABELS
    plain = replace(origin, recipe=study.pretraining, pool=(), after=None)
    if origin.given:  # noise is learned as often as the study's own sources would be
        plain = replace(plain, size=study.source_size, repeat=transfer.repeat % study.pretrainings)
    noise = replace(plain, dataset=NOISE, size=study.source_size if few else "all")
    rest = replace(transfer, recipe=study.pretraining, reuse=None, part="rest")
    of = {
        "untrained": replace(transfer, reuse=replace(reuse, start="untrained")),
        "permuted": replace(transfer, reuse=replace(reuse, start="permuted")),
        "moments": replace(transfer, reuse=replace(reuse, start="moments")),
        "noise": replace(transfer, reuse=replace(reuse, source=noise, also=())),
        "in_domain": replace(transfer, reuse=replace(reuse, source=rest, also=())),
        "whole": replace(transfer.twin(), size="all"),
    }
    alone = reuse == replace(reuse, source=plain, also=()) and not origin.given
    if alone:  # one source that learns from its labels
        shuffled = replace(origin, recipe=replace(origin.recipe, labels="shuffled"))
        of["shuffled"] = replace(transfer, reuse=replace(reuse, source=shuffled))
    fits = HEADED if transfer.zero_shot else CONTROLS  # placebos and noise have no head to ask
    return [of[name] for name in asked if name in of and name in fits]


def _refuse_endless(study: Study) -> None:
    count = study.repeats * math.prod(len(getattr(study, axis)) for axis in AXES)
    count *= (1 + len(study.combine)) * (2 + len(study.controls) + len(study.baselines))
    count *= len(study.protocols)
    if count > LARGEST:
        raise SpecError(
            f"the study has some {count:,} trials, more than {LARGEST:,}",
            mend="split it into studies, e.g. one for each target; they share pretrainings",
        )
