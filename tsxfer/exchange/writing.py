"""Result sets as files and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from tsxfer.core.results import Result
from tsxfer.core.sizes import place_in_order
from tsxfer.errors import SpecError
from tsxfer.exchange import packed
from tsxfer.exchange.board import boards
from tsxfer.exchange.frame import frame
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.exchange.words import board_markdown
from tsxfer.store.files import put
from tsxfer.store.rows import to_line

FORMS = (".parquet", ".csv", ".jsonl")
ROWS = "the rows"


def write(found: ResultSet, out: Path) -> None:
    """Write a set: whole as parquet or lines, flat as csv.

    Raises:
        SpecError: For another ending.
        StoreError: If the file cannot be written.
    """
    if out.suffix not in FORMS:
        raise SpecError(
            f"{out.suffix or out.name!r} is no form of rows",
            where="--out",
            mend=f"end the name in one of {', '.join(FORMS)}",
        )
    if out.suffix == ".parquet":
        put(out, packed.pack(found.parts), ROWS)
    elif out.suffix == ".jsonl":
        put(out, "".join(f"{to_line(row)}\n" for row in found.rows).encode(), ROWS)
    else:
        put(
            out,
            frame(found)
            .drop(columns=["curve_samples", "curve_score"])
            .to_csv(index=False)
            .encode(),
            ROWS,
        )


def summary(found: ResultSet) -> str:
    """What a set holds, by study, target and arm, with mean scores."""
    rows = [row for row in found.rows if row.status == "done"]
    lines = [f"{found.name}: {sum(1 for _ in found.rows)} rows, {len(found.parts)} studies"]
    for part in found.parts:
        lines += ["", part.study or "(no study file)", *_of_part(part)]
    foreign = Counter(row.origin for row in rows if row.origin)
    lines += ["", *(f"{count} rows merged from {origin}" for origin, count in foreign.items())]
    return "\n".join(lines).rstrip() + "\n"


def _of_part(part: Part) -> Iterator[str]:
    cells: dict[tuple[str, ...], list[Result]] = {}
    started = part.pretrainings
    for row in part.rows:
        cells.setdefault(_arm(row, started), []).append(row)
    labels = _labels(part.rows)
    ordered = sorted(cells, key=lambda arm: (*arm[:2], labels[arm[0], arm[2]], *arm[2:]))
    for target, model, size, arm in ordered:
        rows = cells[target, model, size, arm]
        scores = [row.scores[row.metric] for row in rows if row.status == "done"]
        mean = f"{rows[0].metric} {sum(scores) / len(scores):.4g}" if scores else "failed"
        yield f"  {target:14} {model:13} {size:8} {arm:32} {len(scores)} × {mean}"


def _labels(rows: Iterable[Result]) -> dict[tuple[str, str], int]:
    """Labels that a size stands for at a target, as rows used them; a guess where none says."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        place = (row.trial.dataset, row.trial.size)
        used = row.sizes.get("train", 0) + row.sizes.get("validation", 0)
        found[place] = max(found.get(place, 0), used)
    return {place: used or place_in_order(place[1]) for place, used in found.items()}


def _arm(row: Result, started: Collection[str]) -> tuple[str, ...]:
    """What a row is; `started` are the keys of those that others start from."""
    trial = row.trial
    plain = "pretraining" if row.key in started else "scratch"
    way = trial.reuse.strategy.words if trial.reuse else ""  # ways of transfer are not one arm
    start = " ".join(filter(None, (trial.source, way)))
    return trial.dataset, trial.model, trial.size, trial.baseline or start or plain


def board_page(found: ResultSet) -> str:
    """Every board of a set as one page of Markdown."""
    tables = "\n".join(board_markdown(one) for one in boards(found))
    return f"# Board of {found.name}\n\n{_about(found)}\n\n{tables}"


def _about(found: ResultSet) -> str:
    return (
        f"Made of {found.origin} by `tsxfer board {found.name}`. A rank is that of the mean over "
        "targets; its interval and that of the mean hold 95 % of the draws in which whole targets "
        "are drawn again. A source is never its own target, so sources stand on different targets. "
        "*Beyond* a control is the gain less what the control gains: what is left is not due to "
        "the network's start. Only comparisons with a valid scratch arm and all declared repeats "
        "count."
    )
