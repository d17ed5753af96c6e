"""``tsxfer.run``: the main job as one call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from tsxfer.api.asked import StudyWords, flags_of
from tsxfer.api.given import Data, described_by, names_of, refuse_several
from tsxfer.api.public import public
from tsxfer.core.study import Study
from tsxfer.errors import SpecError, nearest
from tsxfer.own.description import Description
from tsxfer.running.engines import EngineName
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    from tsxfer.api.studies import StudyResult

Place = str | Path | None


@public(StudyWords)
def run(
    study: str | Path | None = None,
    *,
    source: Data = None,
    target: Data = None,
    workspace: Place = None,
    device: str = "auto",
    workers: int = 1,
    engine: str = "local",
    address: str = "",
    engine_option: Sequence[str] = (),
    limit: float = 0.0,
    weights: str = "",
    plugins: str | Path = "",
    progress: bool = True,
    **words: Unpack[StudyWords],
) -> StudyResult:
    """Pretrain, fine-tune, train the paired scratch twins, and compare.

    Arguments have the names of the flags of ``tsxfer run``, and mean the same. Calling it again
    with the same arguments resumes: rows that are there are not trained again.

    Args:
        study: A study file (TOML), or the name of a study that ran in the workspace; then neither
            source, target, model nor size.
        source: Where to pretrain: names of data sets (``"speech"``, a list, or ``"all"``) or data
            of your own, as for `target`.
        target: Where to fine-tune and test: names of data sets; a file; arrays ``(x, y)`` or
            ``(x, y, groups)``; a pandas DataFrame with one window a row and ``label=`` its column;
            a panel of sktime ``(panel, y, groups)``; ``{"name": data}`` to name what is in memory;
            or a list of these. ``x`` is ``(n, channel, time)`` or ``(n, time)`` numbers, or a list
            of windows ``(channel, time)``; ``y`` is ``(n,)`` class names, or numbers in their own
            unit; ``groups`` is ``(n,)`` names of what must stay on one side of a split (subjects,
            machines), None where every window stands for itself.
        workspace: Folder for data, weights and results; ``TSXFER_WORKSPACE``, else
            ``tsxfer-workspace``.
        device: ``auto``, ``cpu``, ``cuda`` or e.g. ``cuda:1``.
        workers: Processes. 1 trains in this process; more start workers, which needs
            ``if __name__ == "__main__":`` around the call in a script; 0 is one for each core.
        engine: ``local``, ``ray`` or ``slurm``.
        address: Of a Ray cluster, ``HOST:PORT``.
        engine_option: ``NAME=VALUE`` for the engine.
        limit: Minutes that one training may take before it counts as hung; 0 is any.
        weights: URL of a store that shares pretrained weights.
        plugins: Folder with data sets and models of yours; else ``TSXFER_PLUGINS``.
        progress: Show how far it is: a bar in a notebook or terminal, lines elsewhere.
        **words: Of the study: ``model`` (``"convnetquake"``), ``size`` (labels to use: ``1500``,
            ``"10%"``, ``"all"``, or a list; 1,500 and 9,000), ``repeats`` (paired repeats; 7),
            ``data`` (``auto``, ``real`` or ``simulated``), ``profile`` (``strict`` or ``paper``),
            ``quick`` (shrink it to about a minute), ``tune``, ``controls``, ``strategy``,
            ``pretrain``, ``combine``, ``baselines``, ``overlap``, ``looks``, ``source_size``. Of
            one data set of your own: ``label``, ``group``, ``rate`` (Hz), ``task``, ``metric``,
            ``margin`` (in units of the metric), ``unit``, ``missing``, ``lengths``, ``window`` and
            the others of docs/own-data.md.

    Returns:
        What was found: ``.table``, ``.verdicts``, ``.rows``, ``.plot("forest")``; a notebook shows
        it as a table.

    Raises:
        TsxferError: For names, data or words that make no study; nothing is trained then. A
            training that fails is a row in ``.failed``, and the others go on.

    Example:
        >>> import tsxfer
        >>> result = tsxfer.run(source="emg", target=(x, y, subjects), quick=True)  # doctest: +SKIP
        >>> result.plot("forest").save("forest.svg")  # doctest: +SKIP
    """
    from tsxfer.api.engine import How
    from tsxfer.api.studies import StudyResult
    from tsxfer.api.training import train

    place = workspace_at(workspace)
    options = (*engine_option, *([f"address={address}"] if address else []))
    if engine not in tuple(EngineName):
        raise SpecError(
            f"--engine {engine!r} is not known", mend=nearest(engine, tuple(EngineName))
        )
    how = How(
        device,
        workers,
        60 * max(0.0, limit),
        EngineName(engine),
        options,
        weights,
        progress=progress,
    )
    use_plugins(plugins)
    chosen = chosen_study(study, source, target, words, place)
    failed = train(chosen, place, how)
    if failed:
        sys.stderr.write(f"{failed} trial(s) failed; the result's .failed says why\n")
    return StudyResult(chosen.name, place)


def workspace_at(place: Place) -> Workspace:
    """The workspace in a folder."""
    return Workspace.at(None if place is None else str(place))


def use_plugins(folder: str | Path) -> None:
    """Make the data sets and models in a folder known, in workers too."""
    if folder:
        from tsxfer.core import registry

        registry.use_plugins(str(folder))


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
