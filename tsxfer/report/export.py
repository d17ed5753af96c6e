"""For papers and notebooks: figures as SVG, PDF and PNG; every run as a row of a parquet file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tsxfer.core.specs import Result
from tsxfer.errors import StoreError, printable
from tsxfer.report import figures as draw
from tsxfer.report.build import Report
from tsxfer.stats.cells import first_arm
from tsxfer.stats.compare import Comparison

SCALE = 3.0  # of PNG, so that a 640-unit figure prints sharply in a column


def figures(report: Report, folder: Path) -> list[str]:
    """Write each figure in three formats; returns their names.

    Raises:
        StoreError: If the folder cannot be written.
    """
    import vl_convert

    names = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, svg in _drawn(report):
            marked = _with_size(svg, "SIMULATED DATA" if report.simulated else "")
            (folder / f"{name}.svg").write_text(marked, encoding="utf-8")
            (folder / f"{name}.pdf").write_bytes(vl_convert.svg_to_pdf(marked))
            (folder / f"{name}.png").write_bytes(vl_convert.svg_to_png(marked, scale=SCALE))
            names.append(name)
    except OSError as error:
        raise StoreError(
            f"figures cannot be written: {error.strerror}",
            where=str(folder),
            mend="choose another --figures folder",
        ) from None
    return names


def _drawn(report: Report) -> Iterator[tuple[str, str]]:
    by_metric: dict[str, list[Comparison]] = {}
    for c in report.comparisons:
        by_metric.setdefault(c.metric, []).append(c)
    for metric, group in by_metric.items():
        yield f"forest-{metric}", draw.forest(group)
    for c, cell in zip(report.comparisons, report.cells, strict=True):
        yield f"pairs-{c.trial.key}", draw.dots(c)
        if c.convergence is not None:
            yield f"curves-{c.trial.key}", draw.curves(cell, c)
            yield f"reached-{c.trial.key}", draw.survival(c)
            yield f"thresholds-{c.trial.key}", draw.sweep(c)


def _with_size(svg: str, mark: str) -> str:
    """Width and height for programs that need them, and a mark that cannot be cropped unnoticed."""
    height = svg.partition('viewBox="0 0 640 ')[2].partition('"')[0]
    sized = svg.replace("<svg ", f'<svg width="640" height="{height}" ', 1)
    note = f'<text x="70" y="12" font-size="11" fill="#D55E00">{mark}</text>' if mark else ""
    return sized.replace("</svg>", f"{note}</svg>")


def parquet(report: Report) -> bytes:
    """One row a run of every pair, with its score, chance, cost and comparison.

    ``arm`` is ``scratch``, ``transfer`` or a baseline's name, ``against`` the first arm of the
    pair.
    """
    import pandas as pd

    out = io.BytesIO()
    compared = (*report.comparisons, *report.beside)
    records = [
        _record(c, pair[arm], cell.arms[arm])
        for c, cell in zip(compared, (*report.cells, *report.beside_cells), strict=True)
        for pair in cell.pairs
        for arm in (0, 1)
    ]
    # JSON can hold halves of characters, which parquet cannot.
    texts = [{n: printable(v) if isinstance(v, str) else v for n, v in r.items()} for r in records]
    pd.DataFrame.from_records(texts).to_parquet(out, index=False)
    return out.getvalue()


def _record(c: Comparison, row: Result, arm: str) -> dict[str, Any]:
    reuse = c.trial.reuse
    return {
        "study_key": c.trial.key,
        "key": row.key,
        "source": c.source,
        "target": row.trial.dataset,
        "model": row.trial.model,
        "size": row.trial.size,
        "rate_multiplier": reuse.rate_multiplier if reuse else None,
        "frozen": reuse.frozen if reuse else None,
        "strategy": reuse.strategy.words or "copy" if reuse else None,
        "profile": row.trial.profile,
        "repeat": row.trial.repeat,
        "arm": arm,
        "against": first_arm(c.against),
        "metric": row.metric,
        "score": row.scores[row.metric],
        "chance": row.chance.get(row.metric),
        "margin": row.margin,
        "verdict": c.verdict,
        "seconds": row.cost.get("seconds"),
        "samples": row.cost.get("samples"),
        "curve_samples": row.curve.get("samples"),
        "curve_score": row.curve.get("score"),
        "labels": "; ".join(row.labels),
    }
