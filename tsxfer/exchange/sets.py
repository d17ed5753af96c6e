"""A result set: rows of one or more studies, with their study files and declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.study import Study
from tsxfer.core.study_files import parse_study
from tsxfer.errors import StoreError
from tsxfer.keys import content_key
from tsxfer.stats.lock import Lock, parse_lock


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one study.

    Attributes:
        study: Its name.
        study_toml: Text of its study file; empty where none came with the rows.
        lock_toml: Text of its declared analysis; empty where none came along.
        rows: One for each trial.
        hashes: Of kept predictions, by key of the row.
        predictions: Folder that holds them; None where only hashes came along.
        unknown: Fields of rows that this version does not know and left out, with their count.
    """

    study: str
    study_toml: str
    lock_toml: str
    rows: tuple[Result, ...]
    hashes: Mapping[str, str]
    predictions: Path | None = None
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def spec(self) -> Study:
        """Its study.

        Raises:
            StoreError: If rows came without their study file.
            SpecError: If that file is none.
        """
        if not self.study_toml:
            raise StoreError(
                f"{len(self.rows)} row(s) came without the study file that they belong to",
                mend="put its study.toml (and analysis.lock.toml) beside the rows, or name the "
                "folder that holds all three",
            )
        return parse_study(self.study_toml, self.study, f"study file of {self.study}")

    @property
    def pretrainings(self) -> set[str]:
        """Keys of trials that others start from, of a study that was stopped before those, too."""
        trials = [row.trial for row in self.rows]
        trials += expand(self.spec) if self.study_toml else []
        return {origin.key for trial in trials for origin in trial.origins}

    @property
    def declared(self) -> Lock | None:
        """Its declared analysis; None where none came along."""
        return parse_lock(self.lock_toml, f"lock of {self.study}") if self.lock_toml else None


@dataclass(frozen=True, slots=True)
class ResultSet:
    """What was read from a file, a folder, an address or the package.

    Attributes:
        name: In words, without the path of any machine: ``rows.parquet``, ``real@1``.
        parts: Its studies.
    """

    name: str
    parts: tuple[Part, ...]

    @property
    def rows(self) -> Iterator[Result]:
        """Every row of every study."""
        return (row for part in self.parts for row in part.rows)

    @property
    def origin(self) -> str:
        """What merged rows are marked with: the name, and a hash of all rows."""
        return f"{self.name} ({digest(self.rows)})"


def digest(rows: Iterable[Result]) -> str:
    """One hash of many rows, whatever their order; a row's hash leaves machine and origin out."""
    return content_key(sorted({f"{row.key}{row.digest}" for row in rows}))


def refuse_unread(unread: list[str], where: str, version: str) -> None:
    """Refuse a set of which a line cannot be read: leaving it out would lose it in silence.

    Raises:
        StoreError: With the first places.
    """
    if unread:
        more = f", and {len(unread) - 3} more" if len(unread) > 3 else ""
        raise StoreError(
            f"{len(unread)} row(s) cannot be read by tsxfer {version}: {', '.join(unread[:3])}"
            f"{more}",
            where=where,
            mend="a run that still writes there ends its last line in a moment: try again; rows of "
            "a later tsxfer need that version (python -m pip install -U tsxfer); "
            "damaged lines: ask for the file again, or delete those lines from your copy",
        )


def joined(found: list[ResultSet]) -> ResultSet:
    """Several sets as one; studies of one name must not come from two of them.

    Raises:
        StoreError: If they do.
    """
    if len(found) == 1:
        return found[0]
    parts = [part for one in found for part in one.parts]
    names = [part.study for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StoreError(
            f"{', '.join(twice)} is in more than one of these sets",
            mend="merge them into one workspace first: tsxfer merge SET",
        )
    return ResultSet(" + ".join(one.name for one in found), tuple(parts))
