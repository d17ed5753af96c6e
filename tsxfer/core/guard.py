"""Code of the user's own is run under a guard: its faults are named with file and line.

Under it the code may not open what the workspace holds of data, rows and predictions, where test
labels lie, and may not draw from random streams that it shares with others. It guards against
mistakes; who means to cheat can.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tsxfer.core.shortage import is_shortage
from tsxfer.errors import PluginError, Terminated, TsxferError

AWAY_FROM_0 = "keep logarithms, roots and divisions away from 0"
NO_CHANCE = "draw no chance, keep no count"


def _numpy() -> object:
    found = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    return found["key"].tobytes(), found["pos"]


class _State:
    """What the audit hook knows; hooks of a process cannot be taken back."""

    inside = 0
    hooked = False
    sealed: Path | None = None
    generators: dict[str, Callable[[], object]] = {  # noqa: RUF012  (the process's, not an instance's)
        "Python's": random.getstate,
        "NumPy's": _numpy,
    }


def seal(workspace: Path) -> None:
    """Name the workspace whose data, rows and predictions guarded code may not open."""
    _State.sealed = workspace.resolve()


def _hook() -> None:
    """Audit what is opened, from the first guarded call on; a process cannot take a hook back."""
    if not _State.hooked:
        sys.addaudithook(_refuse_sealed)
        _State.hooked = True


def watch(name: str, state: Callable[[], object]) -> None:
    """Watch one more global random stream, given what tells its state."""
    _State.generators[name] = state


def _refuse_sealed(event: str, given: tuple[object, ...]) -> None:
    if event != "open" or not _State.inside or _State.sealed is None:
        return
    if not isinstance(given[0], str | Path):
        return
    path = Path(given[0]).resolve()
    if path.is_relative_to(_State.sealed / "data") or path.is_relative_to(
        _State.sealed / "results"
    ):
        raise PluginError(
            f"it opens {path.name} of the workspace, where test labels are", where=str(path)
        )


@contextmanager
def guarded(what: str, place: str) -> Iterator[None]:
    """Run code of the user's own.

    Args:
        what: For messages, e.g. ``method delta``.
        place: File and line of its definition, as of `Registry.place`.

    Raises:
        PluginError: If it raises, opens what is sealed, or draws from a shared random stream.
    """
    _hook()
    before = {name: state() for name, state in _State.generators.items()}
    _State.inside += 1
    try:
        yield
    except (MemoryError, Terminated):
        raise
    except (Exception, SystemExit) as error:
        if is_shortage(error):  # the pack is halved
            raise
        raise _named(what, place, error) from error
    finally:
        _State.inside -= 1
    drawn = [name for name, state in _State.generators.items() if state() != before[name]]
    if drawn:
        raise broken(
            what,
            place,
            f"draws from {drawn[0]} global stream, which what trains beside it would change",
            "draw from the generator that it is given",
        )


def refuse_other(
    what: str, place: str, value: object, again: object, mend: str = NO_CHANCE
) -> None:
    """Refuse code that answers otherwise when it is asked the same again.

    Raises:
        PluginError: If the two answers differ.
    """
    if value != again:
        raise broken(what, place, f"gives {again} when asked again, not {value}", mend)


def broken(what: str, place: str, fault: str, mend: str) -> PluginError:
    """The error of code that broke its contract."""
    return PluginError(f"{what} {fault}", where=place, mend=mend)


def accused(error: Exception, code: Iterable[tuple[str, str]]) -> PluginError | None:
    """The error of user code that runs where no guard is: inside of a network.

    Args:
        error: What was raised.
        code: What took part, for messages, and where it is defined, as of `guarded`.

    Returns:
        The first whose file the error passed through; None: it is an error of our own.
    """
    passed = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    for what, place in code:
        if place.rpartition(", line ")[0] in passed:
            return _named(what, place, error)
    return None


def _named(what: str, place: str, error: BaseException) -> PluginError:
    """An error with the last line of the user's file that it passed through."""
    file = place.rpartition(", line ")[0]
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    where = f"{file}, line {lines[-1]}" if lines else place
    said = error.problem if isinstance(error, TsxferError) else f"{type(error).__name__}: {error}"
    return PluginError(
        f"{what} fails: {said}".split("\n")[0],
        where=where,
        mend="correct that line, then `tsxfer check` the file; other rows are unharmed",
    )
