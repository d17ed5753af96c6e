"""Commands that only read; none of them imports torch."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tsxfer import metrics
from tsxfer.core.doors import DOORS, METRICS
from tsxfer.core.expansion import trials_of
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.names import DatasetName
from tsxfer.core.options import bare
from tsxfer.core.registry import Registry
from tsxfer.core.specs import BASELINES, CONTROLS, LABELS
from tsxfer.core.strategy import PARTS, STRATEGIES, options_of
from tsxfer.core.strategy import named as strategy_named
from tsxfer.core.study import COMBINATIONS
from tsxfer.core.study_files import read_study
from tsxfer.data import catalogue
from tsxfer.errors import SpecError, TsxferError, nearest, printable
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    from tsxfer.zoo.shelf import Entry


def choices() -> dict[str, tuple[str, ...]]:
    """What commands choose among beside data sets and models, by option; the user's own last."""
    known = {noun: _ours_first(door) for noun, door in DOORS.items()}
    return {
        "--strategy": (
            *known["method"],
            "first_K",
            "first_K_frozen",
            "NAME:OPTION=VALUE",
            *(f"NAME+{p}" for p in PARTS),
        ),
        "--pretrain": (LABELS, *known["objective"]),
        "--combine": COMBINATIONS,
        "--controls": CONTROLS,
        "--baselines": BASELINES,
        "--head": known["head"],
        "--split": known["split"],
        "--statistics": known["statistic"],
        "rankers": known["ranker"],
    }


def _ours_first(door: Registry) -> tuple[str, ...]:
    own = door.own_names()
    return (*own, *(name for name in door.names() if name not in own))


def say(lines: list[str]) -> None:
    """Write lines to standard output, with nothing in them that steers a terminal."""
    whole = (part for line in lines for part in line.split("\n"))
    sys.stdout.write("\n".join(map(printable, whole)) + "\n")


def say_json(value: object) -> None:
    """Write a value for programs."""
    sys.stdout.write(json.dumps(value, indent=1, default=str) + "\n")


def _prepared(workspace: Workspace, name: str) -> dict[str, Any] | None:
    facts = workspace.data(name) / "meta.json"
    try:
        found = json.loads(facts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def show_list(workspace: Workspace, as_json: bool) -> None:
    """Data sets, models and metrics."""
    from tsxfer.zoo import shelf  # other commands show without it

    cards = [catalogue.find(name).card for name in catalogue.names()]
    if as_json:
        say_json(
            {
                "datasets": [
                    {"id": c.id, "title": c.title, "prepared": bool(_prepared(workspace, c.id))}
                    for c in cards
                ],
                "own": catalogue.own_names(workspace),
                "models": {name: MODELS.summary(name) for name in MODELS.names()},
                "zoo": {name: asdict(entry) for name, entry in shelf.entries().items()},
                "metrics": METRICS.names(),
                "choices": choices(),
            }
        )
        return
    lines = ["data sets"]
    for card in cards:
        state = "prepared" if _prepared(workspace, card.id) else ""
        stand_in = "+sim" if catalogue.find(card.name).stand_in else ""
        lines.append(f"  {card.name:14} {state:9} {stand_in:5} {card.domain:11} {card.title}")
    for name in catalogue.own_names(workspace):
        card = catalogue.find(name, workspace).card
        lines.append(f"  {name:30} {card.domain:11} {card.title}")
    lines += ["models", *(f"  {name:14} {MODELS.summary(name)}" for name in MODELS.names())]
    lines += ["zoo: weights that are a --source as zoo:NAME (tsxfer show zoo:NAME has the card)"]
    lines += [f"  {e.name:20} {_trainings(e)}: {e.holds}" for e in shelf.entries().values()]
    lines += ["metrics", *map(_metric_line, METRICS.names())]
    lines += [f"{what:12} {', '.join(names)}" for what, names in choices().items()]
    say([*lines, "+sim: has a built-in simulator, used when no real data is prepared"])


def _of_a_door(name: str) -> dict[str, Any]:
    """What a file says of a method, objective, ranker and so on, without running it."""
    door = next((door for door in DOORS.values() if name in door.names()), None)
    if door is None:
        return {}
    told = door.definition(name)
    said = told.facts if told else {}
    there = {"options": [one.words for one in told.options]} if told and told.options else {}
    where = door.place(name)
    return {door.noun: name, "summary": door.summary(name), **said, **there, "where": where}


def _metric_line(name: str) -> str:
    """From what its decorator says, without running its file."""
    told = METRICS.definition(name)
    facts = told.facts if told else {}
    return f"  {name:14} {facts.get('title', '')} ({facts.get('task', 'from another package')})"


def _trainings(entry: Entry) -> str:
    """Backbones of a name of the zoo, with their number of trainings where it is not one."""
    counts = {model: len(entry.stems(model)) for model in entry.models}
    return ", ".join(f"{model} ({n})" if n > 1 else model for model, n in counts.items())


def show_one(name: str, workspace: Workspace, as_json: bool) -> None:
    """One data set, model, strategy, metric or study.

    Raises:
        SpecError: If nothing has that name.
    """
    from tsxfer.zoo import shelf

    named = DatasetName.parse(name)
    if shelf.is_zoo(name):
        facts = _zoo_card(shelf.find(name))
    elif named.base in catalogue.names() or named.own:
        card = catalogue.find(name, workspace).card
        facts = {**asdict(card), "prepared": _prepared(workspace, card.id)}
    elif name in MODELS.names():
        facts = {"model": name, "summary": MODELS.summary(name)}
    elif bare(name.partition("+")[0]) in STRATEGIES:
        there = [one.words for one in options_of(bare(name.partition("+")[0]))]
        facts = {"strategy": name, **asdict(strategy_named(name)), "options": there}
    elif name in METRICS.names():
        metric = metrics.get(name)
        facts = {
            "metric": name,
            "title": metric.title,
            "task": metric.task,
            "higher_is_better": metric.higher_is_better,
        }
    elif told := _of_a_door(name):
        facts = told
    elif name in workspace.studies():
        facts = asdict(read_study(workspace.results(name) / "study.toml"))
    else:
        known = [
            *catalogue.names(),
            *MODELS.names(),
            *STRATEGIES,
            *(known for door in DOORS.values() for known in door.names()),
            *workspace.studies(),
        ]
        raise SpecError(f"nothing is called {name!r}", mend=nearest(name, known))
    if as_json:
        say_json(facts)
    else:
        said = {what: _in_words(value) for what, value in facts.items()}
        say([f"{what:16} {value}" for what, value in said.items() if value])


def _in_words(value: object) -> str:
    """A value of a card as a terminal shows it: no brackets or quotes, "" for nothing."""
    if isinstance(value, Mapping):
        known = {what: _in_words(one) for what, one in value.items()}
        return ", ".join(f"{what} {one}" for what, one in known.items() if one)
    if isinstance(value, (tuple, list)):
        return ("; " if any(isinstance(v, Mapping) for v in value) else ", ").join(
            map(_in_words, value)
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _zoo_card(entry: Entry) -> dict[str, Any]:
    """Facts of an entry; each training in a line, with what a blind prediction scores."""
    facts = asdict(entry)
    trainings = facts.pop("trainings")
    for stem, one in trainings.items():
        low = "; NO BETTER THAN BLIND on its own test" if entry.blind(stem) else ""
        facts[stem] = (
            f"{entry.metric} {one['score']:g}, blind {one['blind']:g}{low}; "
            f"{one['bytes'] / 1000:,.0f} kB; sha256 {one['sha256']}; remake: {one['command']}; "
            f"made with {', '.join(f'{n} {v}' for n, v in one['versions'].items())}"
        )
    return facts


def show_status(workspace: Workspace, as_json: bool) -> None:
    """Every study of the workspace with its counts."""
    facts = [_state_or_fault(workspace, name) for name in workspace.studies()]
    if as_json:
        say_json(facts)
    elif not facts:
        say(
            [
                f"no study in {workspace.root} yet; try: tsxfer run --source global_eq --target "
                "local_eq"
            ]
        )
    else:
        say(
            [
                f"{f['study']}: {f['fault']}"
                if "fault" in f
                else f"{f['study']}: {f['done']} done, {f['failed']} failed, {f['to_do']} to do"
                for f in facts
            ]
        )


def _state_or_fault(workspace: Workspace, name: str) -> dict[str, Any]:
    """One study that cannot be read must not hide the others."""
    try:
        return _state(workspace, name)
    except TsxferError as error:
        return {"study": name, "fault": str(error)}


def _state(workspace: Workspace, name: str) -> dict[str, Any]:
    trials = trials_of(read_study(workspace.results(name) / "study.toml"))
    states = Store.of(workspace, name).states()
    counts = Counter(states.get(t.key, "to do") for t in trials)
    return {
        "study": name,
        "done": counts["done"],
        "failed": counts["failed"],
        "to_do": counts["to do"],
    }
