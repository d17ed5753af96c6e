"""The table on a terminal: one wide table where it fits, blocks where it does not."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tsxfer.errors import printable as plain
from tsxfer.report.build import Report
from tsxfer.report.columns import CAPTION, COLUMNS
from tsxfer.report.headline import headline, warnings
from tsxfer.report.section import Section
from tsxfer.report.sections import sections

ON_TERMINAL = (
    "Headline contrasts",
    "Summary of the table",
    "Best source",
    "Controls",
    "Baselines",
    "Transfer against baselines",
    "Ways of transfer",
    "Worth in labels",
)
NARROW = 150  # columns below which sixteen columns do not fit


def show(report: Report, console: Console | None = None) -> None:
    """Print headline, warnings and table to standard output."""
    console = console or _console()
    for line in warnings(report):
        console.print(Text(f"! {plain(line)}"))
    console.print(Text(headline(report)))
    if console.width < NARROW:
        _blocks(report, console)
    else:
        _table(report, console)
    if report.comparisons:
        console.print(Text(CAPTION), style="dim")
    for section in sections(report):
        if section.title in ON_TERMINAL:
            _section(section, console)
    for key, error in report.failures:
        console.print(Text(f"failed {key}: {plain(error)}"))
    for gap in report.gaps[:10]:
        console.print(Text(f"missing: {plain(gap)}"))


def _console() -> Console:
    console = Console()
    # A pipe has no width; readers of a log want whole rows.
    return console if console.is_terminal else Console(width=240)


def _table(report: Report, console: Console) -> None:
    mark = " (SIMULATED)" if report.simulated else ""
    table = Table(title=Text(f"{plain(report.name)}{mark}"))
    for column in COLUMNS:
        table.add_column(
            column.title, justify="right" if column.numeric else "left", overflow="fold"
        )
    for comparison in report.comparisons:
        table.add_row(*(Text(plain(column.text(comparison))) for column in COLUMNS))
    console.print(table)


def _section(section: Section, console: Console) -> None:
    table = Table(title=Text(section.title), title_justify="left", box=None, pad_edge=False)
    for title in section.header:
        table.add_column(title, overflow="fold")
    for row in section.rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print()
    console.print(table)


def _blocks(report: Report, console: Console) -> None:
    for comparison in report.comparisons:
        texts = {column.title: plain(column.text(comparison)) for column in COLUMNS}
        console.print(
            Text(
                f"\n{texts['source']} → {texts['target']}  {texts['model']}  size {texts['size']}  "
                f"n={texts['n']}  [{texts['data']}]"
            )
        )
        console.print(
            Text(f"  {texts['metric']}: scratch {texts['scratch']}, transfer {texts['transfer']}")
        )
        console.print(
            Text(
                f"  difference {texts['difference']}  "
                f"p {texts['p']} (corrected {texts['p corrected']})  g {texts['effect g']}"
            )
        )
        console.print(Text(f"  samples saved {texts['saved']}, reached {texts['reached']}"))
        console.print(
            Text(f"  new groups {texts['new groups']}  p corrected {texts['p new groups']}")
        )
        console.print(
            Text(
                f"  verdict: {texts['verdict']} (for {texts['verdict for']}); "
                f"on these tests {texts['on these tests']}"
            )
        )
