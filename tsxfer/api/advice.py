"""``tsxfer.recommend``: which source may help, before anything is trained."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from tsxfer.api.asked import DataWords, Names, listed
from tsxfer.api.chosen import Place, use_plugins, workspace_at
from tsxfer.api.given import Data, described_by, names_of
from tsxfer.api.public import public
from tsxfer.own.description import Description

if TYPE_CHECKING:
    import pandas as pd

    from tsxfer.ranking.advice import Advice


class Recommendation:
    """Sources ranked before training, and how often such rankings have been right.

    Attributes:
        advice: All that was found.
    """

    def __init__(self, advice: Advice) -> None:
        self.advice = advice

    @property
    def best(self) -> str:
        """The source that is put first, as `tsxfer.run` takes it."""
        return self.advice.ranked[0].source.trial.dataset

    @property
    def sentence(self) -> str:
        """How often such a ranking has been right, or that nothing can be said yet."""
        from tsxfer.ranking.advice import sentence

        return sentence(self.advice)

    @property
    def table(self) -> pd.DataFrame:
        """A source a line, best first, with its score by each ranker."""
        import pandas as pd

        from tsxfer.ranking.advice import as_plain

        return pd.DataFrame(as_plain(self.advice)["sources"])

    def __repr__(self) -> str:
        mark = "SIMULATED DATA\n" if self.advice.simulated else ""
        return f"{mark}{self.table.to_string(index=False)}\n{self.sentence}"

    def _repr_html_(self) -> str:
        mark = "<p><strong>SIMULATED DATA</strong></p>" if self.advice.simulated else ""
        return f"{mark}{self.table.to_html(index=False)}<p>{escape(self.sentence)}</p>"


@public(DataWords)
def recommend(
    target: Data,
    *,
    model: str = "convnetquake",
    size: str | int = "",
    repeat: int = 0,
    source: Names = (),
    trained_on: Names = (),
    workspace: Place = None,
    plugins: str | Path = "",
    **words: Unpack[DataWords],
) -> Recommendation:
    """Rank the available sources before training, and say how often that has been right here.

    Args:
        target: One target, as of `tsxfer.run`; only its training windows are looked at.
        model: Backbone.
        size: Labels; 1,500, or all where there are fewer.
        repeat: Whose subset of the target is looked at.
        source: What to rank: data sets pretrained here, ``zoo:NAME``, files of weights. All that
            is here: pretrainings and, for a real target, the zoo.
        trained_on: Data sets that weights of a stranger among them have learned from.
        workspace: Where pretrainings and finished studies lie.
        plugins: Folder with data sets and models of yours.
        **words: Of a target of your own, as of `tsxfer.run`.

    Raises:
        TsxferError: For names that mean nothing, a target that is not prepared, or no source.
    """
    from tsxfer.api.recommending import Wanted, advised

    use_plugins(plugins)
    described, place = described_by(words), workspace_at(workspace)
    names, held = names_of("target", target, described, place)
    left = Description() if held else described
    sources, said = listed("source", source), listed("trained_on", trained_on)
    wanted = Wanted(
        ",".join(names),
        model,
        str(size),
        repeat,
        left,
        sources,
        said,
    )
    return Recommendation(advised(wanted, place))
