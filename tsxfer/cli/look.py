"""``tsxfer look``."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.api.ahead import looked
from tsxfer.cli.show import say_json
from tsxfer.own.description import Description
from tsxfer.store.workspace import Workspace


def look(
    name: str, described: Description, workspace: Workspace, out: Path | None, as_json: bool
) -> None:
    """Print what a data set holds, and write it as a page where one is wanted."""
    found = looked(name, described, workspace)
    if as_json:
        say_json(found.as_plain())
    else:
        sys.stdout.write(f"{found!r}\n")
    if out is not None:
        found.page(out)
        sys.stderr.write(f"wrote {out}\n")
