"""A signal is what one file or record holds along time, with its labelled stretches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import SpecError

NEAR = 0.06  # share by which mean rates of clocks that tick unevenly may differ


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a signal with one label.

    Attributes:
        start: First sample.
        stop: One past the last.
        label: As found; None where nothing is said.
        group: What must stay on one side of a split; "" where nothing is said.
    """

    start: int
    stop: int
    label: Any
    group: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """One file or record.

    Attributes:
        name: For messages: the file, relative to the folder that was given.
        channels: Names.
        rate: Samples a second in Hz; 0 where unknown.
        length: Samples.
        dtype: Of what `read` gives.
        read: From first sample and one past the last to ``(channel, stop - start)``.
        spans: Labelled stretches in order; a window lies within one. () where the file labels
            nothing.
        pieces: First sample and its time in seconds, of each run of samples without a gap.
        notes: What was guessed while reading, each with the flag that settles it.
        units: Of each channel, as the file writes it; () where it states none.
        even: The rate is exact; else it is the mean of a clock that does not tick evenly.
    """

    name: str
    channels: tuple[str, ...]
    rate: float
    length: int
    dtype: np.dtype[Any]
    read: Callable[[int, int], NDArray[Any]]
    spans: tuple[Span, ...] = ()
    pieces: tuple[tuple[int, float], ...] = ((0, 0.0),)
    notes: tuple[str, ...] = ()
    even: bool = True
    units: tuple[str, ...] = ()

    def within_pieces(self) -> Signal:
        """The same, with no span across a gap."""
        ends = [first for first, _ in self.pieces[1:]]
        cut = (part for span in self.spans for part in _split(span, ends))
        return replace(self, spans=tuple(cut)) if ends else self

    def whole_pieces(self) -> Signal:
        """The same with a span without a label for each piece, as a file to predict is cut."""
        return replace(self, spans=(Span(0, self.length, None),)).within_pieces()

    def labelled(self, label: Any, group: str) -> Signal:
        """The same with what the name of the file says, where the file itself says nothing."""
        spans = self.spans or (Span(0, self.length, None),)
        named = (
            replace(s, label=label if s.label is None else s.label, group=s.group or group)
            for s in spans
        )
        return replace(self, spans=tuple(named))


def told_apart(signal: Signal) -> Signal:
    """The same with channels of one name numbered, so that none is taken for another."""
    if len(set(signal.channels)) == len(signal.channels):
        return signal
    names: list[str] = []
    for at, name in enumerate(signal.channels):
        before = signal.channels[:at].count(name)
        names.append(f"{name} ({before + 1})" if before else name)
    twice = next(name for name in signal.channels if signal.channels.count(name) > 1)
    note = f"several channels are called {twice}: they are numbered in the order of the file"
    return replace(signal, channels=tuple(names), notes=(*signal.notes, note))


def _split(span: Span, ends: list[int]) -> list[Span]:
    inner = [end for end in ends if span.start < end < span.stop]
    edges = [span.start, *inner, span.stop]
    return [replace(span, start=a, stop=b) for a, b in pairwise(edges)]


def span_of(text: str, rate: float, flag: str) -> int:
    """Samples that ``2s``, ``500ms`` or ``100`` mean.

    Args:
        text: As given.
        rate: Samples a second; 0 where unknown.
        flag: For messages, e.g. ``--window``.

    Raises:
        SpecError: If it is none of these, is shorter than one sample, or needs a rate.
    """
    number, unit = _number_and_unit(text.strip().lower())
    if not (math.isfinite(number) and number > 0):
        raise SpecError(f"{flag} {text!r} is no length", mend=f"e.g. {flag} 2s, or {flag} 100")
    if unit and not rate:
        raise SpecError(
            f"{flag} {text} needs the rate, which the file does not state",
            mend=f"say --rate HZ, or give {flag} as a number of samples",
        )
    samples = round(number * rate / {"ms": 1000.0}.get(unit, 1.0)) if unit else round(number)
    if samples < 1 or (not unit and samples != number):
        raise SpecError(f"{flag} {text} is no whole number of samples", mend=f"e.g. {flag} 100")
    return samples


def _number_and_unit(text: str) -> tuple[float, str]:
    for unit in ("ms", "s"):
        if text.endswith(unit):
            text, found = text[: -len(unit)], unit
            break
    else:
        found = ""
    try:
        return float(text), found
    except ValueError:
        return math.nan, found


def resampled(signal: Signal, rate: float) -> Signal:
    """The signal at another rate; whole files are resampled when they are read.

    Resampling is band-limited (librosa, soxr); spans and pieces move with it.
    """
    if not signal.rate or math.isclose(signal.rate, rate, rel_tol=1e-6):
        return signal
    ratio = rate / signal.rate

    def read(start: int, stop: int) -> NDArray[Any]:
        import librosa

        margin = 64  # samples of the old rate on both sides, so that cuts leave no edge
        first = max(0, math.floor(start / ratio) - margin)
        last = min(signal.length, math.ceil(stop / ratio) + margin)
        whole = signal.read(first, last).astype(np.float32, copy=False)
        new = librosa.resample(whole, orig_sr=signal.rate, target_sr=rate, axis=-1)
        at = start - round(first * ratio)
        return np.asarray(new[:, at : at + stop - start])

    def moved(at: int) -> int:
        return math.floor(at * ratio)

    return replace(
        signal,
        rate=rate,
        length=moved(signal.length),
        dtype=np.dtype(np.float32),
        read=read,
        spans=tuple(replace(s, start=moved(s.start), stop=moved(s.stop)) for s in signal.spans),
        pieces=tuple((moved(at), time) for at, time in signal.pieces),
    )
