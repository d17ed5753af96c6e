"""What the whole package exchanges, as plain frozen data: profiles, recipes and trials.

Each has a key (a hash of its content); nothing here needs torch, reads or writes.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from tsxfer.core.cautions import Caution
from tsxfer.core.doors import OBJECTIVES as DOOR_OF_OBJECTIVES
from tsxfer.core.names import is_given
from tsxfer.core.sizes import canonical_size
from tsxfer.core.strategy import Channels, Strategy
from tsxfer.errors import SpecError, nearest
from tsxfer.keys import content_key

Control = Literal["untrained", "permuted", "shuffled", "moments", "noise", "in_domain", "whole"]
CONTROLS: tuple[Control, ...] = typing.get_args(Control)
Start = Literal["weights", "untrained", "permuted", "moments"]
NOISE = "noise@1"  # the data set of the control of that name; datasets/noise.py
LABELS = "labels"  # the objective that sees them; others are of `tsxfer.core.doors.OBJECTIVES`
OBJECTIVES: tuple[str, ...] = (LABELS, *DOOR_OF_OBJECTIVES.own_names())
Baseline = Literal[
    "trivial",
    "summary",
    "catch22",
    "minirocket",
    "multirocket",
    "random_convolutions",
    "strong",
    "rescaled",
    "renormalised",
    "mantis",
    "moment",
]
BASELINES: tuple[Baseline, ...] = typing.get_args(Baseline)
OF_A_BACKBONE: tuple[Baseline, ...] = (
    "random_convolutions",
    "strong",
    "rescaled",
    "renormalised",
)
OF_NORMALISATION: tuple[Baseline, ...] = ("renormalised",)  # models without it have none
FOUNDATIONS: tuple[Baseline, ...] = ("mantis", "moment")  # weights that the user has on disk
NO_BACKBONE = "none"  # the model of the other baselines


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules of a protocol. ``strict`` is ours; ``paper`` is Otović et al. 2022, sections 2 to 4.

    Attributes:
        grouped: Whole groups (events, speakers, subjects) on one side of the split.
        shares: Training, validation and test share of the instances.
        nested: The small subset lies inside the large one.
        validation_share: Share of a trial's labels spent on validation; 0 gives every trial
            the whole validation part for free, as the study did.
        scaling: ``peak`` or ``minmax_mask``, see `tsxfer.data.scale`.
        min_channels: Channels are copied until there are this many.
        drop_last: Leave the last incomplete batch of an epoch out.
        monitor: ``metric`` selects checkpoints on the primary metric; ``study`` on the penalised
            validation loss (regression, squared error) or accuracy (classification).
        as_in_study: Weights start, and MagNet predicts with dropout, as in the study.
        warnings: Labels put on every row made under the profile (faults of the study, section 6).
    """

    grouped: bool
    shares: tuple[float, float, float]
    nested: bool
    validation_share: float
    scaling: Literal["peak", "minmax_mask"]
    min_channels: int
    drop_last: bool
    monitor: Literal["metric", "study"] = "metric"
    as_in_study: bool = False
    warnings: tuple[str, ...] = ()


PROFILES = {
    "strict": Profile(
        grouped=True,
        shares=(0.6, 0.2, 0.2),
        nested=True,
        validation_share=0.2,
        scaling="peak",
        min_channels=1,
        drop_last=False,
    ),
    "paper": Profile(
        grouped=False,
        shares=(0.7, 0.15, 0.15),
        nested=False,
        validation_share=0.0,
        scaling="minmax_mask",
        min_channels=3,
        drop_last=True,
        monitor="study",
        as_in_study=True,
        warnings=(Caution.LEAKY, Caution.FREE_LABELS),
    ),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained. Both arms of a comparison hold the same one.

    Attributes:
        rate: Adam's learning rate.
        batch: Instances a step.
        epochs: Most passes over the training instances.
        patience: Epochs without a better validation score before training stops.
        plateau_factor: The rate is multiplied by this after `plateau_patience` bad epochs.
        plateau_patience: See `plateau_factor`.
        min_rate: The rate never falls below this.
        plateau_delta: A gain of the monitored value up to this does not count for the plateau.
        loss: ``task``: squared error for numbers, cross-entropy for classes; ``squared``: squared
            error on one-hot classes, as the study's scratch arms (section 6.3).
        precision: ``float32``; ``tf32`` (CUDA only) and ``bf16`` (autocast) are faster and coarser.
        tune: Multipliers of the convolutional layers' rate to try, in either arm alike; the best
            validation value is kept. Empty: one try.
        labels: ``shuffled`` permutes the labels to learn from, and apart those to select on: a
            source that has seen everything but what the windows mean. Test labels stay true.
        objective: ``labels``; ``masked``: hidden stretches of a window are filled in from the rest
            (masked reconstruction); ``contrastive``: two distorted views of a window are told
            from those of others (SimCLR, Chen et al. 2020); or a user's own. All but the first see
            no label.
        head: Name of a head (`tsxfer.core.doors.HEADS`) on the features; "": the backbone's own.
        augment: ``light`` distorts the windows to learn from, differently in each step: noise,
            scale and shift in time.
    """

    rate: float = 1e-3
    batch: int = 64
    epochs: int = 30
    patience: int = 8
    plateau_factor: float = 0.2
    plateau_patience: int = 4
    min_rate: float = 5e-7
    plateau_delta: float = 0.0
    loss: Literal["task", "squared"] = "task"
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    tune: tuple[float, ...] = ()
    labels: Literal["true", "shuffled"] = "true"
    objective: str = LABELS
    augment: Literal["none", "light"] = "none"
    head: str = ""

    def __post_init__(self) -> None:
        for name in ("rate", "batch", "epochs", "patience", "plateau_patience"):
            if not getattr(self, name) > 0:
                raise SpecError(
                    f"recipe {name} = {getattr(self, name)} is not above 0", mend=f"set {name} > 0"
                )
        if not 0 < self.plateau_factor <= 1:
            raise SpecError(
                f"recipe plateau_factor = {self.plateau_factor} is outside (0, 1]",
                mend="use 1.0 to keep the rate constant",
            )
        if len(set(self.tune)) < len(self.tune) or any(not m > 0 for m in self.tune):
            raise SpecError(
                f"recipe tune = {list(self.tune)} is not a list of different multipliers above 0",
                mend="e.g. tune = [0.1, 0.3, 1.0]",
            )
        unlabelled = self.objective != "labels"
        if unlabelled and (self.labels, self.loss, self.tune) != ("true", "task", ()):
            raise SpecError(
                f"recipe objective = {self.objective!r} sees no labels",
                mend="leave labels, loss and tune out",
            )


class _Keyed:
    """Keeps a spec's key once it was asked for: reports ask for it many times."""

    __slots__ = ("_key",)
    _key: str

    @property
    def key(self) -> str:
        """Content key: 16 hexadecimal digits."""
        try:
            return self._key
        except AttributeError:
            object.__setattr__(self, "_key", _key(self))  # the spec itself is frozen
            return self._key


@dataclass(frozen=True, slots=True)
class Trial(_Keyed):
    """One training: everything that can change its numbers, and nothing else.

    Attributes:
        dataset: Versioned name, e.g. ``speech@1``; simulated data has its own, ``speech+sim@1``.
        model: Name of a backbone.
        size: Label budget, validation included: ``n=1500``, ``10%``, ``5/class``
            or ``all``.
        repeat: Index that names the subset, the weights and the batch order.
        recipe: How it is trained.
        profile: Name of a protocol in `PROFILES`.
        reuse: Where the weights start; None trains from scratch.
        part: ``rest`` learns from what the trial's subset leaves of the training part, and selects
            on whole groups of that, so that validation and test parts stay unseen.
        pool: Data sets learned from beside `dataset`, each with a head of its own, in a pretraining
            on several sources at once.
        after: The pretraining whose convolutions this one continues from.
        fitting: What its first kernels become where the two differ in channels
            (`Strategy.channels`).
        metric: What it is selected and judged on; "": the metric of the data set's card.
        split: Rule by which the data set is split (`tsxfer.core.doors.SPLITS`); "": its card's.
        baseline: Instead of fine-tuning: a name in `BASELINES`; those that are not of a backbone
            have the model `NO_BACKBONE`.
    """

    dataset: str
    model: str
    size: str
    repeat: int
    recipe: Recipe = Recipe()
    profile: str = "strict"
    reuse: Reuse | None = None
    part: Literal["subset", "rest"] = "subset"
    pool: tuple[str, ...] = ()
    after: Trial | None = None
    baseline: Baseline | None = None
    metric: str = ""
    split: str = ""
    fitting: Channels = "repeat"

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", canonical_size(self.size))
        if self.profile not in PROFILES:
            raise SpecError(
                f"unknown profile {self.profile!r}", mend=nearest(self.profile, PROFILES)
            )
        if self.repeat < 0:
            raise SpecError(f"repeat = {self.repeat} is negative", mend="count repeats from 0")
        if self.reuse and self.profile == "paper" and self.reuse.strategy.channels != "repeat":
            raise SpecError(
                f"channels = {self.reuse.strategy.channels!r} is not of the paper profile",
                mend="use --profile strict, or --strategy copy: the study repeats kernels",
            )
        if self.fitting != "repeat" and not self.after:
            raise SpecError(
                f"fitting = {self.fitting!r} of a trial that continues from no other",
                mend="leave it out; of a transfer it is strategy.channels",
            )
        if self.closed_form and self.recipe.head:
            raise SpecError(
                f"head {self.recipe.head!r} beside a head that is fitted in closed form, or is "
                "the source's",
                mend="leave the head out, or the strategies probe and zero_shot",
            )
        if sum(map(bool, (self.reuse, self.pool, self.after, self.baseline))) > 1:
            raise SpecError(
                "a trial has at most one of reuse, pool, after and baseline",
                mend="let one trial start from another",
            )

    @property
    def control(self) -> str:
        """Which control a transfer is, a name in `CONTROLS`; empty for a plain one and scratch."""
        if self.reuse is None:
            return ""
        source = self.reuse.source
        if self.reuse.start != "weights":
            return self.reuse.start
        if source.recipe.labels == "shuffled":
            return "shuffled"
        if source.part == "rest":
            return "in_domain"
        return "noise" if source.dataset == NOISE else ""

    @property
    def source(self) -> str:
        """The source in words: ``speech@1``, ``speech@1 (masked)``, ``speech@1 (permuted)``."""
        if self.reuse is None:
            return ""
        name, origin = self.reuse.words, self.reuse.source
        learned = "" if origin.recipe.objective == "labels" else origin.recipe.objective
        notes = [note for note in (learned, self.control) if note]
        return f"{name} ({', '.join(notes)})" if notes else name

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every data set that takes part, its own first."""
        before = (name for origin in self.origins for name in origin.datasets)
        return tuple(dict.fromkeys((self.dataset, *self.pool, *before)))

    @property
    def origins(self) -> tuple[Trial, ...]:
        """The trials whose weights it starts from."""
        if self.reuse:
            return self.reuse.sources
        return (self.after,) if self.after else ()

    @property
    def given(self) -> bool:
        """Its weights were trained elsewhere: it is started from, and never run."""
        return is_given(self.dataset)

    @property
    def closed_form(self) -> bool:
        """Its head is solved on features that stay, or the source's; no step is taken."""
        probed = self.reuse is not None and self.reuse.strategy.learn == "probe"
        return probed or self.zero_shot or self.baseline == "random_convolutions"

    @property
    def zero_shot(self) -> bool:
        """The source's own head answers; its size is its twin's, of which it uses no label."""
        return self.reuse is not None and self.reuse.strategy.learn == "zero_shot"

    @property
    def choosy(self) -> bool:
        """Not every model can run it: its strategy or baseline asks for a certain kind."""
        if self.reuse:
            return self.reuse.strategy.choosy
        return self.baseline in OF_NORMALISATION

    @property
    def plain_pretraining(self) -> bool:
        """Trained from scratch on true labels of one real or simulated set's usual part.

        A ranking, or a model to keep, may start from such weights: those of controls, of several
        sets and of sources without labels are not what the name of one data set says.
        """
        alone = not (self.reuse or self.pool or self.after or self.baseline)
        usual = self.part == "subset" and self.dataset != NOISE
        return alone and usual and (self.recipe.labels, self.recipe.objective) == ("true", "labels")

    def twin(self) -> Trial:
        """The paired scratch trial: the same in everything but its starting weights."""
        if self.reuse is None or self.reuse.twin_loss == self.recipe.loss:
            return replace(self, reuse=None)
        recipe = replace(self.recipe, loss=self.reuse.twin_loss)
        return replace(self, reuse=None, recipe=recipe)


@lru_cache(maxsize=1 << 17)
def _key(spec: object) -> str:
    """Equal specs come up again, twins above all, and each key is a hash of nested text."""
    return content_key(spec)


@dataclass(frozen=True, slots=True)
class Reuse:
    """Where a trial's convolutional weights come from (study, section 3.1 of its code).

    Attributes:
        source: The trial whose trained convolutions are copied; the rest starts fresh.
        rate_multiplier: Learning rate of the copied layers, relative to the others.
        twin_loss: Loss of the scratch twin; ``squared`` is a fault of the study that can be
            switched on (section 6.3) and marks every row.
        start: ``weights`` copies them; ``untrained``: those that the source had before it learned
            anything; ``permuted``: each tensor's values in another order; ``moments``: normal
            values of each tensor's mean and standard deviation. All are fitted to the target's
            channels, and treated, as the weights would be.
        strategy: What is copied, and how it learns.
        also: Sources whose weights are averaged with those of `source`, equally; they started from
            `source`, since weights that grew apart cannot be averaged (Wortsman et al. 2022).
    """

    source: Trial
    rate_multiplier: float = 1.0
    twin_loss: Literal["task", "squared"] = "task"
    start: Start = "weights"
    strategy: Strategy = field(default_factory=Strategy)
    also: tuple[Trial, ...] = ()

    def __post_init__(self) -> None:
        if not self.rate_multiplier > 0:
            raise SpecError(
                f"rate_multiplier = {self.rate_multiplier} is not above 0",
                mend='a strategy with learn = "frozen" keeps copied layers as they are',
            )

    @property
    def still(self) -> bool:
        """Copied tensors keep the source's bits."""
        return self.strategy.still

    @property
    def frozen(self) -> bool:
        """Copied layers stay as they are, and nothing is added to them."""
        return self.strategy.learn == "frozen"

    @property
    def sources(self) -> tuple[Trial, ...]:
        """Every trial whose weights are taken."""
        return (self.source, *self.also)

    @property
    def words(self) -> str:
        """Data sets of the source: one, several in order, pooled or averaged."""
        origin = self.source
        if self.also:
            return " & ".join((origin.dataset, *(t.dataset for t in self.also)))
        before = "" if origin.after is None else f"{Reuse(origin.after).words} > "
        return before + " + ".join((origin.dataset, *origin.pool))
