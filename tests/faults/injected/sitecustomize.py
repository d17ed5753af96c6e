"""Faults that a test puts into a run and its workers; Python loads this file when it starts.

``TSXFER_INJECT`` names one: ``sleep`` and ``stuck`` hang a training, ``source`` lets a pretraining
fail, ``clock`` makes time jump, ``version`` says that another version of tsxfer runs.
"""

import importlib.abc
import importlib.util
import os
import random
import signal
import sys
import time

WANTED = os.environ.get("TSXFER_INJECT", "")


def _jump() -> None:
    """The clock leaps up to ten years back and forth; the monotonic clock goes on."""
    real, draw = time.time, random.Random(0)  # noqa: S311
    time.time = lambda: real() + draw.uniform(-3e8, 3e8)
    time.time_ns = lambda: int(time.time() * 1e9)


def _hang(runner: object, *, deaf: bool) -> None:
    """One trial never ends; a deaf one does not even answer the alarm."""
    begin = runner._begin

    def hanging(job: object, uploaded: object) -> object:
        if job.trial.reuse is not None and job.trial.repeat == 1:
            if deaf:
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
            time.sleep(600)
        return begin(job, uploaded)

    runner._begin = hanging


def _fail_source(runner: object) -> None:
    """The second pretraining diverges."""
    end = runner._end

    def failing(job: object, begun: object, fits: list, cost: dict, shown: object) -> object:
        if job.keep_weights and job.trial.repeat == 1:
            for fit in fits:
                fit.diverged = True
        return end(job, begun, fits, cost, shown)

    runner._end = failing


class _After(importlib.abc.MetaPathFinder):
    """Change a module of tsxfer once it has been imported."""

    asked = False

    def find_spec(self, name: str, *_: object) -> object:
        if name not in CHANGES or self.asked:
            return None
        change, self.asked = CHANGES[name], True
        found = importlib.util.find_spec(name)
        self.asked = False
        execute = found.loader.exec_module

        def changed(module: object) -> None:
            execute(module)
            change(module)

        found.loader.exec_module = changed
        return found


CHANGES = {
    "sleep": {"tsxfer.running.runner": lambda module: _hang(module, deaf=False)},
    "source": {"tsxfer.running.runner": _fail_source},
    "stuck": {
        "tsxfer.running.runner": lambda module: _hang(module, deaf=True),
        "tsxfer.running.deadline": lambda module: setattr(module, "GRACE", 1.0),
    },
    "version": {"tsxfer": lambda module: setattr(module, "__version__", "9.9.9")},
}.get(WANTED, {})
if CHANGES:
    sys.meta_path.insert(0, _After())
if WANTED == "clock":
    _jump()
