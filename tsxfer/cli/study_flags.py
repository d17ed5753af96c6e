"""The flags that make a study, for the commands that take one, defined once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Optional

import typer

from tsxfer.api.asked import Flags
from tsxfer.cli.options import UNSAID, Mode, Names, Quick
from tsxfer.cli.own_flags import own_flags, widened
from tsxfer.core.strategy import STRATEGIES
from tsxfer.own.description import Description

Count = Annotated[Optional[int], typer.Option("--repeats", help="Paired repeats of each cell (7).")]  # noqa: UP045
ProfileName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--profile",
        help="strict or paper; strict,paper: both, and how much of a gain the protocol makes.",
    ),
]
Tune = Annotated[
    bool,
    typer.Option(
        "--tune",
        help="Choose the rate of the convolutions on validation, the same tries in both arms.",
    ),
]
RecipeName = Annotated[
    str,
    typer.Option("--recipe", help="How both arms are trained: usual, small_batch or patient."),
]
Controls = Annotated[
    list[str],
    typer.Option(
        help="Beside each transfer: untrained (by default in three repeats of the smallest size, "
        "where a transfer's start differs from scratch's), permuted, shuffled, moments, noise, "
        "in_domain, whole, all or none."
    ),
]
Strategies = Annotated[
    list[str],
    typer.Option(
        "--strategy",
        help=f"{', '.join(STRATEGIES)}, first_K, first_K_frozen, or your own method; copy "
        "is the published study's. +repeat, +divided, +spread, +fresh or +independent say how "
        "kernels are fitted to other channels, +rescale scales layers: copy+spread+rescale. "
        "NAME:OPTION=VALUE sets what a method lets you set: l2_sp:anchor=0.1, lora:rank=8+spread.",
    ),
]
Classes = Annotated[
    list[str],
    typer.Option(
        help="Of zero_shot, where source and target name classes otherwise: SOURCE=TARGET,...; "
        "several may stand for one, and SOURCE= leaves one out."
    ),
]
Pretrain = Annotated[
    list[str],
    typer.Option(help="What sources learn: labels, masked, contrastive, your own, or all."),
]
Combine = Annotated[
    list[str], typer.Option(help="Several sources as one: pooled, sequential, average, or all.")
]
Overlap = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        help="Where a source has seen the target's test part: refuse (the default), or label "
        "every row."
    ),
]
Looks = Annotated[
    list[int],
    typer.Option(
        help="Numbers of repeats at which to judge early; they are declared, and share the level."
    ),
]
Baselines = Annotated[
    list[str],
    typer.Option(
        help="trivial, summary, catch22, minirocket, multirocket, random_convolutions, strong, "
        "rescaled, or all of these; renormalised of models with batch normalisation; mantis and "
        "moment from weights on your disk."
    ),
]
SourceSize = Annotated[
    str, typer.Option("--source-size", help="Labels that sources are pretrained on (all).")
]
TrainedOn = Annotated[
    list[str],
    typer.Option(
        "--trained-on",
        help="Data sets that weights given as a source have learned from: a,b; those prepared "
        "here are compared with the target's test part.",
    ),
]
Sizes = Annotated[
    list[str],
    typer.Option(help="Labels that a trial may use: 300, 10% or all; repeated or with commas."),
]
Head = Annotated[
    str, typer.Option(help="Last layers of both arms: linear, dense or your own; else the model's.")
]
Split = Annotated[
    str, typer.Option(help="How targets are split: grouped, time or your own; else as cards say.")
]


@own_flags
def asked(
    source: Names = [],  # noqa: B006
    target: Names = [],  # noqa: B006
    model: Names = [],  # noqa: B006
    size: Sizes = [],  # noqa: B006
    repeats: Count = None,
    data: Mode = None,
    profile: ProfileName = None,
    quick: Quick = False,
    tune: Tune = False,
    controls: Controls = [],  # noqa: B006
    strategy: Strategies = [],  # noqa: B006
    classes: Classes = [],  # noqa: B006
    pretrain: Pretrain = [],  # noqa: B006
    combine: Combine = [],  # noqa: B006
    baselines: Baselines = [],  # noqa: B006
    source_size: SourceSize = "",
    overlap: Overlap = None,
    looks: Looks = [],  # noqa: B006
    trained_on: TrainedOn = [],  # noqa: B006
    recipe: RecipeName = "",
    head: Head = "",
    split: Split = "",
    described: Description = UNSAID,
) -> Flags:
    """What the flags of a study say; a flag is a line here, and a field of `Flags`."""
    return Flags(
        source=source,
        target=target,
        model=model,
        size=size,
        repeats=repeats,
        data=data,
        profile=profile,
        quick=quick,
        tune=tune,
        described=described,
        controls=controls,
        strategy=strategy,
        classes=classes,
        pretrain=pretrain,
        combine=combine,
        baselines=baselines,
        overlap=overlap,
        looks=looks,
        source_size=source_size,
        trained_on=trained_on,
        recipe=recipe,
        head=head,
        split=split,
    )


def study_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command every flag of a study, which reach it as ``flags``."""
    return widened(command, "flags", list(inspect.signature(asked).parameters.values()), asked)
