"""Tables of the experiments on starts: from `rows.parquet`, or that anew from runs.

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
from recipes import RECIPES, STUDY

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import NO_BACKBONE
from tsxfer.core.strategy import CHANNELS, Strategy
from tsxfer.core.study_files import read_study
from tsxfer.stats.tests import interval, plain_spread
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

HERE = Path(__file__).parent
# Targets: chosen on validation, confirmed on test.
CHOOSE = ("emg", "basicmotions_train+own")
CONFIRM = ("uci_emg", "japanesevowels_train+own")
RENORMALISED = "+renorm"  # statistics of normalisation from the target's training windows
FITTINGS = (*CHANNELS, "repeat" + RENORMALISED, "spread" + RENORMALISED)
SCRATCH = ("", "scratch", "")
BEGUN = ("", "scratch", RENORMALISED)
CONTROLS = "emg-controls"
WAYS = "emg-strategies"  # beside the plain copy of `emg-convnetquake`, from the same sources
NAMES = {recipe: name for name, recipe in RECIPES.items()}
Scores = pd.Series  # by repeat


def fitting(strategy: Strategy) -> str:
    """How channels were fitted, and whether normalisation was."""
    return strategy.channels + RENORMALISED * strategy.renormalised


def record(study: str, row: Result) -> dict[str, Any]:
    """One run: what it was, its best validation score and its test score."""
    reuse, higher = row.trial.reuse, metrics.get(row.metric).higher_is_better
    curve = row.curve.get("score") or [float("nan")]
    how = row.trial.baseline or NAMES.get(row.trial.recipe, "") if study == STUDY else ""
    return {
        "study": study,
        "key": row.key,
        "source": reuse.source.dataset.partition("@")[0] if reuse else "",
        "start": reuse.start.replace("weights", "trained") if reuse else "scratch",
        "channels": fitting(reuse.strategy) if reuse else _begun(row),
        "strategy": reuse.strategy.words or "copy" if reuse else "",
        "recipe": how,
        "baseline": row.trial.baseline or "",
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


def _begun(row: Result) -> str:
    """Whether scratch began with statistics of its own windows, as `renorm` gives a transfer."""
    return RENORMALISED if row.trial.baseline == "renormalised" else ""


def gathered(workspace: Workspace) -> pd.DataFrame:
    """Finished rows of the studies whose files lie here, pretrainings left out, and of recipes."""
    found = []
    for file in sorted(HERE.glob("*.toml")):
        study = read_study(file)
        targets = {name.partition("@")[0] for name in study.targets}
        for row in Store.of(workspace, file.stem).rows().values():
            asked = (
                row.trial.dataset.partition("@")[0] in targets and row.trial.model in study.models
            )
            here = row.status == "done" and asked and row.trial.recipe == study.recipe
            reuse = row.trial.reuse
            turn = row.trial.repeat % study.pretrainings
            if here and (reuse is None or reuse.source.repeat == turn):
                found.append(record(file.stem, row))
    kept = Store.of(workspace, STUDY).rows().values()
    found += [record(STUDY, row) for row in kept if row.status == "done"]
    return pd.DataFrame.from_records(found)


def by_repeat(rows: pd.DataFrame, score: str, arm: tuple[str, str, str]) -> Scores:
    """Scores of one arm by repeat."""
    source, start, channels = arm
    mask = (rows.source == source) & (rows.start == start) & (rows.channels == channels)
    return rows[mask].set_index("repeat")[score].sort_index()


def paired(first: Scores, second: Scores) -> str:
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
        for way in FITTINGS:
            trained = by_repeat(rows, "test", (source, "trained", way))
            bare = by_repeat(rows, "test", (source, "untrained", way))
            if len(trained):
                yield [
                    source, way, str(len(trained)), f"{trained.mean():.3f}", f"{bare.mean():.3f}",
                    paired(scratch, trained), paired(scratch, bare), paired(bare, trained),
                ]  # fmt: skip


def against_begun(rows: pd.DataFrame) -> Iterable[list[str]]:
    """Scratch that has statistics of its windows, and what a source is worth beside that."""
    begun = by_repeat(rows, "test", BEGUN)
    plain = paired(by_repeat(rows, "test", SCRATCH), begun)
    yield ["scratch", RENORMALISED, f"{begun.mean():.3f}", plain, ""]
    for source in sorted(set(rows.source) - {""}):
        for way in (one for one in FITTINGS if RENORMALISED in one):
            for start in ("trained", "untrained"):
                scores = by_repeat(rows, "test", (source, start, way))
                if len(scores):
                    minus = paired(by_repeat(rows, "test", SCRATCH), scores)
                    name = source if start == "trained" else f"{source}, untrained"
                    yield [name, way, f"{scores.mean():.3f}", minus, paired(begun, scores)]


def against_repeat(rows: pd.DataFrame, score: str) -> Iterable[list[str]]:
    """Each way minus `repeat`, over the sources that were fitted so: averaged within repeats."""
    for way in FITTINGS[1:]:
        sources = sorted(set(rows[rows.channels == way].source) - {""})
        gains = [
            by_repeat(rows, score, (s, "trained", way))
            - by_repeat(rows, score, (s, "trained", "repeat"))
            for s in sources
        ]
        if not gains:
            continue
        mean = pd.concat(gains, axis=1).mean(axis=1, skipna=False).dropna()
        if len(mean) > 1:
            yield [way, str(len(mean)), paired(mean * 0, mean)]


def ways(rows: pd.DataFrame) -> Iterable[list[str]]:
    """Each strategy that spreads kernels, beside the plain copy that spreads, and scratch."""
    plain = rows[(rows.study == "emg-convnetquake")]
    mine = rows[rows.study == WAYS]
    for (source, name), group in mine[mine.source != ""].groupby(["source", "strategy"]):
        scores = group.set_index("repeat").test.sort_index()
        copy = by_repeat(plain, "test", (str(source), "trained", "spread"))
        scratch = by_repeat(plain, "test", SCRATCH)
        bare = by_repeat(plain, "test", (str(source), "untrained", "spread"))
        yield [
            str(source), str(name), str(len(scores)), f"{scores.mean():.3f}",
            paired(copy, scores), paired(scratch, scores), paired(bare, scores),
        ]  # fmt: skip


def controls(rows: pd.DataFrame) -> Iterable[list[str]]:
    """Each start of the same source, by fitting, and the baselines beside scratch."""
    scratch = by_repeat(rows[rows.model != NO_BACKBONE], "test", SCRATCH)
    for name, mine in rows[rows.model == NO_BACKBONE].groupby("baseline"):
        scores = mine.set_index("repeat").test.sort_index()
        yield [str(name), "", f"{scores.mean():.3f}", paired(scratch, scores), ""]
    for way in ("repeat", "spread"):
        trained = by_repeat(rows, "test", ("speech", "trained", way))
        for start in ("trained", "untrained", "permuted", "moments"):
            scores = by_repeat(rows, "test", ("speech", start, way))
            more = "" if start == "trained" else paired(scores, trained)
            yield [start, way, f"{scores.mean():.3f}", paired(scratch, scores), more]


def recipes(rows: pd.DataFrame) -> Iterable[list[str]]:
    """Each recipe and baseline minus the usual recipe, test and validation; better is positive."""
    usual = rows[rows.recipe == "usual"].set_index("repeat").sort_index()
    sign = metrics.get(rows.metric.iloc[0]).sign
    for name in [*RECIPES, "renormalised", "summary", "minirocket"]:
        mine = rows[rows.recipe == name].set_index("repeat").sort_index()
        if not len(mine):
            continue
        same = name == "usual"
        yield [
            name, str(len(mine)), f"{mine.test.mean():.3f}",
            "" if same else paired(sign * usual.test, sign * mine.test),
            "" if same else paired(sign * usual.validation, sign * mine.validation),
            f"{mine.seconds.mean():.0f}",
        ]  # fmt: skip


def table(title: str, head: list[str], lines: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return f"\n### {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def fittings(rows: pd.DataFrame) -> Iterable[str]:
    """Tables of the fittings of channels."""
    head = ["source", "fitting", "n", "trained", "untrained", "trained minus scratch"]
    head += ["untrained minus scratch", "trained minus untrained"]
    for (study, target), of in rows.groupby(["study", "target"]):
        several = rows[rows.study == study].target.nunique() > 1
        yield table(f"{study}: {target}" if several else str(study), head, cells(of))
        if len(by_repeat(of, "test", BEGUN)):
            more = ["source", "fitting", "score", "minus scratch", "minus scratch" + RENORMALISED]
            yield table(f"{study}: scratch with the same statistics", more, against_begun(of))
    for model, of in rows.groupby("model"):
        for half, score in ((CHOOSE, "validation"), (CONFIRM, "validation"), (CONFIRM, "test")):
            for target in half:
                lines = list(against_repeat(of[of.target == target], score))
                if lines:
                    title = f"{model}, {target}: minus repeat, {score}"
                    yield table(title, ["fitting", "n", "minus repeat"], lines)


def main() -> None:
    """Print every table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workspace", type=Path)
    folder = asked.parse_args().workspace
    if folder:
        gathered(Workspace(folder)).to_parquet(HERE / "rows.parquet", index=False)
    rows = pd.read_parquet(HERE / "rows.parquet")
    out = list(fittings(rows[~rows.study.isin([WAYS, STUDY, CONTROLS])]))
    head = ["source", "strategy", "n", "macro F1", "minus copy+spread", "minus scratch"]
    out.append(table("strategies", [*head, "minus untrained copy+spread"], ways(rows)))
    head = ["start", "fitting", "macro F1", "minus scratch", "trained minus this"]
    if CONTROLS in set(rows.study):
        out.append(table("controls", head, controls(rows[rows.study == CONTROLS])))
    head = ["recipe", "n", "score", "minus usual, test", "minus usual, validation", "seconds"]
    made = rows[rows.study == STUDY]
    for target, of in made.groupby("target"):
        for model in sorted(set(of.model) - {NO_BACKBONE}):
            part = of[of.model.isin([model, NO_BACKBONE])]
            out.append(table(f"recipes: {model}, {target}", head, recipes(part)))
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
