"""Available pretrained sources: one for each data set, told by the headers of the weights.

Weights made elsewhere (`tsxfer.ranking.elsewhere`) join them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tsxfer.core.names import DatasetName, is_own, is_simulated
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import SpecError
from tsxfer.ranking.elsewhere import Elsewhere
from tsxfer.store.rows import row_of
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
    def label_count(self) -> int:
        """Labels in pretraining, those to select on included."""
        return self.row.sizes.get("train", 0) + self.row.sizes.get("validation", 0)

    @property
    def simulated(self) -> bool:
        """Whether it was made of simulated data."""
        return is_simulated(self.trial.dataset)


Source: TypeAlias = Pretrained | Elsewhere


def pretrained(workspace: Workspace) -> tuple[list[Pretrained], list[str]]:
    """Every plain pretraining of a workspace, and names of files that are none that can be read.

    Sources of controls are left out: shuffled labels, the rest of a target, noise. So are those
    without labels, on several data sets or continued from another: a trial of one data set does not
    describe what they have seen.
    """
    found, damaged = list[Pretrained](), list[str]()
    for path in sorted((workspace.root / "weights").glob("*.safetensors")):
        row = row_of(path)
        if row is None:
            damaged.append(path.name)
        elif row.status == "done" and row.trial.plain_pretraining:
            found.append(Pretrained(row))
    return found, damaged


def for_target(
    found: Sequence[Pretrained], target: str, model: str, elsewhere: Sequence[Elsewhere] = ()
) -> list[Source]:
    """One pretraining of each corpus that a target can start from, by name; then weights.

    Real ones before simulated ones for a real target, simulated ones first for a simulated one;
    then more labels, then the lower number, so that the choice does not depend on scores.

    Raises:
        SpecError: If there is none.
    """
    chosen: dict[str, Pretrained] = {}
    for one in sorted(found, key=lambda p: _preference(p, target)):
        if one.trial.model == model and one.trial.dataset != target:
            chosen.setdefault(DatasetName.parse(one.trial.dataset).base, one)
    if not chosen and not elsewhere:
        raise _nothing(found, target, model)
    return [*(chosen[name] for name in sorted(chosen)), *elsewhere]


def _preference(one: Pretrained, target: str) -> tuple[bool, int, int, str]:
    other_kind = one.simulated != is_simulated(target)
    return other_kind, -one.label_count, one.trial.repeat, one.trial.key


def _nothing(found: Sequence[Pretrained], target: str, model: str) -> SpecError:
    models = sorted({p.trial.model for p in found if p.trial.dataset != target} - {model})
    plain = DatasetName.parse(target).plain
    if is_simulated(target):
        mend = f"make some: tsxfer run --source a,b,c --target {plain} --model {model}"
    else:
        mend = (
            "pretrain some here: tsxfer prepare NAME for each, then tsxfer run --source NAME,NAME "
            f"--target {'FILE' if is_own(target) else plain} --model {model} --data real; or "
            "name weights: --source FILE.safetensors"
        )
    if models:
        mend = f"--model {' or '.join(models)}, of which there are; or {mend}"
    return SpecError(f"no source pretrained as {model} is available for {target}", mend=mend)
