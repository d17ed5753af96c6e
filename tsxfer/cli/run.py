"""``tsxfer run``: train a study, and print what it found."""

from __future__ import annotations

import sys

from tsxfer.api.engine import How
from tsxfer.api.studies import StudyResult
from tsxfer.api.training import train
from tsxfer.core.plugins import with_plugins
from tsxfer.core.study import Study
from tsxfer.errors import Terminated
from tsxfer.report.text import show
from tsxfer.store.workspace import Workspace


def run_study(study: Study, workspace: Workspace, how: How) -> int:
    """Run what is not done yet and print the table; returns the exit code."""
    try:
        failed = train(study, workspace, how)
    except Terminated:
        return 143
    except KeyboardInterrupt:
        return 130
    result = StudyResult(study.name, workspace)
    show(result.report)
    page = result.page()
    sys.stderr.write(
        f"report: {page}   rows: {result.folder}\n"
        f"more:   {with_plugins(f'tsxfer report {study.name}')} --format latex|markdown|csv\n"
    )
    return 1 if failed else 0
