"""A limit on how long a piece of work may take, for what would otherwise hang for ever."""

from __future__ import annotations

import faulthandler
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 30.0  # seconds between asking and ending


class LateError(BaseException):
    """Work took longer than its limit; code of a user's that catches `Exception` lets it pass."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `LateError` in work that takes longer; 0 is no limit.

    An alarm interrupts Python and waiting calls. Code that answers no signal (a driver that
    hangs) ends the process after a grace, with every thread's place on standard error.
    """
    alarmed = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if not seconds or not alarmed:
        yield
        return
    old = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + GRACE, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        faulthandler.cancel_dump_traceback_later()


def _late(*_: object) -> None:
    raise LateError
