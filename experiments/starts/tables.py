"""Tables of the experiment on fitting channels: from `rows.parquet`, or that anew from runs.

python experiments/starts/tables.py                          # tables from the kept rows
python experiments/starts/tables.py --workspace FOLDER       # rows.parquet anew, then tables
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from tsxfer import metrics
from tsxfer.core.specs import Result
from tsxfer.core.strategy import CHANNELS
from tsxfer.stats.tests import interval, plain_spread
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

HERE = Path(__file__).parent
CHOOSE, CONFIRM = (
    ("emg", "openeew"),
    ("uci_emg",),
)  # targets: chosen on validation, confirmed on test
SCRATCH = ("", "scratch", "")


def record(study: str, row: Result) -> dict[str, Any]:
    """One run: what it was, its best validation score and its test score."""
    reuse, higher = row.trial.reuse, metrics.get(row.metric).higher_is_better
    curve = row.curve["score"]
    return {
        "study": study,
        "key": row.key,
        "source": reuse.source.dataset.partition("@")[0] if reuse else "",
        "start": ("untrained" if reuse.start == "untrained" else "trained") if reuse else "scratch",
        "channels": reuse.strategy.channels if reuse else "",
        "target": row.trial.dataset.partition("@")[0],
        "model": row.trial.model,
        "size": row.trial.size,
        "repeat": row.trial.repeat,
        "pretraining": reuse.source.repeat if reuse else -1,
        "metric": row.metric,
        "validation": max(curve) if higher else min(curve),
        "test": row.scores[row.metric],
        "chance": row.chance[row.metric],
        "samples": row.cost["samples"],
        "seconds": row.cost["seconds"],
    }


def gathered(workspace: Workspace) -> pd.DataFrame:
    """Finished rows of the studies whose files lie here, pretrainings left out."""
    found = []
    for file in sorted(HERE.glob("*.toml")):
        target = file.stem.partition("-")[0]
        rows = Store.of(workspace, file.stem).rows().values()
        here = [r for r in rows if r.status == "done" and r.trial.dataset.startswith(f"{target}@")]
        found += [record(file.stem, r) for r in here]
    return pd.DataFrame.from_records(found)


def by_repeat(rows: pd.DataFrame, score: str, arm: tuple[str, str, str]) -> pd.Series[float]:
    """Scores of one arm by repeat."""
    source, start, channels = arm
    mask = (rows.source == source) & (rows.start == start) & (rows.channels == channels)
    return rows[mask].set_index("repeat")[score].sort_index()


def paired(first: pd.Series[float], second: pd.Series[float]) -> str:
    """Mean of second minus first over the repeats that both have, with its 95 % interval."""
    d = (second - first).dropna().to_numpy()
    if len(d) < 2:
        return "n/a"
    low, high = interval(d, plain_spread(d))
    return f"{d.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def cells(rows: pd.DataFrame) -> Iterable[list[str]]:
    """Each source and fitting beside scratch, and the trained source beside the untrained."""
    scratch = by_repeat(rows, "test", SCRATCH)
    yield ["scratch", "", str(len(scratch)), f"{scratch.mean():.3f}", "", "", "", ""]
    for source in sorted(set(rows.source) - {""}):
        for way in CHANNELS:
            trained = by_repeat(rows, "test", (source, "trained", way))
            bare = by_repeat(rows, "test", (source, "untrained", way))
            if len(trained):
                yield [
                    source, way, str(len(trained)), f"{trained.mean():.3f}", f"{bare.mean():.3f}",
                    paired(scratch, trained), paired(scratch, bare), paired(bare, trained),
                ]  # fmt: skip


def against_repeat(rows: pd.DataFrame, score: str) -> Iterable[list[str]]:
    """Each way minus `repeat`, over sources: differences are averaged within repeats first."""
    sources = sorted(set(rows.source) - {""})
    for way in CHANNELS[1:]:
        gains = [
            by_repeat(rows, score, (s, "trained", way))
            - by_repeat(rows, score, (s, "trained", "repeat"))
            for s in sources
        ]
        if not gains:
            return
        mean = pd.concat(gains, axis=1).mean(axis=1, skipna=False).dropna()
        if len(mean) > 1:
            yield [way, str(len(mean)), paired(mean * 0, mean)]


def table(title: str, head: list[str], lines: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return f"\n### {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Print every table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workspace", type=Path)
    folder = asked.parse_args().workspace
    if folder:
        gathered(Workspace(folder)).to_parquet(HERE / "rows.parquet", index=False)
    rows = pd.read_parquet(HERE / "rows.parquet")
    head = ["source", "fitting", "n", "trained", "untrained", "trained minus scratch"]
    head += ["untrained minus scratch", "trained minus untrained"]
    out = [table(str(s), head, cells(of)) for s, of in rows.groupby("study")]
    for model, of in rows.groupby("model"):
        for half, score in ((CHOOSE, "validation"), (CONFIRM, "validation"), (CONFIRM, "test")):
            for target in half:
                part = of[of.target == target]
                lines = list(against_repeat(part, score))
                if lines:
                    title = f"{model}, {target}: minus repeat, {score}"
                    out.append(table(title, ["fitting", "n", "minus repeat"], lines))
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
