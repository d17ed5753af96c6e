"""A report says whether its very rows were checked."""

import re
from pathlib import Path

from tests.study import NAME, here
from tsxfer.store.workspace import Workspace


def _said(copy: Path) -> str:
    """The report as Markdown."""
    made = here(copy, "report", NAME, "--format", "markdown")
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_the_report_says_whether_it_was_checked(copy: Path, place: Workspace) -> None:
    """Not checked; passed, with the day; changed since; failed, which is said first."""
    assert "not checked: tsxfer verify" in _said(copy)
    assert here(copy, "verify", NAME).returncode == 0
    assert re.search(r"all 19 checks passed on \d{4}-\d\d-\d\dT", _said(copy))
    rows = next(place.results(NAME).glob("*.jsonl"))
    rows.write_text(rows.read_text().replace('"chance": {"mae": ', '"chance": {"mae": 9'))
    assert "changed since it was checked" in _said(copy)
    assert here(copy, "verify", NAME).returncode == 1
    assert re.search(r"VERIFY: FAILED on .*chance", _said(copy))
