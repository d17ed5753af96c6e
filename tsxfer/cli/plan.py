"""``tsxfer plan``."""

from __future__ import annotations

from tsxfer.api.planning import planned
from tsxfer.cli.show import say, say_json
from tsxfer.core.study import Study
from tsxfer.store.workspace import Workspace


def show_plan(study: Study, workspace: Workspace, as_json: bool) -> None:
    """Print counts, cost and power of a study."""
    found = planned(study, workspace)
    if as_json:
        say_json(found.as_plain())
    else:
        say([str(found)])
