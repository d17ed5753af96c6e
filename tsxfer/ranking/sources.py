"""Pretrained sources at hand: one for each data set, told by the headers of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tsxfer.core.specs import NOISE, Result, Trial
from tsxfer.errors import SpecError, TsxferError
from tsxfer.store.checkpoints import header
from tsxfer.store.rows import from_record
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A pretraining whose weights lie in the workspace, with its row."""

    row: Result

    @property
    def trial(self) -> Trial:
        """What was trained."""
        return self.row.trial

    @property
    def labels(self) -> int:
        """Labels in pretraining, those to select on included."""
        return self.row.sizes.get("train", 0) + self.row.sizes.get("validation", 0)

    @property
    def simulated(self) -> bool:
        """Whether it was made of simulated data."""
        return "+sim@" in self.trial.dataset


def pretrained(workspace: Workspace) -> tuple[list[Pretrained], list[str]]:
    """Every plain pretraining of a workspace, and names of files that are none that can be read.

    Sources of controls are left out: shuffled labels, the rest of a target, noise. So are those
    without labels, on several data sets or continued from another: a trial of one data set does not
    describe what they have seen.
    """
    found, damaged = list[Pretrained](), list[str]()
    for path in sorted((workspace.root / "weights").glob("*.safetensors")):
        row = _row(path)
        if row is None:
            damaged.append(path.name)
        elif row.status == "done" and _plain(row.trial):
            found.append(Pretrained(row))
    return found, damaged


def _row(path: Path) -> Result | None:
    """The row in the header of intact weights; None for any other file."""
    kept = header(path)
    if kept is None or not kept.intact:
        return None
    try:
        row = from_record(kept.row)
    except (ValueError, TypeError, AttributeError, RecursionError, TsxferError):
        return None
    return row if row.key == path.stem else None


def _plain(trial: Trial) -> bool:
    return (
        not (trial.reuse or trial.pool or trial.after or trial.baseline)
        and trial.part == "subset"
        and (trial.recipe.labels, trial.recipe.objective) == ("true", "labels")
        and trial.dataset != NOISE
    )


def for_target(found: Sequence[Pretrained], target: str, model: str) -> list[Pretrained]:
    """One pretraining of each corpus that a target can start from, by name.

    Real ones before simulated ones for a real target, simulated ones first for a simulated one;
    then more labels, then the lower number, so that the choice does not depend on scores.

    Raises:
        SpecError: If there is none.
    """
    chosen: dict[str, Pretrained] = {}
    for one in sorted(found, key=lambda p: _preference(p, target)):
        if one.trial.model == model and one.trial.dataset != target:
            chosen.setdefault(_corpus(one.trial.dataset), one)
    if not chosen:
        raise _nothing(found, target, model)
    return [chosen[name] for name in sorted(chosen)]


def _corpus(dataset: str) -> str:
    return dataset.partition("@")[0].removesuffix("+sim")


def _preference(one: Pretrained, target: str) -> tuple[bool, int, int, str]:
    other_kind = one.simulated != ("+sim@" in target)
    return other_kind, -one.labels, one.trial.repeat, one.trial.key


def _nothing(found: Sequence[Pretrained], target: str, model: str) -> SpecError:
    models = sorted({p.trial.model for p in found if p.trial.dataset != target} - {model})
    mend = (
        f"make some: tsxfer run --source a,b,c --target {target.partition('@')[0]} --model {model}"
    )
    if models:
        mend = f"--model {' or '.join(models)}, of which there are; or {mend}"
    return SpecError(f"no source pretrained as {model} is at hand for {target}", mend=mend)
