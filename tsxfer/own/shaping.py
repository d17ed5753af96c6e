"""From windows as found to windows as stored: gaps, lengths, levels; one place for all readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.precision import LARGEST, as_float32, levels, lost
from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.oddities import far_values
from tsxfer.own.sentinels import TO_PREDICT, refuse_sentinel
from tsxfer.own.survey import Survey, own_samples, survey

Groups = NDArray[np.str_]
FLAGS = (
    "--missing interpolate fills them in from their neighbours, --missing drop leaves such windows "
    "out; or repair the file"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What becomes of the windows of a file.

    Attributes:
        kept: ``(n,)`` which windows are stored.
        length: Samples of a stored window, at the file's rate.
        taken_off: Level taken off each channel; () for none.
        flat: ``(n,)`` windows without any change.
        notes: What was done, in words.
        size: ``(n, channel)`` largest less smallest sample; NaN where none is there.
    """

    kept: NDArray[np.bool_]
    length: int
    taken_off: tuple[float, ...]
    flat: NDArray[np.bool_]
    notes: tuple[str, ...]
    size: NDArray[np.float64]


def shape_of(
    content: Content, described: Description, name: str, known: NDArray[np.bool_]
) -> Shape:
    """Decide what becomes of the windows; those whose label is not `known` are left out.

    Raises:
        DataError: For gaps or unequal lengths that nothing was said of, samples that are infinite
            or larger than float32 holds, and signals that vanish beside their level.
    """
    names = rows_of(content, name)
    facts = survey(content)
    _refuse(facts.infinite, names, "a sample that is infinite", "correct it, or remove the window")
    kept, missing = _kept(facts, described, names)
    kept &= known
    _refuse_none(kept, names)
    refuse_sentinel(facts.low[kept], facts.high[kept], described, names[kept])
    length, cut = _length(content, described, kept, name)
    if facts.flat[kept].all():
        raise DataError(
            f"all {int(kept.sum())} windows are flat: every sample is the same",
            where=name,
            mend="look at the file, or at the flags that say how it is read",
        )
    low, high = facts.low[kept], facts.high[kept]
    off = levels(low, high)
    _refuse_too_large(facts, kept, off, names)
    _refuse_lost(low, high, off, names[kept])
    far = () if described.nan else far_values(low, high, content.channels)
    notes = (*missing, *cut, *_said(off, content), *_flat(facts.flat & kept, names), *far)
    return Shape(kept, length, off, facts.flat, notes, facts.high - facts.low)


def shape_like(content: Content, described: Description, length: int, name: str) -> Shape:
    """As `shape_of`, for windows of the length that a model was fitted on.

    Raises:
        DataError: As `shape_of`, and for windows of another length.
    """
    names = rows_of(content, name)
    facts = survey(content)
    _refuse(facts.infinite, names, "a sample that is infinite", "correct it, or remove the window")
    kept, notes = _kept(
        facts, described, names, "repair the file, or fit with --missing interpolate"
    )
    mend = TO_PREDICT[described.missing]
    refuse_sentinel(facts.low[kept], facts.high[kept], described, names[kept], mend)
    if described.lengths == "refuse":
        found, _ = _length(content, described, kept, name)
        length = found  # the model says what it was fitted on
    elif described.lengths == "crop" and content.lengths is not None:
        _refuse(
            np.asarray(content.lengths < length),
            names,
            f"fewer than {length} samples",
            "lengthen them",
        )
    return Shape(kept, length, (), facts.flat, notes, facts.high - facts.low)


def rows_of(content: Content, name: str) -> NDArray[np.str_]:
    """What messages call each window."""
    if content.rows is not None:
        return content.rows
    return np.array([f"{name} row {row + 1}" for row in range(len(content.x))])


def _refuse(bad: NDArray[np.bool_], names: Groups, what: str, mend: str) -> None:
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} of {len(bad)} windows have {what}",
            where=f"first in {names[int(np.argmax(bad))]}",
            mend=mend,
        )


def _kept(
    facts: Survey, described: Description, names: Groups, mend: str = FLAGS
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    gaps = facts.gaps > 0
    if described.missing == "refuse":
        _refuse(
            gaps,
            names,
            "samples that are missing (NaN)",
            mend,
        )
    empty = np.asarray(~np.isfinite(facts.low).all(axis=1))
    if described.missing == "interpolate":
        _refuse(empty, names, "a channel without a single sample", "--missing drop, or repair it")
    kept = ~gaps if described.missing == "drop" else np.ones(len(gaps), np.bool_)
    _refuse_none(kept, names)
    done = "left out" if described.missing == "drop" else "filled in from their neighbours"
    said = f"{int(gaps.sum())} windows with missing samples: {done} (--missing)"
    return kept, (said,) if gaps.any() else ()


def _refuse_none(kept: NDArray[np.bool_], names: Groups) -> None:
    if not kept.any():
        raise DataError(
            "every window has missing samples, or no label",
            where=str(names[0]),
            mend="repair them, or say --missing interpolate where samples are missing",
        )


def _length(
    content: Content, described: Description, kept: NDArray[np.bool_], name: str
) -> tuple[int, tuple[str, ...]]:
    whole = content.x.shape[2]
    if content.lengths is None:
        return whole, ()
    found = content.lengths[kept]
    short, long = int(found.min()), int(found.max())
    if short == long:
        return long, ()
    first = rows_of(content, name)[kept][int(np.argmax(found < long))]
    if described.lengths == "refuse":
        raise DataError(
            f"windows of unequal length: {short} to {long} samples, {int((found < long).sum())} of "
            f"{len(found)} shorter than the longest",
            where=f"first in {first}",
            mend="--lengths pad fills up to the longest, --lengths crop cuts to the shortest",
        )
    if short == 0:
        raise DataError("a window without samples", where=str(first), mend="remove it")
    if described.lengths == "crop":
        return short, (f"{int((found > short).sum())} windows cropped to {short} samples",)
    return long, (
        f"{int((found < long).sum())} windows of {short} samples or more padded to {long} with "
        "the mean of each channel",
    )


def _refuse_too_large(
    facts: Survey, kept: NDArray[np.bool_], off: tuple[float, ...], names: Groups
) -> None:
    level = np.array(off or (0.0,) * facts.low.shape[1])
    size = np.maximum(np.abs(facts.low - level), np.abs(facts.high - level))
    bad = (size > LARGEST) & kept[:, None]
    if bad.any():
        row, channel = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"a sample of size {size[row, channel]:g} in {int(bad.any(axis=1).sum())} windows; "
            f"float32, in which models compute, holds up to {LARGEST:.2g}",
            where=f"first in {names[row]}, channel {channel + 1}",
            mend="correct it, or give samples in larger units",
        )


def _refuse_lost(
    low: NDArray[np.float64], high: NDArray[np.float64], off: tuple[float, ...], names: Groups
) -> None:
    gone = lost(low, high, off)
    if gone.sum() * 2 > len(gone):
        row = int(np.argmax(gone))
        raise DataError(
            f"{int(gone.sum())} of {len(gone)} windows vary by less than float32 holds beside "
            f"their level, e.g. from {float(low[row].min())!r} to {float(high[row].max())!r}",
            where=f"first in {names[row]}",
            mend="take the level of each window off before you save it",
        )


def _said(off: tuple[float, ...], content: Content) -> tuple[str, ...]:
    if not off:
        return ()
    named = [f"{n} {v:.10g}" for n, v in zip(content.channels, off, strict=True) if v]
    return (
        f"taken off every sample, since float32 would lose the signal beside it: "
        f"{', '.join(named[:6])}{' ...' if len(named) > 6 else ''}",
    )


def _flat(flat: NDArray[np.bool_], names: Groups) -> tuple[str, ...]:
    if not flat.any():
        return ()
    first = ", ".join(names[flat][:3])
    return (
        f"{int(flat.sum())} flat windows, all samples the same: {first}; remove them if faulty",
    )


def stored(content: Content, shape: Shape, rows: slice) -> NDArray[np.float32]:
    """Windows of some rows as they are stored, those that are kept."""
    return as_float32(whole(content, shape, rows), shape.taken_off)


def whole(content: Content, shape: Shape, rows: slice) -> NDArray[np.float64]:
    """Windows of some rows that are kept, all of one length and without gaps."""
    kept = shape.kept[rows]
    x = own_samples(content, rows)[kept, :, : shape.length]
    lengths = (
        np.full(len(x), x.shape[2]) if content.lengths is None else content.lengths[rows][kept]
    )
    lengths = np.minimum(lengths, shape.length)
    if x.shape[2] < shape.length:  # a model was fitted on longer ones
        x = np.pad(x, ((0, 0), (0, 0), (0, shape.length - x.shape[2])), constant_values=np.nan)
    gaps = np.isnan(x)
    if gaps.any():
        _fill(x, gaps, lengths)
    return x


def _fill(x: NDArray[np.float64], gaps: NDArray[Any], lengths: NDArray[np.int64]) -> None:
    """Gaps from their neighbours, linearly in time; behind the end the mean of the channel."""
    for row, channel in np.argwhere(gaps.any(axis=2)).tolist():
        end = int(lengths[row])
        own, hole = x[row, channel, :end], gaps[row, channel, :end]
        if hole.any():
            own[hole] = np.interp(np.flatnonzero(hole), np.flatnonzero(~hole), own[~hole])
        x[row, channel, end:] = own.mean()
