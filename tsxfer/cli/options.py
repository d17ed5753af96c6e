"""Options that several commands take, defined once."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from tsxfer.own.description import Description

UNSAID = Description()
Place = Annotated[
    Optional[str], typer.Option("--workspace", help="Folder for data, weights and results.")  # noqa: UP045
]
StudyFile = Annotated[
    Optional[str], typer.Argument(help="A study file (TOML) or the name of a study run before.")  # noqa: UP045
]
Names = Annotated[list[str], typer.Option(help="Names, repeated or with commas, or 'all'.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Partial = Annotated[bool, typer.Option("--partial", help="Report what is there; gaps are listed.")]
Mode = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--data", help="real, simulated or auto (real if all is prepared, else simulated)."
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Shrink to about a minute; renames the study.")
]


def _use_plugins(folders: str) -> str:
    if folders:
        from tsxfer.core.plugins import use_plugins

        use_plugins(folders)
    return folders


Plugins = Annotated[
    str,
    typer.Option(
        "--plugins",
        callback=_use_plugins,
        is_eager=True,
        help="Folder or file with data sets, models and methods of yours; else TSXFER_PLUGINS.",
    ),
]
