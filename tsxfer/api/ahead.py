"""Before training: what a study costs, and what a data set holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from tsxfer.api.asked import DataWords, StudyWords
from tsxfer.api.chosen import Place, chosen_study, use_plugins, workspace_at
from tsxfer.api.given import Data, described_by, names_of
from tsxfer.api.own import bring_all
from tsxfer.api.public import public
from tsxfer.data import catalogue
from tsxfer.data.card import Card
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import SpecError
from tsxfer.inspection.facts import Facts, facts_of
from tsxfer.inspection.hints import hints
from tsxfer.inspection.text import text
from tsxfer.own.description import Description
from tsxfer.store.files import put
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    from tsxfer.api.planning import Plan


@public(StudyWords)
def plan(
    study: str | Path | None = None,
    *,
    source: Data = None,
    target: Data = None,
    workspace: Place = None,
    plugins: str | Path = "",
    **words: Unpack[StudyWords],
) -> Plan:
    """Counts, cost and power of a study; declares its analysis before the first row.

    Args:
        study: As of `tsxfer.run`.
        source: As of `tsxfer.run`.
        target: As of `tsxfer.run`.
        workspace: As of `tsxfer.run`.
        plugins: As of `tsxfer.run`.
        **words: As of `tsxfer.run`.

    Returns:
        Prints as ``tsxfer plan`` does; ``.facts`` has the counts and ``hours_left``, ``.families``
        the smallest gain that is found with 80 % power.

    Raises:
        TsxferError: For names, data or words that make no study.
    """
    from tsxfer.api.planning import planned

    place = workspace_at(workspace)
    use_plugins(plugins)
    return planned(chosen_study(study, source, target, words, place), place)


@dataclass(frozen=True, slots=True)
class LoadedData:
    """A prepared data set, as it is before splitting and scaling.

    Attributes:
        x: ``(n, channel, time)`` float32, in the unit of the sensor.
        y: ``(n,)`` class names, or numbers in ``card.unit``.
        groups: ``(n,)`` names of what stays on one side of a split.
        card: Classes, channels, rate in Hz, metric, margin, licence, citation.
        name: Versioned, as `tsxfer.run` takes it.
    """

    x: NDArray[np.float32]
    y: NDArray[Any]
    groups: NDArray[np.str_]
    card: Card
    name: str

    def __repr__(self) -> str:
        windows = " x ".join(map(str, self.x.shape[1:]))
        groups = len(np.unique(self.groups))
        return (
            f"{self.name}: {len(self.x)} windows of {windows}, {groups} groups ({self.card.group})"
        )


@public(DataWords)
def load_dataset(
    data: Data, *, workspace: Place = None, plugins: str | Path = "", **words: Unpack[DataWords]
) -> LoadedData:
    """Windows, labels and groups of a data set or of data of your own, as tsxfer sees them.

    Args:
        data: A name (``"emg"``, or ``"emg+sim"`` for its simulated stand-in), or one target as
            `tsxfer.run` takes it; its ``.name`` then stands for it.
        workspace: Where it lies or is prepared.
        plugins: Folder with data sets of yours.
        **words: Of data of your own: ``label``, ``group``, ``rate``, ``task`` and so on.

    Raises:
        TsxferError: If there is no such data, it is not prepared, or it cannot be used.
    """
    use_plugins(plugins)
    made = _prepared(data, described_by(words), workspace_at(workspace))
    y, groups = np.asarray(made.array("y")), np.asarray(made.array("group"))
    return LoadedData(
        x=np.asarray(made.array("x")),
        y=np.asarray(made.classes)[y] if made.classes else y,
        groups=groups.astype(np.str_),
        card=made.card,
        name=made.card.id,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What a data set holds, and what is odd about it.

    Attributes:
        facts: Counts of windows, classes and groups; levels; power by frequency.
        hints: What should be looked at twice, a sentence each.
        name: Of the data set, as `tsxfer.run` takes it.
    """

    facts: Facts
    hints: list[str]
    name: str
    made: Prepared

    def __repr__(self) -> str:
        return text(self.made, self.facts)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def as_plain(self) -> dict[str, Any]:
        """For programs."""
        held = asdict(self.facts)
        listed = {name: held[name].tolist() for name in ("frequency", "power")}
        return held | listed | {"hints": self.hints}

    def page(self, path: str | Path) -> Path:
        """Write a page (HTML) with example windows.

        Raises:
            StoreError: If it cannot be written.
        """
        from tsxfer.inspection.page import page

        goal = Path(path)
        put(goal, page(self.made, self.facts).encode(), "the page")
        return goal


@public(DataWords)
def look(
    data: Data, *, workspace: Place = None, plugins: str | Path = "", **words: Unpack[DataWords]
) -> Look:
    """Show what data holds before anything is trained, and what is odd about it.

    Args:
        data: As of `tsxfer.load_dataset`.
        workspace: Where it lies or is prepared.
        plugins: Folder with data sets of yours.
        **words: Of data of your own, as of `tsxfer.run`.

    Raises:
        TsxferError: If there is no such data, or it cannot be read.
    """
    use_plugins(plugins)
    return looked(data, described_by(words), workspace_at(workspace))


def looked(data: Data, described: Description, workspace: Workspace) -> Look:
    """As `look`."""
    made = _prepared(data, described, workspace)
    facts = facts_of(made)
    return Look(facts=facts, hints=hints(made, facts), name=made.card.id, made=made)


def _prepared(data: Data, described: Description, workspace: Workspace) -> Prepared:
    names, held = names_of("data", data, described, workspace)
    names = bring_all(names, Description() if held else described, workspace)
    if len(names) != 1:
        raise SpecError(f"{len(names)} data sets are named", mend="look at one after the other")
    return prepared(workspace, catalogue.find(names[0], workspace).card.id)
