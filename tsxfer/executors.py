"""Run trials here: in this process, or in a pool of single-threaded workers. Rows come back as made."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.process import BaseProcess

from tsxfer.runner import Job, run_pack
from tsxfer.specs import Result

Pack = tuple[Job, ...]


def packs(jobs: Sequence[Job], width: int = 1) -> list[Pack]:
    """Jobs that may train together, at most `width` of them; ancestors stay before descendants."""
    shapes: dict[tuple[object, ...], list[Job]] = {}
    for place, job in enumerate(jobs):
        shapes.setdefault(_shape(job) if width > 1 else (place,), []).append(job)
    return [
        tuple(group[at : at + width])
        for group in shapes.values()
        for at in range(0, len(group), width)
    ]


def _shape(job: Job) -> tuple[object, ...]:
    trial = job.trial
    frozen = trial.reuse is not None and trial.reuse.frozen
    return (
        job.keep_weights,
        trial.dataset,
        trial.model,
        trial.size,
        trial.recipe,
        trial.profile,
        frozen,
    )


def serial(work: Sequence[Pack]) -> Iterator[Result]:
    """One after another, in order."""
    keep_memory()
    for pack in work:
        yield from run_pack(pack)


def pool(work: Sequence[Pack], workers: int) -> Iterator[Result]:
    """In `workers` processes; a pack starts once the trials whose weights it needs have ended.

    Only jobs and rows cross to the workers. Workers end when this process does, however it does.
    """
    waiting, running = list(work), dict[Future[list[Result]], Pack]()
    open_keys = {job.trial.key for pack in work for job in pack}
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_die_with_parent)
    try:
        while waiting or running:
            for pack in [p for p in waiting if _ready(p, open_keys)][: 2 * workers - len(running)]:
                waiting.remove(pack)
                running[executor.submit(run_pack, pack)] = pack
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                open_keys -= {job.trial.key for job in running.pop(future)}
                yield from future.result()
    except BaseException:
        for process in list((executor._processes or {}).values()):
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _ready(pack: Pack, open_keys: set[str]) -> bool:
    needed = {job.trial.reuse.source.key for job in pack if job.trial.reuse}
    return not needed & open_keys


def _die_with_parent() -> None:
    """A killed parent must not leave workers behind; ctrl-C is the parent's to handle."""
    import signal

    keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def keep_memory() -> None:
    """Let this process keep the memory that it frees.

    glibc hands large arrays back to the kernel at once and pays for every page again a moment
    later: up to half the time of a step on windows of thousands of samples. Elsewhere: nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mmap_max, trim_threshold = -4, -1  # malloc.h
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
