"""A study is axes and recipes; it expands to ordered trials, ancestors first."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from tsxfer.core.building import from_plain
from tsxfer.core.fair import CHECKED_REPEATS, smallest, unlike_scratch
from tsxfer.core.names import DatasetName, is_given
from tsxfer.core.sizes import canonical_size, label_budget, per_class
from tsxfer.core.specs import (
    CONTROLS,
    LABELS,
    NO_BACKBONE,
    NOISE,
    OF_A_BACKBONE,
    PROFILES,
    Baseline,
    Control,
    Recipe,
    Reuse,
    Trial,
)
from tsxfer.core.strategy import Strategy, named
from tsxfer.errors import SpecError, nearest
from tsxfer.keys import plain

NOISE_LABELS = 5000  # a larger budget of the sources means all of the noise that there is
HEADED: tuple[Control, ...] = ("shuffled", "in_domain", "whole")  # controls that zero_shot has
LARGEST = 10_000_000  # trials; ARCHITECTURE.md, section Scale
DataMode = Literal["auto", "real", "simulated"]
Overlaps = Literal["refuse", "label"]
OVERLAPS: tuple[Overlaps, ...] = get_args(Overlaps)
Combination = Literal["pooled", "sequential", "average"]
COMBINATIONS: tuple[Combination, ...] = get_args(Combination)
STRONG = (0.3, 1.0, 3.0)  # rates of all layers that the strong scratch baseline tries


AXES = ("sources", "targets", "models", "sizes", "rate_multipliers", "strategies", "objectives")


@dataclass(frozen=True, slots=True)
class Study:
    """What to compare.

    Attributes:
        name: Folder of its rows.
        sources: Data sets to pretrain on; in a resolved study, versioned names.
        targets: Data sets to fine-tune on.
        models: Backbones.
        sizes: Label budgets of the targets.
        repeats: Paired repeats of every cell.
        pretrainings: Pretrained models a source and model; repeat i starts from number i modulo
            this, so that source training is not judged by one lucky run.
        profile: Protocol.
        profiles: Several protocols for the same pairs, the first one's rows in all tables and the
            others' gains beside them (`tsxfer.stats.protocols`); `profile` is then the first.
            Recipes are the same in all. Empty for `profile` alone.
        data: ``real``, ``simulated``, or ``auto``: real where all is prepared, simulated where
            nothing is.
        rate_multipliers: Learning rates of the copied layers relative to the rest.
        frozen: Short for strategies with ``learn = "frozen"``, which is what it becomes.
        scratch_loss: ``squared`` trains scratch classifiers on squared error, as the study did
            (section 6.3); only under the paper profile, and every table says so.
        source_size: Label budget of pretraining.
        recipe: Of fine-tuning, and of the scratch twin.
        pretraining: Of the sources.
        channels: Of each data set, by versioned name, in a resolved study.
        given: How many trainings there are of each source whose weights were made elsewhere, by
            versioned name, in a resolved study; repeat i starts from number i modulo this.
        check_start: Under ``strict``, the control ``untrained`` stands at the smallest size, in
            the first three repeats, beside each transfer whose start differs from scratch in more
            than what its source learned (`tsxfer.core.fair`), unasked; asked for as a control, it
            stands at every size and repeat.
        controls: What each transfer is compared with, beside its scratch twin: placebos
            (``untrained``, ``permuted`` and ``moments``: `Reuse.start`; ``shuffled``: source
            labels; ``noise``: the source) and ceilings (``in_domain``: the rest of the target as
            source; ``whole``: all of its labels).
        strategies: How transfers treat what they take over.
        objectives: What sources learn: their labels, or without any (`Recipe.objective`).
        combine: Sources made of all of a target's sources: ``pooled``: learned from at once, each
            with its own head; ``sequential``: one after the other, in the order given;
            ``average``: the mean of the weights of the first and of each other continued from it.
        baselines: Other ways to use the target's labels, beside each scratch twin.
        overlap: ``refuse`` stops before training where a source has seen what a target is tested
            on; ``label`` runs it and labels every row.
        metric: What targets are selected and judged on, in place of their cards' metrics.
        split: Rule by which targets are split, in place of their cards' rules.
        looks: Numbers of repeats at which the study may be judged before all are in; they are
            declared, and the level is spent over them (`tsxfer.stats.sequential`).
    """

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    models: tuple[str, ...] = ("convnetquake",)
    sizes: tuple[str, ...] = ("n=1500", "n=9000")
    repeats: int = 7
    pretrainings: int = 3
    profile: str = "strict"
    data: DataMode = "auto"
    rate_multipliers: tuple[float, ...] = (1.0,)
    frozen: bool = False
    scratch_loss: Literal["task", "squared"] = "task"
    source_size: str = "all"
    recipe: Recipe = field(default_factory=Recipe)
    pretraining: Recipe = field(default_factory=lambda: Recipe(epochs=15))
    controls: tuple[Control, ...] = ()
    strategies: tuple[Strategy, ...] = (Strategy(),)
    objectives: tuple[str, ...] = ("labels",)
    combine: tuple[Combination, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    channels: dict[str, int] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=dict)
    check_start: bool = True
    overlap: Overlaps = "refuse"
    looks: tuple[int, ...] = ()
    metric: str = ""
    split: str = ""
    profiles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._settle_profiles()
        object.__setattr__(self, "sizes", tuple(canonical_size(size) for size in self.sizes))
        object.__setattr__(self, "source_size", canonical_size(self.source_size))
        for axis in (*AXES, "combine", "baselines", "controls"):
            values = getattr(self, axis)
            if not values and axis in AXES:
                raise SpecError(f"the study has no {axis}", mend=f"give at least one in {axis}")
            if len(set(values)) < len(values):
                said = ", ".join(_said(one) for one in values if values.count(one) > 1)
                raise SpecError(f"{axis} names one twice: {said}", mend="name each once")
        for count in ("repeats", "pretrainings"):
            if getattr(self, count) < 1:
                raise SpecError(
                    f"{count} = {getattr(self, count)} is below 1", mend="use 1 or more"
                )
        if self.scratch_loss != "task" and self.profile != "paper":
            raise SpecError(
                "scratch_loss = 'squared' makes the two arms unequal",
                mend='leave it out, or ask for profile = "paper"',
            )
        if self.recipe.tune and self.rate_multipliers != (1.0,):
            raise SpecError(
                "recipe.tune and rate_multipliers both set the rate of the copied layers",
                mend="leave one of them out",
            )
        self._refuse_few_of_class()
        self._refuse_headless_zero_shot()
        self._refuse_hidden_controls()
        self._refuse_training_given()
        self._refuse_odd_looks()
        self._refuse_repeated_settings()
        odd = not self.name.isprintable() or set(self.name) & set('/\\:*?"<>|')
        if odd or not self.name or len(self.name.encode()) > 120 or self.name.startswith("."):
            raise SpecError(
                f"study name {self.name!r} cannot be a folder name",
                mend="use letters, digits, - and _; 120 at most",
            )

    def _settle_profiles(self) -> None:
        """One protocol has one spelling; of several, `profile` is the first."""
        for name in self.protocols:
            if name not in PROFILES:
                raise SpecError(f"unknown profile {name!r}", mend=nearest(name, PROFILES))
        if not self.profiles:
            return
        if len(set(self.profiles)) < len(self.profiles):
            raise SpecError(f"profiles names one twice: {self.profiles}", mend="name each once")
        if self.profile not in ("strict", self.profiles[0]):
            raise SpecError(
                f"profile = {self.profile!r} and profiles = {list(self.profiles)} differ",
                mend="leave profile out",
            )
        object.__setattr__(self, "profile", self.profiles[0])
        object.__setattr__(self, "profiles", self.profiles if len(self.profiles) > 1 else ())

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names of all its protocols, that of its tables first."""
        return self.profiles or (self.profile,)

    def _refuse_odd_looks(self) -> None:
        if list(self.looks) != sorted({n for n in self.looks if 3 <= n < self.repeats}):
            raise SpecError(
                f"looks = {list(self.looks)} do not rise from 3 to below repeats = {self.repeats}",
                mend=f"e.g. looks = [{max(3, self.repeats // 2)}] with repeats = "
                f"{max(4, self.repeats)}",
            )

    def _refuse_training_given(self) -> None:
        """Weights that were made elsewhere are started from; nothing of them is trained here."""
        given = [name for name in self.sources if is_given(name)]
        for asked, what in (
            ("shuffled" in self.controls, "the control shuffled trains the source again"),
            (bool(self.combine), "combine trains on the sources' data"),
            (self.objectives != ("labels",), "objectives say how sources are trained"),
        ):
            if asked and given:
                raise SpecError(
                    f"{what}, and {given[0]} is weights that were trained elsewhere",
                    mend="leave it out, or name a data set as the source",
                )

    def _refuse_headless_zero_shot(self) -> None:
        """A zero-shot answer needs one source that learned labels here, with its head."""
        if all(strategy.learn != "zero_shot" for strategy in self.strategies):
            return
        given = next(filter(is_given, self.sources), "")
        for asked, what in (
            (bool(given), f"weights made elsewhere ({given}) come without the names of classes"),
            (self.objectives != (LABELS,), "a source that learned no labels has no head for them"),
            (bool(self.combine), "several sources as one have no one head"),
        ):
            if asked:
                raise SpecError(
                    f"zero_shot answers with the source's head: {what}",
                    mend="leave zero_shot out of --strategy, or name a data set as the source",
                )

    def _refuse_few_of_class(self) -> None:
        if per_class(self.source_size) is not None:
            raise SpecError(
                f"source_size = {self.source_size!r}: a source is not pretrained on few labels",
                mend="use --source-size 1500, 10% or all; sizes = of the study takes 5/class",
            )
        few = [size for size in self.sizes if per_class(size) is not None]
        drawn_apart = [name for name in self.protocols if not PROFILES[name].nested]
        if few and drawn_apart:
            raise SpecError(
                f"size {few[0]} cannot be drawn under the profile {drawn_apart[0]}, which takes "
                "its labels without regard to class, as the study did",
                mend="ask for --profile strict, or for a number of labels",
            )

    def _refuse_hidden_controls(self) -> None:
        """A control under the name of a plain transfer would be read as one."""
        if "shuffled" in (self.recipe.labels, self.pretraining.labels):
            raise SpecError(
                "labels = 'shuffled' is a control",
                mend='leave it out, write controls = ["shuffled"]',
            )
        if any(
            DatasetName.parse(name).base == DatasetName.parse(NOISE).base for name in self.sources
        ):
            raise SpecError(
                "noise as a source is a control", mend='leave it out, write controls = ["noise"]'
            )

    def _refuse_repeated_settings(self) -> None:
        """Refuse one setting in two places."""
        if self.pretraining.objective != "labels" or self.recipe.objective != "labels":
            raise SpecError(
                "an objective in a recipe", mend='leave it out, write objectives = ["masked"]'
            )
        if "pooled" in self.combine and "labels" not in self.objectives:
            raise SpecError(
                "combine pooled learns the labels of all sources at once",
                mend='leave it out, or add "labels" to objectives',
            )
        if self.frozen and any(strategy.learn != "tuned" for strategy in self.strategies):
            raise SpecError(
                "frozen and strategies both say how copied layers learn",
                mend='leave frozen out, write a strategy with learn = "frozen"',
            )
        if self.frozen:  # one training has one key, however it was asked for
            frozen = tuple(replace(strategy, learn="frozen") for strategy in self.strategies)
            object.__setattr__(self, "strategies", frozen)
            object.__setattr__(self, "frozen", False)


def _said(value: object) -> str:
    return (value.words or "copy") if isinstance(value, Strategy) else str(value)


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


def quick(study: Study) -> Study:
    """The same study shrunk to about a minute on two cores, under another name."""
    return replace(
        study,
        name=f"quick-{study.name}",
        sizes=("n=300", "n=900"),
        repeats=min(3, study.repeats),
        looks=(),
        pretrainings=1,
        source_size="n=2000",
        recipe=replace(study.recipe, epochs=8, patience=4),
        pretraining=replace(study.pretraining, epochs=5, patience=4),
    )


def read_study(path: Path) -> Study:
    """A study from TOML; its name defaults to the file's.

    Raises:
        SpecError: For a missing file, bad TOML, or a name that is not known.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"the study file cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            mend="check the path",
        ) from None
    return parse_study(text, path.stem, str(path))


def parse_study(text: str, name: str, where: str) -> Study:
    """A study from the text of its file; `name` is what it is called if the text does not say.

    Raises:
        SpecError: For bad TOML, or a name that is not known.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # bad TOML, numbers of too many digits, nesting
        raise SpecError(f"not valid TOML: {error}", where=where, mend="edit that line") from None
    data.setdefault("name", name)
    for written in data.keys() & {"sizes", "source_size"}:  # a number is as good as its text
        data[written] = _text_of(data[written])
    if isinstance(data.get("strategies"), list | str):  # as on the command line, or spelt out
        texts = data["strategies"]
        texts = texts.split(",") if isinstance(texts, str) else texts
        data["strategies"] = [plain(named(s)) if isinstance(s, str) else s for s in texts]
    return from_plain(Study, data, where=where)


def _text_of(size: object) -> object:
    if isinstance(size, list):
        return [_text_of(one) for one in size]
    return str(size) if type(size) in (int, float) else size


def study_toml(study: Study) -> str:
    """The TOML that reads back as this study."""
    import tomli_w

    return tomli_w.dumps({"name": study.name, **plain(study)})
