"""Run trials here: in this process, or in a pool of single-threaded workers. Rows come back as made."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.process import BaseProcess

from tsxfer.runner import Job, run
from tsxfer.specs import Result


def serial(jobs: Sequence[Job]) -> Iterator[Result]:
    """One after another, in order."""
    for job in jobs:
        yield run(job)


def pool(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """In `workers` processes; a trial starts once the trial whose weights it needs has ended.

    Only jobs and rows cross to the workers. Workers end when this process does, however it does.
    """
    waiting, running = list(jobs), dict[Future[Result], Job]()
    open_keys = {job.trial.key for job in jobs}
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_die_with_parent)
    try:
        while waiting or running:
            for job in [j for j in waiting if _ready(j, open_keys)][: 2 * workers - len(running)]:
                waiting.remove(job)
                running[executor.submit(run, job)] = job
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                job = running.pop(future)
                result = future.result()
                open_keys.discard(job.trial.key)
                yield result
    except BaseException:
        for process in list((executor._processes or {}).values()):
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _ready(job: Job, open_keys: set[str]) -> bool:
    return job.trial.reuse is None or job.trial.reuse.source.key not in open_keys


def _die_with_parent() -> None:
    """A killed parent must not leave workers behind; ctrl-C is the parent's to handle."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
