"""``tsxfer new`` and ``tsxfer check``: files of the user's own, written and tested."""

from __future__ import annotations

import keyword
import os
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from string import Template

from tsxfer.core.doors import DOORS, declared
from tsxfer.core.expansion import expand
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.models_index import model_names
from tsxfer.core.names import DatasetName
from tsxfer.core.plugins import plugin_folders, use_plugins
from tsxfer.core.registry import refuse_bad_syntax
from tsxfer.core.study_files import read_study
from tsxfer.data import catalogue
from tsxfer.data.card import Dataset
from tsxfer.errors import SpecError, nearest
from tsxfer.own.readers import is_own

ENDINGS = {"dataset": ".py", "model": ".py", "recipe": ".toml", **dict.fromkeys(DOORS, ".py")}
RUN = "tsxfer run --plugins . --source speech --target emg --quick"
NEXT = {
    "dataset": "tsxfer run --plugins . --source speech --target {name} --quick",
    "model": "tsxfer run --plugins . --source speech --target emg --model {name} --quick",
    "recipe": "tsxfer run {name}.toml --quick",
    "method": RUN + " --strategy copy,{name}",
    "objective": RUN + " --pretrain labels,{name}",
    "metric": RUN + " --metric {name}",
    "ranker": "tsxfer recommend --plugins . --target emg",
    "split": RUN + " --split {name}",
    "head": RUN + " --head {name}",
    "statistic": "tsxfer report STUDY --plugins . --statistics {name}",
}


def write_new(kind: str, name: str, folder: Path) -> Path:
    """Write a file that passes `check_file`, and say what to do with it.

    Raises:
        SpecError: For an unknown kind, a name that is no name or is taken, or a file in the way.
    """
    if kind not in ENDINGS:
        raise SpecError(f"tsxfer new {kind!r} is not known", mend=nearest(kind, ENDINGS))
    _refuse_name(kind, name)
    path = folder / f"{name}{ENDINGS[kind]}"
    text = resources.files("tsxfer").joinpath("templates", f"{kind}.txt").read_text("utf-8")
    words = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "symbol": name.capitalize(),  # small letters of it are the name
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(Template(text).substitute(words))
    except FileExistsError:
        raise SpecError(
            f"{path} is there already", mend="choose another name, or move it away"
        ) from None
    except OSError as error:
        raise SpecError(
            f"{path} cannot be written: {error.strerror}", mend="choose another folder with --in"
        ) from None
    sys.stdout.write(
        f"wrote {path}\ncheck it: tsxfer check {path}\nuse it:   {NEXT[kind].format(name=name)}\n"
    )
    return path


def _refuse_name(kind: str, name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise SpecError(
            f"{name!r} cannot be the name of a {kind}",
            mend="use small letters, digits and _, and begin with a letter",
        )
    known = {"dataset": catalogue.names, "model": model_names}
    known |= {noun: door.names for noun, door in DOORS.items()}
    taken = known.get(kind, list)()
    if name in taken:
        raise SpecError(f"there is a {kind} called {name} already", mend="choose another name")


def check_file(path: Path, data: Path | None) -> list[str]:
    """Test what a file defines against the contracts of `tsxfer.testing`.

    Args:
        path: Python file with a data set or a backbone, or a study in TOML.
        data: Files of the data set in their own format, to read them too.

    Returns:
        What was found in order, a line each.

    Raises:
        TsxferError: With the first fault.
    """
    if not path.is_file():
        raise SpecError(f"no file {path}", mend="check the path")
    if path.suffix == ".toml":
        return _check_study(path)
    if path.suffix != ".py":
        raise SpecError(
            f"{path.name} is neither Python nor TOML", mend="give what `tsxfer new` writes"
        )
    refuse_bad_syntax(path)
    if catalogue.REGISTRY.defined_in(path):
        return _check_dataset(path, data)
    if MODELS.defined_in(path):
        return _check_model(path)
    if said := _check_doors(path):
        return said
    raise SpecError(
        f"{path.name} defines nothing that tsxfer knows",
        where=str(path),
        mend=f"write @dataset(...), @backbone(...), {', '.join(f'@{noun}(...)' for noun in DOORS)} "
        "over a function or class, or subclass Backbone",
    )


def _check_doors(path: Path) -> list[str]:
    """Everything of a file that goes through a door, tried; the file's folder becomes known."""
    inside = {noun: door.defined_names(path) for noun, door in DOORS.items()}
    if not any(inside.values()):
        return []
    from tsxfer.testing.doors import CHECKS

    folders = dict.fromkeys([path.parent.resolve(), *(f.resolve() for f in plugin_folders())])
    use_plugins(os.pathsep.join(map(str, folders)))
    return [
        CHECKS[noun](name) + _options_of(noun, name)
        for noun, names in inside.items()
        for name in names
    ]


def _options_of(noun: str, name: str) -> str:
    there = ", ".join(one.words for one in declared(DOORS[noun], name))
    return f"; options: {there}" if there else ""


def _check_dataset(path: Path, data: Path | None) -> list[str]:
    from tsxfer.testing import check_card

    made = catalogue.dataset_in(catalogue.REGISTRY.load_file(path), path.stem)
    check_card(made.card)
    said = [f"{made.card.id}: the card agrees with itself"]
    if made.stand_in is not None:
        said.append(_counted(made.stand_in, None))
    if data is None:
        return [*said, f"{made.card.id}: reading was not tried; give files with --from FOLDER"]
    return [*said, _counted(made, data)]


def _counted(made: Dataset, data: Path | None) -> str:
    from tsxfer.testing import check_dataset

    blocks = check_dataset(made, data)
    count, groups = sum(map(len, blocks)), {g for b in blocks for g in b.group.tolist()}
    return f"{made.card.id}: {count} windows in {len(groups)} groups, the same when read twice"


def _check_model(path: Path) -> list[str]:
    import torch

    from tsxfer.models.base import backbone_in
    from tsxfer.testing import check_backbone

    kind = backbone_in(vars(MODELS.load_file(path)), path.stem)
    shapes = ((3, 80), (1, 128), (8, 500))
    for channels, length in shapes:
        check_backbone(kind, channels, length)
    with torch.no_grad():
        size = sum(p.numel() for p in kind(*shapes[0]).parameters())
    tried = ", ".join(f"{c} x {t}" for c, t in shapes)
    return [f"{path.stem}: {size:,} parameters; reads windows of {tried}; gradients reach all"]


def _check_study(path: Path) -> list[str]:
    study = read_study(path)
    channels = {
        name: len(catalogue.find(name).card.channels)
        for name in (*study.sources, *study.targets)
        if not DatasetName.parse(name).own and not is_own(name)
    }
    for model in study.models:
        if model not in model_names():
            raise SpecError(f"unknown model {model!r}", mend=nearest(model, model_names()))
    trials = expand(replace(study, channels=channels))
    return [f"{study.name}: {len(trials)} trials, {sum(1 for t in trials if t.reuse)} transfers"]


def show_check(path: Path, data: Path | None) -> None:
    """Check a file and print what was found."""
    sys.stdout.write("\n".join([*check_file(path, data), "passes"]) + "\n")
