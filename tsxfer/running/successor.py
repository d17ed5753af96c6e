"""A fresh process that goes on where this one must not: a failed recording spoils a process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from typing import ParamSpec, TypeVar

from tsxfer.errors import TsxferError
from tsxfer.running.device import Pin
from tsxfer.running.memory import keep_memory

P = ParamSpec("P")
T = TypeVar("T")


class Successor:
    """One process that is kept, until it cannot record either.

    Args:
        spent: Asked in that process after each work: why it must not be used again, or empty.
    """

    def __init__(self, spent: Callable[[], str]) -> None:
        self._spent = spent
        self._child: ProcessPoolExecutor | None = None

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns there.

        Raises:
            TsxferError: What it raises there, or if the process ends without a message.
        """
        if self._child is None:
            context = multiprocessing.get_context("spawn")
            self._child = ProcessPoolExecutor(1, mp_context=context, initializer=die_with_parent)
        try:
            found = self._child.submit(work, *args, **kwargs).result()
            spent = self._child.submit(self._spent).result()
        except BrokenProcessPool:
            self.close()
            raise TsxferError(
                "a fresh process, started after steps could not be recorded, ended without a "
                "message: killed, or out of memory",
                mend="run the same command again: finished rows are kept",
            ) from None
        if spent:
            self.close()
        return found

    def close(self) -> None:
        """End the process; the next call starts another."""
        if self._child is not None:
            self._child.shutdown()
            self._child = None


def begin_worker(pins: SimpleQueue[Pin] | None = None) -> None:
    """The first thing that a worker does: take the device that is its own, and a parent's death.

    This module imports no torch, so that the device is chosen before torch is there.

    Args:
        pins: Each worker takes one; None where none is kept to a device.
    """
    if pins is not None:
        pins.get().put()
    die_with_parent()


def die_with_parent() -> None:
    """A killed parent must not leave workers behind; signals to stop are the parent's to handle."""
    keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
