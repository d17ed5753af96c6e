"""A study is axes and recipes; it expands to ordered trials, ancestors first."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tsxfer.errors import SpecError
from tsxfer.keys import plain
from tsxfer.specs import (
    NOISE,
    Control,
    Recipe,
    Reuse,
    Trial,
    canonical_size,
    from_plain,
    labels_allowed,
)

NOISE_LABELS = 5000  # a larger budget of the sources means all of the noise that there is
LARGEST = 10_000_000  # trials; ARCHITECTURE.md, section Scale
DataMode = Literal["auto", "real", "simulated"]


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
        data: ``real``, ``simulated``, or ``auto``: real where all is prepared, simulated where
            nothing is.
        rate_multipliers: Learning rates of the copied layers relative to the rest.
        frozen: Keep copied layers as they are.
        scratch_loss: ``squared`` trains scratch classifiers on squared error, as the study did
            (section 6.3); only under the paper profile, and every table says so.
        source_size: Label budget of pretraining.
        recipe: Of fine-tuning, and of the scratch twin.
        pretraining: Of the sources.
        controls: What each transfer is held against, beside its scratch twin: placebos (``permuted``
            and ``moments``: `Reuse.start`; ``shuffled``: source labels; ``noise``: the source) and
            ceilings (``in_domain``: the rest of the target as source; ``whole``: all of its labels).
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(canonical_size(size) for size in self.sizes))
        for axis in ("sources", "targets", "models", "sizes", "rate_multipliers"):
            values = getattr(self, axis)
            if not values:
                raise SpecError(f"the study has no {axis}", mend=f"give at least one in {axis}")
            if len(set(values)) < len(values):
                raise SpecError(f"{axis} names one twice: {values}", mend="name each once")
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
        self._refuse_hidden_controls()
        odd = not self.name.isprintable() or set(self.name) & set('/\\:*?"<>|')
        if odd or not self.name or len(self.name.encode()) > 120 or self.name.startswith("."):
            raise SpecError(
                f"study name {self.name!r} cannot be a folder name",
                mend="use letters, digits, - and _; 120 at most",
            )

    def _refuse_hidden_controls(self) -> None:
        """A control under the name of a plain transfer would be read as one."""
        if len(set(self.controls)) < len(self.controls):
            raise SpecError(f"controls names one twice: {self.controls}", mend="name each once")
        if "shuffled" in (self.recipe.labels, self.pretraining.labels):
            raise SpecError(
                "labels = 'shuffled' is a control",
                mend='leave it out, write controls = ["shuffled"]',
            )
        if any(name.partition("@")[0] == NOISE.partition("@")[0] for name in self.sources):
            raise SpecError(
                "noise as a source is a control", mend='leave it out, write controls = ["noise"]'
            )


def expand(study: Study) -> list[Trial]:
    """All trials: pretrainings, then for each repeat the scratch twin and the transfers from it.

    Each transfer is followed by its controls, which start from the same twin's subset and seeds.

    A data set is never its own source; a study in which nothing is left to compare is an error.
    """
    return list(trials_of(study))


def trials_of(study: Study) -> Iterator[Trial]:
    """As `expand`, one at a time: memory holds the pretrainings alone.

    Raises:
        SpecError: If nothing is left to compare, or there are too many trials.
    """
    _refuse_endless(study)
    origins = _origins(study)
    if not origins:
        raise SpecError(
            f"nothing to compare: {', '.join(study.sources)} is source and target",
            mend="name a source that is not the target",
        )
    first = {origin.key: origin for origin in origins.values()}
    if study.controls:
        sources = (t.reuse.source for t in _comparable(study, origins) if t.reuse)
        first |= {source.key: source for source in sources if source.key not in first}
    yield from first.values()
    shared = set(first)  # a scratch trial can be one of them, and serves several transfers
    for trial in _comparable(study, origins):
        if trial.key in shared:
            continue
        if trial.reuse is None or trial.control:
            shared.add(trial.key)
        yield trial


def _comparable(study: Study, origins: dict[tuple[int, str, str], Trial]) -> Iterator[Trial]:
    """For each transfer its scratch twin, itself and its controls; what is shared comes again."""
    axes = itertools.product(
        range(study.repeats), study.models, study.targets, study.sizes, study.sources,
        study.rate_multipliers,
    )  # fmt: skip
    for repeat, model, target, size, source, multiplier in axes:
        if source == target:
            continue
        scratch = Trial(target, model, size, repeat, study.recipe, study.profile)
        origin = origins[repeat % study.pretrainings, model, source]
        reuse = Reuse(origin, multiplier, study.frozen, study.scratch_loss)
        transfer = replace(scratch, reuse=reuse)
        yield from (transfer.twin(), transfer, *_controls(study, transfer, reuse))


def _origins(study: Study) -> dict[tuple[int, str, str], Trial]:
    """Pretrainings by number, model and source, in the order in which they are first needed."""
    found: dict[tuple[int, str, str], Trial] = {}
    numbers = range(min(study.repeats, study.pretrainings))
    for number, model, target, source in itertools.product(
        numbers, study.models, study.targets, study.sources
    ):
        if source != target and (number, model, source) not in found:
            found[number, model, source] = Trial(
                source, model, study.source_size, number, study.pretraining, study.profile
            )
    return found


def _controls(study: Study, transfer: Trial, reuse: Reuse) -> list[Trial]:
    """The controls of one transfer; of several sources, those without a source are the same."""
    origin = reuse.source
    few = labels_allowed(study.source_size, 0) <= NOISE_LABELS
    shuffled = replace(origin, recipe=replace(origin.recipe, labels="shuffled"))
    noise = replace(origin, dataset=NOISE, size=study.source_size if few else "all")
    rest = replace(transfer, recipe=study.pretraining, reuse=None, part="rest")
    of = {
        "permuted": replace(transfer, reuse=replace(reuse, start="permuted")),
        "moments": replace(transfer, reuse=replace(reuse, start="moments")),
        "shuffled": replace(transfer, reuse=replace(reuse, source=shuffled)),
        "noise": replace(transfer, reuse=replace(reuse, source=noise)),
        "in_domain": replace(transfer, reuse=replace(reuse, source=rest)),
        "whole": replace(transfer.twin(), size="all"),
    }
    return [of[name] for name in study.controls]


def _refuse_endless(study: Study) -> None:
    axes = (study.models, study.targets, study.sizes, study.sources, study.rate_multipliers)
    count = study.repeats * math.prod(map(len, axes)) * (1 + len(study.controls))
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
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(
            f"the study file cannot be read: {error.strerror}",
            where=str(path),
            mend="check the path",
        ) from None
    except (ValueError, RecursionError) as error:  # bad TOML or text, endless digits, deep nesting
        raise SpecError(
            f"not valid TOML: {error}", where=str(path), mend="edit that line"
        ) from None
    data.setdefault("name", path.stem)
    if isinstance(data.get("sizes"), list):
        data["sizes"] = [str(size) for size in data["sizes"]]
    return from_plain(Study, data, where=str(path))


def study_toml(study: Study) -> str:
    """The TOML that reads back as this study."""
    import tomli_w

    return tomli_w.dumps({"name": study.name, **plain(study)})
