"""Run trials in this process or in a pool of single-threaded workers; rows come back as made."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext
from multiprocessing.queues import SimpleQueue

from tsxfer.core.results import Result
from tsxfer.errors import TsxferError
from tsxfer.running.device import Pin
from tsxfer.running.memory import keep_memory
from tsxfer.running.runner import run_pack
from tsxfer.running.successor import begin_worker
from tsxfer.running.supply import Pack, Supply


def serial(work: Supply | Sequence[Pack]) -> Iterator[Result]:
    """One after another, in order."""
    keep_memory()
    supply = Supply.of(work)
    while supply.waiting:
        if pack := supply.take():
            yield from run_pack(pack)
            supply.finish(pack)  # the caller has stored its rows by now
        elif supply.waiting:
            supply.rest()


def pool(work: Supply | Sequence[Pack], workers: int, pins: Sequence[Pin] = ()) -> Iterator[Result]:
    """In `workers` processes; a pack starts once the trials whose weights it needs have ended.

    Only jobs and rows cross to the workers. Workers end when this process does, however it does.

    Args:
        work: What is to do.
        workers: Processes.
        pins: Devices that they are kept to, in turn; none: each sees all.
    """
    supply, running = Supply.of(work), dict[Future[list[Result]], Pack]()
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(
        workers, context, begin_worker, (_dealt(context, workers, pins),)
    )
    try:
        while supply.waiting or running:
            while len(running) < 2 * workers and (pack := supply.take()):
                running[executor.submit(run_pack, pack)] = pack
            if not running and supply.waiting:
                supply.rest()
            # Other workers' rows may make more packs ready meanwhile.
            finished, _ = wait(running, timeout=2.0, return_when=FIRST_COMPLETED)
            for future in finished:
                yield from future.result()
                supply.finish(running.pop(future))
    except BaseException as error:
        for process in list((executor._processes or {}).values()):
            process.kill()
        if isinstance(error, BrokenProcessPool):
            raise _lost_worker(workers) from None
        raise
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _dealt(context: SpawnContext, workers: int, pins: Sequence[Pin]) -> SimpleQueue[Pin] | None:
    """A pin for each worker, as even as it goes."""
    if not pins:
        return None
    queue: SimpleQueue[Pin] = context.SimpleQueue()
    for pin in itertools.islice(itertools.cycle(pins), workers):
        queue.put(pin)
    return queue


def _lost_worker(workers: int) -> TsxferError:
    return TsxferError(
        "a worker process ended without a message: killed, out of memory, or hung past --limit",
        mend="run the same command again: finished rows are kept"
        + (f"; --workers {workers // 2} needs less memory" if workers > 1 else ""),
    )
