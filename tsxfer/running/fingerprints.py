"""What a trial reads now: the prepared data, code and weights of the user's own."""

from __future__ import annotations

from tsxfer.baselines import foundations
from tsxfer.core.doors import DOORS
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.names import is_given
from tsxfer.core.options import bare
from tsxfer.core.specs import LABELS, Trial
from tsxfer.data.card import Card
from tsxfer.data.task import prepared
from tsxfer.store import given
from tsxfer.store.workspace import Workspace


def fingerprints(workspace: Workspace, trial: Trial) -> dict[str, str]:
    """Fingerprints of what a trial and its ancestors read now: data, a plugin model or weights.

    Our own models change with the version of tsxfer; a user's file may change between two runs.
    """
    made = {name: prepared(workspace, name) for name in trial.datasets if not is_given(name)}
    found = {name: data.fingerprint for name, data in made.items()}
    found |= {card.name: card.digest for card in given.of_trial(workspace, trial)}
    code = MODELS.plugin_digest(trial.model)
    if code:
        found[f"{trial.model}.py"] = code
    found |= code_of(trial, *(data.card for data in made.values()))
    found |= foundations.fingerprint(trial)
    return found


def code_of(trial: Trial, *cards: Card) -> dict[str, str]:
    """Hashes of what came through a door (`tsxfer.core.doors`) and takes part in a trial.

    Args:
        trial: It and its ancestors name methods, heads, metrics and more.
        cards: Of the data sets, which name metrics and splits.
    """
    asked = {("metric", card.metric) for card in cards} | {("split", card.split) for card in cards}
    asked |= through_doors(trial)
    hashes = {f"{noun} {name}.py": DOORS[noun].plugin_digest(name) for noun, name in asked}
    return {name: code for name, code in sorted(hashes.items()) if code}


def through_doors(trial: Trial) -> frozenset[tuple[str, str]]:
    """What a trial and its ancestors name of what goes through a door, by noun; "" among them."""
    asked = set[tuple[str, str]]()
    for one in (trial, *trial.origins):
        how = one.reuse.strategy.method if one.reuse else ""
        objective = one.recipe.objective if one.recipe.objective != LABELS else ""
        asked |= {("method", how), ("objective", bare(objective)), ("head", bare(one.recipe.head))}
        asked |= {("metric", one.metric), ("split", one.split)}
    return frozenset(asked)
