"""How a transfer treats what it takes over: a typed recipe of parts that combine."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, cast, get_args

from tsxfer.core import doors
from tsxfer.core.declared import Option
from tsxfer.core.doors import METHODS
from tsxfer.core.options import Options, bare, read, refuse_impossible, settled, spelt
from tsxfer.core.plugins import hint
from tsxfer.core.registry import refuse_damaged
from tsxfer.errors import SpecError, nearest

Learn = Literal["tuned", "frozen", "head_first", "gradual", "low_rank", "probe", "zero_shot"]
Channels = Literal["repeat", "divided", "spread", "fresh", "independent"]
CHANNELS: tuple[Channels, ...] = get_args(Channels)
# Copied tensors keep the source's bits.
STILL: tuple[Learn, ...] = ("frozen", "low_rank", "probe", "zero_shot")
ORDER_OF_LAYERS = re.compile(r"first_(\d+)(_frozen)?")
PLUS = re.compile(r"\+(?!\d)")  # joins parts; that of 1e+3 does not


@dataclass(frozen=True, slots=True)
class Strategy:
    """What is copied, and how it learns. The default is the study's: convolutions, all tuned.

    Attributes:
        copied: ``convolutions``: what a backbone names as transferred; ``backbone``: every tensor
            whose shape fits, normalisation and its statistics included.
        blocks: Only the first so many blocks of layers are copied (Yosinski et al. 2014); 0: all.
        learn: ``tuned``: everything learns from the start; ``frozen``: copied tensors stay;
            ``head_first``: they stay for `stage` epochs (LP-FT, Kumar et al. 2022); ``gradual``:
            one more block learns every `stage` epochs, from the last to the first (Howard and Ruder
            2018); ``low_rank``: they stay, and a learned product of two matrices is added to each
            kernel (LoRA, Hu et al. 2022); ``probe``: no gradient step, a ridge head in closed form,
            its penalty chosen on validation; ``zero_shot``: the source's own head answers, and no
            label of the target is used.
        stage: Epochs of a stage of ``head_first`` and ``gradual``; shorter where the recipe has few
            epochs, so that everything learns in their last third.
        rank: Of ``low_rank``.
        rate_decay: Each block learns at this times the rate of the block above it, the head at the
            full rate (Howard and Ruder 2018); in (0, 1].
        anchor: Weight of half the squared distance of copied tensors from where they started,
            added to the loss (L2-SP, Li et al. 2018).
        renormalised: Statistics of normalisation layers are taken from the target's training
            windows before training (AdaBN, Li et al. 2017). Scratch is offered the same as the
            baseline ``renormalised``.
        channels: What a first kernel becomes where source and target differ in channels; without
            effect where they do not, but for ``independent``. ``repeat``: the mean over the
            source's channels for every target channel (the study, section 3.1); ``divided``: the
            sum over the source's channels, divided among the target's, so that the same signal on
            all channels gives what it gave (as timm's ``adapt_input_conv``); ``spread``: source
            channel s of filter f reads target channel (f * S + s) mod C alone, of S and C channels,
            and those that meet add up; ``fresh``: the first layer is not copied; ``independent``:
            each channel alone passes a backbone of one channel, and the features are joined
            (MOMENT, Goswami et al. 2024; Mantis, Feofanov et al. 2025).
        rescaled: Convolutions are scaled, first to last, until each one's output deviates by 1 on
            the target's training windows, labels unseen (LSUV, Mishkin and Matas 2016). Scratch
            is offered the same as the baseline ``rescaled``.
        method: Name of a user's method (`tsxfer.train.method`), which says all other parts but
            `channels` and `rescaled` itself; its code is in the fingerprints of its rows.
        options: Of that method, by name, without those at their default (`settle`).
        classes: Of ``zero_shot``: class of the target that a class of the source stands for, where
            the two have other names; several may stand for one, and "" leaves one out.
    """

    copied: Literal["convolutions", "backbone"] = "convolutions"
    blocks: int = 0
    learn: Learn = "tuned"
    stage: int = 2
    rank: int = 4
    rate_decay: float = 1.0
    anchor: float = 0.0
    renormalised: bool = False
    channels: Channels = "repeat"
    rescaled: bool = False
    method: str = ""
    options: dict[str, Any] = field(default_factory=Options)
    classes: dict[str, str] = field(default_factory=lambda: _renamed({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", _renamed(self.classes))
        object.__setattr__(self, "options", Options(self.options))
        self._refuse_odd_options()
        if self.blocks < 0 or self.stage < 1 or self.rank < 1:
            raise SpecError(
                f"strategy with blocks = {self.blocks}, stage = {self.stage}, rank = {self.rank}",
                mend="blocks counts from 1 (0: all), stage and rank from 1",
            )
        if not 0 < self.rate_decay <= 1:
            raise SpecError(
                f"strategy rate_decay = {self.rate_decay} is outside (0, 1]",
                mend="1.0 gives every block the same rate",
            )
        if not 0 <= self.anchor < math.inf:
            raise SpecError(
                f"strategy anchor = {self.anchor} is below 0", mend="0.0 anchors nothing"
            )
        self._refuse_idle()
        self._refuse_part_of_a_network()

    def _refuse_odd_options(self) -> None:
        refuse_impossible(self.options, f"method {self.method}" if self.method else "a strategy")
        if self.options and not self.method:
            raise SpecError(
                f"strategy options = {dict(self.options)} without a method",
                mend='write {method = "NAME", options = {...}}',
            )

    def _refuse_idle(self) -> None:
        """Refuse a part without effect: one strategy would have two names and two keys."""
        given = set(self._departing())
        said = given - {"method", "channels", "rescaled", "options"} if self.method else set()
        if said:
            raise SpecError(
                f"strategy {', '.join(sorted(said))} beside method = {self.method!r}",
                mend="leave it out: a method of your own says that under @method(...)",
            )
        idle = given & {"rate_decay", "anchor"} if self.learn in STILL else set()
        if self.learn not in ("head_first", "gradual"):
            idle |= given & {"stage"}
        if self.learn != "low_rank":
            idle |= given & {"rank"}
        if self.learn != "zero_shot":
            idle |= given & {"classes"}
        if idle:
            raise SpecError(
                f"strategy {', '.join(sorted(idle))} has no effect with learn = {self.learn!r}",
                mend="leave it out, or choose another learn",
            )

    def _refuse_part_of_a_network(self) -> None:
        """A source's head can only read what the source's own layers give."""
        partly = self.copied != "backbone" or self.blocks or self.rescaled
        if self.learn == "zero_shot" and (partly or self.channels in ("fresh", "independent")):
            raise SpecError(
                "zero_shot answers with the source's whole network, unchanged",
                mend='write {copied = "backbone", learn = "zero_shot"}, with channels repeat, '
                "divided or spread, and neither blocks nor rescaled",
            )

    @property
    def choosy(self) -> bool:
        """Not every model can take it: it counts blocks, or needs normalisation or more layers.

        A user's method is not asked: what it cannot take fails its own rows.
        """
        partly = self.blocks or self.renormalised or self.channels == "fresh"
        return bool(partly and not self.method)

    @property
    def still(self) -> bool:
        """Copied tensors keep the source's bits."""
        return self.learn in STILL

    @property
    def words(self) -> str:
        """Its name, or what departs from the study's; empty for the study's own."""
        if self == Strategy():
            return ""
        plain = replace(self, channels="repeat", rescaled=False, method="", options={}, classes={})
        parts = [self.channels] * (self.channels != "repeat") + ["rescale"] * self.rescaled
        named = next((name for name, held in STRATEGIES.items() if held == plain), "")
        name = spelt(self.method, self.options) or named or plain._layers()
        said = ", ".join(f"{theirs}={ours}" for theirs, ours in self.classes.items())
        name = f"{name}[{said}]" if said else name
        return "+".join([name, *parts]) if name else self._spelt()

    def _layers(self) -> str:
        for learn, end in (("tuned", ""), ("frozen", "_frozen")):
            if self.blocks and self == Strategy(blocks=self.blocks, learn=learn):  # type: ignore[arg-type]
                return f"first_{self.blocks}{end}"
        return ""

    def _spelt(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self._departing().items())

    def _departing(self) -> dict[str, object]:
        """Fields that are not at their default."""
        usual = {f.name: f.default for f in fields(self)} | {"options": {}, "classes": {}}
        held = {name: getattr(self, name) for name in usual}
        return {name: value for name, value in held.items() if value != usual[name]}


def _renamed(classes: Mapping[str, str]) -> dict[str, str]:
    """Classes that have another name in the target, sorted; one mapping has one key."""
    held = {theirs: ours for theirs, ours in sorted(classes.items()) if theirs != ours}
    return cast("dict[str, str]", Options(held))


def _own() -> Mapping[str, Strategy]:
    """Parts of the package's own methods, read from what their decorators say."""
    found = {name: METHODS.definition(name) for name in METHODS.own_names()}
    return {name: Strategy(**one.facts) for name, one in found.items() if one is not None}


STRATEGIES = _own()


PARTS: Mapping[str, Mapping[str, object]] = {
    **{name: {"channels": name} for name in CHANNELS},
    "rescale": {"rescaled": True},
}


def named(name: str) -> Strategy:
    """The strategy of a name, with options and parts: ``lp_ft:stage=3+divided``, ``copy+rescale``.

    Raises:
        SpecError: If there is none, a part or option is unknown or said twice, or an option has a
            value that it cannot have.
    """
    first, *parts = PLUS.split(name)
    strategy, said = _whole(first), dict[str, object]()
    for part in parts:
        if part not in PARTS:
            before = ", and options stand before it" * (":" in part or "=" in part)
            raise SpecError(f"unknown part {part!r} of {name!r}{before}", mend=nearest(part, PARTS))
        if said.keys() & PARTS[part].keys():
            raise SpecError(f"{name!r} says two ways of one thing", mend=f"leave +{part} out")
        said.update(PARTS[part])
    return replace(strategy, **said)  # type: ignore[arg-type]


def _whole(text: str) -> Strategy:
    """One without parts; ``first_3`` and ``first_3_frozen`` are points of the layer curve."""
    name = bare(text)
    own = _own_or_layers(name)
    if own is not None:
        there = options_of(name)
        asked = settled("strategy", name, there, read("strategy", text, there))
        return replace(own, **asked)  # type: ignore[arg-type]
    known = METHODS.names()
    if name in known:
        return Strategy(method=name, options=doors.asked(METHODS, text)[1])
    refuse_damaged(name)
    raise SpecError(
        f"unknown strategy {name!r}",
        mend=nearest(name, [*known, "first_1", "first_1_frozen"]) + hint(),
    )


def _own_or_layers(name: str) -> Strategy | None:
    layers = ORDER_OF_LAYERS.fullmatch(name)
    if layers and int(layers[1]):
        return Strategy(blocks=int(layers[1]), learn="frozen" if layers[2] else "tuned")
    return STRATEGIES.get(name)


def options_of(name: str) -> tuple[Option, ...]:
    """What may be said beside a name: options of a user's method, of our own its numbers."""
    held = _own_or_layers(name)
    if held is None:
        return doors.declared(METHODS, name)
    heard = [] if held.still else ["rate_decay", "anchor"]
    heard += ["stage"] * (held.learn in ("head_first", "gradual"))
    heard += ["rank"] * (held.learn == "low_rank")
    return tuple(Option(n, type(getattr(held, n)).__name__, getattr(held, n)) for n in heard)


def settle(strategy: Strategy) -> Strategy:
    """The one form of a strategy that names a method: a file may say what is at its default.

    Raises:
        SpecError: If there is no such method, or an option is not one of its own.
    """
    if not strategy.method:
        return strategy
    own = STRATEGIES.get(strategy.method)
    if own is not None:
        ways = {"channels": strategy.channels, "rescaled": strategy.rescaled}
        asked = settled("method", strategy.method, options_of(strategy.method), strategy.options)
        return replace(own, **ways, **asked)  # type: ignore[arg-type]
    name, said = doors.asked(METHODS, strategy.method)  # its text form may have options, too
    twice = ", ".join(sorted(said.keys() & strategy.options.keys()))
    if twice:
        raise SpecError(f"method {name} says {twice} twice", mend="say it once, in options")
    asked = settled("method", name, options_of(name), said | strategy.options)
    return replace(strategy, method=name, options=asked)
