"""Sources ranked before training, and how often that has been right here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tsxfer.api.own import bring_all
from tsxfer.core.models_index import model_names
from tsxfer.core.sizes import canonical_size
from tsxfer.core.specs import Reuse, Trial
from tsxfer.data import catalogue, overlap
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import DataError, SpecError, TsxferError, nearest, printable
from tsxfer.own import sizes
from tsxfer.own.description import Description
from tsxfer.ranking.sources import Pretrained, for_target, pretrained
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:  # these import torch
    from tsxfer.ranking.advice import Advice, Ranked

SIZE = "n=1500"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked.

    Attributes:
        target: A data set, or a file of the user's own.
        model: Backbone.
        size: Label budget; empty takes 1,500 labels, or all where there are fewer.
        repeat: Whose subset of the target is looked at.
        described: What flags say of the target's file.
    """

    target: str
    model: str
    size: str
    repeat: int
    described: Description


def advised(wanted: Wanted, workspace: Workspace) -> Advice:
    """Rank the available sources, and say how often such rankings have been right.

    Raises:
        TsxferError: For names that mean nothing, a target that is not prepared, or no source.
    """
    if wanted.model not in model_names():
        raise SpecError(
            f"unknown model {wanted.model!r}", mend=nearest(wanted.model, model_names())
        )
    made = _target(wanted, workspace)
    target = Trial(made.card.id, wanted.model, _size(made, wanted), wanted.repeat)
    found, damaged = pretrained(workspace)
    if damaged:
        sys.stderr.write(f"left out, no whole weights: {printable(', '.join(damaged))}\n")
    sources = for_target(found, target.dataset, wanted.model)
    from tsxfer.exchange.finding import suite_folder
    from tsxfer.ranking.advice import SUITE, Advice
    from tsxfer.ranking.evidence import gather
    from tsxfer.ranking.judge import judge
    from tsxfer.ranking.kept import read
    from tsxfer.ranking.rankers import scores_of
    from tsxfer.ranking.seen import training_part

    ranked = _ranked(sources, target, workspace)
    sys.stderr.write("judging such rankings on the studies of this workspace ...\n")
    evidence = gather(workspace, found, made.card.simulated, partial(scores_of, workspace))
    blind = training_part(made, target).blind
    judged = tuple(judge(evidence.outcomes))
    suite = () if made.card.simulated else tuple(judge(read(suite_folder(SUITE))))
    return Advice(target, made, tuple(ranked), blind, evidence, judged, suite)


def _target(wanted: Wanted, workspace: Workspace) -> Prepared:
    """The prepared target: real where it is prepared; a stand-in where it lies here or is named."""
    names = bring_all([wanted.target], wanted.described, workspace)
    if len(names) != 1:
        raise SpecError(
            f"{len(names)} targets are given", where="--target", mend="name one; run it for each"
        )
    dataset = catalogue.find(names[0], workspace)
    stand_in = dataset.stand_in
    if stand_in is not None and not _lies(dataset.card.id, workspace):
        if not _lies(stand_in.card.id, workspace):
            raise DataError(
                f"{dataset.card.id} is not prepared",
                where=str(workspace.root),
                mend=f"tsxfer prepare {names[0]} [--from FOLDER], or --target {stand_in.card.name} "
                "for its simulated stand-in",
            )
        dataset = stand_in
    return prepared(workspace, dataset.card.id)


def _lies(name: str, workspace: Workspace) -> bool:
    return (workspace.data(name) / "meta.json").exists()


def _size(made: Prepared, wanted: Wanted) -> str:
    repeats = wanted.repeat + 1
    fits = () if wanted.size else sizes.sizes_that_fit(made, "strict", (SIZE,), repeats)
    size = canonical_size(wanted.size) if wanted.size else next(iter(fits), "all")
    sizes.refuse_misfit(made, "strict", size, repeats)
    return size


def _has_seen_test(transfer: Trial, workspace: Workspace) -> bool:
    """Whether a source has seen test windows of the target: then it is no advice, and is told."""
    name = transfer.source
    try:
        found = overlap.of_trial(workspace, transfer)
    except TsxferError:
        sys.stderr.write(f"not compared with the target, since its data is not here: {name}\n")
        return False
    seen = [one for one in found if one.refused and one.source != transfer.dataset]
    for one in seen:
        sys.stderr.write(f"left out: {name} has seen {one.words} of the target's test part\n")
    return bool(seen)


def _ranked(sources: Sequence[Pretrained], target: Trial, workspace: Workspace) -> list[Ranked]:
    """Sources, best first by the default ranker; those that it cannot score last."""
    from tsxfer.ranking.advice import Ranked
    from tsxfer.ranking.rankers import scores_of

    found = []
    for source in sources:
        transfer = replace(target, reuse=Reuse(source.trial))
        if _has_seen_test(transfer, workspace):
            continue
        try:
            found.append(Ranked(source, scores_of(workspace, transfer, source.row)))
        except TsxferError as error:
            sys.stderr.write(f"left out: {source.trial.dataset}: {error}\n")
    if not found:
        raise SpecError("none of the available sources can be scored", mend="see the lines above")
    return sorted(found, key=lambda r: r.place)
