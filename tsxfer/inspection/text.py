"""Facts of a data set on a terminal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.prepare import Prepared
from tsxfer.inspection.facts import MANY, Facts
from tsxfer.inspection.hints import hints

LEVELS = " ▁▂▃▄▅▆▇█"
WIDTH = 64  # characters of a drawn window


def text(made: Prepared, facts: Facts) -> str:
    """What was read, example windows of each class, and hints."""
    lines = [*short(made, facts), *_signal(made, facts), "", *_examples(made, facts)]
    return "\n".join([*lines, *warned(made, facts)])


def warned(made: Prepared, facts: Facts) -> list[str]:
    """Hints as lines; none where there is nothing to say."""
    found = hints(made, facts)
    return ["look twice:", *(f"  - {hint}" for hint in found)] if found else []


def short(made: Prepared, facts: Facts) -> list[str]:
    """Windows, channels, rate, classes and groups with counts, a line each."""
    card = made.card
    simulated = "SIMULATED DATA\n" if card.simulated else ""
    seconds = (
        f"{card.seconds:g} s at {card.rate_hz:g} Hz" if card.rate_hz != 1 else "rate not given"
    )
    lines = [
        f"{simulated}{card.id}: {card.title}; fingerprint {made.fingerprint}",
        f"windows   {facts.windows:,} of {len(card.channels)} x {card.length} ({seconds})",
        f"channels  {_few(dict.fromkeys(card.channels, ''))}",
        f"label     {_label(made, facts)}",
        f"groups    {_groups(made, facts)}",
    ]
    return [*lines, *(f"note      {note}" for note in made.notes)]


def _label(made: Prepared, facts: Facts) -> str:
    if made.classes:
        counted = {name: f"{count:,}" for name, count in facts.classes.items()}
        return f"{made.card.label}, {len(made.classes)} classes: {_few(counted)}"
    low, first, middle, third, high = facts.labels
    unit = f" {made.card.unit}" if made.card.unit else ""
    return (
        f"{made.card.label}: {low:.4g} to {high:.4g}{unit}, median {middle:.4g}, "
        f"quartiles {first:.4g} and {third:.4g}"
    )


def _groups(made: Prepared, facts: Facts) -> str:
    if len(facts.groups) == facts.windows:
        return "none: each window stands for itself"
    counts = sorted(facts.groups.values())
    counted = {name: f"{count:,}" for name, count in facts.groups.items()}
    return (
        f"{len(counts)} ({made.card.group}) of {counts[0]:,} to {counts[-1]:,} windows, "
        f"median {counts[len(counts) // 2]:,}: {_few(counted)}"
    )


def _few(counted: dict[str, str]) -> str:
    words = [f"{name} {count}".strip() for name, count in counted.items()]
    more = f", and {len(words) - MANY} more" if len(words) > MANY else ""
    return ", ".join(words[:MANY]) + more


def _signal(made: Prepared, facts: Facts) -> list[str]:
    lines = ["", "channel      smallest       mean         sd    largest  most power at"]
    known = made.card.rate_hz != 1
    for at, (name, values) in enumerate(zip(made.card.channels, facts.channels, strict=True)):
        if at == MANY:
            return [*lines, f"... and {len(made.card.channels) - MANY} more channels"]
        peak = facts.frequency[int(facts.power[at].argmax())]
        numbers = " ".join(f"{value:10.4g}" for value in values)
        lines.append(f"{name[:10]:10} {numbers}  {peak:.3g} {'Hz' if known else 'cycles a sample'}")
    return lines


def _examples(made: Prepared, facts: Facts) -> list[str]:
    """The first channel of each example, drawn between its smallest and largest sample."""
    x, y, group = made.array("x"), made.array("y"), made.array("group")
    lines = [
        f"examples, channel {made.card.channels[0]} (each from its smallest to its largest sample)"
    ]
    for name, rows in facts.examples.items():
        for row in rows:
            said = name or f"{float(y[row]):.4g}"
            lines.append(f"  {said[:14]:14} {drawn(np.asarray(x[row, 0]))}  {str(group[row])[:20]}")
    return lines


def drawn(samples: NDArray[np.float32], width: int = WIDTH) -> str:
    """A line of characters: the largest deviation from the mean in each stretch of samples.

    Args:
        samples: ``(time,)``.
        width: Characters at the most.
    """
    stretches = np.array_split(samples - samples.mean(), min(width, len(samples)))
    peaks = np.array([part[np.abs(part).argmax()] for part in stretches])
    span = float(np.ptp(peaks))
    if span == 0:
        return LEVELS[4] * len(peaks)
    places = ((peaks - peaks.min()) / span * (len(LEVELS) - 1)).round().astype(int)
    return "".join(LEVELS[place] for place in places)
