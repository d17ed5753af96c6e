"""The documentation site: ``sphinx-build -W docs site``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tsxfer import __version__

HERE = Path(__file__).parent

project = "tsxfer"
release = version = __version__
author = "tsxfer developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "tsxfer"
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
napoleon_use_ivar = True
nitpicky = False
suppress_warnings = ["myst.xref_missing"]  # files of the repository outside of the site


def _commands() -> str:
    """Typer's own page of every command and option."""
    words = [sys.executable, "-m", "typer", "tsxfer.cli.app", "utils", "docs", "--name", "tsxfer"]
    page = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return page.replace("# `tsxfer`", "# Commands", 1)


(HERE / "commands.md").write_text(_commands(), encoding="utf-8")
