"""Result sets as one parquet file: a line each row, whole, beside columns that can be read at once.

The column ``row`` holds the row as it lies in a workspace, so that nothing is lost; the others are
taken from it for readers who do not have tsxfer. Study files and declarations are in the metadata.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tsxfer import __version__
from tsxfer.core.results import Result
from tsxfer.errors import StoreError, TsxferError
from tsxfer.exchange.sets import Part, refuse_unread
from tsxfer.store.flat import measured
from tsxfer.store.rows import from_record, repeated, to_line, unknown

SCHEMA = 1
META = b"tsxfer.results"
AGAIN = "ask for the file again; such files are written by: tsxfer results STUDY --out rows.parquet"


def pack(parts: tuple[Part, ...]) -> bytes:
    """The file of a result set; equal rows give equal bytes with one version of pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = [_record(part, row) for part in parts for row in _ordered(part.rows)]
    studies = {part.study: [part.study_toml, part.lock_toml] for part in parts}
    facts = {"schema": SCHEMA, "tsxfer": __version__, "studies": studies}
    table = pa.Table.from_pylist(records or [_none()], schema=_schema(pa))
    table = table.slice(0, len(records)).replace_schema_metadata({META: json.dumps(facts)})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", compression_level=19)
    return out.getvalue()


def unpack(content: bytes, where: str) -> tuple[Part, ...]:
    """The studies of such a file.

    Raises:
        StoreError: If it is no such file, of a later schema, or holds a line that is no row.
    """
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
        facts = json.loads((table.schema.metadata or {}).get(META, b"null"))
        lines = table.select(["study", "predictions", "row"]).to_pylist() if facts else []
    except (OSError, ValueError, KeyError) as error:  # pyarrow's errors are of these kinds
        raise StoreError(
            f"it cannot be read as parquet: {str(error).splitlines()[0][:160]}",
            where=where,
            mend=AGAIN,
        ) from None
    studies = _studies(facts, where)
    return _parts(lines, studies, where)


def _studies(facts: Any, where: str) -> dict[str, Any]:
    if not isinstance(facts, dict) or not isinstance(facts.get("studies"), dict):
        raise StoreError(
            "a parquet file, but no result set of tsxfer",
            where=where,
            mend="tables for papers (tsxfer report --format parquet) hold no whole rows; "
            "write a set with: tsxfer results STUDY --out rows.parquet",
        )
    if facts.get("schema") != SCHEMA:
        raise StoreError(
            f"a result set of schema {facts.get('schema')!r}, written by tsxfer "
            f"{facts.get('tsxfer', '?')}; tsxfer {__version__} reads schema {SCHEMA}",
            where=where,
            mend="python -m pip install -U tsxfer",
        )
    found: dict[str, Any] = facts["studies"]
    return found


def _parts(lines: list[dict[str, Any]], studies: dict[str, Any], where: str) -> tuple[Part, ...]:
    held, unread = repeated(), list[str]()
    rows: dict[str, list[Result]] = {name: [] for name in studies}
    hashes: dict[str, dict[str, str]] = {name: {} for name in studies}
    left_out: dict[str, Counter[str]] = {name: Counter() for name in studies}
    for number, line in enumerate(lines):
        try:
            record = json.loads(line["row"])
            row = from_record(record, held)
            rows[line["study"]].append(row)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, TsxferError):
            unread.append(f"row {number}")
            continue
        left_out[line["study"]].update(unknown(record))
        if line["predictions"]:
            hashes[line["study"]][row.key] = line["predictions"]
    refuse_unread(unread, where, __version__)
    return tuple(
        Part(
            study=name,
            study_toml=str(texts[0]),
            lock_toml=str(texts[1]),
            rows=tuple(rows[name]),
            hashes=hashes[name],
            unknown=left_out[name],
        )
        for name, texts in studies.items()
    )


def _ordered(rows: tuple[Result, ...]) -> Iterator[Result]:
    return iter(sorted(rows, key=lambda row: (row.trial.dataset, row.trial.repeat, row.key)))


def _record(part: Part, row: Result) -> dict[str, Any]:
    return {
        "study": part.study,
        "predictions": part.hashes.get(row.key, ""),
        **flat(row),
        "row": to_line(row),
    }


def flat(row: Result) -> dict[str, Any]:
    """What most readers ask of a row, without nesting; `None` where a row has none.

    ``gain`` needs the twin's row too, and is added where both are at hand.
    """
    trial, reuse = row.trial, row.trial.reuse
    return {
        "key": row.key,
        "status": row.status,
        "source": reuse.words if reuse else None,
        "pretraining": reuse.source.repeat if reuse else None,
        "control": trial.control or None,
        "strategy": (reuse.strategy.words or "copy") if reuse else None,
        "baseline": trial.baseline,
        "target": trial.dataset,
        "model": trial.model,
        "size": trial.size,
        "repeat": trial.repeat,
        "profile": trial.profile,
        **measured(row),
    }


TEXTS = (
    "study", "predictions", "key", "status", "source", "control", "strategy", "baseline", "target",
    "model", "size", "profile", "metric", "labels", "origin", "row",
)  # fmt: skip
WHOLE = ("pretraining", "repeat")
LISTS = ("curve_samples", "curve_score")


def _schema(pa: Any) -> Any:
    """Types of all columns, so that a column of nothing but gaps keeps its own."""

    def kind(name: str) -> Any:
        if name in TEXTS:
            return pa.string()
        if name in WHOLE:
            return pa.int64()
        return pa.list_(pa.float64()) if name in LISTS else pa.float64()

    return pa.schema([(name, kind(name)) for name in _none()])


def _none() -> dict[str, None]:
    """A record of gaps: the columns in order."""
    first = ("study", "predictions")
    rest = (
        "key", "status", "source", "pretraining", "control", "strategy", "baseline", "target",
        "model", "size", "repeat", "profile", "metric", "score", "chance", "margin", "seconds",
        "samples", "curve_samples", "curve_score", "labels", "origin", "row",
    )  # fmt: skip
    return dict.fromkeys((*first, *rest))
