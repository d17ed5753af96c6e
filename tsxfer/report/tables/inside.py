"""Layer by layer: what a transfer took over, kept and changed."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.columns import signed
from tsxfer.report.section import Section, name
from tsxfer.stats.why import Explained, Layer

CLOSE = 0.001  # margins between curves within which a training is that of the row


def inside(report: Report) -> Section:
    """What `tsxfer why` saw inside of transfers."""
    return Section(
        "Inside the network",
        "From `tsxfer why`: one repeat of a transfer and its scratch twin, trained again; likeness "
        "of layers on training windows of the target (debiased linear CKA: 1 the same up to "
        "rotation and scale, 0 nothing in common), and how far weights went relative to their "
        "size. Layers that stay near the start kept what they were given; where fine-tuning leaves "
        "as little of a transfer's start as of a scratch start, the source was not used. n/a: a "
        "layer that is not the source's, or says the same of all windows.",
        (
            "comparison",
            "layer",
            "block",
            "copied",
            "source, start",
            "start, end",
            "source, end",
            "scratch start, end",
            "transfer, scratch ends",
            "travel",
            "travel from scratch",
            "gain of blocks so far",
        ),
        tuple(_row(e, layer) for e in report.explained for layer in e.why.layers),
        "It describes one repeat: no test of anything.",
    )


def _row(e: Explained, layer: Layer) -> tuple[str, ...]:
    likenesses = (
        layer.source_start,
        layer.start_end,
        layer.source_end,
        layer.scratch,
        layer.ends,
    )
    return (
        f"{name(e.comparison)}, repeat {e.why.repeat}{_unlike(e)}",
        layer.name,
        str(layer.block or "none"),
        "yes" if layer.copied else "no",
        *("n/a" if value is None else f"{value:.2f}" for value in likenesses),
        *(
            "n/a" if value is None else f"{value:.2g}"
            for value in (layer.travel, layer.scratch_travel)
        ),
        signed(e.first[layer.block]) if layer.block in e.first else "not run",
    )


def _unlike(e: Explained) -> str:
    """Said where training again gave another network than that of the row."""
    if e.why.distance <= CLOSE:
        return ""
    return f" (trained again it is {e.why.distance:.2g} margins from its row)"
