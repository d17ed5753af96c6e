"""Facts of a prepared data set: counts, signal, and what should make its owner look twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.prepare import Prepared
from tsxfer.keys import stream

BLOCK = 512  # windows in memory at a time
SAMPLED = 2000  # windows that the spectrum is the mean of
EXAMPLES = 3  # windows of each class that are shown
MANY = 12  # classes, or groups, that are told one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a data set holds.

    Attributes:
        windows: Their number.
        classes: Windows of each class, in the order of the codes; empty for a regression.
        labels: Smallest, quartiles and largest label of a regression, in its unit.
        groups: Windows of each group, most first.
        groups_of_class: Groups that hold each class.
        flat: Windows whose channels are all constant.
        dead: Windows with some constant channel, flat ones left out.
        twice: Windows, flat ones left out, that are equal to an earlier one, to the last bit.
        across: Those of them whose earlier one is in another group.
        torn: Those of them whose earlier one has another label.
        padded: Windows that end in a run of one value longer than a twentieth of the window.
        channels: Of each channel: smallest, mean, standard deviation and largest sample.
        frequency: ``(frequency,)`` Hz, or cycles a sample where the rate is not known.
        power: ``(channel, frequency)`` mean power spectrum of windows without their mean, each
            channel's sum 1.
        examples: Rows that are shown, by class name; "" for a regression.
    """

    windows: int
    classes: dict[str, int]
    labels: tuple[float, ...]
    groups: dict[str, int]
    groups_of_class: dict[str, int]
    flat: int
    dead: int
    twice: int
    across: int
    torn: int
    padded: int
    channels: tuple[tuple[float, float, float, float], ...]
    frequency: NDArray[np.float64]
    power: NDArray[np.float64]
    examples: dict[str, tuple[int, ...]]


def facts_of(made: Prepared) -> Facts:
    """Facts of a prepared data set; its arrays are read in blocks, so memory stays flat.

    Raises:
        DataError: If an array is damaged.
    """
    y, group = np.asarray(made.array("y")), np.asarray(made.array("group"))
    signal = _Signal(len(made.card.channels))
    for at, block in _blocks(made):
        rows = slice(at, at + len(block))
        signal.add(block, group[rows], y[rows])
    frequency, power = _spectrum(made)
    return Facts(
        windows=len(y),
        classes={name: int((y == code).sum()) for code, name in enumerate(made.classes)},
        labels=() if made.classes else tuple(map(float, np.quantile(y, [0, 0.25, 0.5, 0.75, 1]))),
        groups=dict(Counter(group.tolist()).most_common()),
        groups_of_class={
            name: len(np.unique(group[y == code])) for code, name in enumerate(made.classes)
        },
        flat=signal.flat,
        dead=signal.dead,
        twice=signal.twice,
        across=signal.across,
        torn=signal.torn,
        padded=signal.padded,
        channels=signal.channels(),
        frequency=frequency,
        power=power,
        examples=_examples(made, y),
    )


class _Signal:
    """Counts and moments of samples, block by block."""

    def __init__(self, channels: int) -> None:
        self.flat = self.dead = self.twice = self.across = self.torn = self.padded = 0
        self._seen: dict[bytes, tuple[str, Any]] = {}
        self._low, self._high = np.full(channels, np.inf), np.full(channels, -np.inf)
        self._sum, self._squares, self._count = np.zeros(channels), np.zeros(channels), 0

    def add(self, x: NDArray[np.float32], group: NDArray[np.str_], y: NDArray[Any]) -> None:
        """Windows ``(n, channel, time)``, and group and label of each."""
        still = np.ptp(x, axis=2) == 0
        self.flat += int(still.all(axis=1).sum())
        self.dead += int((still.any(axis=1) & ~still.all(axis=1)).sum())
        self.padded += int((_tail(x)[~still.all(axis=1)] > max(1, x.shape[2] // 20)).sum())
        before = len(self._seen)
        moving = ~still.all(axis=1)  # flat windows are all alike, and counted as flat
        named = zip(group[moving].tolist(), y[moving].tolist(), strict=True)
        for window, (name, label) in zip(x[moving], named, strict=True):
            digest = hashlib.blake2b(window.tobytes(), digest_size=16).digest()
            first, known = self._seen.setdefault(digest, (name, label))
            self.across, self.torn = self.across + (first != name), self.torn + (known != label)
        self.twice += int(moving.sum()) - (len(self._seen) - before)  # those that are not new
        wide = x.astype(np.float64)
        self._low = np.minimum(self._low, x.min(axis=(0, 2)))
        self._high = np.maximum(self._high, x.max(axis=(0, 2)))
        self._sum += wide.sum(axis=(0, 2))
        self._squares += (wide**2).sum(axis=(0, 2))
        self._count += len(x) * x.shape[2]

    def channels(self) -> tuple[tuple[float, float, float, float], ...]:
        """Smallest, mean, standard deviation and largest sample of each channel."""
        mean = self._sum / self._count
        deviation = np.sqrt(np.maximum(0.0, self._squares / self._count - mean**2))
        columns = zip(self._low, mean, deviation, self._high, strict=True)
        return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in columns)


def _tail(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Samples at each window's end that repeat its last one in all channels: perhaps padding."""
    same = (x == x[:, :, -1:]).all(axis=1)[:, ::-1]
    return np.asarray(np.where(same.all(axis=1), same.shape[1], np.argmin(same, axis=1)))


def _blocks(made: Prepared) -> Iterator[tuple[int, NDArray[np.float32]]]:
    x = made.array("x")
    for at in range(0, len(x), BLOCK):
        yield at, np.asarray(x[at : at + BLOCK])


def _spectrum(made: Prepared) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, card = made.array("x"), made.card
    rows = np.arange(len(x))
    if len(x) > SAMPLED:
        rows = np.sort(stream("look", card.id).choice(len(x), SAMPLED, replace=False))
    total = np.zeros((x.shape[1], x.shape[2] // 2 + 1))
    for at in range(0, len(rows), BLOCK):
        part = np.asarray(x[rows[at : at + BLOCK]], np.float64)
        total += (np.abs(np.fft.rfft(part - part.mean(axis=2, keepdims=True))) ** 2).sum(axis=0)
    whole = total.sum(axis=1, keepdims=True)
    power = total / np.where(whole > 0, whole, 1)
    return np.asarray(np.fft.rfftfreq(x.shape[2], 1 / card.rate_hz), np.float64), power


def _examples(made: Prepared, y: NDArray[Any]) -> dict[str, tuple[int, ...]]:
    """A few windows of each class, drawn once and for all; else from low to high labels."""
    draw = stream("look", made.card.id, "examples")
    if not made.classes:
        order = np.argsort(y, kind="stable")
        places = np.linspace(0, len(y) - 1, min(EXAMPLES, len(y))).astype(int)
        return {"": tuple(int(order[place]) for place in places)}
    found = {}
    for code, name in enumerate(made.classes[:MANY]):
        rows = np.flatnonzero(y == code)
        chosen = draw.choice(rows, min(EXAMPLES, len(rows)), replace=False)
        found[name] = tuple(map(int, np.sort(chosen)))
    return found
