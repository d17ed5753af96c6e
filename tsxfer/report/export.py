"""For papers and notebooks: figures as SVG, PDF and PNG; every run as a row of a parquet file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from tsxfer.core.results import Result
from tsxfer.errors import StoreError, printable
from tsxfer.report.build import Report
from tsxfer.report.columns import scoped
from tsxfer.report.figures import every
from tsxfer.report.figures.picture import mark
from tsxfer.stats.cells import first_arm
from tsxfer.stats.compare import Comparison
from tsxfer.store.flat import measured

SCALE = 3.0  # of PNG, so that a 480-unit figure prints sharply in a column


def figures(report: Report, folder: Path) -> list[str]:
    """Write each figure in three formats; returns their names.

    Raises:
        StoreError: If the folder cannot be written.
    """
    import vl_convert

    names = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in every(report):
            svg = picture.svg(mark(report))
            (folder / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
            (folder / f"{picture.name}.pdf").write_bytes(vl_convert.svg_to_pdf(svg))
            (folder / f"{picture.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=SCALE))
            names.append(picture.name)
    except OSError as error:
        raise StoreError(
            f"figures cannot be written: {error.strerror}",
            where=str(folder),
            mend="choose another --figures folder",
        ) from None
    return names


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
        "verdict": c.verdict,
        **scoped(c),
        **measured(row),
    }
