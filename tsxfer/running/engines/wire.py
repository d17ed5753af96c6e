"""What crosses to another machine and back: jobs and rows as JSON, never an object of ours.

With the jobs goes the place of the user's own data sets and models: unlike a worker process, a
worker of a cluster does not inherit our environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tsxfer.core.building import from_plain
from tsxfer.core.plugins import plugin_folders, use_plugins
from tsxfer.core.results import Result
from tsxfer.errors import TsxferError
from tsxfer.keys import plain
from tsxfer.running.runner import Job, run_pack
from tsxfer.store.rows import from_record, to_line

_ERRORS: dict[str, type[TsxferError]] = {k.__name__: k for k in TsxferError.__subclasses__()}


def to_text(pack: Sequence[Job]) -> str:
    """A pack as text; the workspace by its whole path, since workers start elsewhere."""
    root = str(Path(pack[0].workspace).resolve())
    plugins = os.pathsep.join(str(folder.resolve()) for folder in plugin_folders())
    jobs = [plain(replace(job, workspace=root)) for job in pack]
    return json.dumps({"plugins": plugins, "jobs": jobs})


def work(pack: str) -> str:
    """Run a pack where this is called: text in, text out, errors of the user as text too."""
    try:
        sent = json.loads(pack)
        if sent["plugins"]:
            use_plugins(sent["plugins"])
        jobs = [from_plain(Job, job, "job") for job in sent["jobs"]]
        return json.dumps({"rows": [to_line(row) for row in run_pack(jobs)]})
    except TsxferError as error:
        said = [type(error).__name__, error.problem, error.where, error.mend]
        return json.dumps({"error": said})


def rows(answer: str) -> list[Result]:
    """The rows of an answer.

    Raises:
        TsxferError: What the worker raised.
    """
    said = json.loads(answer)
    if "error" in said:
        kind, problem, where, mend = said["error"]
        raise _ERRORS.get(kind, TsxferError)(problem, where=where, mend=mend)
    return [from_record(json.loads(line)) for line in said["rows"]]
