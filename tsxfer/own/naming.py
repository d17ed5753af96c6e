"""What the name of a file says of it: ``{label}_{group}_{n}.wav``, or the folder it lies in."""

from __future__ import annotations

import re
from pathlib import Path

from tsxfer.errors import DataError, SpecError

FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class Pattern:
    """A pattern of file names, compiled.

    ``{n}`` stands for digits, every other field for the shortest text that fits. Each field is part
    of one name: a pattern with ``/`` is held against the path below the folder, one without against
    the name alone.

    Raises:
        SpecError: If it has no field, or one twice.
    """

    def __init__(self, text: str) -> None:
        self.text, self.fields = text, FIELD.findall(text)
        if not self.fields or len(set(self.fields)) < len(self.fields):
            raise SpecError(
                f"--pattern {text!r} has {'a field twice' if self.fields else 'no field'}",
                mend="e.g. --pattern '{label}_{group}_{n}.wav'",
            )
        self._lazy, self._greedy = self._compiled("+?"), self._compiled("+")

    def _compiled(self, how: str) -> re.Pattern[str]:
        parts = FIELD.split(self.text)
        body = "".join(
            re.escape(part)
            if place % 2 == 0
            else f"(?P<{part}>{'[0-9]' if part == 'n' else '[^/]'}{how})"
            for place, part in enumerate(parts)
        )
        return re.compile(body)

    def match(self, relative: Path) -> dict[str, str] | None:
        """Fields of a file's path below the folder; None where it does not fit."""
        found = self._lazy.fullmatch(self._shown(relative))
        return found.groupdict() if found else None

    def other(self, relative: Path) -> dict[str, str] | None:
        """A second way of reading the same name; None where there is only one."""
        found, first = self._greedy.fullmatch(self._shown(relative)), self.match(relative)
        return found.groupdict() if found and found.groupdict() != first else None

    def _shown(self, relative: Path) -> str:
        return relative.as_posix() if "/" in self.text else relative.name


def any_fits(files: list[Path], folder: Path, pattern: str) -> bool:
    """Whether some file is named like a pattern."""
    compiled = Pattern(pattern)
    return any(compiled.match(file.relative_to(folder)) is not None for file in files)


def named(
    files: list[Path], folder: Path, pattern: str
) -> tuple[list[tuple[Path, dict[str, str]]], list[str]]:
    """Files that fit the pattern with their fields, and what is to be said.

    Without a pattern the field ``label`` is the folder that a file lies in, where there is one.

    Raises:
        DataError: If no file fits.
    """
    if not pattern:
        inside = [(f, f.relative_to(folder).parent.as_posix()) for f in files]
        return [(f, {"label": below} if below != "." else {}) for f, below in inside], []
    compiled = Pattern(pattern)
    fits = [(f, m) for f in files if (m := compiled.match(f.relative_to(folder))) is not None]
    if not fits:
        raise DataError(
            f"none of {len(files)} files is named like {pattern}",
            where=f"{folder}, e.g. {files[0].relative_to(folder).as_posix()}",
            mend="correct --pattern; a / in it means sub-folders",
        )
    return fits, _said(compiled, fits, files, folder)


def _said(
    compiled: Pattern, fits: list[tuple[Path, dict[str, str]]], files: list[Path], folder: Path
) -> list[str]:
    notes = []
    if len(fits) < len(files):
        taken = {file for file, _ in fits}
        out = [f.relative_to(folder).as_posix() for f in files if f not in taken]
        notes.append(
            f"{len(out)} files are not named like {compiled.text} and left out, e.g. {out[0]}"
        )
    for file, fields in fits:
        if other := compiled.other(file.relative_to(folder)):
            notes.append(
                f"{file.name} is read as {_shown(fields)}, and could be {_shown(other)}: write "
                "what all names share into --pattern"
            )
            break
    return notes


def _shown(fields: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())
