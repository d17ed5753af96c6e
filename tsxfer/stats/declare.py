"""Fix the analysis before the first row."""

from __future__ import annotations

import sys

from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.data import catalogue
from tsxfer.data.task import judged_card
from tsxfer.stats.lock import FILE, Lock, lock, read_lock, write_lock
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace


def declare(study: Study, trials: list[Trial], store: Store, workspace: Workspace) -> Lock:
    """The analysis declared for this study; written now where there is none yet.

    A declaration is never rewritten once rows are there: what a changed study adds is exploratory.
    """
    implied = lock(study.name, trials, study.repeats, *_terms(study, workspace), study.looks)
    held = read_lock(store.folder)
    if held is None or (held.digest != implied.digest and not any(store.folder.glob("*.jsonl"))):
        write_lock(implied, store.folder)
        return implied
    if held.digest != implied.digest:
        sys.stderr.write(
            f"{store.folder / FILE} was declared for other comparisons or repeats: what goes "
            "beyond it is labelled exploratory. Rename the study to declare again.\n"
        )
    return held


def _terms(study: Study, workspace: Workspace) -> tuple[dict[str, float], dict[str, str]]:
    """Margins and primary metrics of the targets."""
    cards = {
        name: judged_card(catalogue.find(name, workspace).card, study.metric, study.split)
        for name in study.targets
    }
    return {n: c.margin for n, c in cards.items()}, {n: c.metric for n, c in cards.items()}
