"""From named arguments to a settled study, a workspace and plugins."""

from __future__ import annotations

from pathlib import Path

from tsxfer.api.asked import StudyWords, flags_of
from tsxfer.api.given import Data, described_by, names_of, refuse_several
from tsxfer.core.study import Study
from tsxfer.own.description import Description
from tsxfer.store.workspace import Workspace

Place = str | Path | None


def workspace_at(place: Place) -> Workspace:
    """The workspace in a folder."""
    return Workspace.at(None if place is None else str(place))


def use_plugins(folder: str | Path) -> None:
    """Make the data sets and models in a folder known, in workers too."""
    if folder:
        from tsxfer.core import plugins

        plugins.use_plugins(str(folder))


def chosen_study(
    study: str | Path | None, source: Data, target: Data, words: StudyWords, place: Workspace
) -> Study:
    """The study that named arguments mean, with data sets settled.

    Raises:
        TsxferError: If they mean none.
    """
    from tsxfer.api.choose import study_from

    described = described_by(words)
    sources, first = names_of("source", source, described, place)
    targets, second = names_of("target", target, described, place)
    refuse_several([*sources, *targets], first + second, described)
    left = Description() if first + second else described
    flags = flags_of(words, sources, targets, left)
    return study_from(None if study is None else str(study), flags, place)
