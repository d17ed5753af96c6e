"""How data sets are named: ``speech``, ``speech@1``, ``speech+sim@1``, ``mine+own@3f9a2c1b``.

Weights that were trained elsewhere are named alike where a source is meant: ``x+weights@5d1c07ab``,
``speech_test_list+zoo@1``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SIMULATED, OWN = "sim", "own"  # kinds of data sets
WEIGHTS, ZOO = "weights", "zoo"  # kinds of weights that no trial of a study makes


@dataclass(frozen=True, slots=True)
class DatasetName:
    """A data set's name in parts.

    Attributes:
        base: As a user types it, e.g. ``speech``.
        kind: `SIMULATED` of a stand-in, `OWN` of a user's own file, "" of real data; `WEIGHTS` of
            a checkpoint, `ZOO` of one that the package knows.
        version: Of the card, or the hash of a user's own file; "" where it is left open.
    """

    base: str
    kind: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> DatasetName:
        """The parts of a name; any text is one, and only the catalogue knows whether it exists."""
        plain, _, version = text.partition("@")
        base, _, kind = plain.partition("+")
        return cls(base, kind, version)

    @property
    def plain(self) -> str:
        """The name without its version, e.g. ``speech+sim``."""
        return f"{self.base}+{self.kind}" if self.kind else self.base

    @property
    def simulated(self) -> bool:
        """Whether the data comes from a simulator."""
        return self.kind == SIMULATED

    @property
    def own(self) -> bool:
        """Whether it is a user's own file."""
        return self.kind == OWN

    @property
    def given(self) -> bool:
        """Whether it names weights, not data."""
        return self.kind in (WEIGHTS, ZOO)

    @property
    def settled(self) -> bool:
        """Whether real or simulated, or the version, was chosen already."""
        return bool(self.kind or self.version)

    def stand_in(self) -> DatasetName:
        """The simulated data set of that name, of any version; one that has a kind as it is."""
        return self if self.kind else replace(self, kind=SIMULATED, version="")

    def means(self, other: str) -> bool:
        """Whether `other`, which may leave kind and version open, can be a word for this one."""
        return other in (str(self), self.plain, self.base)

    def __str__(self) -> str:
        return f"{self.plain}@{self.version}" if self.version else self.plain


def is_simulated(name: str) -> bool:
    """Whether a data set's name says that its data comes from a simulator."""
    return DatasetName.parse(name).simulated


def is_own(name: str) -> bool:
    """Whether a data set's name says that it is a user's own file."""
    return DatasetName.parse(name).own


def is_given(name: str) -> bool:
    """Whether a source's name says that its weights were trained elsewhere."""
    return DatasetName.parse(name).given
