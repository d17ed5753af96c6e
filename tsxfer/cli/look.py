"""``tsxfer look``: what a file or a data set holds, before anything is trained."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tsxfer.api.own import bring_all
from tsxfer.data.task import prepared
from tsxfer.errors import SpecError, StoreError
from tsxfer.inspection.facts import Facts, facts_of
from tsxfer.inspection.hints import hints
from tsxfer.inspection.text import text
from tsxfer.own.description import Description
from tsxfer.store.workspace import Workspace


def look(
    name: str, described: Description, workspace: Workspace, out: Path | None, as_json: bool
) -> None:
    """Print what a data set holds, and write it as a page where one is wanted.

    Args:
        name: A data set that is prepared, a simulated one (``emg+sim``), or a file of the user's
            own.
        described: What flags say of the file.
        workspace: Where the data lies or is prepared.
        out: The page to write.
        as_json: Print facts for programs.

    Raises:
        TsxferError: If there is no such data, or the file cannot be read.
    """
    made = prepared(workspace, _one(bring_all([name], described, workspace), workspace))
    facts = facts_of(made)
    if as_json:
        sys.stdout.write(json.dumps(_plain(facts) | {"hints": hints(made, facts)}, indent=1) + "\n")
    else:
        sys.stdout.write(text(made, facts) + "\n")
    if out is not None:
        from tsxfer.inspection.page import page

        _write(out, page(made, facts))


def _one(names: list[str], workspace: Workspace) -> str:
    from tsxfer.data import catalogue

    if len(names) != 1:
        raise SpecError(f"{len(names)} data sets are named", mend="look at one after the other")
    return catalogue.find(names[0], workspace).card.id


def _plain(facts: Facts) -> dict[str, object]:
    held = asdict(facts)
    return held | {name: held[name].tolist() for name in ("frequency", "power")}


def _write(out: Path, content: str) -> None:
    try:
        out.write_text(content, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written: {error.strerror}", mend="choose another --out"
        ) from None
    sys.stderr.write(f"wrote {out}\n")
