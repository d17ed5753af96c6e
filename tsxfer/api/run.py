"""``tsxfer.run``: the main job as one call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from tsxfer.api.asked import StudyWords
from tsxfer.api.chosen import Place, chosen_study, use_plugins, workspace_at
from tsxfer.api.given import Data
from tsxfer.api.public import public
from tsxfer.errors import SpecError, nearest
from tsxfer.running.engines import EngineName

if TYPE_CHECKING:
    from tsxfer.api.studies import StudyResult


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
    checkpoint_minutes: float = 10.0,
    weights: str = "",
    steps: str = "auto",
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
        checkpoint_minutes: A training that is cut off goes on where it was at most so many minutes
            before; 0 begins it again.
        weights: URL of a store that shares pretrained weights.
        steps: ``auto`` (``stacked`` on CUDA, else ``turns``), ``turns``, ``recorded`` or
            ``stacked``; the same numbers within rounding.
        plugins: Folder or file with data sets, models and methods of yours; else
            ``TSXFER_PLUGINS``.
        progress: Show how far it is: a bar in a notebook or terminal, lines elsewhere.
        **words: Of the study: ``model`` (``"convnetquake"``), ``size`` (labels to use: ``1500``,
            ``"10%"``, ``"all"``, or a list; 1,500 and 9,000), ``repeats`` (paired repeats; 7),
            ``data`` (``auto``, ``real`` or ``simulated``), ``profile`` (``strict`` or ``paper``;
            ``["strict", "paper"]`` runs both, the first one's in the tables), ``quick`` (shrink it
            to about a minute), ``tune``, ``controls``, ``strategy`` (``"lora:rank=8"`` and a
            method's own options), ``classes`` (of zero-shot answers: ``{"fist": "closed"}``, from
            the source's names to the target's), ``pretrain``, ``combine``,
            ``baselines``, ``overlap``, ``looks``, ``source_size``, ``trained_on``, ``recipe``,
            ``head``, ``split`` (a rule, in place of the card's). Of
            one data set of your own: ``label``, ``group``, ``rate`` (Hz), ``task``, ``metric``,
            ``margin`` (in units of the metric), ``unit``, ``missing``, ``lengths``, ``window`` and
            the others of docs/layouts.md.

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
        steps=steps,
        progress=progress,
        checkpoint=max(0.0, checkpoint_minutes),
    )
    use_plugins(plugins)
    chosen = chosen_study(study, source, target, words, place)
    failed = train(chosen, place, how)
    if failed:
        sys.stderr.write(f"{failed} trial(s) failed; the result's .failed says why\n")
    return StudyResult(chosen.name, place)
