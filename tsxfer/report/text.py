"""The report on a terminal: one wide table where it fits, compact blocks where it does not."""

from __future__ import annotations

from textwrap import fill

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tsxfer.errors import printable as plain
from tsxfer.report.answer import answer, clearest
from tsxfer.report.build import Report
from tsxfer.report.columns import CAPTION, COLUMNS, MARKS, ORIENTED, TRIVIAL, p_text, stated
from tsxfer.report.headline import warnings
from tsxfer.report.section import Section
from tsxfer.report.sections import sections
from tsxfer.stats.compare import Comparison

ON_TERMINAL = (
    "Headline contrasts",
    "Summary of the table",
    "Best source",
    "Controls",
    "Baselines",
    "Transfer against baselines",
    "Ways of transfer",
    "Under other protocols",
    "Worth in labels",
    "Missing and failed",
    "Statistics",  # only there when asked for
)
OF_LINES = (
    f"{ORIENTED} The line 'these test instances' speaks of the windows that were tested; the "
    "verdict is for new groups (subjects, speakers, events) where windows have any, and a line "
    "above says what is known of them where enough were tested. 'Samples saved' is how many "
    f"training samples earlier transfer reaches the level that scratch sets; {TRIVIAL}"
)
WIDE = 200  # columns from which the whole table fits
PIPED = 100  # columns where nobody says how wide a line may be


def show(report: Report, console: Console | None = None) -> None:
    """Print answer, warnings and table to standard output."""
    console = console or _console()
    console.print(Text(plain(answer(report)), style="bold"))
    for line in clearest(report):
        _indented(console, line)
    for line in warnings(report):
        console.print(Text(f"! {plain(line)}"))
    if console.width < WIDE:
        for comparison in report.comparisons:
            _block(comparison, console)
        console.print()
    else:
        _table(report, console)
    if report.comparisons:
        console.print(Text(CAPTION if console.width >= WIDE else OF_LINES), style="dim")
    for section in sections(report):
        if section.title in ON_TERMINAL:
            _section(section, console)


def _console() -> Console:
    console = Console()
    # A pipe has no width of its own, and lines of a log are read in windows and letters.
    return console if console.is_terminal else Console(width=PIPED)


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


def _block(c: Comparison, console: Console) -> None:
    """Verdict and names, difference and scores, speed and caveats: a line each."""
    texts = {column.title: column.text(c) for column in COLUMNS}
    console.print()
    console.print(
        Text(
            plain(
                f"{MARKS[c.verdict]} {c.verdict}  {c.source} → {c.trial.dataset}, "
                f"{texts['model']}, {texts['size']} labels, n={texts['n']}  [{texts['data']}]"
            )
        )
    )
    if c.scope == "new groups" and c.stated[0] is not None:
        told = f"{stated(c)} {texts['metric']}, p corrected {p_text(c.stated[2])}"
        _indented(console, f"{c.speaks_of}: {texts['verdict']}, {told}")
    told = f"{texts['difference']} {texts['metric']}, p corrected {texts['p corrected']}"
    _indented(console, f"these test instances: {MARKS[c.here]} {c.here}, {told}")
    _indented(
        console,
        f"scratch {texts['scratch']}, transfer {texts['transfer']}, trivial {texts['trivial']}, "
        f"margin {c.margin:g}, g {texts['effect g']}; samples saved {texts['saved']}, "
        f"{_reached(texts['reached'])}",
    )
    caveats = dict.fromkeys(filter(None, (*c.notes, *c.gaps, c.beyond.why)))
    if caveats:
        _indented(console, f"! {'; '.join(caveats)}")


def _reached(shares: str) -> str:
    """Which share is whose, e.g. of ``67%/33%``."""
    scratch, both, transfer = shares.partition("/")
    return f"reached by scratch {scratch}, transfer {transfer}" if both else f"reached {shares}"


def _indented(console: Console, line: str) -> None:
    whole = fill(plain(line), console.width, initial_indent="  ", subsequent_indent="  ")
    console.print(Text(whole), soft_wrap=True)


def _section(section: Section, console: Console) -> None:
    _rows(section, console)
    if section.speaks_of:
        _indented(console, section.speaks_of)


def _rows(section: Section, console: Console) -> None:
    console.print()
    widths = [
        max(len(title), *(len(row[i]) for row in section.rows))
        for i, title in enumerate(section.header)
    ]
    if sum(widths) + 2 * len(widths) <= console.width:
        _small_table(section, console)
        return
    console.print(Text(section.title, style="italic"))
    for first, *rest in section.rows:
        console.print(Text(plain(f"- {first}")))
        told = zip(section.header[1:], rest, strict=True)
        _indented(console, "; ".join(f"{title} {cell}" for title, cell in told if cell))


def _small_table(section: Section, console: Console) -> None:
    table = Table(title=Text(section.title), title_justify="left", box=None, pad_edge=False)
    for title in section.header:
        table.add_column(title, overflow="fold")
    for row in section.rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)
