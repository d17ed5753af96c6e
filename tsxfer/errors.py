"""The exceptions of tsxfer, drawn as a tree.

TsxferError            the user can mend it; the command line prints it and exits with 2
├── SpecError          a flag, study file, name or number that makes no sense
│   └── PluginError    code of the user's own that raises or breaks its contract
├── DataError          a file or an array that is not what its card says
├── StoreError         rows or weights that cannot be read or written
└── ComparisonError    rows that must not be compared (unequal terms, missing twins)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TsxferError(Exception):
    """What is wrong (with the value shown), where it is, and what mends it.

    Args:
        problem: One sentence that shows the offending value.
        where: File, line, trace or flag.
        mend: The command or the edit that helps.
    """

    def __init__(self, problem: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(problem, where, mend)
        self.problem, self.where, self.mend = problem, where, mend

    def __str__(self) -> str:
        lines = self.problem.split("\n")
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.mend:
            lines.append(f"  mend:  {self.mend}")
        return "\n".join(map(printable, lines))

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross a process boundary by pickling; keyword arguments need help.
        return _rebuild, (type(self), self.problem, self.where, self.mend)


class Terminated(SystemExit):
    """The system asks to end (SIGTERM); a run stops as it does on ctrl-C."""


class SpecError(TsxferError):
    """A flag, study file, name or number that makes no sense."""


class PluginError(SpecError):
    """Code of the user's own that raises or breaks its contract; rows without it are unharmed."""


class DataError(TsxferError):
    """A file or an array that is not what its card says."""


class StoreError(TsxferError):
    """Rows or weights that cannot be read or written."""


class ComparisonError(TsxferError):
    """Rows that must not be compared."""


def _rebuild(kind: type[TsxferError], problem: str, where: str, mend: str) -> TsxferError:
    return kind(problem, where=where, mend=mend)


def first_line(error: BaseException) -> str:
    """What an error says in its first line; ``?`` where it says nothing."""
    return (str(error).splitlines() or ["?"])[0]


def printable(text: str) -> str:
    """Without control characters, which a terminal would obey: messages show what files hold."""
    return "".join(c if c.isprintable() else "�" for c in text)


def nearest(name: str, known: Iterable[str]) -> str:
    """The mend for a misspelt name: near misses, else all that is known."""
    known = sorted(set(known))
    close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"choose from: {', '.join(known)}" if known else "nothing is registered"
