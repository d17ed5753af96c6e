"""What a trial reads now: the prepared data, a plugin model, a user's weights."""

from __future__ import annotations

from tsxfer.baselines import foundations
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.names import is_given
from tsxfer.core.specs import Trial
from tsxfer.data.task import prepared
from tsxfer.store import given
from tsxfer.store.workspace import Workspace


def fingerprints(workspace: Workspace, trial: Trial) -> dict[str, str]:
    """Fingerprints of what a trial and its ancestors read now: data, a plugin model or weights.

    Our own models change with the version of tsxfer; a user's file may change between two runs.
    """
    data = (name for name in trial.datasets if not is_given(name))
    found = {name: prepared(workspace, name).fingerprint for name in data}
    found |= {card.name: card.digest for card in given.of_trial(workspace, trial)}
    code = MODELS.plugin_digest(trial.model)
    if code:
        found[f"{trial.model}.py"] = code
    found |= foundations.fingerprint(trial)
    return found
