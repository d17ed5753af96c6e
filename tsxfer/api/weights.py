"""Sources that are weights: checkpoints that a user names, and what the zoo stands in for."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tsxfer.core.names import DatasetName, is_given, is_simulated
from tsxfer.core.study import Study
from tsxfer.data import catalogue
from tsxfer.errors import SpecError
from tsxfer.own import weights
from tsxfer.own.readers import is_own
from tsxfer.store import given
from tsxfer.store.workspace import Workspace
from tsxfer.zoo import shelf

HUB = re.compile(r"\w[\w.-]*/\w[\w.-]*")  # OWNER/NAME, as the hub names models


def split(names: Sequence[str]) -> list[str]:
    """Names with commas between, one by one; a file whose name has a comma is one."""
    parts = (part for item in names for part in ([item] if _is_file(item) else item.split(",")))
    return [part.strip() for part in parts if part.strip()]


def _is_file(item: str) -> bool:
    try:
        return Path(item).is_file()
    except (OSError, ValueError):  # too long, or no path at all
        return False


def bring_all(
    names: Sequence[str], trained_on: Sequence[str], workspace: Workspace, *, short: bool = False
) -> list[str]:
    """Sources with each checkpoint replaced by the name that its weights have here.

    Args:
        names: Data sets, files, folders, addresses and names of the zoo.
        trained_on: What the user says that a stranger's weights have learned from.
        workspace: Where they are kept.
        short: Whether words may be short for pretrainings of the workspace, as in `recommend`:
            then one that is no data set is let through.

    Raises:
        TsxferError: If one cannot be read or is unknown, or `trained_on` is said of none.
    """
    parts, corpora = split(names), split(trained_on)
    strangers = [name for name in parts if weights.is_checkpoint(name)]
    if corpora and not strangers:
        raise SpecError(
            f"--trained-on {','.join(corpora)} is said of weights, and no source is a file of them",
            mend="leave it out, or name a .safetensors file with --source",
        )
    _tell_of_unknown(corpora)
    if not short:
        _refuse_unknown([name for name in parts if name not in strangers])
    return [_brought(name, corpora, workspace) for name in parts]


def _brought(name: str, corpora: Sequence[str], workspace: Workspace) -> str:
    if shelf.is_zoo(name):
        return shelf.find(name).id
    if not weights.is_checkpoint(name):
        _refuse_nowhere(name)
        _refuse_hollow(name)
        return name
    card = weights.bring(name, corpora, workspace)
    sys.stderr.write(f"{name}: {card.said} -> {card.name}\n")
    return card.name


def _refuse_nowhere(name: str) -> None:
    """Refuse a path where nothing lies, such as the name of a model on a hub.

    Raises:
        SpecError: Then; a name without a slash is looked for among data sets.
    """
    if "/" in name and not Path(name).exists() and not is_own(name):
        hub = name if HUB.fullmatch(name) else "OWNER/NAME"
        raise SpecError(
            f"no file or folder {name}",
            mend="check the path; models are not downloaded by name: fetch the folder first "
            f"(of the Hugging Face hub: hf download {hub} --local-dir FOLDER), and name it",
        )


def _refuse_unknown(names: Sequence[str]) -> None:
    """Refuse a word that is no data set, as one who means weights by it has to hear.

    Raises:
        SpecError: Then.
    """
    for name in names:
        lies = "/" in name or is_own(name) or Path(name).exists()  # or should: told elsewhere
        if not (lies or shelf.is_zoo(name) or DatasetName.parse(name).settled):
            _refuse_word(name)


def _refuse_word(name: str) -> None:
    try:
        catalogue.refuse_unknown(name)
    except SpecError as error:
        if not error.problem.startswith("unknown "):  # a file of the user's own is damaged
            raise
        raise SpecError(
            f"{error.problem}, and no file or folder of that name is here",
            where=error.where,
            mend=f"for weights, give a folder or a .safetensors file; for data, {error.mend}",
        ) from None


def _refuse_hollow(name: str) -> None:
    """Refuse a folder of weights without the weights.

    Raises:
        SpecError: Then; other folders may hold data.
    """
    folder = Path(name)
    if name not in catalogue.names() and folder.is_dir() and weights.is_hollow(folder):
        raise SpecError(
            f"{name} holds no {weights.PUBLISHED}",
            mend="fetch the whole folder (of the Hugging Face hub: hf download OWNER/NAME "
            f"--local-dir {shlex.quote(name)}), or put the weights into it",
        )


def _tell_of_unknown(corpora: Sequence[str]) -> None:
    """Say which words are no data sets: a misspelt one would never be compared."""
    known = {*catalogue.names()}
    strange = [n for n in corpora if DatasetName.parse(n).base not in known and "+own" not in n]
    if strange:
        sys.stderr.write(
            f"--trained-on: {', '.join(strange)} is no data set that tsxfer knows, so that whether "
            "the target's test part was seen stays unknown\n"
        )


def settled(study: Study, workspace: Workspace) -> Study:
    """The study with weights brought in, counted, and their channels known.

    Raises:
        TsxferError: If weights are not there, or not for a model of the study.
    """
    if strange := [name for name in study.targets if is_given(name) or shelf.is_zoo(name)]:
        raise SpecError(f"{strange[0]} is weights, and no target", mend="name a data set or a file")
    names = [name for name in study.sources if is_given(name)]
    cards, counts = dict[str, given.Given](), dict[str, int]()
    for name in names:
        cards[name], counts[name] = card_of(name, study.models, workspace)
    return replace(
        study,
        given={cards[name].name: counts[name] for name in names},
        channels={**study.channels, **{c.name: c.channels for c in cards.values()}},
    )


def card_of(name: str, models: Sequence[str], workspace: Workspace) -> tuple[given.Given, int]:
    """Card of weights that are brought in, and how many trainings of each model there are.

    Raises:
        TsxferError: If they are not there, or not for a model.
    """
    if shelf.is_zoo(name):
        return shelf.bring(shelf.find(name), models, workspace)
    card = given.read(name, workspace)
    for model in models:
        if card.model not in ("", model):
            raise SpecError(
                f"{card.name} was trained as {card.model}, not as {model}",
                mend=f"--model {card.model}",
            )
    return card, min(card.count(model) for model in models)


def stands_in(study: Study, name: str, workspace: Workspace) -> str:
    """The zoo's weights for a source whose data is not prepared; "" where the simulator is left.

    Only for real targets, and where the study asks for nothing that pretraining would have to do;
    ``--data real`` asks for prepared data.
    """
    entry = shelf.of_dataset(DatasetName.parse(name).base)
    if entry is None or study.data != "auto" or any(map(is_simulated, study.targets)):
        return ""
    if reason := _unlike(study, entry, workspace):
        sys.stderr.write(f"{name}: the zoo has {entry.id}, but {reason}: simulated data instead\n")
        return ""
    return entry.id


def _unlike(study: Study, entry: shelf.Entry, workspace: Workspace) -> str:
    """Why weights of the zoo are not what a study asks for; "" where they are."""
    lacks = [m for m in study.models if not shelf.here(entry, m, workspace)]
    has = [m for m in entry.models if shelf.here(entry, m, workspace)]
    only = f" (only for {', '.join(has)})" if has else ""
    reasons = {
        f"not for {', '.join(lacks)}{only}": bool(lacks),
        f"not for the profile {study.profile}": study.profile != "strict",
        "it has learned from labels": study.objectives != ("labels",),
        "several sources are combined": bool(study.combine),
        "the control shuffled trains a source again": "shuffled" in study.controls,
        "--source-size says how much to pretrain on": study.source_size != "all",
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
