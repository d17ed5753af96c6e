"""Ray and submitit as a study sees them, without either: tasks run in another folder, bare.

Only text crosses to a task, as pickled, and its environment names no file of the user's own.
"""

from __future__ import annotations

import os
import pickle
import types
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tsxfer.core.plugins import PLUGINS


@contextmanager
def _elsewhere(folder: Path) -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if name != PLUGINS}
    with chdir(folder), mock.patch.dict(os.environ, kept, clear=True):
        yield


def ray(folder: Path) -> dict[str, types.ModuleType]:
    """Modules that stand for Ray; a task runs when it is submitted."""
    made = types.ModuleType("ray")

    class Task:
        def __init__(self, work: Callable[[str], str]) -> None:
            self.work = work

        def options(self, **_: object) -> Task:
            return self

        def remote(self, text: str) -> str:
            with _elsewhere(folder):
                return self.work(pickle.loads(pickle.dumps(text)))  # noqa: S301

    made.init = lambda **_: None  # type: ignore[attr-defined]
    made.cluster_resources = lambda: {"CPU": 2.0}  # type: ignore[attr-defined]
    made.remote = Task  # type: ignore[attr-defined]
    made.wait = lambda handles, **_: (handles, [])  # type: ignore[attr-defined]
    made.get = lambda handle: handle  # type: ignore[attr-defined]
    made.shutdown = lambda: None  # type: ignore[attr-defined]
    made.cancel = lambda *_, **__: None  # type: ignore[attr-defined]
    errors = types.ModuleType("ray.exceptions")
    for name in ("NodeDiedError", "ObjectLostError", "OutOfMemoryError", "WorkerCrashedError"):
        setattr(errors, name, type(name, (Exception,), {}))
    return {"ray": made, "ray.exceptions": errors}


def submitit(folder: Path) -> dict[str, types.ModuleType]:
    """Modules that stand for submitit; a job runs when it is submitted."""
    made, core = types.ModuleType("submitit"), types.ModuleType("submitit.core")
    errors = types.ModuleType("submitit.core.utils")
    errors.FailedJobError = type("FailedJobError", (Exception,), {})  # type: ignore[attr-defined]

    class Done:
        def __init__(self, bundle: Callable[[], list[str]]) -> None:
            self.paths, self.job_id = types.SimpleNamespace(result_pickle=folder), "1"
            with _elsewhere(folder):
                self.answers = pickle.loads(pickle.dumps(bundle))()  # noqa: S301

        def result(self) -> list[str]:
            return self.answers

    class Executor:
        def __init__(self, place: Path, **_: Any) -> None:
            self.folder = place

        def update_parameters(self, **_: Any) -> None:
            pass

        @contextmanager
        def batch(self) -> Iterator[None]:
            yield

        def submit(self, bundle: Callable[[], list[str]]) -> Done:
            return Done(bundle)

    made.AutoExecutor = Executor  # type: ignore[attr-defined]
    return {"submitit": made, "submitit.core": core, "submitit.core.utils": errors}
