"""What several signals share: one rate, the same channels in one order and one unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsxfer.errors import DataError
from tsxfer.own.called import VOLTS, named_like
from tsxfer.own.signals import NEAR, Signal

SAME, SAID = 1e-4, 0.02  # share by which exact rates may differ, among them and from --rate


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
    alike = [named_like(signal, first) for signal in signals]
    renamed = [s for s, m in zip(signals, alike, strict=True) if m.channels != s.channels]
    if renamed:
        notes.append(
            f"{len(renamed)} files call the same channels otherwise, e.g. "
            f"{', '.join(renamed[0].channels[:4])} in {renamed[0].name}: taken as those of "
            f"{first.name}, {', '.join(first.channels[:4])}"
        )
    signals = alike
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
    changed = [m for s, m in zip(scaled, made, strict=True) if s is not m]
    if changed:
        notes.append(
            f"{len(changed)} files are in other units, e.g. {changed[0].name} "
            f"({_unlike(changed[0], first)}): brought to those of {first.name}"
        )
    return scaled, notes


def _unlike(signal: Signal, first: Signal) -> str:
    """Channels whose units differ, with both units."""
    every = zip(first.channels, signal.units, first.units, strict=False)
    return ", ".join(
        f"{name} in {theirs or 'no unit'} for {ours or 'none'}"
        for name, theirs, ours in every
        if theirs != ours
    )


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
            f"{signal.name} is in another unit than {first.name}: {_unlike(signal, first)}",
            where=signal.name,
            mend="bring all files to one unit, or leave the channel out with --ignore or --x",
        )
    factors = np.array([1.0 if a == b else VOLTS[a] / VOLTS[b] for a, b in pairs])[:, None]
    inner = signal.read
    return replace(signal, units=first.units, read=lambda a, b: inner(a, b) * factors)
