"""Whether rows are what they were when written, and bound by what was declared before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

import numpy as np

from tsxfer import metrics
from tsxfer.checks.held import Check, Held, words
from tsxfer.core.names import is_given
from tsxfer.core.results import Overlap, Result
from tsxfer.core.specs import Trial
from tsxfer.data import catalogue, overlap, prepare, sealed
from tsxfer.data.card import Card
from tsxfer.data.labels import expected
from tsxfer.data.marks import marks, marks_of
from tsxfer.data.task import judged_card, load_task
from tsxfer.errors import StoreError, TsxferError
from tsxfer.stats.lock import FILE, read_lock
from tsxfer.store import given
from tsxfer.store.predictions import row_digest
from tsxfer.store.rows import from_record
from tsxfer.store.workspace import Workspace

LATER = {"analysis", "cost", "environment", "origin"}  # stamped on a row, or of the machine


def _lock(held: Held) -> Check:
    """The declared analysis is there, is that of the rows, and holds the margins of the cards."""
    stamped = [row for row in held.done if row.analysis]
    what = "the analysis that rows were made under is declared, with the cards' margins"
    try:
        declared = read_lock(held.folder)
    except TsxferError as error:
        return Check("lock", what, len(stamped), (str(error),))
    faults = list[str]()
    if declared is None and stamped:
        faults.append(f"{FILE} is missing, and {len(stamped)} row(s) carry the hash of one")
    if declared is not None:
        other = [row for row in stamped if row.analysis != declared.digest]
        if other:
            faults.append(
                f"{FILE} has the hash {declared.digest}; {len(other)} row(s) carry another, such "
                f"as {words(other[0].trial)}: {other[0].analysis}"
            )
        metrics_of = {t.dataset: t.metric for t in held.trials if t.metric}
        cards = {
            name: _card(name, held.workspace, metrics_of.get(name, "")) for name in declared.margins
        }
        faults += [
            f"{FILE} has the margin {declared.margins[name]:g} for {name}, its card {card.margin:g}"
            for name, card in cards.items()
            if card and card.margin != declared.margins[name]
        ]
    return Check("lock", what, len(stamped), tuple(faults))


def _card(name: str, workspace: Workspace, metric: str = "", rule: str = "") -> Card | None:
    try:
        return judged_card(catalogue.find(name, workspace).card, metric, rule)
    except TsxferError:
        return None


def _own(held: Held) -> tuple[list[tuple[Result, Card]], int]:
    """Finished rows that tsxfer made of data sets that it knows, and how many others there are."""
    card = cache(lambda name, metric, rule: _card(name, held.workspace, metric, rule))
    made = [row for row in held.done if "tsxfer" in row.environment]
    terms = [(row, (row.trial.dataset, row.trial.metric, row.trial.split)) for row in made]
    found = [(row, c) for row, named in terms if (c := card(*named)) is not None]
    return found, len(held.done) - len(found)


def _margins(held: Held) -> Check:
    rows, skipped = _own(held)
    faults = [
        f"{words(row.trial)}: margin is {row.margin:g}, the card's {card.margin:g}"
        for row, card in rows
        if row.margin != card.margin
    ]
    what = "rows have the margins of their data sets' cards"
    return Check("margins", what, len(rows), tuple(faults), skipped, "rows of data sets of others")


def _labels(held: Held) -> Check:
    """Warnings are told from what a row is made of; a row may carry more, never fewer."""
    rows, skipped = _own(held)
    faults = []
    for row, card in rows:
        of_weights = _of_weights(row.trial, held.workspace)
        lost = set(expected(row.trial, card.warnings, row.overlap, of_weights)) - set(row.labels)
        if lost:
            faults.append(f"{words(row.trial)}: lacks the warning {', '.join(sorted(lost))}")
    what = "rows carry every warning that they must"
    return Check("labels", what, len(rows), tuple(faults), skipped, "rows of data sets of others")


def _of_weights(trial: Trial, workspace: Workspace) -> tuple[str, ...]:
    """Warnings of weights made elsewhere, where they are still here."""
    try:
        return given.warnings(workspace, trial)
    except TsxferError:
        return ()


def _rows(held: Held) -> Check:
    """The hash of a row lies beside its predictions: who edits one must edit both.

    Sources keep weights, whose header is looked at by another check.
    """
    faults, count, skipped = list[str](), 0, 0
    for row in held.done:
        kept = "" if row.key in held.sources else row_digest(held.folder, row.key)
        if not kept:
            skipped += 1
            continue
        count += 1
        if kept != row.digest:
            faults.append(
                f"{words(row.trial)}: the row is not the one that its predictions were of"
            )
    note = "pretrainings, rows without predictions, or of an earlier version"
    return Check("rows", "rows are as they were written", count, tuple(faults), skipped, note)


def edited(row: Result, record: Mapping[str, object]) -> list[str]:
    """Names of the fields in which a row differs from a record of it."""
    try:
        other = from_record(dict(record))
    except (StoreError, TsxferError, ValueError, TypeError):
        return ["the whole row"]
    return differing(row, other)


def differing(row: Result, other: Result) -> list[str]:
    """Names of the fields in which two rows differ, but for what is stamped on them later."""
    names = [f.name for f in fields(Result) if f.name not in LATER]
    return [name for name in names if getattr(row, name) != getattr(other, name)]


def _curves(held: Held) -> Check:
    """Curves start at no sample, go on, and stay where the metric can be."""
    with_curve = [row for row in held.done if row.curve]
    rows = [row for row in with_curve if "tsxfer" in row.environment]
    faults = [f"{words(row.trial)}: {fault}" for row in rows for fault in _curve_faults(row)]
    what = "curves begin at 0 samples, and hold what the metric can be"
    skipped = len(with_curve) - len(rows)
    return Check("curves", what, len(rows), tuple(faults), skipped, "curves of others")


def _curve_faults(row: Result) -> Iterator[str]:
    samples, score = row.curve["samples"], row.curve["score"]
    low, high = metrics.get(row.metric).span
    if samples[0] != 0 or any(b <= a for a, b in pairwise(samples)):
        yield "its samples do not rise from 0"
    if not all(low - 1e-9 <= value <= high + 1e-9 for value in score):
        yield f"its scores leave [{low:g}, {high:g}]"


def _chance(held: Held) -> Check:
    """The best trivial prediction is found again from the labels as prepared."""
    rows, skipped = _own(held)
    known, count, faults = dict[object, dict[str, float]](), 0, list[str]()
    for row, _ in rows:
        if row.trial.recipe.objective != "labels" or not _lies(held, row):
            skipped += 1
            continue
        t = row.trial
        terms = (t.dataset, t.profile, t.size, t.repeat, t.part, t.metric, t.split)
        if terms not in known:
            known[terms] = _blind(held.workspace, t)
        count += 1
        faults += [f"{words(t)}: {fault}" for fault in _other_chance(row, known[terms])]
    what = "the scores of trivial predictions come out again"
    note = "rows whose data is not here or large (--data), or that learned no labels"
    return Check("chance", what, count, tuple(faults), skipped, note)


def _blind(workspace: Workspace, trial: Trial) -> dict[str, float]:
    task = load_task(workspace, trial)
    return sealed.chance(task, sealed.test_windows(task), task.test.open("verify"))


def _other_chance(row: Result, again: Mapping[str, float]) -> Iterator[str]:
    for name, value in again.items():
        told = row.chance.get(name)
        if told is None or not np.isclose(told, value, rtol=1e-6, atol=1e-9):
            yield f"chance of {name} is {told} in the row, {value:.6g} computed again"


def _lies(held: Held, row: Result) -> bool:
    """The data that a row was made of lies here as it was, and is not too large to be read."""
    now = held.now
    if any(now.get(name) != made for name, made in row.data.items() if not name.endswith(".py")):
        return False
    names = row.trial.datasets
    return set(names) <= now.keys() and all(_small(held, name) for name in names)


def _small(held: Held, name: str) -> bool:
    size = sum(path.stat().st_size for path in held.workspace.data(name).glob("[xy].npy"))
    return not (size > held.most_bytes > 0)


AGAIN = (
    "take its line (with this key) out of results/STUDY/*.jsonl and run the study again, which "
    "trains this row anew and labels it"
)


def _overlaps(held: Held) -> Check:
    """What a source has seen of the target's test part is counted again from the windows."""
    rows = [row for row, _ in _own(held)[0] if _lies(held, row)]
    names = dict.fromkeys(n for row in rows for n in row.trial.datasets if not is_given(n))
    faults = [fault for name in names for fault in _other_marks(held.workspace, name)]
    for row in rows if not faults else []:
        again = overlap.of_trial(held.workspace, row.trial)
        if any(one.unknown for one in again):
            again, row = (
                _compared(again, again),
                replace(row, overlap=_compared(row.overlap, again)),
            )
        if row.overlap and row.overlap != _as_then(again, row):
            faults.append(
                f"{words(row.trial)}: {_told(row.overlap)} in the row, {_told(again)} counted"
            )
        elif not row.overlap and overlap.labels_of(again, row.trial.dataset):
            faults.append(
                f"{words(row.trial)}: the row says nothing, counted: {_told(again)}; it is older "
                f"than this check, or edited: {AGAIN}"
            )
    what = "what sources have seen of test parts is counted again"
    note = "rows whose data is not here, or large: --data counts those too"
    return Check("overlap", what, len(rows), tuple(faults), len(held.done) - len(rows), note)


def _as_then(again: Sequence[Overlap], row: Result) -> tuple[Overlap, ...]:
    """What is counted now, less what was not looked for when the row was made."""
    before = {one.source for one in row.overlap if one.moved is None}
    return tuple(replace(one, moved=None) if one.source in before else one for one in again)


def _compared(found: Sequence[Overlap], again: Sequence[Overlap]) -> tuple[Overlap, ...]:
    """Without those of weights whose data is not here now, though it may have been."""
    unknown = {one.source for one in again if one.unknown}
    return tuple(one for one in found if one.source not in unknown)


def _other_marks(workspace: Workspace, name: str) -> Iterator[str]:
    """Marks that are kept are made again: an edited file would hide a copy."""
    data = prepare.load(catalogue.find(name, workspace), workspace.data(name))
    if data is not None and not np.array_equal(
        marks_of(data), marks(data.array("x")), equal_nan=True
    ):
        yield f"{name}: the marks of its windows are not theirs: delete {data.folder}/marks*.npy"


def _told(found: Sequence[Overlap]) -> str:
    return "; ".join(f"{one.source}: {one.told}" for one in found)


CHECKS: Sequence[Callable[[Held], Check]] = (
    _rows,
    _lock,
    _margins,
    _labels,
    _chance,
    _curves,
    _overlaps,
)
