"""The public names of ``import tsxfer``: light to import, and all there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tsxfer

HEAVY = ("numpy", "torch", "scipy", "pandas", "sktime", "typer", "rich")


def test_importing_is_light() -> None:
    """Import tsxfer loads none of the libraries that take long, and no room of its own."""
    code = "import sys, tsxfer; print(*[m for m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not [name for name in loaded if name.split(".")[0] in HEAVY]
    assert [name for name in loaded if name.startswith("tsxfer")] == ["tsxfer"]


def test_the_table_and_the_types_agree() -> None:
    """What type checkers see is what a name brings in: same names, same modules."""
    tree = ast.parse(Path(tsxfer.__file__).read_text(encoding="utf-8"))
    typed = {
        alias.name: node.module
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == tsxfer.PUBLIC


@pytest.mark.parametrize("name", sorted(tsxfer.PUBLIC))
def test_every_public_name_is_there(name: str) -> None:
    """Each name of the table is in its module, documented, and listed by dir."""
    assert getattr(tsxfer, name).__doc__
    assert name in dir(tsxfer)


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    """A name that is not there names the one that was meant."""
    with pytest.raises(AttributeError, match="TsxferError"):
        _ = tsxfer.TsxferErorr
