"""A study is axes and recipes; it expands to ordered trials, ancestors first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from tsxfer.core.names import DatasetName, is_given
from tsxfer.core.sizes import canonical_size, per_class
from tsxfer.core.specs import LABELS, NOISE, PROFILES, Baseline, Control, Recipe
from tsxfer.core.strategy import Strategy
from tsxfer.errors import SpecError, nearest

HEADED: tuple[Control, ...] = ("shuffled", "in_domain", "whole")  # controls that zero_shot has
DataMode = Literal["auto", "real", "simulated"]
Overlaps = Literal["refuse", "label"]
OVERLAPS: tuple[Overlaps, ...] = get_args(Overlaps)
Combination = Literal["pooled", "sequential", "average"]
COMBINATIONS: tuple[Combination, ...] = get_args(Combination)


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
