"""From signals to windows: each file whole, or stretches of one label cut by ``--window``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.alike import in_one_order, one_rate, same_channels
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.lazy import pulled
from tsxfer.own.signals import Signal, resampled, span_of, told_apart


@dataclass(frozen=True, slots=True)
class Agreed:
    """Signals that were brought to one rate and one order of channels.

    Attributes:
        signals: At least one.
        described: What the user says.
        rate: Samples a second of all; 0 where it is not known.
        channels: Names.
        label: What the label is called where it is found.
        group: What a group is; "" where none was named.
        notes: What was guessed or changed.
    """

    signals: list[Signal]
    described: Description
    rate: float
    channels: tuple[str, ...]
    label: str
    group: str
    notes: list[str]


def content_of(signals: list[Signal], described: Description, label: str, group: str) -> Content:
    """Windows of signals: cut where ``--window`` is said, else one a signal.

    Args:
        signals: At least one.
        described: What the user says.
        label: What the label is called where it is found.
        group: What a group is; "" where none was named.

    Raises:
        TsxferError: If rates or channels differ, or no window fits.
    """
    rate, notes = one_rate(signals, described.rate, described.resample)
    signals = [told_apart(signal) for signal in signals]
    signals, turned = in_one_order(signals)
    notes += turned
    channels = same_channels(signals)
    if described.resample and rate == described.resample:
        signals = [resampled(signal, rate) for signal in signals]
    notes += sorted({note for signal in signals for note in signal.notes})
    agreed = Agreed(signals, described, rate, channels, label, group, notes)
    return _cut(agreed) if described.window else _whole(agreed)


def _whole(agreed: Agreed) -> Content:
    """Each signal is one window; shorter ones are filled up and say how long they are."""
    signals, channels = agreed.signals, agreed.channels
    spans = [signal.spans[0] for signal in signals]
    lengths = np.array([signal.length for signal in signals])
    shape = (len(signals), len(channels), int(lengths.max()))
    dtype = np.result_type(*{signal.dtype for signal in signals})

    def pull(wanted: NDArray[np.int64]) -> NDArray[Any]:
        out = np.zeros((len(wanted), *shape[1:]), dtype)
        for row, index in enumerate(wanted):
            out[row, :, : lengths[index]] = signals[index].read(0, int(lengths[index]))
        return out

    named = np.array([span.group for span in spans], np.str_)
    return Content(
        x=pulled(shape, dtype, pull),
        y=_labels([_only_label(signal) for signal in signals], agreed.described),
        group=named if agreed.group else None,
        channels=channels,
        label=agreed.label,
        group_name=agreed.group,
        rate=agreed.rate,
        notes=tuple(agreed.notes),
        lengths=None if (lengths == lengths[0]).all() else lengths,
        rows=np.array([signal.name for signal in signals], np.str_),
    )


def _only_label(signal: Signal) -> Any:
    """The label of a whole signal; None where it changes within."""
    return signal.spans[0].label if len(signal.spans) == 1 else None


def _labels(found: list[Any], described: Description) -> NDArray[Any] | None:
    """Numbers where all are numbers, else text; what is not known is missing.

    Of a file to predict, None where it labels nothing.
    """
    if described.unlabelled and all(value is None for value in found):
        return None
    try:
        if any(isinstance(value, str) and "_" in value for value in found):
            raise ValueError  # Python takes 1_1 for 11
        return np.array([np.nan if value is None else float(value) for value in found])
    except (TypeError, ValueError):
        return np.array(["" if value is None else str(value) for value in found], np.str_)


def _labels_at(
    signals: list[Signal], which: NDArray[np.int64], start: NDArray[np.int64], length: int
) -> list[Any]:
    """Labels of windows that were cut without regard to labels: of the span that holds it all."""
    firsts = [np.array([span.start for span in signal.spans], np.int64) for signal in signals]
    out: list[Any] = []
    for index, first in zip(which.tolist(), start.tolist(), strict=True):
        at = int(np.searchsorted(firsts[index], first, "right")) - 1
        span = signals[index].spans[at] if at >= 0 else None
        out.append(span.label if span is not None and first + length <= span.stop else None)
    return out


def _cut(agreed: Agreed) -> Content:
    """Windows from the start of each stretch of one label and group, a step apart."""
    described, rate, channels = agreed.described, agreed.rate, agreed.channels
    group, notes = agreed.group, list(agreed.notes)
    length = span_of(described.window, rate, "--window")
    step = span_of(described.step, rate, "--step") if described.step else length
    signals = [signal.within_pieces() for signal in agreed.signals]
    labelled = signals
    if described.unlabelled:
        signals = [signal.whole_pieces() for signal in agreed.signals]
    elif not group:
        signals, said = _grouped_by_stretch(signals)
        notes, group = [*notes, said], "stretch"
    signal, start, labels, groups = _places(signals, length, step, described.unlabelled)
    if not len(start):
        raise _nothing(signals, described, length, rate)
    notes.append(_left_over(signals, len(start), length, step, rate, described.unlabelled))
    dtype = np.result_type(*{one.dtype for one in signals})
    if described.unlabelled and any(span.label is not None for s in labelled for span in s.spans):
        labels = _labels_at(labelled, signal, start, length)

    def pull(wanted: NDArray[np.int64]) -> NDArray[Any]:
        found = [signals[signal[i]].read(int(start[i]), int(start[i]) + length) for i in wanted]
        return np.stack(found).astype(dtype, copy=False)

    return Content(
        x=pulled((len(start), len(channels), length), dtype, pull),
        y=_labels(labels, described),
        group=np.array(groups, np.str_),
        channels=channels,
        label=agreed.label,
        group_name=group,
        rate=rate,
        notes=tuple(notes),
        rows=np.array([_place(signals[s], int(a)) for s, a in zip(signal, start, strict=True)]),
    )


def _places(
    signals: list[Signal], length: int, step: int, unlabelled: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Any], list[str]]:
    """Of each window: its signal, first sample, label and group."""
    which, starts = [], []
    labels: list[Any] = []
    groups: list[str] = []
    for index, signal in enumerate(signals):
        for span in signal.spans:
            if span.label is None and not unlabelled:
                continue
            found = np.arange(span.start, span.stop - length + 1, step)
            which.append(np.full(len(found), index))
            starts.append(found)
            labels += [span.label] * len(found)
            groups += [span.group] * len(found)
    none = [np.zeros(0, np.int64)]
    return np.concatenate(which or none), np.concatenate(starts or none), labels, groups


def _place(signal: Signal, start: int) -> str:
    if not signal.rate:
        return f"{signal.name} from sample {start}"
    first, time = next(piece for piece in reversed(signal.pieces) if piece[0] <= start)
    return f"{signal.name} at {time + (start - first) / signal.rate:.7g} s"


def _grouped_by_stretch(signals: list[Signal]) -> tuple[list[Signal], str]:
    """Groups where the user named none: pieces between gaps, else stretches of one label.

    Windows that overlap stay on one side of a split in any case.
    """
    from dataclasses import replace

    several = sum(len(signal.pieces) for signal in signals) >= 6

    def named(signal: Signal) -> Signal:
        edges = [first for first, _ in signal.pieces[1:]]
        spans = (
            replace(
                span,
                group=f"{signal.name} {'piece' if several else 'stretch'} "
                f"{int(np.searchsorted(edges, span.start, 'right')) if several else number}",
            )
            for number, span in enumerate(signal.spans)
        )
        return replace(signal, spans=tuple(spans))

    what = "the pieces between its gaps" if several else "its stretches of one label"
    return [named(signal) for signal in signals], (
        f"no groups are named, so {what} are taken as groups; neighbours may be alike: "
        "name what must stay together with --group"
    )


def _left_over(
    signals: list[Signal], count: int, length: int, step: int, rate: float, unlabelled: bool
) -> str:
    total = sum(signal.length for signal in signals)
    spans = [span for signal in signals for span in signal.spans]
    gaps = sum(len(signal.pieces) - 1 for signal in signals)
    silent = total - sum(s.stop - s.start for s in spans if s.label is not None)
    short = sum(s.stop - s.start < length for s in spans if s.label is not None)
    seconds = f" ({length / rate:g} s)" if rate else ""
    overlap = f", each overlapping the next by {length - step}" if step < length else ""
    said = f"cut into {count:,} windows of {length} samples{seconds}, {step} apart{overlap}"
    if gaps:
        said += f"; none crosses one of {gaps:,} gaps in time or steps back"
    if silent and not unlabelled:
        said += f"; {silent:,} of {total:,} samples have no label and are in none"
    return said + (f"; {short:,} stretches are shorter than a window" if short else "")


def _nothing(signals: list[Signal], described: Description, length: int, rate: float) -> DataError:
    spans = [span for signal in signals for span in signal.spans]
    if described.unlabelled:
        longest = max(span.stop - span.start for span in spans)
        return DataError(
            f"no window of {length} samples: the longest stretch without a gap has {longest}",
            where=signals[0].name,
            mend=f"the model was fitted on windows of {described.window}: give a longer recording",
        )
    spans = [span for span in spans if span.label is not None]
    longest = max((span.stop - span.start for span in spans), default=0)
    at = f" ({described.window} at {rate:g} Hz)" if rate else ""
    return DataError(
        f"no window of {length} samples{at} lies within one label: the longest of {len(spans)} "
        f"labelled stretches has {longest}",
        where=signals[0].name,
        mend=f"use a shorter --window than {described.window}"
        + (", or say --rate if that rate is wrong" if rate and not described.rate else "")
        if longest > 1
        else "the label changes with each sample: name a column of labels that last with --label, "
        "or give one label a stretch with --intervals FILE",
    )
