"""The documentation site: ``sphinx-build -W docs site``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tsxfer import __version__

HERE = Path(__file__).parent

project = "tsxfer"
release = version = __version__
author = "tsxfer developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "tsxfer"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks keep what they gave; tests/docs runs them again
autodoc_typehints = "signature"
maximum_signature_line_length = 80
default_role = "py:obj"
autodoc_member_order = "bysource"
smartquotes = False  # they make one dash of the two before an option
napoleon_use_ivar = True
napoleon_attr_annotations = False  # types stand in the signatures


def _reference() -> str:
    """Typer's own page of every command and option."""
    words = [sys.executable, "-m", "typer", "tsxfer.cli.app", "utils", "docs", "--name", "tsxfer"]
    page = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603
    page = page.replace("# `tsxfer`", "# Every option", 1)
    # The list of commands cuts sentences; commands.md has the table.
    return re.sub(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n", "", page)


# Made with each build and not committed, so that it cannot be stale.
(HERE / "reference.md").write_text(_reference(), encoding="utf-8")
