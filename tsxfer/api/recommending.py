"""Sources ranked before training, and how often that has been right here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tsxfer.api import weights
from tsxfer.api.own import bring_all
from tsxfer.core.models_index import model_names
from tsxfer.core.names import DatasetName, is_given, is_simulated
from tsxfer.core.sizes import canonical_size
from tsxfer.core.specs import Reuse, Trial
from tsxfer.data import catalogue, overlap
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import DataError, SpecError, TsxferError, nearest, printable
from tsxfer.own import sizes
from tsxfer.own.description import Description
from tsxfer.own.importing import plain_name
from tsxfer.own.readers import is_own
from tsxfer.ranking.elsewhere import Elsewhere, of_zoo
from tsxfer.ranking.sources import Pretrained, Source, for_target, pretrained
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:  # these import torch
    from tsxfer.ranking.advice import Advice, Ranked

SIZE = "n=1500"
UNSAID = "what it learned from is not said, or not here (--trained-on A,B)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked.

    Attributes:
        target: A data set, or a file of the user's own.
        model: Backbone.
        size: Label budget; empty takes 1,500 labels, or all where there are fewer.
        repeat: Whose subset of the target is looked at.
        described: What flags say of the target's file.
        sources: What to rank; empty: pretrainings of the workspace and, for a real target, the zoo.
        trained_on: What a stranger's weights among them have learned from.
    """

    target: str
    model: str
    size: str
    repeat: int
    described: Description
    sources: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()


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
    sources = _sources(wanted, found, target, workspace)
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


def _sources(
    wanted: Wanted, found: Sequence[Pretrained], target: Trial, workspace: Workspace
) -> list[Source]:
    """What is ranked: what was asked for, or all that is at hand.

    Raises:
        TsxferError: If a source means nothing here, or there is none.
    """
    if not weights.split(wanted.sources):
        real = not is_simulated(target.dataset)
        shelf = of_zoo(target.dataset, wanted.model, workspace) if real else []
        return for_target(found, target.dataset, wanted.model, shelf)
    brought = weights.bring_all(wanted.sources, wanted.trained_on, workspace, short=True)
    names = dict.fromkeys(brought)
    cards = [weights.card_of(n, [wanted.model], workspace)[0] for n in names if is_given(n)]
    data = [n for n in names if not is_given(n)]
    chosen = [p for n in data for p in _pretrained_on(n, found, wanted.model)]
    theirs = [Elsewhere(card, wanted.model) for card in cards]
    return for_target(chosen, target.dataset, wanted.model, theirs)


def _pretrained_on(name: str, found: Sequence[Pretrained], model: str) -> list[Pretrained]:
    word = plain_name(Path(name).stem) if is_own(name) else name
    kept = [
        p
        for p in found
        if p.trial.model == model and DatasetName.parse(p.trial.dataset).means(word)
    ]
    if not kept:
        raise SpecError(
            f"no {model} pretrained on {name!r} is here",
            where="--source",
            mend=f"leave --source out to rank what is here, name weights (zoo:NAME, a .safetensors "
            f"file), or pretrain: tsxfer run --source {name} --target NAME --model {model}",
        )
    return kept


def _target(wanted: Wanted, workspace: Workspace) -> Prepared:
    """The prepared target: real where it is prepared; a stand-in where it lies here or is named."""
    names = bring_all([wanted.target], wanted.described, workspace)
    if len(names) != 1:
        raise SpecError(
            f"{len(names)} targets are given", where="--target", mend="name one; run it for each"
        )
    dataset = catalogue.find(names[0], workspace)
    stand_in = dataset.stand_in
    if stand_in is not None and not workspace.has(dataset.card.id):
        if not workspace.has(stand_in.card.id):
            raise DataError(
                f"{dataset.card.id} is not prepared",
                where=str(workspace.root),
                mend=f"tsxfer prepare {names[0]} [--from FOLDER], or --target {stand_in.card.name} "
                "for its simulated stand-in",
            )
        dataset = stand_in
    return prepared(workspace, dataset.card.id)


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
    for one in found:
        if one.unknown:
            sys.stderr.write(
                f"not known whether {one.source} has seen the target's test part: {UNSAID}\n"
            )
    seen = [one for one in found if one.refused and one.source != transfer.dataset]
    for one in seen:
        sys.stderr.write(f"left out: {name} has seen {one.words} of the target's test part\n")
    return bool(seen)


def _ranked(sources: Sequence[Source], target: Trial, workspace: Workspace) -> list[Ranked]:
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
