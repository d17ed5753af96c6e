"""Files named on the command line become data sets of the workspace before a study is settled."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.api.describing import given
from tsxfer.core.cautions import Caution
from tsxfer.data import catalogue
from tsxfer.data.prepare import Prepared
from tsxfer.errors import SpecError
from tsxfer.inspection.facts import facts_of
from tsxfer.inspection.text import short, warned
from tsxfer.own import importing, sizes, unread
from tsxfer.own.description import Description
from tsxfer.own.readers import endings, is_own
from tsxfer.own.weights import is_checkpoint
from tsxfer.store.workspace import Workspace

CHANGED = (
    "windows, labels or groups are others now; rows made from them before are made again by the "
    "next `tsxfer run`"
)
SAME = "windows, labels and groups are as they were"
FIRST = (
    "was read for the first time: nothing had been prepared in this workspace of this file, as it "
    "is now and with these flags"
)


def bring_all(names: list[str], described: Description, workspace: Workspace) -> list[str]:
    """Names with each file replaced by the data set that it was brought in as.

    Raises:
        SpecError: If flags describe more than one file, or none.
    """
    split = [part.strip() for item in names for part in item.split(",") if part.strip()]
    for name in split:
        refuse_ending(name)
    files = [name for name in split if is_own(name)]
    said = given(described)
    if len(files) > 1 and said:
        raise SpecError(
            f"{', '.join(said)} describe one file, {len(files)} are given",
            mend=f"put them into a card beside each, e.g. {Path(files[0]).with_suffix('.toml')}",
        )
    if said and not files:
        raise SpecError(
            f"{', '.join(said)} describe an own file, and none is given",
            where=", ".join(split),
            mend="leave them out, or name the file",
        )
    brought = (bring(name, described, workspace) if is_own(name) else [name] for name in split)
    return [name for names in brought for name in names]


def refuse_ending(name: str) -> None:
    """A file that is there, of a kind that nothing reads, is no misspelt data set.

    Raises:
        SpecError: Then.
    """
    if not is_own(name) and Path(name).is_file():
        if is_checkpoint(name) and not unread.way_out(name):  # a pickle may hold a table
            raise SpecError(
                f"{name} is a file of weights, and no data",
                mend=f"start from it: tsxfer run --source {name} --target DATA",
            )
        raise SpecError(
            f"{name} is a file whose ending is not known",
            mend=unread.way_out(name) or f"save it as one of: {', '.join(endings())}",
        )


def bring(name: str, described: Description, workspace: Workspace) -> list[str]:
    """Bring one file in, and say how it was read; names of its data sets, one for each label."""
    made = importing.bring_outputs(Path(name), described, workspace)
    for one in made:
        say(name, one)
    return [one.card.id for one in made]


def say(name: str, made: Prepared) -> None:
    """Say how something was read, on standard error."""
    sys.stderr.write(f"{name}: {summary(made)}\n")
    for note in made.notes:
        sys.stderr.write(f"{name}: NOTE {note}\n")
    if Caution.UNGROUPED in made.card.warnings:
        sys.stderr.write(
            f"{name}: WARNING: {Caution.UNGROUPED}; name what must stay together with --group\n"
        )


def refuse_own_flags(name: str, described: Description) -> None:
    """Flags that describe an own file have no effect on a data set of the framework.

    Raises:
        SpecError: With the path of the folder of that name, where there is one.
    """
    if said := given(described):
        beside = f"for the folder write ./{name}" if Path(name).is_dir() else "leave them out"
        raise SpecError(
            f"{name} is a data set, and {', '.join(said)} describe an own file", mend=beside
        )


def prepare_own(
    name: str, described: Description, workspace: Workspace, *, again: bool = False
) -> None:
    """``tsxfer prepare FILE``: bring it in without training, and print what was read.

    With `again` it is read once more where it was read before, and what became of it is said.

    Raises:
        TsxferError: If it cannot be read, or cannot be split into parts that share no group.
    """
    there = set(catalogue.own_names(workspace))
    before = importing.bring_outputs(Path(name), described, workspace)
    twice = again and any(one.card.id in there for one in before)
    made = before
    if twice:
        made = importing.bring_outputs(Path(name), described, workspace, again=True)
    for one in made:
        tell(one)
        sizes.refuse_misfit(one, "strict", "all")
    for old, new in zip(before, made, strict=True) if again else ():
        same = SAME if old.fingerprint == new.fingerprint else CHANGED
        was = f"was read again: {same}" if new.card.id in there else FIRST
        sys.stdout.write(f"{new.card.id} {was}\n")


def tell(made: Prepared) -> None:
    """Print what a prepared data set holds."""
    facts = facts_of(made)
    sys.stdout.write("\n".join([*short(made, facts), *warned(made, facts)]) + "\n")
    sys.stdout.write(f"licence: {made.card.licence}; cite: {made.card.cite}\n")


def summary(made: Prepared) -> str:
    """How a file was read, in one line."""
    card = made.card
    what = (
        f"{card.label} is one of {len(made.classes)} classes: {', '.join(made.classes[:6])}"
        if made.classes
        else f"{card.label} is a number"
    )
    return (
        f"{made.count:,} windows of {len(card.channels)} x {card.length}; {what}; "
        f"groups: {card.group}; judged by {card.metric}, margin {card.margin:g} -> {card.id}"
    )
