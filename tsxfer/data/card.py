"""A data set is a card (literal facts) and a reader (one function), one file in ``datasets/``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from tsxfer.core.names import SIMULATED, DatasetName
from tsxfer.data.series import Series

Reader: TypeAlias = Callable[[Path], Iterable[Series]]
Simulator: TypeAlias = Callable[[int, np.random.Generator], Series]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to fetch.

    Attributes:
        url: Where it is.
        sha256: Its checksum; empty where the publisher gives none and none is known.
        bytes: Its size, 0 where unknown; shown before a download starts.
    """

    url: str
    sha256: str = ""
    bytes: int = 0

    @property
    def name(self) -> str:
        """File name on disk."""
        return self.url.split("?")[0].rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """How much the publisher's data set holds, so that a part of it never passes for the whole.

    Attributes:
        instances: Windows that the reader makes of all files; 0 where not known.
        groups: Events, speakers, subjects; 0 where not known.
        classes: Of a classification; 0 where not known.
        span: First and last day, ISO; None where not known or without meaning.
    """

    instances: int = 0
    groups: int = 0
    classes: int = 0
    span: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The facts of a data set.

    Attributes:
        name: Function name, file name and command-line name.
        version: Raised when windows, labels or groups change; of a user's own file, its hash.
        title: One line for ``tsxfer list``.
        domain: e.g. ``seismology``, ``speech``.
        task: What is learned.
        label: What the label means, e.g. ``magnitude``.
        unit: Unit of a regression label.
        rate_hz: Rate that models see; readers may yield another, which is resampled.
        file_rate_hz: Rate that the files must have; None means `rate_hz`.
        channels: Names, in order.
        length: Samples of a window at `rate_hz`.
        group: What a group is, e.g. ``event``.
        split: ``grouped`` keeps groups on one side; ``time`` also keeps the order of time;
            ``official`` tests on the part that the data itself sets aside, and selects on its train
            part; or a user's own rule (`tsxfer.core.doors.SPLITS`).
        metric: Primary metric.
        extra_metrics: Reported beside it.
        margin: Smallest difference of the primary metric that matters in practice.
        amplitude: Feed the window's largest absolute value as a number beside the window
            (``stream max`` in the study).
        paper_channels: Channels that the study used, empty for all.
        label_like_input: The label has the unit of the input and follows its level (prices), so
            it is learned relative to the window.
        files: What `tsxfer prepare` fetches.
        manual: How to get the files by hand.
        licence: Licence or terms.
        cite: What to cite.
        simulated: Made by a simulator.
        count: Instances that a simulator makes.
        warnings: Labels of every row made from the data.
        whole: What all of the publisher's files hold; prepared data that lacks some of it is
            labelled incomplete in every row.
    """

    name: str
    version: int | str
    title: str
    domain: str
    task: Literal["classification", "regression"]
    label: str
    rate_hz: float
    channels: tuple[str, ...]
    length: int
    group: str
    metric: str
    margin: float
    licence: str
    cite: str
    unit: str = ""
    file_rate_hz: float | None = None
    split: str = "grouped"
    extra_metrics: tuple[str, ...] = ()
    amplitude: bool = True
    paper_channels: tuple[int, ...] = ()
    label_like_input: bool = False
    files: tuple[RemoteFile, ...] = ()
    manual: str = ""
    simulated: bool = False
    count: int = 0
    warnings: tuple[str, ...] = ()
    whole: Whole | None = None

    @property
    def id(self) -> str:
        """Versioned name that trials hold, e.g. ``speech@1`` or ``speech+sim@1``."""
        return f"{self.name}@{self.version}"

    @property
    def seconds(self) -> float:
        """Length of a window in seconds."""
        return self.length / self.rate_hz


@dataclass(slots=True)
class Dataset:
    """A card with its reader, or with its simulator; the real one knows its stand-in."""

    card: Card
    read: Reader | None = None
    fetch: Callable[[Path], None] | None = None
    simulate: Simulator | None = None
    stand_in: Dataset | None = None

    def simulator(
        self, *, version: int, count: int, **changes: Any
    ) -> Callable[[Simulator], Simulator]:
        """Register a function ``(n, rng) -> Series`` as the simulated stand-in of this data set.

        Args:
            version: Of the simulated data; raise it whenever the numbers change.
            count: Instances to make.
            **changes: Card fields that differ, e.g. a shorter window.
        """

        def register(simulate: Simulator) -> Simulator:
            facts: dict[str, Any] = {
                "name": DatasetName(self.card.name, SIMULATED).plain,
                "version": version,
                "count": count,
                "title": f"SIMULATED stand-in: {self.card.title}",
                "simulated": True,
                "files": (),
                "manual": "",
                "whole": None,
                "licence": "Apache-2.0 (made by tsxfer)",
                "file_rate_hz": None,
            }
            card = replace(self.card, **(facts | changes))
            self.stand_in = Dataset(card, simulate=simulate)
            return simulate

        return register

    def fetcher(self, fetch: Callable[[Path], None]) -> Callable[[Path], None]:
        """Register a function that downloads into a folder, where plain files do not do."""
        self.fetch = fetch
        return fetch


def synthetic(**facts: Any) -> Callable[[Simulator], Dataset]:
    """Turn a function ``(n, rng) -> Series`` into a data set that has no files and stands for none.

    Args:
        **facts: As of `dataset`.
    """

    def register(simulate: Simulator) -> Dataset:
        title = (simulate.__doc__ or "").strip().split("\n")[0].rstrip(".")
        card = Card(name=simulate.__name__, title=title, simulated=True, **facts)
        return Dataset(card, simulate=simulate)

    return register


def dataset(**facts: Any) -> Callable[[Reader], Dataset]:
    """Turn a reader ``(folder) -> blocks of Series`` into a data set; its name is the function's.

    Args:
        **facts: The fields of `Card`, except ``name`` and ``title`` (function name and first
            line of the function's docstring).
    """

    def register(read: Reader) -> Dataset:
        title = (read.__doc__ or "").strip().split("\n")[0].rstrip(".")
        return Dataset(Card(name=read.__name__, title=title, **facts), read=read)

    return register
