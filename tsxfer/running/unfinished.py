"""Which trainings may be taken up in their middle, and what must be the same for that."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.names import is_given
from tsxfer.core.specs import Trial
from tsxfer.data.task import prepared
from tsxfer.running import steppers
from tsxfer.running.fingerprints import code_of, fingerprints
from tsxfer.store import unfinished
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, midway

FORMAT = "1"  # of the state; another is not read


def keeper(
    trials: Sequence[Trial],
    workspace: Workspace,
    stepper: loop.Stepper,
    minutes: float,
    setting: Mapping[str, str],
) -> midway.Midway:
    """What keeps the state of these trials while they train together.

    Args:
        trials: In order.
        workspace: Where they train.
        stepper: How their steps are taken.
        minutes: Between two states.
        setting: Versions, device and all else that can change the last bits of a number.
    """
    fits = {f"data {n}": d for t in trials for n, d in fingerprints(workspace, t).items()}
    fits |= setting
    fits |= {"trials": " ".join(t.key for t in trials), "format": FORMAT, "code": _code()}
    path = unfinished.place(workspace, [trial.key for trial in trials])
    return midway.Midway(path, 60 * minutes, fits, refusal(trials, workspace, stepper))


def refusal(trials: Sequence[Trial], workspace: Workspace, stepper: loop.Stepper) -> str:
    """Why trainings are not kept in their middle; empty: they are.

    Code of a user's own may hold what no state knows (attributes, streams of chance), and so may a
    method with hooks; a stack of networks and a recording hold Adam's moments elsewhere.
    """
    if stepper is not loop.turns:
        return f"steps are not taken in turns ({steppers.named(stepper)})"
    hooked = {t.reuse.strategy.method for t in trials if t.reuse and t.reuse.strategy.method}
    if hooked:
        return f"method {min(hooked)} may hold what a state does not"
    names = dict.fromkeys(n for t in trials for n in t.datasets if not is_given(n))
    cards = [prepared(workspace, name).card for name in names]  # weights made elsewhere have none
    own = {f"{t.model}.py" for t in trials if MODELS.plugin_digest(t.model)}
    own |= {name for t in trials for name in code_of(t, *cards)}
    return f"{min(own)} is code of your own and may hold what a state does not" if own else ""


@functools.cache
def _code() -> str:
    """Hash of what trains: a checkout changes without its version."""
    root = Path(loop.__file__).parent.parent
    total = hashlib.sha256()
    for room in ("models", "train"):
        for path in sorted((root / room).rglob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]
