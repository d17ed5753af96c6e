"""``tsxfer results``, ``compare``, ``merge`` and ``board``: result sets that travel."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Optional

import typer

from tsxfer.cli.options import Json, Place, Plugins

Set = Annotated[
    str,
    typer.Argument(
        help="real@1, a study run here, a file of rows (.parquet, .jsonl), a folder, or "
        "https://...#sha256=..."
    ),
]


def results(
    sets: Annotated[
        list[str], typer.Argument(help="real@1, studies run here, files, folders, addresses.")
    ],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="File to write: .parquet (a set that can be merged), .csv or .jsonl."),
    ] = None,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Show or export the rows of a result set; nothing is trained.

    Example: tsxfer results real@1 --out rows.csv
    """
    from tsxfer.exchange.finding import find
    from tsxfer.exchange.sets import joined
    from tsxfer.exchange.writing import summary, write
    from tsxfer.store.workspace import Workspace

    place = Workspace.at(workspace)
    found = joined([find(one, place) for one in sets])
    if out is None:
        sys.stdout.write(summary(found))
        return
    write(found, out)
    sys.stderr.write(f"wrote {sum(1 for _ in found.rows)} rows to {out}\n")


def compare(
    first: Set, second: Set, json: Json = False, _plugins: Plugins = "", workspace: Place = None
) -> None:
    """Compare two result sets: rows of only one, scores that moved, verdicts that changed.

    Exit code 1 where the two disagree on a row of the same key.

    Example: tsxfer compare real@1 tsxfer-workspace
    """
    from tsxfer.cli.show import say, say_json
    from tsxfer.exchange.comparing import as_plain
    from tsxfer.exchange.comparing import compare as compared

    found = compared(first, second, str(workspace) if workspace else None)
    if json:
        say_json(as_plain(found))
    else:
        say(str(found).splitlines())
    raise typer.Exit(1 if found.disagree else 0)


def merge(rows: Set, _plugins: Plugins = "", workspace: Place = None) -> None:
    """Add rows from elsewhere to the workspace: verified first, marked, and all or none.

    Example: tsxfer merge real@1
    """
    from tsxfer.cli.show import say
    from tsxfer.exchange import words
    from tsxfer.exchange.finding import find
    from tsxfer.exchange.merging import merge as merge_set
    from tsxfer.store.workspace import Workspace

    place = Workspace.at(workspace)
    found = find(rows, place)
    place.make()
    lines = [words.of_merge(one, found.origin) for one in merge_set(found, place)]
    say([*lines, *words.of_unbound(found), *words.of_unknown(found)])


def board(
    rows: Set = "real@1",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Page to write (Markdown)."),
    ] = None,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Rank sources, strategies and models over the targets of a result set, with intervals.

    Example: tsxfer board real@1
    """
    from tsxfer.cli.show import say_json
    from tsxfer.exchange.board import boards
    from tsxfer.exchange.finding import find
    from tsxfer.exchange.writing import board_page
    from tsxfer.store.files import put
    from tsxfer.store.workspace import Workspace

    found = find(rows, Workspace.at(workspace))
    if json:
        say_json([asdict(one) for one in boards(found)])
    elif out is None:
        sys.stdout.write(board_page(found))
    else:
        put(out, board_page(found).encode(), "the board")
        sys.stderr.write(f"wrote {out}\n")


def register(app: typer.Typer) -> None:
    """Make the commands known."""
    for command in (results, compare, merge, board):
        app.command()(command)
