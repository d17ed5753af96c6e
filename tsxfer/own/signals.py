"""A signal is what one file or record holds along time, with its labelled stretches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError, SpecError

SAME, SAID = 1e-4, 0.02  # share by which exact rates may differ, among them and from --rate
VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "μV": 1e-6, "nV": 1e-9}
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

    def labelled(self, label: Any, group: str) -> Signal:
        """The same with what the name of the file says, where the file itself says nothing."""
        spans = self.spans or (Span(0, self.length, None),)
        named = (
            replace(s, label=label if s.label is None else s.label, group=s.group or group)
            for s in spans
        )
        return replace(self, spans=tuple(named))


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


def one_rate(signals: list[Signal], said: float, resample: float) -> tuple[float, list[str]]:
    """The rate that all signals share, and what is to be said of it.

    Clocks that do not tick evenly differ a little from file to file: within `NEAR` they are one.

    Raises:
        DataError: If they differ and nothing says to resample, or `said` contradicts the files.
    """
    rates = {signal.rate: signal.name for signal in reversed(signals) if signal.rate}
    if not rates:
        return said, []
    low, high = min(rates), max(rates)
    even = all(signal.even for signal in signals)
    if said:
        _refuse_far(rates, said, SAID if even else NEAR)
        differ = max(high / said, said / low) > 1.005
        ticks = f"the files' own clocks tick {_from_to(low, high)} times a second"
        note = f"{ticks}; --rate {said:g} is taken"
        return said, [note] if differ else []
    if high / low < 1 + (SAME if even else NEAR):
        middle = float(np.median([signal.rate for signal in signals if signal.rate]))
        note = f"rates of {_from_to(low, high)} Hz are taken as {middle:g} Hz (--rate settles it)"
        return middle, [note] if high / low > 1 + SAME else []
    if resample:
        shown = ", ".join(f"{rate:g}" for rate in sorted(rates)[:6])
        return resample, [f"rates of {shown} Hz resampled to {resample:g} Hz"]
    shown = ", ".join(f"{rate:g} Hz ({name})" for rate, name in sorted(rates.items())[:4])
    raise DataError(
        f"files of {len(rates)} rates: {shown}",
        mend=f"bring all to one rate, e.g. --resample {low:g}",
    )


def _from_to(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _refuse_far(rates: dict[float, str], said: float, near: float) -> None:
    for rate, name in rates.items():
        if max(rate / said, said / rate) > 1 + near:
            raise DataError(
                f"--rate {said:g}, but the file states {rate:g} Hz",
                where=name,
                mend="leave --rate out, or correct it; to change the rate say --resample HZ",
            )


def same_channels(signals: list[Signal]) -> tuple[str, ...]:
    """The channels that all signals share.

    Raises:
        DataError: If two differ in number, or one name stands at two places.
    """
    first = signals[0]
    for other in signals:
        _refuse_unlike(other, first)
        if len(other.channels) != len(first.channels):
            raise DataError(
                f"{other.name} has {len(other.channels)} channel(s), {first.name} has "
                f"{len(first.channels)}",
                where=other.name,
                mend="give files of one number of channels",
            )
    same = all(other.channels == first.channels for other in signals)
    return first.channels if same else tuple(f"c{n}" for n in range(len(first.channels)))


def _refuse_unlike(other: Signal, first: Signal) -> None:
    """Files that share some names, not all: taken by place, other sensors would be mixed."""
    pairs = list(zip(other.channels, first.channels, strict=False))
    shared = set(other.channels) & set(first.channels)
    if shared and any(a != b for a, b in pairs):
        raise DataError(
            f"{other.name} has the channels {', '.join(other.channels[:6])}, {first.name} has "
            f"{', '.join(first.channels[:6])}",
            where=other.name,
            mend="give all files the same names of channels; --x or --ignore chooses among them",
        )


def in_one_order(signals: list[Signal]) -> tuple[list[Signal], list[str]]:
    """Signals whose channels stand as in the first one, by name, and what is to be said.

    Samples in another unit of voltage come in the first one's unit.
    """
    first, notes = signals[0], []
    made = [_ordered(signal, first) for signal in signals]
    turned = [s.name for s, m in zip(signals, made, strict=True) if m.channels != s.channels]
    if turned:
        notes.append(
            f"{len(turned)} files hold their channels in another order, e.g. {turned[0]}: put into "
            f"that of {first.name}"
        )
    strange = [s for s in made if not set(s.channels) & set(first.channels)]
    if strange:
        theirs, ours = (", ".join(s.channels[:4]) for s in (strange[0], first))
        notes.append(
            f"{len(strange)} files call their channels otherwise ({theirs} in {strange[0].name}, "
            f"{ours} in {first.name}): taken by their place; put other sensors into a folder of "
            "their own"
        )
    scaled = [_scaled(signal, first) for signal in made]
    changed = [s.name for s, m in zip(scaled, made, strict=True) if s is not m]
    if changed:
        notes.append(
            f"{len(changed)} files are in other units, e.g. {changed[0]}: brought to "
            f"{', '.join(dict.fromkeys(first.units))}"
        )
    return scaled, notes


def _ordered(signal: Signal, first: Signal) -> Signal:
    same = sorted(signal.channels) == sorted(first.channels)
    if (
        signal.channels == first.channels
        or not same
        or len(set(first.channels)) < len(first.channels)
    ):
        return signal
    order, inner = [signal.channels.index(name) for name in first.channels], signal.read
    return replace(
        signal,
        channels=first.channels,
        units=tuple(signal.units[at] for at in order) if signal.units else (),
        read=lambda start, stop: inner(start, stop)[order],
    )


def _scaled(signal: Signal, first: Signal) -> Signal:
    """The signal in the units of the first one.

    Raises:
        DataError: If no factor between two units is known.
    """
    if not signal.units or not first.units or signal.units == first.units:
        return signal
    pairs = list(zip(signal.units, first.units, strict=False))
    strange = next(((a, b) for a, b in pairs if a != b and not {a, b} <= VOLTS.keys()), None)
    if strange is not None:
        raise DataError(
            f"{signal.name} is in {strange[0] or 'no unit'}, {first.name} in "
            f"{strange[1] or 'no unit'}",
            where=signal.name,
            mend="bring all files to one unit, or leave the channel out with --ignore or --x",
        )
    factors = np.array([1.0 if a == b else VOLTS[a] / VOLTS[b] for a, b in pairs])[:, None]
    inner = signal.read
    return replace(signal, units=first.units, read=lambda a, b: inner(a, b) * factors)


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
