"""What a study costs and what it can find, before it runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tsxfer import metrics
from tsxfer.api.misfits import fit_weights, refuse_misfits
from tsxfer.core.expansion import expand
from tsxfer.core.names import is_given
from tsxfer.core.results import Result
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.core.study import Study
from tsxfer.data import catalogue, matching, prepare
from tsxfer.data.task import parts_of
from tsxfer.running.estimate import estimate
from tsxfer.stats.cells import Cell, cells
from tsxfer.stats.compare import LEVEL, compare
from tsxfer.stats.declare import declare
from tsxfer.stats.lock import FILE
from tsxfer.stats.outlook import Outlook, outlook
from tsxfer.stats.power import (
    POWER,
    RARE,
    REAL,
    Reach,
    detectable,
    expected_level,
    floor_warning,
    reach,
)
from tsxfer.stats.scope import FEWEST_GROUPS, NewGroups, plural
from tsxfer.stats.sequential import at_last
from tsxfer.stats.testset import from_predictions
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

MEASURED = 10  # finished comparisons of a target whose predictions are read
LIMITED = {
    "repeats": "more repeats help most",
    "groups": "more repeats help little; more groups in the data would",
    "pretrainings": "more pretrainings help most",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study costs and what it can find.

    Attributes:
        study: What would be compared.
        facts: Counts of trials and comparisons, hours left (``hours_left``, from ``hours_from``),
            and where the analysis is declared.
        families: Smallest gain found with 80 % power on these test instances, a family each, in sd
            of one paired difference.
        ahead: Smallest gain for new groups, a target each.
    """

    study: Study
    facts: dict[str, Any]
    families: tuple[Reach, ...]
    ahead: tuple[Outlook, ...]

    def as_plain(self) -> dict[str, Any]:
        """For programs."""
        power = [asdict(family) for family in self.families]
        return self.facts | {"power": power, "new_groups": [asdict(one) for one in self.ahead]}

    def __str__(self) -> str:
        return "\n".join(
            [
                *(f"{what:13} {value}" for what, value in self.facts.items() if value is not None),
                "",
                "smallest gain on these test instances found with 80 % power, in sd of one paired",
                "difference:",
                *map(_power_line, self.families),
                *_assumed(self.families),
                *_looks(self.study, self.facts["comparisons"]),
                "",
                "smallest gain for new groups, which verdicts are for:",
                *map(_ahead_line, self.ahead),
                *_of_pretrainings(self.study),
            ]
        )

    def __repr__(self) -> str:
        return str(self)


def planned(study: Study, workspace: Workspace) -> Plan:
    """Counts, cost and power of a study; fixes its analysis where no row is there yet."""
    trials = expand(study)
    refuse_misfits(study, trials)
    matching.refuse(workspace, trials)
    sys.stderr.writelines(f"{line}\n" for line in fit_weights(study, trials, workspace))
    store = Store.of(workspace, study.name)
    rows = store.rows()
    declared = declare(study, trials, store, workspace)
    done = [rows[t.key] for t in trials if t.key in rows and rows[t.key].status == "done"]
    ended = {row.key for row in done}
    left = estimate([t for t in trials if t.key not in ended], rows.values(), workspace)
    treated = [t for t in trials if t.reuse and t.repeat == 0]
    compared = [t for t in treated if not t.control and t.profile == study.profile]
    elsewhere = [t for t in treated if t.profile != study.profile]
    facts: dict[str, Any] = {
        "study": study.name,
        "data": study.data,
        "profile": ", ".join(study.protocols),
        "trials": len(trials),
        "pretrainings": len({o.key for t in trials for o in t.origins if not o.given}),
        "comparisons": len(compared),
        "controls": len(treated) - len(compared) - len(elsewhere) or None,
        "elsewhere": len(elsewhere) or None,
        "baselines": len({replace(t, repeat=0) for t in trials if t.baseline}) or None,
        "repeats": study.repeats,
        "done": len(done),
        "to_do": len(trials) - len(done),
        "hours_left": left.hours,
        "hours_from": left.basis,
        "declared": f"{store.folder / FILE} ({declared.digest})",
        "note": floor_warning(study.repeats, len(compared)),
    }
    families = _families(study, compared)
    ahead = _outlooks(study, trials, rows, workspace, len(compared))
    return Plan(study, facts, families, tuple(ahead))


def _families(study: Study, compared: list[Trial]) -> tuple[Reach, ...]:
    pairs = {(t.source, t.dataset) for t in compared}
    return reach(study.repeats, len(compared), len(study.sizes), len(pairs), looks=study.looks)


def _power_line(family: Reach) -> str:
    size = "cannot reject" if family.effect is None else f"{family.effect:.2f} sd"
    return (
        f"  {family.family:8} {family.tests:4} test(s), {family.correction}, "
        f"level {family.level:.4f}: {size}"
    )


def _assumed(families: tuple[Reach, ...]) -> list[str]:
    """What the primary family's level takes for granted, and what holds if it does not."""
    return [
        f"  assumes that {REAL:.0%} of the comparisons really differ; if {RARE:.0%} do, the same "
        f"effect is found with {min(POWER, family.rare):.0%} power"
        for family in families
        if family.rare is not None
    ]


def _looks(study: Study, tests: int) -> list[str]:
    """What looks before the end cost at the end."""
    if not study.looks or not tests:
        return []
    level = expected_level(tests, LEVEL)
    ends = at_last(level, study.looks, study.repeats)
    alone, paid = (detectable(study.repeats, a) for a in (level, ends))
    more = f", for effects {paid / alone - 1:.1%} larger" if alone and paid else ""
    after = ", ".join(map(str, study.looks))
    return [
        f"  looks after {after} of {study.repeats} repeats are paid for: at the end a test of the "
        f"primary family must meet {ends:.4f} instead of {level:.4f}{more}; what a look finds "
        "before is found sooner"
    ]


def _outlooks(
    study: Study, trials: list[Trial], rows: Mapping[str, Result], workspace: Workspace, tests: int
) -> list[Outlook]:
    level = at_last(expected_level(max(1, tests), LEVEL), study.looks, study.repeats)
    finished = [
        cell
        for cell in cells(trials, rows, partial=True)
        if len(cell.pairs) > 1 and not cell.trial.control and cell.trial.profile == study.profile
    ]
    out = []
    for target in dict.fromkeys(t.dataset for t in trials if t.reuse):
        found = _measured(target, finished, workspace, study.name)
        known = _groups(target, study.profile, workspace)
        out.append(outlook(known, study.repeats, study.pretrainings, found, level))
    return out


def _measured(
    target: str, finished: list[Cell], workspace: Workspace, study: str
) -> list[NewGroups]:
    """What some finished comparisons of a target, with a valid baseline, say of new groups."""
    folder = workspace.results(study) / PREDICTIONS
    some = [cell for cell in finished if cell.trial.dataset == target][:MEASURED]
    errors = ((cell.name, from_predictions(cell, folder)) for cell in some)
    kept = {name: error for name, error in errors if error}
    return [c.beyond for c in compare(some, kept=kept) if c.valid]


def _groups(target: str, profile: str, workspace: Workspace) -> Outlook:
    """How many groups of a target are tested and learned from, if its data is prepared."""
    dataset = catalogue.find(target, workspace)
    card = dataset.card
    data = prepare.load(dataset, workspace.data(target))
    if data is None:
        return Outlook(
            target=target, metric=card.metric, word=card.group, tested=None, trained=None
        )
    proof = parts_of(data, PROFILES[profile]).proof(np.asarray(data.array("group")))
    tested, trained = proof["groups"]["test"], proof["groups"]["train"]
    shared = not PROFILES[profile].grouped or proof["shared_groups"] >= tested
    return Outlook(
        target=target,
        metric=card.metric,
        word=card.group,
        tested=tested,
        trained=trained,
        shared=shared,
    )


def _ahead_line(ahead: Outlook) -> str:
    """What can be said of new groups at one target, and what limits it."""
    word = plural(ahead.word)
    if ahead.tested is None:
        return f"  {ahead.target}: not prepared yet, so its test {word} are not counted"
    there = f"  {ahead.target}: {ahead.tested} test {word}, {ahead.trained} to learn from"
    if ahead.shared:
        return f"{there}, on both sides of the split: verdicts are for these test instances"
    if not ahead.speaks:
        return (
            f"{there}: nothing can be said of new {word}, {FEWEST_GROUPS} test {word} are needed; "
            "no number of repeats helps"
        )
    alone = f"{there}: endless repeats would find {ahead.alone:.2f} sd of one {ahead.word}'s gain"
    if ahead.effect is None or ahead.limited_by is None or ahead.errors is None:
        return f"{alone}; what limits is measured on the first repeats: run some, then plan again"
    unit = metrics.get(ahead.metric).title
    errors = ", ".join(f"{name} {error:.2g}" for name, error in ahead.errors.items())
    return (
        f"{alone}\n    measured on {ahead.measured} comparison(s): {ahead.effect:.3g} {unit}; "
        f"standard error from {errors}: {LIMITED[ahead.limited_by]}"
    )


def _of_pretrainings(study: Study) -> list[str]:
    """What one pretraining of a source leaves unsaid, and whether there can be a second."""
    given = [n for n in study.sources if is_given(n) and study.given.get(n, 1) == 1]
    trained = [n for n in study.sources if not is_given(n)] if study.pretrainings == 1 else []
    lines = [
        f"  one pretraining of {', '.join(given)}: nothing is said of another, and none is given"
    ]
    more = "nothing is said of another (pretrainings = 3 would)"
    return (lines if given else []) + (
        [f"  one pretraining of {', '.join(trained)}: {more}"] if trained else []
    )
