"""``tsxfer recommend``."""

from __future__ import annotations

from tsxfer.api.recommending import Wanted, advised
from tsxfer.cli.show import say_json
from tsxfer.store.workspace import Workspace


def recommend(wanted: Wanted, workspace: Workspace, as_json: bool) -> None:
    """Print the available sources, best first, and how often such rankings have been right."""
    from tsxfer.ranking.advice import as_plain, show

    advice = advised(wanted, workspace)
    if as_json:
        say_json(as_plain(advice))
    else:
        show(advice)
