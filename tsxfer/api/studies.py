"""Studies that were run: found by name or file, and what one has found."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tsxfer.api.public import public
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.core.study_files import read_study
from tsxfer.errors import SpecError, StoreError, nearest
from tsxfer.report.build import Report, build
from tsxfer.stats.lock import read_lock
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole

if TYPE_CHECKING:
    import pandas as pd

    from tsxfer.report.chart import Chart

ENDINGS = ("", "-zoo", "-simulated")  # of a study's name: shipped weights, or simulated data


def known_study(named: str, place: Workspace) -> str:
    """Name of a study that has been run here.

    Args:
        named: Its name, or the file that it ran from; a study that fell back on shipped weights
            or simulated data has its own name, which is taken where no study of the first ran.
        place: Where it ran.

    Raises:
        SpecError: If there is none of that name.
    """
    path = Path(named)
    name = path.stem if path.suffix == ".toml" else named
    name = read_study(path).name if path.suffix == ".toml" and path.exists() else name
    known = place.studies()
    found = next((n for end in ENDINGS if (n := f"{name}{end}") in known), "")
    if not found:
        first = "run one first: tsxfer run --source A --target B; or --workspace names another"
        raise SpecError(
            f"no study called {name!r} in {place.root}",
            mend=nearest(name, known) if known else first,
        )
    return found


class StudyResult:
    """What a study has found so far; statistics are computed when they are first asked for.

    A notebook shows it as the answer, what must be known before the numbers, and the table.

    Attributes:
        name: Of the study.
        workspace: Where it ran.
        folder: Of its rows, ``WORKSPACE/results/NAME``.
    """

    def __init__(self, name: str, workspace: Workspace) -> None:
        self.name, self.workspace = name, workspace
        self.folder: Path = workspace.results(name)

    @cached_property
    def study(self) -> Study:
        """What was compared."""
        return read_study(self.folder / "study.toml")

    @cached_property
    def _trials(self) -> list[Trial]:
        return expand(self.study)

    @cached_property
    def _found(self) -> dict[str, Result]:
        return Store(self.folder, self.workspace).rows()

    @property
    def rows(self) -> tuple[Result, ...]:
        """The row of each trial that has one, done or failed, sources first."""
        return tuple(self._found[t.key] for t in self._trials if t.key in self._found)

    @property
    def failed(self) -> tuple[Result, ...]:
        """Rows of trials that failed, each with its ``error``."""
        return tuple(row for row in self.rows if row.status == "failed")

    @cached_property
    def report(self) -> Report:
        """Everything that a report shows; gaps are listed, not refused."""
        return build(
            self.name,
            self._trials,
            self._found,
            partial=True,
            declared=read_lock(self.folder),
            folder=self.folder,
        )

    @property
    def answer(self) -> str:
        """The one sentence that a reader takes home."""
        from tsxfer.report.answer import answer

        return answer(self.report)

    @property
    def warnings(self) -> list[str]:
        """What must be known before the numbers: simulated data, failures, gaps."""
        from tsxfer.report.headline import warnings

        return warnings(self.report)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One line a comparison in full precision; controls and baselines stand last.

        Columns are those of ``tsxfer report --format csv``: ``source``, ``target``, ``model``,
        ``size`` and so on name the comparison; ``difference`` is the mean of transfer minus
        scratch, turned so that above 0 is better, in units of ``metric``, with its 95 % interval
        ``low`` to ``high`` on these test instances and ``new_groups_low`` to ``new_groups_high``
        for new groups; ``verdict`` holds for what ``verdict_for`` names.
        """
        import pandas as pd

        from tsxfer.report.files import records

        return pd.DataFrame.from_records(records(self.report))

    @property
    def verdicts(self) -> pd.Series[str]:
        """The verdict of each comparison, by source, target, model, size, strategy and control."""
        compared = self.table.iloc[: len(self.report.comparisons)]
        by = ["source", "target", "model", "size", "strategy", "rate_multiplier"]
        found: pd.Series[str] = compared.set_index(by)["verdict"]
        return found

    def plot(self, kind: str = "forest", comparison: int | None = None) -> Chart:
        """A figure of the report, as a Vega-Lite chart that can be styled and saved.

        Args:
            kind: ``forest`` (differences with intervals), ``heat``, ``budget``, ``beside``,
                ``layers``, ``ranking`` or ``windows``, over all comparisons; ``learning``,
                ``pairs``, ``survival``, ``thresholds`` or ``confusion``, of one.
            comparison: Line of `table` that a figure of one comparison shows; may be left out where
                there is one line.

        Raises:
            SpecError: For an unknown kind, a line that is not there, or a figure that this study
                has nothing to show in.
        """
        from tsxfer.report.chart import chart

        return chart(self.report, kind, comparison)

    def page(self, path: Path | str | None = None) -> Path:
        """Write the report as one offline HTML page, and say where.

        Args:
            path: The file; ``WORKSPACE/reports/NAME.html`` unless it is named.

        Raises:
            StoreError: If it cannot be written.
        """
        from tsxfer.report.html import render

        goal = Path(path) if path is not None else self.workspace.root / f"reports/{self.name}.html"
        try:
            write_whole(goal, render(self.report))
        except OSError as error:
            if path is None:
                raise
            raise StoreError(
                f"the page cannot be written: {error.strerror}",
                where=str(goal),
                mend="name another file",
            ) from None
        return goal

    def __repr__(self) -> str:
        warned = [f"! {line}" for line in self.warnings]
        return "\n".join([f"study {self.name}: {self.answer}", *warned])

    def _repr_html_(self) -> str:
        from tsxfer.report.fragment import fragment

        return fragment(self.report)


@public()
def load_study(path: str | Path, *, workspace: str | Path | None = None) -> StudyResult:
    """Read what a study has found, without training anything.

    Args:
        path: Its folder, ``WORKSPACE/results/NAME``; or its name or file, in `workspace`.
        workspace: Where it ran; ``TSXFER_WORKSPACE``, else ``tsxfer-workspace``.

    Raises:
        SpecError: If there is none.
    """
    if not isinstance(path, (str, Path)):
        raise SpecError(
            f"a study is named by text, not {type(path).__name__} ({path!r:.60})",
            mend="give its name, or its folder WORKSPACE/results/NAME",
        )
    folder = Path(path)
    if workspace is None and (folder / "study.toml").is_file():
        whole = folder.absolute()
        if whole.parent.name != "results":
            raise SpecError(
                f"{path} does not lie in the results of a workspace",
                mend="name WORKSPACE/results/NAME, where predictions and data are found",
            )
        return StudyResult(whole.name, Workspace(whole.parent.parent))
    place = Workspace.at(None if workspace is None else str(workspace))
    return StudyResult(known_study(str(path), place), place)
