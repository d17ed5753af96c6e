"""The site builds without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

for _module in ("sphinx", "furo", "myst_parser"):
    pytest.importorskip(_module, reason='pip install "tsxfer[docs]"')


def test_the_site_builds(tmp_path: Path) -> None:
    """Every page is there, with its picture, and the API page has the public classes."""
    words = [sys.executable, "-m", "sphinx", "-W", "-q", "-d", str(tmp_path / "trees")]
    done = subprocess.run(
        [*words, "docs", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    for name in ("Trial", "Study", "Comparison", "TransferClassifier", "TsxferError"):
        assert f".{name}" in page
    assert (tmp_path / "site" / "_images" / "forest.svg").is_file()
    assert "--save-study" in (tmp_path / "site" / "reference.html").read_text(encoding="utf-8")
